// Asking for and changing the shape of arrays; what also makes sense for lists and strings takes them too.

import ActArray
import ActMachine

extension BuiltinRows {
    static let shape: [Builtin] = [
        Builtin(.shape, "shape(a)", "the sizes of the axes, as a list", example: "shape([[1, 2, 3], [4, 5, 6]])   # (2, 3)") { call in
            try .numbers(call.array(0).shape)
        },
        Builtin(.shape, "size(a, axis=none)", "how many elements there are, or along one axis", example: "size([[1, 2, 3], [4, 5, 6]])   # 6") { call in
            let array = try call.array(0)
            guard let axis = try call.oneAxis(1) else { return .number(Double(array.count)) }
            return .number(Double(array.shape[try normalized(axis, array.rank)]))
        },
        Builtin(.shape, "ndim(a)", "how many axes there are", example: "ndim([[1, 2], [3, 4]])   # 2") { call in .number(Double(try call.array(0).rank)) },
        Builtin(
            .shape, "len(x)", "the size of the first axis; of a list or record its elements, of a string its characters, of a network its layers",
            example: "len([5, 6, 7])   # 3\nlen(\"기울기\")   # 3"
        ) { call in
            switch call.values[0] {
            case .array(let array) where array.rank > 0: .number(Double(array.shape[0]))
            case .list(let list): .number(Double(list.elements.count))
            case .record(let record): .number(Double(record.fields.count))
            case .string(let text): .number(Double(try text.count()))
            case .function(let function): if let parts = try function.elements { .number(Double(parts.count)) } else { throw call.fail(0, "an array, list, record or string") }
            default: throw call.fail(0, "an array, list, record or string")
            }
        },
        Builtin(
            .shape, "reshape(a, shape…)", "the same elements in another shape; one size may be -1 and follows from the others",
            details: "Written `reshape(a, 2, 3)` or `reshape(a, (2, 3))`. Elements keep their row-major order.",
            example: "reshape(range(6), 2, -1)   # [[0, 1, 2],\n# [3, 4, 5]]"
        ) { call in try Value(call.array(0).reshaped(to: call.shapeFromRest(1))) },
        Builtin(.shape, "flatten(a)", "all elements along one axis", example: "flatten([[1, 2], [3, 4]])   # [1, 2, 3, 4]") { call in
            let array = try call.array(0)
            return .array(try array.reshaped(to: [array.count]))
        },
        Builtin(
            .shape, "transpose(a, axes=none)", "the axes in another order, by default reversed", example: "transpose([[1, 2], [3, 4]])   # [[1, 3],\n# [2, 4]]"
        ) { call in try Value(call.array(0).transposed(call.axes(1))) },
        Builtin(
            .shape, "swapaxes(a, axis1, axis2)", "two axes exchanged", example: "shape(swapaxes(zeros(2, 3, 4), 0, 2))   # (4, 3, 2)"
        ) { call in
            let array = try call.array(0)
            var order = Array(array.shape.indices)
            order.swapAt(try normalized(call.whole(1), array.rank), try normalized(call.whole(2), array.rank))
            return try Value(array.transposed(order))
        },
        Builtin(
            .shape, "concat(arrays, axis=0)", "arrays joined along an axis they have; lists joined end to end",
            details: "`arrays` is a list of them: `concat((a, b))`. The other sizes must be equal.",
            example: "concat(([1, 2], [3]))   # [1, 2, 3]\nconcat(((1, \"a\"), (2,)))   # (1, \"a\", 2)"
        ) { call in
            let parts = try call.elements(0)
            var joined: [Value] = []
            for case .list(let list) in parts { joined += list.elements }
            if !parts.isEmpty, parts.allSatisfy({ if case .list = $0 { true } else { false } }) { return try .list(joined) }
            return try Value(NDArray.concatenated(parts.map { try call.array($0, 0) }, axis: call.whole(1, default: 0)))
        },
        Builtin(
            .shape, "stack(arrays, axis=0)", "arrays of one shape joined along a new axis", example: "stack(([1, 2], [3, 4]), axis=1)   # [[1, 3],\n# [2, 4]]"
        ) { call in try Value(NDArray.stacked(call.elements(0).map { try call.array($0, 0) }, axis: call.whole(1, default: 0))) },
        Builtin(
            .shape, "split(x, sections=none, axis=0)", "an array cut into equal parts, or at positions; a string cut at a separator, or at spaces",
            details: "`sections` is a number of equal parts, or an array of the indices before which to cut; of a string, the separator.",
            example: "split([1, 2, 3, 4], 2)   # ([1, 2], [3, 4])\nsplit(\"a, b\", \", \")   # (\"a\", \"b\")"
        ) { call in
            if case .string(let text) = call.values[0] { return try call.splitText(text.string) }
            let array = try call.array(0)
            let axis = try call.whole(2, default: 0)
            switch call.values[1] {
            case .undefined, .none: throw RuntimeError.missingArgument("sections", of: "split")
            case .number: return try .list(array.split(parts: call.whole(1), axis: axis).map { .array($0) })
            default: return try .list(array.split(at: call.shape(1), axis: axis).map { .array($0) })
            }
        },
        Builtin(.shape, "tile(a, reps)", "the whole array, repeated along each axis", example: "tile([1, 2], 2)   # [1, 2, 1, 2]") { call in
            try Value(call.array(0).tiled(call.shape(1)))
        },
        Builtin(
            .shape, "repeat(a, repeats, axis=none)", "each element several times in a row; a string several times",
            details: "`repeats` is one number, or one for each element. Without an axis the array is flattened.",
            example: "repeat([1, 2], 2)   # [1, 1, 2, 2]\nrepeat(\"ab\", 2)   # \"abab\""
        ) { call in
            if case .string(let text) = call.values[0] {
                let count = try call.whole(1)
                guard count >= 0 else { throw ArrayError.negativeSize(count) }
                if text.string.isEmpty { return call.values[0] }
                var result = TextBuilder()
                try result.append(text.string, times: count)
                return .string(result)
            }
            if case .number = call.values[1] { return try Value(call.array(0).repeated(call.whole(1), axis: call.oneAxis(2))) }
            let counts = try call.shape(1)
            let axis = try call.oneAxis(2)
            if counts.count == 1 { return try Value(call.array(0).repeated(counts[0], axis: axis)) }
            return try Value(call.array(0).repeated(counts: counts, axis: axis))
        },
        Builtin(
            .shape, "pad(a, pad_width, mode=\"constant\", constant_values=0)", "further elements around an array",
            details: "`pad_width` is a number, (before, after), or such a pair for each axis; `mode` is \"constant\", \"edge\" or \"reflect\".",
            example: "pad([1, 2], 1)   # [0, 1, 2, 0]\npad([1, 2, 3], (0, 2), mode=\"edge\")   # [1, 2, 3, 3, 3]"
        ) { call in
            let array = try call.array(0)
            let mode: NDArray.Padding
            switch try call.word(2, among: ["constant", "edge", "reflect"], default: "constant") {
            case "edge": mode = .edge
            case "reflect": mode = .reflect
            default: mode = .constant(try call.followedNumber(3, default: 0))
            }
            return try Value(array.padded(call.padWidths(rank: array.rank), mode))
        },
        Builtin(.shape, "flip(a, axis=none)", "the elements in reverse order", example: "flip([1, 2, 3])   # [3, 2, 1]") { call in
            try Value(call.array(0).flipped(call.axes(1)))
        },
        Builtin(
            .shape, "roll(a, shift, axis=none)", "the elements moved on, those at the end coming round to the front", example: "roll([1, 2, 3], 1)   # [3, 1, 2]"
        ) { call in try Value(call.array(0).rolled(call.whole(1), axis: call.oneAxis(2))) },
        Builtin(
            .shape, "expand_dims(a, axis)", "a new axis of size 1", example: "shape(expand_dims([1, 2, 3], 1))   # (3, 1)"
        ) { call in try Value(call.array(0).expandedDims(call.whole(1))) },
        Builtin(
            .shape, "squeeze(a, axis=none)", "axes of size 1 left out", example: "squeeze([[1, 2, 3]])   # [1, 2, 3]"
        ) { call in try Value(call.array(0).squeezed(call.axes(1))) },
        Builtin(
            .shape, "broadcast_to(a, shape)", "an array stretched to a shape", example: "broadcast_to([1, 2], (2, 2))   # [[1, 2],\n# [1, 2]]"
        ) { call in try Value(call.array(0).broadcast(to: call.shape(1))) },
    ]

