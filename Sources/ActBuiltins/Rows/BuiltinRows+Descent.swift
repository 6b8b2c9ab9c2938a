// Training by hand: one step of an optimiser, a pass that hands back what it gathered, parameters that stay.

import ActArray
import ActGrad
import ActMachine
import ActNetwork
import ActRows
import ActSyntax

extension BuiltinRows {
    static let descent: [Builtin] = [
        Builtin(
            .networks, "update", "one step: the pair of the new parameters and the optimiser as it is after it",
            details: """
                The parameters are a number, an array, a record, a list, a layer or a network; the gradient has their structure, as `grad` gives it. The optimiser that comes back holds its moments: hand it to the next step. \
                `lr` may be a function of the number of steps done. Frozen layers stay as they are.
                """,
            example: "opt = SGD(0.5)\nw, opt = update(opt, [1, 2], [2, 2])\nw   # [0, 1]", role: .opaque
        ) { takes in
            let optimizer = takes.value("optimizer"), parameters = takes.value("parameters"), gradient = takes.value("gradient")
            return { call in try call.update(optimizer, parameters, gradient) }
        },
        Builtin(
            .networks, "LBFGS", "an optimiser for `fit` and `update`: steps that learn the curvature from the last gradients, of all rows at once",
            details: """
                For smooth losses of few parameters. `fit` takes one step an epoch, over all rows, and looks how far to go: `lr` is the first length that it tries, of 25 at most. `update` knows no loss to look at, so that its steps \
                have the length `lr`, as with `line_search=false`; where they are too long the loss grows.
                """,
            example:
                "f = v -> sum((v - [1, 2])^2 * [1, 10])\np, opt = [5, 5], LBFGS()\nfor i in range(10) { p, opt = update(opt, p, grad(f)(p)) }\nallclose(p, [1, 2])   # true",
            role: .opaque
        ) { takes in
            let lr = takes.value("lr", default: .number(1), "1"), history = takes.whole("history", default: 100, .within(1...0x1p20)),
                search = takes.flag("line_search", default: true)
            return { call in
                let record = try Record([
                    "optimizer": .string("LBFGS"), "lr": call[lr], "history": .number(Double(call[history])), "line_search": .bool(call[search]),
                ])
                _ = try call.descent(record)
                return .record(record)
            }
        },
        Builtin(
            .networks, "forward", "a pass that hands back what it gathered: the pair of the output and the network with its new statistics and states",
            example: "y, n = forward(BatchNorm(1, momentum=0.5), [[1], [3]], training=true)\nn.mean   # [1]"
        ) { takes in
            let net = takes.network("net"), x = takes.value("x"), training = takes.flag("training", default: false)
            return { call in
                let function = try call[net]
                var network = function.network
                try network.separateStates()
                let fresh = NetworkFunction(network, like: function)
                let (output, states) = try fresh.passed(call[x], isTraining: call[training], call.machine)
                return try .list([output, NetworkFunction.with(states: states, fresh).asValue()])
            }
        },
        Builtin(
            .networks, "freeze", "the layer or network with parameters that `fit` and `update` leave alone",
            details: "Statistics are still gathered, and `grad` still gives its gradient. `unfreeze` undoes it; `net[0] = freeze(net[0])` freezes one layer.",
            example: "net = freeze(Dense(2, 3)) >> Dense(3, 1)\nnet   # freeze(Dense(2, 3)) >> Dense(3, 1)"
        ) { takes in
            let net = takes.network("net")
            return { call in
                let function = try call[net]
                return try NetworkFunction(function.network.frozen(), like: function).asValue()
            }
        },
        Builtin(
            .networks, "unfreeze", "the layer or network with all of its parameters trained again", example: "unfreeze(freeze(Dense(2, 3)))   # Dense(2, 3)"
        ) { takes in
            let net = takes.network("net")
            return { call in
                let function = try call[net]
                return try NetworkFunction(function.network.thawed(), like: function).asValue()
            }
        },
    ]
}

extension Call {
    /// The optimiser that an argument describes.
    func descent(_ value: Value, _ argument: Input<Value>) throws -> any Descent {
        if case .function(let function) = value, function.builtin == nil { return FunctionDescent(function: function, machine: machine) }
        return try descent(optimizerRecord(value, argument))
    }

    private func optimizerRecord(_ value: Value, _ argument: Input<Value>) throws -> Record {
        switch value {
        case .undefined, .none: return try Record(["optimizer": .string(Optimizers.standard)])
        case .record(let record): return record
        case .function(let function) where function.builtin != nil && (Optimizers.named(function.name) != nil || function.name == "LBFGS"):
            return try Record(["optimizer": .string(function.name)])
        default: throw fail(argument, .optimizer)
        }
    }

