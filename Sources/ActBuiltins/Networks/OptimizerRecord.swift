// Optimisers as values: records of settings, in which `update` keeps what the next step needs to know.
//
// What must stay true: derivatives go through every step but those of LBFGS, whose results say that they have none. Counts stay plain numbers.

import ActArray
import ActGrad
import ActLayers
import ActMachine
import ActNetwork
import ActRows

extension Call {
    /// The optimiser that an argument describes.
    func descent(_ value: Value, _ argument: Input<Value>) throws -> any Descent { try descent(optimizerRecord(value, argument)) }

    private func optimizerRecord(_ value: Value, _ argument: Input<Value>) throws -> Record {
        switch value {
        case .undefined, .none: return try Record(["optimizer": .string(Optimizers.standard)])
        case .record(let record): return record
        case .function(let function) where function.builtin == nil: return try Record(["optimizer": value])
        case .function(let function) where Optimizers.named(function.name) != nil || function.name == LBFGS.name:
            return try Record(["optimizer": .string(function.name)])
        default: throw fail(argument, .optimizer)
        }
    }

    func descent(_ record: Record) throws -> any Descent {
        switch record["optimizer"] {
        case .function(let function)?: FunctionDescent(function: function, machine: machine)
        case .string(let name)? where name.string == LBFGS.name: try lbfgs(record)
        default: try optimizer(record)
        }
    }

    /// A field that no step reads is a setting that is written wrongly, and would change nothing.
    private func check(_ record: Record, of optimizer: String, settings: [String], state: [String]) throws {
        for field in record.fields.keys where field != "optimizer" && field != "steps" && !settings.contains(field) && !state.contains(field) {
            throw TrainingRefusal.noOptimizerSetting(field, optimizer, settings: settings)
        }
    }

    private func lbfgs(_ record: Record) throws -> LBFGS {
        try check(record, of: LBFGS.name, settings: ["lr", "history", "line_search"], state: ["step", "gradient", "pairs"])
        guard case .number(let history)? = record["history"] ?? .number(100), let count = Int(exactly: history), count > 0, count <= 1 << 20 else {
            throw TrainingRefusal.optimizerHistory
        }
        let searches: Bool
        switch record["line_search"] ?? .bool(true) {
        case .bool(let flag): searches = flag
        default: throw TrainingRefusal.optimizerSearch
        }
        return try LBFGS(rate: rate(record["lr"] ?? .number(1), of: LBFGS.name), history: count, searches: searches)
    }

    func optimizer(_ record: Record) throws -> Optimizer {
        let row = try row(of: record)
        try check(record, of: row.name, settings: row.parameters.map(\.name), state: ["memory", "moments"])
        func number(_ field: String) throws -> Double? { try operand(field, of: record, row)?.item() }
        let values = try row.inputs.own.map { try number(row.parameters[$0.index].name) ?? $0.fallback ?? 0 }
        let rate = try rate(record["lr"] ?? .number(row.inputs.lr.fallback ?? 0), of: row.name)
        return try Optimizer(
            row, values: values, rate: rate, weightDecay: number("weight_decay"), clipNorm: number("clip_norm"), clipValue: number("clip_value"))
    }

    private func row(of record: Record) throws -> OptimizerRow {
        guard case .string(let name)? = record["optimizer"], let row = Optimizers.named(name.string) else { throw TrainingRefusal.unknownOptimizer }
        return row
    }

    /// A setting; `nil` where it is left out or none.
    private func operand(_ field: String, of record: Record, _ row: OptimizerRow) throws -> Operand? {
        switch record[field] {
        case nil, .some(.none): return nil
        case .number(let number): return .number(number)
        case .bool(let bool): return .number(bool ? 1 : 0)
        case .array(let array) where array.rank == 0: return try array.weak
        case .some(let value): throw TrainingRefusal.optimizerField(field, row.name, value)
        }
    }

    /// The learning rate of an optimiser: a number, or a function of the moment.
    private func rate(_ value: Value, of optimizer: String) throws -> (Double) throws -> Double {
        if case .function = value { return { try self.rate(value, at: $0).item() } }
        guard value.isNumeric, try value.point().count == 1 else { throw TrainingRefusal.optimizerField("lr", optimizer, value) }
        let constant = try value.point().item()
        guard constant >= 0, constant.isFinite else { throw TrainingRefusal.negativeRate(constant, optimizer) }
        return { _ in constant }
    }

