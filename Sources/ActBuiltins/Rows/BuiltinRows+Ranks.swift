// What programs ask of the processes that run them together. With one process each has its plain meaning.

import ActArray
import ActGrad
import ActLayers
import ActMachine
import ActNetwork
import ActRandom
import ActRanks
import ActRows

extension BuiltinRows {
    static let ranks: [Builtin] = [
        Builtin(
            .ranks, "rank", "which of the processes this is, from 0",
            details: "0 unless several run the program, as `act -n 4 FILE` and `mpirun` have it. Inside of `spread` each is by itself, and so 0.",
            example: "rank()   # 0", role: .steps
        ) { _ in
            return { call in
                try NDArray.refuse(.ranks)
                return .number(Double(call.machine.team.rank))
            }
        },
        Builtin(
            .ranks, "ranks", "how many processes run the program",
            details: "1 unless it was started as several, as `act -n 4 FILE` and `mpirun` do. Inside of `spread` each is by itself, and so 1.",
            example: "ranks()   # 1", role: .steps
        ) { _ in
            return { call in .number(Double(call.machine.team.ranks)) }
        },
        Builtin(
            .ranks, "all_sum", "the sum of the x of all processes, the same on each; of records, lists and networks leaf by leaf",
            details:
                "Every process must call it, with x of one shape. The order of the sum depends on how many processes there are and on nothing else. Bools in arrays count as 0 or 1. "
                + "No derivative goes through it: take the derivative of each process's part and add those up.",
            example: "all_sum({a: [1, 2], b: 3})   # {a: [1, 2], b: 3}", role: .opaque
        ) { takes in
            let x = takes.value("x")
            return { call in try call.sumOverRanks(call[x]) }
        },
        Builtin(
            .ranks, "spread", "`map(f, xs)` with the elements shared out among the processes: element i is for process i mod `ranks()`",
            details: """
                Every process gets all results, in order. They are what `save` can write: numbers, bools, strings, arrays, networks and functions \
                with a name, and lists and records of them. \
                Meanwhile each process is by itself: `fit` trains as in one process, files are written by whoever saves, and what is printed comes \
                out in the order of the elements. \
                Each element has random numbers of its own, the same for any number of processes.
                """,
            example: "spread(k -> k^2, [1, 2, 3])   # [1, 4, 9]\nspread(s -> upper(s), (\"a\", \"b\"))   # (\"A\", \"B\")", role: .steps
        ) { takes in
            let f = takes.function("f"), xs = takes.value("xs", role: .steps)
            return { call in
                try NDArray.refuse(.ranks)
                guard !Derivative.isRunning else { throw BuiltinRefusal.spreadInDerivative }
                guard let elements = try call.machine.elements(of: call[xs]) else { throw call.fail(xs, .kind(.elements)) }
                return try call.spread(call[f], over: elements)
            }
        },
    ]
}

extension Call {
    // MARK: Sums

    fileprivate func sumOverRanks(_ value: Value) throws -> Value {
        try NDArray.refuse(.ranks)
        let team = machine.team
        var leaves: [NDArray] = []
        _ = try value.mappingLeaves { leaf in
            let array = try leaf.point().detached()
            leaves.append(array.type == .bool ? try array.converted(to: .f64) : array)
            return leaf
        }
        guard !leaves.isEmpty else { throw BuiltinRefusal.noNumbers(value, "all_sum") }
        var shapes = Digest()
        for leaf in leaves {
            shapes.add(leaf.type.name)
            shapes.add(UInt64(leaf.rank))
            for size in leaf.shape { shapes.add(UInt64(size)) }
        }
        try team.agree(.function("all_sum"), [(.shapes, shapes)])
        let plan = ShardPlan(count: team.ranks, ranks: team.ranks)
        var sums: [ElementType: NDArray] = [:], starts: [ElementType: Int] = [:]
        for type in [ElementType.f64, .f32] {
            let vectors = try leaves.filter { $0.type == type }.map { try $0.reshaped(to: [$0.count]) }
            guard !vectors.isEmpty else { continue }
            let vector = try NDArray.concatenated(vectors)
            try vector.evaluate()
            sums[type] = try team.sum([vector], plan, count: vector.count, type: type)
        }
        var next = leaves[...]
        return try value.mappingLeaves { leaf in
            guard let like = next.popFirst(), let sum = sums[like.type] else { return leaf }
            let start = starts[like.type] ?? 0
            starts[like.type] = start + like.count
            return try Value(sum.rows(start..<start + like.count).reshaped(to: like.shape))
        }
    }

    // MARK: Maps

    fileprivate func spread(_ f: Function, over elements: [Value]) throws -> Value {
        let machine = machine, team = machine.team, ranks = team.ranks
        let branch = try machine.random.branches(), after = machine.random
        defer { machine.random = after }
        func result(_ index: Int) throws -> Value {
            machine.random = branch(index)
            let result = try team.alone { try machine.call(f, elements[index]) }
            if let unfit = try FileFormats.firstUnsavable(in: result, "") { throw BuiltinRefusal.unsendable(unfit.part, path: unfit.path) }
            return result
        }
        guard ranks > 1 else { return try machine.makeArray(elements.indices.map(result)) }
        var writer = MessageWriter()
        for index in stride(from: team.rank, to: elements.count, by: ranks) {
            try Interrupt.check()
            var value = Value.none
            let text = try machine.host.collecting { value = try result(index) }
            writer.add(text)
            writer.add(try SentValue.bytes(of: value, machine))
        }
        let all = try team.gather(.spread(elements: elements.count), writer.bytes)
        var readers = all.map { MessageReader($0) }
        let results = try elements.indices.map { index in
            try Interrupt.check()
            let text = readers[index % ranks].text()
            if team.rank == 0, !text.isEmpty { machine.host.write(text) }
            return try SentValue.value(readers[index % ranks].part(), self)
        }
        return try machine.makeArray(results)
    }
}

/// A value as it goes from one process to another: as files hold it, and how its networks were trained.
private enum SentValue {
    static func bytes(of value: Value, _ machine: Machine) throws -> [UInt8] {
        var writer = MessageWriter(), file: [UInt8] = [], histories: [History] = []
        let plain = try value.mappingLeaves { if case .array(let array) = $0 { .array(try array.detached()) } else { $0 } }
        try StructureFile.write(Setting(plain, SharedReservation(), machine)) { file.append(contentsOf: $0) }
        writer.add(file)
        _ = try mapped(value) { function in
            histories.append(function.history)
            return function
        }
        for history in histories { writer.add(history.bytes) }
        return writer.bytes
    }

    static func value(_ bytes: [UInt8], _ call: Call) throws -> Value {
        let name = "spread"
        var reader = MessageReader(bytes)
        let content = try Safetensors.content(reader.part(), path: name)
        guard let setting = try StructureFile.value(content, path: name, program: CallingProgram(call: call)) else { return .none }
        return try mapped(Value(setting)) { function in NetworkFunction(function.network, like: function, history: History(reader.part())) }
    }

    /// The value with `change` of each network in it, in order.
    private static func mapped(_ value: Value, _ change: (NetworkFunction) throws -> NetworkFunction) throws -> Value {
        try Interrupt.check()
        switch value {
        case .list(let list): return try .list(list.elements.map { try mapped($0, change) })
        case .record(let record): return try .record(record.fields.mapValues { try mapped($0, change) })
        case .function(let function):
            guard let network = function.network else { return value }
            return try change(network).asValue()
        default: return value
        }
    }
}