    func descent(_ record: Record) throws -> any Descent {
        guard case .string(let name)? = record["optimizer"], name.string == "LBFGS" else { return try optimizer(record) }
        guard case .number(let history)? = record["history"] ?? .number(100), let count = Int(exactly: history), count > 0, count <= 1 << 20 else {
            throw TrainingRefusal.optimizerHistory
        }
        let searches: Bool
        switch record["line_search"] ?? .bool(true) {
        case .bool(let flag): searches = flag
        default: throw TrainingRefusal.optimizerSearch
        }
        return try LBFGS(rate: rate(record["lr"] ?? .number(1), of: "LBFGS"), history: count, searches: searches)
    }

    fileprivate func update(_ optimizer: Input<Value>, _ parameters: Input<Value>, _ gradient: Input<Value>) throws -> Value {
        let record = try optimizerRecord(self[optimizer], optimizer)
        var leaves: [NDArray] = [], slopes: [NDArray] = []
        let structure = try Structure(self[parameters], leaves: &leaves), other = try Structure(self[gradient], leaves: &slopes)
        guard !leaves.isEmpty else { throw fail(parameters, .parameters) }
        if let misfit = structure.misfit(of: other) { throw RuntimeError.gradientMisfit(misfit) }
        for (index, pair) in zip(leaves, slopes).enumerated() where pair.0.shape != pair.1.shape {
            let paths = structure.paths
            throw RuntimeError.gradientMisfit(.shape(path: paths.indices.contains(index) ? paths[index] : "", parameter: pair.0.shape, gradient: pair.1.shape))
        }
        let trains = structure.trains
        let places = leaves.indices.filter { trains[$0] }
        guard !places.isEmpty else { throw NetworkError.allFrozen }
        var changing = try places.map { try leaves[$0].detached() }
        let steps = try count(record["steps"])
        var state = try descent(record).resumed(record, for: changing, steps: steps, self)
        try state.step(&changing, places.map { slopes[$0] }, epoch: Double(steps))
        for (place, array) in zip(places, changing) { leaves[place] = array }
        var rest = leaves[...]
        let next = try record.copy()
        try next.set("steps", to: .number(Double(steps + 1)))
        try state.note(in: next)
        return try .list([structure.value(&rest), .record(next)])
    }

    private func count(_ value: Value?) throws -> Int {
        guard let value else { return 0 }
        guard case .number(let number) = value, let count = Int(exactly: number), count >= 0, count < 1 << 53 else { throw TrainingRefusal.optimizerSteps }
        return count
    }
}

// MARK: Moments in the record of an optimiser

extension Descent {
    /// At work where a record says that it is.
    fileprivate func resumed(_ record: Record, for parameters: [NDArray], steps: Int, _ call: Call) throws -> any ResumableDescent {
        func arrays(_ value: Value?) throws -> [NDArray] {
            guard case .list(let list)? = value, list.elements.count == parameters.count else { throw misfit }
            return try zip(list.elements, parameters).map { value, parameter in
                guard value.isNumeric else { throw misfit }
                let array = try value.point()
                guard array.shape == parameter.shape else { throw misfit }
                return array
            }
        }
        if let method = self as? LBFGS {
            var state = LBFGSState(method)
            guard steps > 0, record["gradient"] != nil else { return state }
            state.last = (try arrays(record["step"]), try arrays(record["gradient"]))
            guard case .list(let pairs)? = record["pairs"] else { throw misfit }
            for pair in pairs.elements {
                guard case .list(let pair) = pair, pair.elements.count == 2 else { throw misfit }
                state.pairs.append((try arrays(pair.elements[0]), try arrays(pair.elements[1])))
            }
            return state
        }
        guard let optimizer = self as? Optimizer else { throw TrainingRefusal.notAnOptimizerRecord }
        guard steps > 0 else { return try OptimizerState(optimizer, for: parameters) }
        guard case .list(let slots)? = record["moments"], slots.elements.count == optimizer.momentCount, case .number(let memory)? = record["memory"] else {
            throw misfit
        }
        return try OptimizerState(optimizer, moments: try slots.elements.map { try arrays($0) }, types: parameters.map(\.type), steps: steps, memory: memory)
    }

    private var misfit: TrainingRefusal { .momentsOfOthers }
}

private protocol ResumableDescent: DescentState {
    /// Writes down what the next step needs to know.
    func note(in record: Record) throws
}

extension OptimizerState: ResumableDescent {
    fileprivate func note(in record: Record) throws {
        try record.set("memory", to: .number(memory))
        try record.set("moments", to: .list(moments.map { slot -> Value in try .list(slot.map { try Value($0) }) }))
    }
}

extension LBFGSState: ResumableDescent {
    fileprivate func note(in record: Record) throws {
        guard let last else { return }
        func list(_ arrays: [NDArray]) throws -> Value { try .list(arrays.map { try Value($0) }) }
        try record.set("step", to: list(last.step))
        try record.set("gradient", to: list(last.gradient))
        try record.set("pairs", to: .list(pairs.map { pair -> Value in try .list([list(pair.step), list(pair.change)]) }))
    }
}
