// Asking for and changing the shape of arrays; what also makes sense for lists and strings takes them too.

import ActArray
import ActFiles
import ActMachine
import ActRows
import CActMachine

extension BuiltinRows {
    /// `len` of what has its length at hand.
    private static let length: DirectAnswer = { arguments, count, result in
        if act_length(arguments, count, result) { return true }
        guard count == 1 else { return false }
        let length: Int
        switch arguments.assumingMemoryBound(to: Value.self).pointee {
        case .array(let array) where array.rank > 0: length = array.shape[0]
        case .list(let list): length = list.elements.count
        case .record(let record): length = record.fields.count
        case .string(let text) where text.isBytes: length = text.string.utf8.count
        default: return false
        }
        result.initializeMemory(as: Value.self, to: .number(Double(length)))
        return true
    }

    /// `reshape` by sizes one after the other.
    private static let reshaped: DirectAnswer = { arguments, count, result in
        let arguments = arguments.assumingMemoryBound(to: Value.self)
        guard count > 1, case .array(let array) = arguments[0], !array.isTraced, let sizes = sizes(arguments + 1, count - 1),
            let reshaped = try? array.reshaped(to: sizes)
        else { return false }
        result.initializeMemory(as: Value.self, to: .array(reshaped))
        return true
    }

    /// Whole numbers as a shape; `nil` where there is anything else.
    static func sizes(_ arguments: UnsafePointer<Value>, _ count: Int) -> [Int]? {
        func isWhole(_ index: Int) -> Bool {
            guard case .number(let number) = arguments[index] else { return false }
            return number.magnitude < 9e15 && Double(Int(number)) == number
        }
        func size(_ index: Int) -> Int {
            guard case .number(let number) = arguments[index] else { return 0 }
            return Int(number)
        }
        for index in 0..<count where !isWhole(index) { return nil }
        switch count {
        case 1: return [size(0)]
        case 2: return [size(0), size(1)]
        case 3: return [size(0), size(1), size(2)]
        default: return (0..<count).map(size)
        }
    }