    /// An axis counted from the front.
    static func normalized(_ axis: Int, _ rank: Int) throws -> Int {
        let position = axis < 0 ? axis &+ rank : axis
        guard position >= 0, position < rank else { throw ArrayError.axisOutOfRange(axis: axis, rank: rank) }
        return position
    }
}

extension Call {
    fileprivate func splitText(_ text: String) throws -> Value {
        let list = try List([])
        if isGiven(1) {
            let separator = try string(1)
            guard !separator.isEmpty else { throw fail(1, "a string that is not empty") }
            try text.forEachPiece(between: separator) { piece in
                try list.append(.string(Text(counting: String(piece))))
                return true
            }
            return .list(list)
        }
        try text.forEachWord { try list.append(.string(Text(counting: String($0)))) }
        return .list(list)
    }

    fileprivate func padWidths(rank: Int) throws -> [(before: Int, after: Int)] {
        func pair(_ numbers: [Int]) throws -> (before: Int, after: Int) {
            guard let first = numbers.first, let last = numbers.last, numbers.count <= 2 else { throw fail(1, "a number, a pair, or a pair for each axis") }
            return (first, last)
        }
        switch values[1] {
        case .list(let list) where list.elements.contains { if case .number = $0 { false } else { true } }:
            return try list.elements.map { try pair(shape($0, 1)) }
        case .array(let array) where array.rank == 2:
            return try (0..<array.shape[0]).map { try pair(shape(.array(array.indexed(by: [.integer($0)])), 1)) }
        default: return try [(before: Int, after: Int)](repeating: pair(shape(1)), count: rank)
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