    private func rate(_ value: Value, at moment: Double) throws -> NDArray {
        guard case .function(let function) = value else { return try value.point() }
        let rate = try machine.call(function, Arguments([.number(moment)]))
        guard rate.isNumeric, try rate.point().count == 1 else { throw TrainingRefusal.rateKind(rate, epoch: moment) }
        return try rate.point().reshaped(to: [])
    }
}

// MARK: - One step

extension Call {
    /// The pair of the new parameters and the optimiser after the step.
    func update(_ optimizer: Input<Value>, _ parameters: Input<Value>, _ gradient: Input<Value>) throws -> Value {
        let record = try optimizerRecord(self[optimizer], optimizer)
        var leaves: [NDArray] = [], slopes: [NDArray] = []
        let structure = try Structure(self[parameters], leaves: &leaves), other = try Structure(self[gradient], leaves: &slopes)
        guard !leaves.isEmpty else { throw fail(parameters, .parameters) }
        if let misfit = try structure.misfit(of: other) { throw RuntimeError.gradientMisfit(misfit) }
        for (index, pair) in zip(leaves, slopes).enumerated() where pair.0.shape != pair.1.shape {
            let paths = structure.paths
            throw RuntimeError.gradientMisfit(.shape(path: paths.indices.contains(index) ? paths[index] : "", parameter: pair.0.shape, gradient: pair.1.shape))
        }
        let trains = structure.trains
        let places = leaves.indices.filter { trains[$0] }
        guard !places.isEmpty else { throw NetworkError.allFrozen }
        var step = OptimizerStep(record, parameters: places.map { leaves[$0] }, gradients: places.map { slopes[$0] }, steps: try count(record["steps"]))
        try take(&step)
        for (place, array) in zip(places, step.parameters) { leaves[place] = array }
        var rest = leaves[...]
        let next = try record.copy()
        try next.set("steps", to: .number(Double(step.steps + 1)))
        for (name, value) in step.kept { try next.set(name, to: value) }
        return try .list([structure.value(&rest), .record(next)])
    }

    private func count(_ value: Value?) throws -> Int {
        guard let value else { return 0 }
        guard case .number(let number) = value, let count = Int(exactly: number), count >= 0, count < 1 << 53 else { throw TrainingRefusal.optimizerSteps }
        return count
    }

    private func take(_ step: inout OptimizerStep) throws {
        switch try descent(step.record) {
        case let method as FunctionDescent:
            let (changed, state) = try method.step(step.parameters, step.gradients, step.record["state"] ?? .none)
            (step.parameters, step.kept) = (changed, [("state", state)])
        case let method as LBFGS: try take(&step, method)
        case let optimizer as Optimizer: try Derivative.isRunning && step.isFollowed ? follow(&step, optimizer) : take(&step, optimizer)
        default: throw TrainingRefusal.notAnOptimizerRecord
        }
    }

    /// In place, as `fit` does it.
    private func take(_ step: inout OptimizerStep, _ optimizer: Optimizer) throws {
        var state: OptimizerState
        if let moments = try step.moments(optimizer.row), let memory = try operand("memory", of: step.record, optimizer.row) {
            state = try OptimizerState(optimizer, moments: moments, types: step.parameters.map(\.type), steps: step.steps, memory: memory.item())
        } else {
            state = try OptimizerState(optimizer, for: step.parameters)
        }
        var changing = try step.parameters.map { try $0.detached() }
        try state.step(&changing, step.gradients, epoch: Double(step.steps))
        step.parameters = changing
        try step.keep(state.moments, memory: .number(state.memory))
    }

    /// In array operations, which derivatives go through.
    private func follow(_ step: inout OptimizerStep, _ optimizer: Optimizer) throws {
        let row = optimizer.row, record = step.record
        func setting<T>(_ input: Input<T>) throws -> Operand? { try operand(row.parameters[input.index].name, of: record, row) }
        let formulas = DifferentiableStep(
            row, rate: try rate(record["lr"] ?? .number(row.inputs.lr.fallback ?? 0), at: Double(step.steps)).weak,
            values: try row.inputs.own.map { try setting($0) ?? .number($0.fallback ?? 0) },
            weightDecay: try setting(row.inputs.weightDecay) ?? .number(optimizer.weightDecay), clipNorm: try setting(row.inputs.clipNorm),
            clipValue: try setting(row.inputs.clipValue))
        let memory = step.steps > 0 ? try operand("memory", of: record, row) : nil
        let result = try formulas(
            step.parameters, step.gradients, moments: step.moments(row), number: step.steps + 1, memory: memory ?? .number(1))
        step.parameters = result.parameters
        try step.keep(result.moments, memory: result.memory)
    }

