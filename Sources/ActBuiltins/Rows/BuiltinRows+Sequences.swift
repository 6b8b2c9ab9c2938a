// Functions that go along sequences: a loop that hands a value on, a function for every row, one more element.

import ActArray
import ActMachine
import ActRows

extension BuiltinRows {
    static let sequences: [Builtin] = [
        Builtin(
            .functions, "scan", "a loop that hands a value on: the last carry, and what every step gave, stacked",
            details: """
                `f(carry, x)` gives the pair (carry, y) for each element x of xs, beginning with `start`. The results y are stacked along a new first \
                axis: of arrays, and of records and lists of them part by part. \
                Where xs is a record, its arrays are gone through together.
                """,
            example: "scan((s, x) -> (s + x, s * x), 0, [1, 2, 3])   # (6, [0, 2, 9])"
        ) { takes in
            let f = takes.function("f"), start = takes.value("start"), xs = takes.value("xs")
            return { call in
                let f = try call[f], machine = call.machine
                var carry = call[start], results: [Value] = []
                let step = { (x: Value) in
                    guard case .list(let pair) = try machine.call(f, Arguments([carry, x])), pair.elements.count == 2 else {
                        throw BuiltinRefusal.scanWithoutPair(f.name)
                    }
                    carry = pair.elements[0]
                    results.append(pair.elements[1])
                }
                if case .record(let record) = call[xs] {
                    let value = Value.record(record)
                    for index in try 0..<value.length(along: 0, as: .named("xs", of: "scan")) { try step(value.taking(index, along: 0)) }
                } else {
                    guard let elements = try machine.elements(of: call[xs]) else { throw call.fail(xs, .kind(.elements)) }
                    for element in elements { try step(element) }
                }
                return try .list([carry, Value.stacked(results)])
            }
        },
        Builtin(
            .functions, "vmap", "the function that does f for every element of its arguments along their first axis, and stacks the results",
            details: """
                `axes` is the axis to go along, or a list of one for each argument; `none` is for an argument that all share. Records, lists and \
                networks of stacked arrays are gone through together, \
                and results are stacked part by part: `vmap(train)` over stacked networks trains each. Where no element decides what is done, all is \
                done at once.
                """,
            example: "vmap(x -> x / sum(x))([[1, 3], [2, 2]])   # [[0.25, 0.75],\n# [0.50, 0.50]]", role: .steps
        ) { takes in
            let f = takes.function("f"), axes = takes.value("axes", default: .number(0), "0", role: .steps)
            return { call in
                let f = try call[f]
                func axis(_ value: Value) throws -> Int? {
                    if case .none = value { return nil }
                    guard case .number = value else { throw call.fail(axes, .wholesOrNone, value) }
                    return try call.whole(value, axes)
                }
                let chosen: [Int?]? =
                    switch call.value(axes) {
                    case .list(let list): try list.elements.map(axis)
                    case .array(let array): try array.toDoubles().map { try axis(.number($0)) }
                    default: nil
                    }
                // `none` alone would leave nothing to go along.
                let common = try chosen == nil ? axis(call[axes]) : 0
                return try MappedFunction(f, axes: chosen, common: common ?? 0).asValue()
            }
        },
        Builtin(
            .functions, "append", "xs with one more element: of a list, of an array along its first axis, of a string at its end",
            details: "What is put to an array has the shape of its rows; to an empty `[]` anything can be put. `xs` itself stays: write `xs = append(xs, v)`.",
            example: "append([1, 2], 3)   # [1, 2, 3]\nappend((\"a\", 1), [2, 3])   # (\"a\", 1, [2, 3])", treatment: .grows(.append)
        ) { takes in
            let xs = takes.value("xs"), v = takes.value("v")
            return { call in try call.appended(xs, v) }
        },
    ]
}

extension Call {
    fileprivate func appended(_ xs: Input<Value>, _ v: Input<Value>) throws -> Value {
        let value = self[v]
        switch self.value(xs) {
        case .list(let list):
            let longer = try list.copy()
            try longer.append(value)
            return .list(longer)
        case .string(let text):
            guard case .string(let more) = value else { throw fail(v, .textLike("xs")) }
            return .string(try text.joined(with: more))
        case .array(let array) where array.rank > 0:
            // `[]` has no elements yet: what comes first says whether it is a list, and of what shape rows are.
            if array.shape == [0], !value.isNumeric { return try .list([value]) }
            guard value.isNumeric else { throw fail(v, .numberLike("xs"), value) }
            var row = try self.array(v)
            if array.shape == [0], row.rank > 0 { return try Value(row.expandedDims(0)) }
            guard row.shape == Array(array.shape.dropFirst()) else {
                throw ArrayError.shapesDiffer(operation: "append", array.shape, row.shape, axis: nil)
            }
            // A number takes the array's element type.
            if case .number = value, array.type != .bool { row = try row.converted(to: array.type) }
            return try Value(NDArray.concatenated([array, row.expandedDims(0)]))
        default: throw fail(xs, .sequence)
        }
    }
}

/// What `vmap` gives.
final class MappedFunction: NativeFunction {
    private let f: Function
    /// One for each argument, if they were named apart; `nil` in it for arguments that are shared.
    private let axes: [Int?]?
    private let common: Int

    init(_ f: Function, axes: [Int?]?, common: Int) {
        self.f = f
        self.axes = axes
        self.common = common
    }

    var name: String { "vmap(\(depth > 20 ? "…" : f.name))" }
    var parameters: [Parameter] { f.parameters }
    var depth: Int32 { f.depth &+ 1 }

    func call(_ arguments: Arguments, as function: Function, _ machine: Machine) throws -> Value {
        let count = arguments.positional.count + arguments.named.count
        if let axes, axes.count != arguments.positional.count {
            throw BuiltinRefusal.axesCount(axes.count, arguments: arguments.positional.count)
        }
        guard count > 0 else { throw RuntimeError.missingArgument(parameters.first?.name ?? "x", of: name) }
        let places: [Int?] = arguments.positional.indices.map { axes == nil ? common : axes?[$0] ?? nil } + arguments.named.map { _ in common }
        let values = arguments.positional + arguments.named.map(\.value)
        var length: Int?
        for (index, (value, axis)) in zip(values, places).enumerated() {
            guard let axis else { continue }
            let size = try value.length(along: axis, as: .numbered(index, of: name))
            guard length ?? size == size else {
                throw BuiltinRefusal.unequalArguments(name, length ?? 0, size)
            }
            length = size
        }
        guard let length else { throw BuiltinRefusal.nothingMapped(name) }
        let call = BatchedCall(f, arguments, axes: places, count: length)
        guard length > 0 else { return try Value.stacked([]) }
        let first = try machine.call(f, call.arguments(of: 0))
        if let all = try machine.batched(call, first: first) { return all }
        return try Value.stacked([first] + (1..<length).map { try machine.call(f, call.arguments(of: $0)) })
    }
}