    static let shape: [Builtin] = [
        Builtin(.shape, "shape", "the sizes of the axes, as a list", example: "shape([[1, 2, 3], [4, 5, 6]])   # (2, 3)", role: .steps) { takes in
            let a = takes.array("a")
            return { call in try .numbers(call[a].shape) }
        },
        Builtin(.shape, "size", "how many elements there are, or along one axis", example: "size([[1, 2, 3], [4, 5, 6]])   # 6", role: .steps) { takes in
            let a = takes.array("a"), axis = takes.axis()
            return { call in
                let array = try call[a]
                return .number(Double(try call[axis].map { array.shape[try normalized($0, array.rank)] } ?? array.count))
            }
        },
        Builtin(.shape, "ndim", "how many axes there are", example: "ndim([[1, 2], [3, 4]])   # 2", role: .steps) { takes in
            let a = takes.array("a")
            return { call in .number(Double(try call[a].rank)) }
        },
        Builtin(
            .shape, "len", "the size of the first axis; of a list or record its elements, of a string its characters, of a network its layers",
            example: "len([5, 6, 7])   # 3\nlen(\"기울기\")   # 3", direct: length, role: .steps
        ) { takes in
            let x = takes.value("x")
            return { call in
                switch call[x] {
                case .array(let array) where array.rank > 0: .number(Double(array.shape[0]))
                case .list(let list): .number(Double(list.elements.count))
                case .record(let record): .number(Double(record.fields.count))
                case .string(let text): .number(Double(try text.count()))
                case .function(let function):
                    if let parts = try function.elements { .number(Double(parts.count)) } else { throw call.fail(x, .container) }
                default: throw call.fail(x, .container)
                }
            }
        },
        Builtin(
            .shape, "reshape", "the same elements in another shape; one size may be -1 and follows from the others",
            details: "Written `reshape(a, 2, 3)` or `reshape(a, (2, 3))`. Elements keep their row-major order.",
            example: "reshape(range(6), 2, -1)   # [[0, 1, 2],\n# [3, 4, 5]]", direct: reshaped
        ) { takes in
            let a = takes.array("a"), shape = takes.sizes()
            return { call in try Value(call[a].reshaped(to: call[shape])) }
        },
        Builtin(
            .shape, "flatten", "all elements along one axis; of a record, list or network all numbers in it", details: "`unflatten` is the way back.",
            example: "flatten([[1, 2], [3, 4]])   # [1, 2, 3, 4]\nflatten({W: [[1, 2]], b: 3})   # [1, 2, 3]"
        ) { takes in
            let a = takes.value("a")
            return { call in
                if try call.holdsStructure() { return try .array(call[a].flattened()) }
                let array = try call.array(a)
                return .array(try array.reshaped(to: [array.count]))
            }
        },
        Builtin(
            .shape, "unflatten", "a vector of numbers as a record, list, network or array like another one",
            details: "The way back from `flatten`: shapes and element types are those of `like`.",
            example: "unflatten([1, 2, 3], {W: [[0, 0]], b: 0})   # {W: [[1, 2]], b: 3}"
        ) { takes in
            let v = takes.vector("v"), like = takes.value("like", role: .steps)
            return { call in
                let vector = try call[v]
                guard vector.rank == 1 else { throw ArrayError.rankMismatch(operation: "unflatten", ranks: 1...1, shape: vector.shape) }
                var leaves: [NDArray] = [], start = 0
                let structure = try Structure(call[like], leaves: &leaves)
                let count = leaves.reduce(0) { $0 + $1.count }
                guard count == vector.count else { throw BuiltinRefusal.numberCount(vector.count, needed: count) }
                var parts = try leaves.map { leaf -> NDArray in
                    defer { start += leaf.count }
                    return try vector.sliced([SliceRange(start: leaf.count == 0 ? 0 : start, step: 1, count: leaf.count)]).reshaped(to: leaf.shape).converted(
                        to: leaf.type)
                }[...]
                return try structure.value(&parts)
            }
        },
        Builtin(.shape, "keys", "the names of a record's fields, as a list", example: "keys({a: 1, b: 2})   # (\"a\", \"b\")", role: .steps) { takes in
            let record = takes.value("record")
            return { call in
                guard case .record(let fields) = call[record] else { throw call.fail(record, .record) }
                return try .list(fields.fields.keys.map { .string($0) })
            }
        },
        Builtin(
            .shape, "transpose", "the axes in another order, by default reversed", example: "transpose([[1, 2], [3, 4]])   # [[1, 3],\n# [2, 4]]"
        ) { takes in
            let a = takes.array("a"), axes = takes.axes("axes")
            return { call in try Value(call[a].transposed(call[axes])) }
        },
        Builtin(
            .shape, "swapaxes", "two axes exchanged", example: "shape(swapaxes(zeros(2, 3, 4), 0, 2))   # (4, 3, 2)"
        ) { takes in
            let a = takes.array("a"), axis1 = takes.whole("axis1"), axis2 = takes.whole("axis2")
            return { call in
                let array = try call[a]
                var order = Array(array.shape.indices)
                order.swapAt(try normalized(call[axis1], array.rank), try normalized(call[axis2], array.rank))
                return try Value(array.transposed(order))
            }
        },
        Builtin(
            .shape, "concat", "arrays joined along an axis they have; lists joined end to end",
            details: "`arrays` is a list of them: `concat((a, b))`. The other sizes must be equal.",
            example: "concat(([1, 2], [3]))   # [1, 2, 3]\nconcat(((1, \"a\"), (2,)))   # (1, \"a\", 2)", treatment: .grows(.concatenation)
        ) { takes in
            let arrays = takes.elements("arrays"), axis = takes.whole("axis", default: 0)
            return { call in
                let parts = try call[arrays]
                let lists = parts.compactMap { if case .list(let list) = $0 { list.elements } else { nil } }
                if !parts.isEmpty, lists.count == parts.count {
                    var joined: [Value] = []
                    let count = lists.reduce(0) { $0 &+ $1.count }
                    try MemoryPool.allow(count &* MemoryLayout<Value>.stride)
                    joined.reserveCapacity(count)
                    for list in lists { joined += list }
                    return try .list(joined)
                }
                return try Value(NDArray.concatenated(parts.map { try call.array($0, arrays) }, axis: call[axis]))
            }
        },
        Builtin(
            .shape, "stack", "arrays of one shape joined along a new axis; records and networks part by part",
            example: "stack(([1, 2], [3, 4]), axis=1)   # [[1, 3],\n# [2, 4]]"
        ) { takes in
            let arrays = takes.elements("arrays"), axis = takes.whole("axis", default: 0)
            return { call in
                let parts = try call[arrays]
                if let first = parts.first, case .list = first {
                } else if try parts.first?.isStructure == true {
                    return try Value.stacked(parts, axis: call[axis])
                }
                return try Value(NDArray.stacked(parts.map { try call.array($0, arrays) }, axis: call[axis]))
            }
        },
        Builtin(
            .shape, "split", "an array cut into equal parts, or at positions; a string cut at a separator, or at spaces",
            details: "`sections` is a number of equal parts, or an array of the indices before which to cut; of a string, the separator.",
            example: "split([1, 2, 3, 4], 2)   # ([1, 2], [3, 4])\nsplit(\"a, b\", \", \")   # (\"a\", \"b\")"
        ) { takes in
            let x = takes.value("x"), sections = takes.valueOrNone("sections", role: .steps), axis = takes.whole("axis", default: 0)
            return { call in
                if case .string(let text) = call[x] { return try call.split(text.string, at: sections) }
                let array = try call.array(x)
                let axis = try call[axis]
                switch call[sections] {
                case .undefined, .none: throw call.missing(sections)
                case .number: return try .list(array.split(parts: call.whole(sections), axis: axis).map { .array($0) })
                default: return try .list(array.split(at: call.shape(sections), axis: axis).map { .array($0) })
                }
            }
        },
        Builtin(.shape, "tile", "the whole array, repeated along each axis", example: "tile([1, 2], 2)   # [1, 2, 1, 2]") { takes in
            let a = takes.array("a"), reps = takes.shape("reps")
            return { call in try Value(call[a].tiled(call[reps])) }
        },
        Builtin(
            .shape, "repeat", "each element several times in a row; a string several times",
            details: "`repeats` is one number, or one for each element. Without an axis the array is flattened.",
            example: "repeat([1, 2], 2)   # [1, 1, 2, 2]\nrepeat(\"ab\", 2)   # \"abab\""
        ) { takes in
            let a = takes.value("a"), repeats = takes.value("repeats", role: .steps), axis = takes.axis()
            return { call in
                if case .string(let text) = call[a] {
                    let count = try call.whole(repeats)
                    guard count >= 0 else { throw ArrayError.negativeSize(count) }
                    if text.string.isEmpty { return call[a] }
                    var result = TextBuilder()
                    try result.append(text.string, times: count)
                    return .string(result)
                }
                if case .number = call[repeats] { return try Value(call.array(a).repeated(call.whole(repeats), axis: call[axis])) }
                let counts = try call.shape(repeats)
                let axis = try call[axis]
                if counts.count == 1 { return try Value(call.array(a).repeated(counts[0], axis: axis)) }
                return try Value(call.array(a).repeated(counts: counts, axis: axis))
            }
        },
        Builtin(
            .shape, "pad", "further elements around an array",
            details:
                "`pad_width` is a number, (before, after), or such a pair for each axis; `mode` is \"constant\", \"edge\", \"reflect\" (about the edge, which is not repeated), \"symmetric\" (it is) or \"wrap\".",
            example: "pad([1, 2], 1)   # [0, 1, 2, 0]\npad([1, 2, 3], (0, 2), mode=\"edge\")   # [1, 2, 3, 3, 3]"
        ) { takes in
            let a = takes.array("a"), padWidth = takes.value("pad_width", role: .steps), mode = takes.choice("mode", default: PaddingMode.constant),
                fill = takes.scalar("constant_values", default: 0)
            return { call in
                let array = try call[a]
                let padding: NDArray.Padding =
                    switch try call[mode] {
                    case .constant: .constant(try call[fill])
                    case .edge: .edge
                    case .reflect: .reflect
                    case .symmetric: .symmetric
                    case .wrap: .wrap
                    }
                return try Value(array.padded(call.padWidths(padWidth, rank: array.rank), padding))
            }
        },
        Builtin(.shape, "flip", "the elements in reverse order", example: "flip([1, 2, 3])   # [3, 2, 1]") { takes in
            let a = takes.array("a"), axis = takes.axes()
            return { call in try Value(call[a].flipped(call[axis])) }
        },
        Builtin(
            .shape, "roll", "the elements moved on, those at the end coming round to the front", example: "roll([1, 2, 3], 1)   # [3, 1, 2]"
        ) { takes in
            let a = takes.array("a"), shift = takes.shape("shift"), axis = takes.axes()
            return { call in
                let shifts = try call[shift]
                guard let axes = try call[axis] else {
                    guard shifts.count == 1 else { throw call.fail(shift, .wholeOrOneEach) }
                    return try Value(call[a].rolled(shifts[0], axis: nil))
                }
                guard shifts.count == axes.count || shifts.count == 1 else { throw call.fail(shift, .wholeOrOneEach) }
                return try Value(axes.enumerated().reduce(call[a]) { try $0.rolled(shifts[shifts.count == 1 ? 0 : $1.offset], axis: $1.element) })
            }
        },
        Builtin(
            .shape, "expand_dims", "new axes of size 1, at these places of the result",
            example: "shape(expand_dims([1, 2, 3], 1))   # (3, 1)\nshape(expand_dims([1, 2, 3], (0, 2)))   # (1, 3, 1)"
        ) { takes in
            let a = takes.array("a"), axis = takes.shape("axis")
            return { call in
                let array = try call[a], axes = try call[axis], rank = array.rank + axes.count
                let places = try axes.map { try normalized($0, rank) }.sorted()
                guard Set(places).count == places.count else { throw call.fail(axis, .differentAxes) }
                return try Value(places.reduce(array) { try $0.expandedDims($1) })
            }
        },
        Builtin(
            .shape, "squeeze", "axes of size 1 left out", example: "squeeze([[1, 2, 3]])   # [1, 2, 3]"
        ) { takes in
            let a = takes.array("a"), axis = takes.axes()
            return { call in try Value(call[a].squeezed(call[axis])) }
        },
        Builtin(
            .shape, "broadcast_to", "an array stretched to a shape", example: "broadcast_to([1, 2], (2, 2))   # [[1, 2],\n# [1, 2]]"
        ) { takes in
            let a = takes.array("a"), shape = takes.shape("shape")
            return { call in try Value(call[a].broadcast(to: call[shape])) }
        },
    ]