    /// Its searches and conditions are not formulas.
    private func take(_ step: inout OptimizerStep, _ method: LBFGS) throws {
        var followed: [NDArray] = []
        if Derivative.isRunning { try step.gatherTraced(into: &followed) }
        var state = LBFGSState(method)
        if step.steps > 0, step.record["gradient"] != nil {
            state.last = (try step.arrays(step.record["step"]), try step.arrays(step.record["gradient"]))
            guard case .list(let pairs)? = step.record["pairs"] else { throw TrainingRefusal.momentsOfOthers }
            for pair in pairs.elements {
                guard case .list(let pair) = pair, pair.elements.count == 2 else { throw TrainingRefusal.momentsOfOthers }
                state.pairs.append((try step.arrays(pair.elements[0]), try step.arrays(pair.elements[1])))
            }
        }
        var changing = try step.parameters.map { try $0.detached() }
        try state.step(&changing, step.gradients, epoch: Double(step.steps))
        if let last = state.last {
            step.kept = [
                ("step", try .list(last.step)), ("gradient", try .list(last.gradient)),
                ("pairs", try .list(state.pairs.map { pair -> Value in try .list([.list(pair.step), .list(pair.change)]) })),
            ]
        }
        if followed.isEmpty {
            step.parameters = changing
        } else {
            step.parameters = try changing.map { try Value.array($0).opaque(LBFGS.name, followed).point() }
            step.kept = try step.kept.map { ($0.name, try $0.value.opaque(LBFGS.name, followed)) }
        }
    }
}

/// What a step starts from, and what it leaves.
private struct OptimizerStep {
    let record: Record
    var parameters: [NDArray]
    let gradients: [NDArray]
    /// How many there were before.
    let steps: Int
    /// What the next step needs to know.
    var kept: [(name: String, value: Value)] = []

    init(_ record: Record, parameters: [NDArray], gradients: [NDArray], steps: Int) {
        (self.record, self.parameters, self.gradients, self.steps) = (record, parameters, gradients, steps)
    }

    /// Whether a running derivative follows anything that the step is computed of.
    var isFollowed: Bool {
        get throws {
            var followed: [NDArray] = []
            try gatherTraced(into: &followed)
            return !followed.isEmpty
        }
    }

    func gatherTraced(into found: inout [NDArray]) throws {
        found += (parameters + gradients).filter(\.isTraced)
        try Value.record(record).gatherTraced(into: &found)
    }

    /// One array a parameter, as a record keeps them.
    func arrays(_ value: Value?) throws -> [NDArray] {
        guard case .list(let list)? = value, list.elements.count == parameters.count else { throw TrainingRefusal.momentsOfOthers }
        return try zip(list.elements, parameters).map { value, parameter in
            guard value.isNumeric, case let array = try value.point(), array.shape == parameter.shape else { throw TrainingRefusal.momentsOfOthers }
            return array
        }
    }

    /// The moments after the steps before; `nil` before the first.
    func moments(_ row: OptimizerRow) throws -> [[NDArray]]? {
        guard steps > 0 else { return nil }
        guard case .list(let slots)? = record["moments"], slots.elements.count == row.slots, record["memory"] != nil else {
            throw TrainingRefusal.momentsOfOthers
        }
        return try slots.elements.map { try arrays($0) }
    }

    mutating func keep(_ moments: [[NDArray]], memory: Operand) throws {
        let memory: Value =
            switch memory {
            case .number(let number): .number(number)
            case .array(let array): try Value(array)
            }
        kept = [("memory", memory), ("moments", try .list(moments.map { try .list($0) }))]
    }
}

extension NDArray {
    /// A number of an optimiser: an array only where a derivative follows it.
    fileprivate var weak: Operand { get throws { isTraced ? .array(self) : .number(try item()) } }
}

extension Value {
    fileprivate static func list(_ arrays: [NDArray]) throws -> Value { try .list(arrays.map { try Value($0) }) }
}