    /// An axis counted from the front.
    static func normalized(_ axis: Int, _ rank: Int) throws -> Int {
        let position = axis < 0 ? axis &+ rank : axis
        guard position >= 0, position < rank else { throw ArrayError.axisOutOfRange(axis: axis, rank: rank) }
        return position
    }
}

private enum PaddingMode: String, Choice {
    case constant, edge, reflect, symmetric, wrap
}

extension Call {
    fileprivate func split(_ text: String, at sections: Input<Value>) throws -> Value {
        let list = try List([])
        var maker = TextMaker()
        if isGiven(sections) {
            let separator = try string(sections)
            guard !separator.isEmpty else { throw fail(sections, .nonEmptyText) }
            try text.forEachBytes(between: separator) { bytes, piece in
                try list.append(maker.text(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[piece]))))
                return true
            }
            return .list(list)
        }
        try text.forEachWord { try list.append(maker.text(String($0))) }
        return .list(list)
    }

    fileprivate func padWidths(_ argument: Input<Value>, rank: Int) throws -> [(before: Int, after: Int)] {
        func pair(_ numbers: [Int]) throws -> (before: Int, after: Int) {
            guard let first = numbers.first, let last = numbers.last, numbers.count <= 2 else {
                throw fail(argument, .padWidths)
            }
            return (first, last)
        }
        switch self[argument] {
        case .list(let list) where list.elements.contains { if case .number = $0 { false } else { true } }:
            return try list.elements.map { try pair(shape($0, at: argument.index)) }
        case .array(let array) where array.rank == 2:
            // An array without elements can have any number of rows.
            guard array.shape[0] <= Shapes.rankLimit else { throw fail(argument, .padWidths) }
            return try (0..<array.shape[0]).map { try pair(shape(.array(array.indexed(by: [.integer($0)])), at: argument.index)) }
        default: return try [(before: Int, after: Int)](repeating: pair(shape(argument)), count: rank)
        }
    }
}

extension String {
    /// The string mapped by a function that looks at one Unicode scalar at a time.
    func mapped(_ change: (String) -> String) throws -> TextBuilder {
        var result = TextBuilder(), start = unicodeScalars.startIndex
        if utf8.count > 1 << 16 { try result.reserve(utf8.count) }
        while start < unicodeScalars.endIndex {
            let end = unicodeScalars.index(start, offsetBy: 1 << 14, limitedBy: unicodeScalars.endIndex) ?? unicodeScalars.endIndex
            try Interrupt.check()
            try result.append(change(String(unicodeScalars[start..<end])))
            start = end
        }
        return result
    }
}
