// Reductions, running sums, sorting and counting, linear algebra. `axis` is `none` (all elements), a whole number, or where NumPy
// has it several; a reduction to one element is a number.

import ActArray
import ActLinear
import ActMachine
import ActOrder
import ActRows

extension BuiltinRows {
    private static let largest: DirectAnswer = { arguments, count, result in position(of: .max, arguments, count, result) }
    private static let smallest: DirectAnswer = { arguments, count, result in position(of: .min, arguments, count, result) }

    private static func position(
        of operation: ReduceOperation, _ arguments: UnsafeRawPointer, _ count: Int, _ result: UnsafeMutableRawPointer
    ) -> Bool {
        guard count == 1, case .array(let array) = arguments.assumingMemoryBound(to: Value.self).pointee, let position = array.position(of: operation) else {
            return false
        }
        result.initializeMemory(as: Value.self, to: .number(Double(position)))
        return true
    }

    static let reduce: [Builtin] = [
        reduction("sum", "the sum of the elements; of bools how many are true", example: "sum([[1, 2], [3, 4]], axis=0)   # [4, 6]") {
            try $0.reduced(.sum, axes: $1, keepdims: $2)
        },
        reduction("prod", "the product of the elements", example: "prod([1, 2, 3, 4])   # 24") {
            try $0.reduced(.prod, axes: $1, keepdims: $2)
        },
        reduction("mean", "the arithmetic mean", example: "mean([1, 2, 6])   # 3") {
            try $0.mean(axes: $1, keepdims: $2)
        },
        spread("std", "the standard deviation: the root of `var`", example: "std([1, 2, 3, 4])   # 1.11803399") {
            try $0.standardDeviation(axes: $1, ddof: $2, keepdims: $3)
        },
        spread("var", "the mean squared distance from the mean", example: "var([1, 2, 3, 4])   # 1.25") {
            try $0.variance(axes: $1, ddof: $2, keepdims: $3)
        },
        Builtin(
            .reduce, "argmin", "the position of the first smallest element",
            details: "Without an axis counted in row-major order. The first NaN wins. With `last=true` it is the last of equal ones.",
            example: "argmin([3, 1, 2])   # 1", direct: smallest, role: .steps
        ) { takes in
            let a = takes.array("a"), axis = takes.axis(), keepdims = takes.keepdims(), last = takes.flag("last", default: false)
            return { call in
                let array = try call[a], place = try call[axis], isLast = try call[last]
                let result = try array.position(.min, axis: place, keepdims: call[keepdims], isLast: isLast)
                return try call.positions(of: array, result, axis: place, [Attribute("last", .flag(isLast))])
            }
        },
        Builtin(
            .reduce, "argmax", "the position of the first largest element",
            details: "Without an axis counted in row-major order. The first NaN wins. With `last=true` it is the last of equal ones.",
            example: "argmax([[1, 9], [8, 2]], axis=1)   # [1, 0]", direct: largest, role: .steps
        ) { takes in
            let a = takes.array("a"), axis = takes.axis(), keepdims = takes.keepdims(), last = takes.flag("last", default: false)
            return { call in
                let array = try call[a], place = try call[axis], isLast = try call[last]
                let result = try array.position(.max, axis: place, keepdims: call[keepdims], isLast: isLast)
                return try call.positions(of: array, result, axis: place, [Attribute("last", .flag(isLast))])
            }
        },
        reduction("any", "whether at least one element is true (not 0)", example: "any([0, 2] > 1)   # true", role: .steps, leaves: .allWithBools) {
            try $0.reduced(.any, axes: $1, keepdims: $2)
        },
        reduction("all", "whether every element is true (not 0)", example: "all([0, 2] > 1)   # false", role: .steps, leaves: .allWithBools) {
            try $0.reduced(.all, axes: $1, keepdims: $2)
        },
        Builtin(
            .reduce, "allclose", "whether |a - b| <= atol + rtol*|b| everywhere",
            example: "allclose([0.1 + 0.2], [0.3])   # true", role: .steps
        ) { takes in
            let closeness = Closeness(&takes)
            return { call in try Value(closeness(call).reduced(.all)) }
        },
        Builtin(.reduce, "cumsum", "running sums; without an axis of the flattened array", example: "cumsum([1, 2, 3])   # [1, 3, 6]") { takes in
            let a = takes.vector("a"), axis = takes.axis()
            return { call in try Value(call[a].cumulative(.sum, axis: call[axis])) }
        },
        Builtin(.reduce, "cumprod", "running products; without an axis of the flattened array", example: "cumprod([1, 2, 3])   # [1, 2, 6]") { takes in
            let a = takes.vector("a"), axis = takes.axis()
            return { call in try Value(call[a].cumulative(.prod, axis: call[axis])) }
        },
        reduction(
            "logsumexp", "log(sum(exp(a))), without overflow for any finite elements; of nothing -inf", example: "logsumexp([1000, 1000])   # 1000.69314718"
        ) { try $0.logsumexp(axes: $1, keepdims: $2) },
        Builtin(
            .reduce, "norm", "the root of the sum of squares; with `ord` another norm",
            details:
                "`ord` is p for (Σ|x|^p)^(1/p), inf for the largest magnitude, 1 or inf of a matrix for its largest column or row sum. The derivative at 0 is 0.",
            example: "norm([3, 4])   # 5\nnorm([3, -4], 1)   # 7\nnorm({a: [3], b: 4})   # 5", leaves: .all
        ) { takes in
            let a = takes.numbers("a"), ord = takes.valueOrNone("ord"), axis = takes.axes(), keepdims = takes.keepdims()
            return { call in
                let order: Operand? =
                    if case .string(let name) = call[ord], name.string == "fro" { nil } else { call.isGiven(ord) ? try call.scalar(ord) : nil }
                return try Value(call[a].norm(order: order, axes: call[axis], keepdims: call[keepdims]))
            }
        },
        Builtin(
            .reduce, "median", "the middle element, or the mean of the two in the middle; of nothing nan", example: "median([3, 1, 2, 10])   # 2.5"
        ) { takes in
            let a = takes.numbers("a"), axis = takes.axes(), keepdims = takes.keepdims()
            return { call in
                try Value(call[a].alongOneAxis(call[axis], keepdims: call[keepdims]) { try $0.median(axis: $1, keepdims: $2) })
            }
        },
        Builtin(
            .reduce, "quantile", "the value below which the part q of the elements lies, neighbours interpolated linearly",
            details: "`q` is a number from 0 to 1, or several, whose axis comes first in the result.", example: "quantile([1, 2, 3, 4], 0.25)   # 1.75"
        ) { takes in
            let a = takes.numbers("a"), q = takes.numbers("q"), axis = takes.axes(), keepdims = takes.keepdims()
            return { call in
                let q = try call[q]
                return try Value(call[a].alongOneAxis(call[axis], leading: q.rank, keepdims: call[keepdims]) { try $0.quantile(q, axis: $1, keepdims: $2) })
            }
        },
    ]

    private static func reduction(
        _ name: String, _ summary: String, example: String, role: ArgumentRole? = nil, leaves: Builtin.Leaves = .all,
        _ reduce: @escaping @Sendable (NDArray, [Int]?, Bool) throws -> NDArray
    ) -> Builtin {
        Builtin(.reduce, name, summary, example: example, role: role, leaves: leaves) { takes in
            let a = takes.array("a"), axis = takes.axes(), keepdims = takes.keepdims()
            return { call in try Value(reduce(call[a], call[axis], call[keepdims])) }
        }
    }

    private static func spread(
        _ name: String, _ summary: String, example: String, _ spread: @escaping @Sendable (NDArray, [Int]?, Operand, Bool) throws -> NDArray
    ) -> Builtin {
        Builtin(.reduce, name, summary, details: "The sum of squares is divided by the number of elements - ddof.", example: example, leaves: .all) { takes in
            let a = takes.numbers("a"), axis = takes.axes(), ddof = takes.scalar("ddof", default: 0), keepdims = takes.keepdims()
            return { call in try Value(spread(call[a], call[axis], call[ddof], call[keepdims])) }
        }
    }

    // MARK: - Order and counting

    static let order: [Builtin] = [
        Builtin(
            .order, "sort", "the elements in ascending order along an axis, NaN last; also of a list of strings", example: "sort([3, 1, 2])   # [1, 2, 3]"
        ) { takes in
            let a = takes.vector("a"), axis = takes.wholeOrNone("axis", default: -1)
            return { call in
                if let strings = call.strings(a) { return try .list(strings.sorted().map { .string($0) }) }
                return try Value(call[a].sorted(axis: call[axis]))
            }
        },
        Builtin(
            .order, "argsort", "the positions in ascending order of their elements; equal ones keep their order", example: "argsort([3, 1, 2])   # [1, 2, 0]",
            role: .steps
        ) { takes in
            let a = takes.value("a"), axis = takes.wholeOrNone("axis", default: -1)
            return { call in try call.positions(of: call.array(a), call.vector(a).argsorted(axis: call[axis]), axis: call[axis]) }
        },
        Builtin(
            .order, "unique", "the different elements in ascending order",
            details: "With `inverse=true` also where each element of a is among them, with `counts=true` how often each occurs: a list in this order.",
            example:
                "unique([3, 1, 3])   # [1, 3]\nunique([3, 1, 3], inverse=true)   # ([1, 3], [1, 0, 1])\nunique((\"b\", \"a\", \"b\"), counts=true)   # ((\"a\", \"b\"), [1, 2])"
        ) { takes in
            let a = takes.vector("a"), counts = takes.flag("counts", default: false), inverse = takes.flag("inverse", default: false)
            return { call in
                var parts: [Value]
                let places: NDArray, times: NDArray
                if let strings = call.strings(a) {
                    var known: [String: Int] = [:]
                    let values = Set(strings).sorted()
                    for (place, value) in values.enumerated() { known[value] = place }
                    let found = strings.map { known[$0] ?? 0 }
                    var numbers = [Double](repeating: 0, count: values.count)
                    for place in found { numbers[place] += 1 }
                    parts = [try .list(values.map { .string($0) })]
                    (places, times) = (try NDArray(found.map { Double($0) }, shape: [found.count]), try NDArray(numbers, shape: [numbers.count]))
                } else {
                    let array = try call[a], (values, numbers) = try array.unique()
                    parts = [.array(values)]
                    times = numbers
                    places = try call[inverse] ? values.detached().searchsorted(array.detached()) : numbers
                }
                if try call[inverse] { parts.append(.array(places)) }
                if try call[counts] { parts.append(.array(times)) }
                return parts.count == 1 ? parts[0] : try .list(parts)
            }
        },
        Builtin(
            .order, "nonzero", "for each axis the positions of the elements that are not 0, as a list", example: "nonzero([0, 5, 6])   # ([1, 2],)",
            role: .steps
        ) { takes in
            let a = takes.vector("a")
            return { call in try .list(call[a].nonzero().map { .array($0) }) }
        },
        Builtin(
            .order, "bincount", "how often each of 0, 1, 2 … occurs, or the sum of the weights where it does", example: "bincount([0, 2, 2])   # [1, 0, 2]"
        ) { takes in
            let x = takes.value("x", role: .steps), weights = takes.vectorOrNone("weights"), minlength = takes.whole("minlength", default: 0, .within(0...))
            return { call in
                let least = try call[minlength]
                return try call.positions(of: call.array(x), call.vector(x).bincount(weights: call[weights], minLength: least))
            }
        },
        Builtin(
            .order, "histogram", "how many elements fall into each interval, and the edges of the intervals",
            details:
                "`bins` is a number of intervals of equal width over `range` (by default the smallest and largest element), or ascending edges. The last interval holds its upper edge too.",
            example: "histogram([1, 2, 2, 3], bins=2)   # ([1, 3], [1, 2, 3])"
        ) { takes in
            let a = takes.vector("a"), bins = takes.value("bins", default: .number(10), "10"), range = takes.arrayOrNone("range")
            return { call in
                let values = try call[a]
                let result: (counts: NDArray, edges: NDArray)
                if case .number = call[bins] {
                    var span: (low: Operand, high: Operand)?
                    if let pair = try call[range] {
                        let ends = try pair.toDoubles()
                        guard ends.count == 2, ends[0] <= ends[1], (ends[1] - ends[0]).isFinite else {
                            throw call.fail(range, .ascendingPair)
                        }
                        span = try (.array(pair.indexed(by: [.integer(0)])), .array(pair.indexed(by: [.integer(1)])))
                    }
                    result = try values.histogram(bins: call.whole(call[bins], bins), range: span)
                } else {
                    result = try values.histogram(edges: call.array(bins))
                }
                return try .list([.array(result.counts), .array(result.edges)])
            }
        },
        Builtin(
            .order, "searchsorted", "where v would go in the sorted vector a: before equal elements, or after them with side=\"right\"",
            example: "searchsorted([1, 3, 5], [3, 4])   # [1, 2]", role: .steps
        ) { takes in
            let a = takes.vector("a"), v = takes.array("v"), side = takes.choice("side", default: Side.left)
            return { call in try call.positions(of: call[v], call[a].searchsorted(call[v], isRight: call[side] == .right)) }
        },
    ]

    // MARK: - Linear algebra

    static let linear: [Builtin] = [
        Builtin(
            .linear, "dot", "the scalar product of vectors, the product of matrices; of higher ranks as NumPy's dot", example: "dot([1, 2], [3, 4])   # 11"
        ) { takes in
            let a = takes.value("a"), b = takes.value("b")
            return { call in
                guard case (.array(let x), .array(let y)) = (try call.operand(a), try call.operand(b)) else {
                    return try call.apply(.mul, call[a], call[b])
                }
                return try Value(NDArray.dot(x, y))
            }
        },
        Builtin(
            .linear, "matmul", "the product of matrices, as `a @ b`", details: "Axes before the last two broadcast.",
            example: "matmul([[1, 2], [3, 4]], [1, 1])   # [3, 7]"
        ) { takes in
            let a = takes.array("a"), b = takes.array("b")
            return { call in try Value(NDArray.matmul(call[a], call[b])) }
        },
        Builtin(.linear, "outer", "every element of a times every element of b", example: "outer([1, 2], [3, 4])   # [[3, 4],\n# [6, 8]]") { takes in
            let a = takes.operand("a"), b = takes.operand("b")
            return { call in try Value(NDArray.outer(call[a], call[b])) }
        },
        Builtin(.linear, "trace", "the sum of the diagonal", example: "trace([[1, 2], [3, 4]])   # 5") { takes in
            let a = takes.numbers("a"), offset = takes.whole("offset", default: 0)
            return { call in try Value(call[a].trace(offset: call[offset])) }
        },
        Builtin(
            .linear, "inv", "the inverse of a square matrix", details: "A singular matrix is an error.",
            example: "inv([[2, 0], [0, 4]])   # [[0.50, 0.00],\n# [0.00, 0.25]]"
        ) { takes in
            let a = takes.numbers("a")
            return { call in try Value(call[a].inverse()) }
        },
        Builtin(.linear, "solve", "the x for which a @ x is b", example: "solve([[2, 0], [0, 4]], [2, 2])   # [1.0, 0.5]") { takes in
            let a = takes.array("a"), b = takes.array("b")
            return { call in try Value(NDArray.solve(call[a], call[b])) }
        },
        Builtin(.linear, "det", "the determinant of a square matrix", example: "det([[1, 2], [3, 4]])   # -2") { takes in
            let a = takes.numbers("a")
            return { call in try Value(call[a].determinant()) }
        },
    ]
}

extension NDArray {
    /// A reduction along one axis of several, which are joined to one.
    /// - Parameter leading: How many axes the reduction puts in front of its result.
    fileprivate func alongOneAxis(
        _ axes: [Int]?, leading: Int = 0, keepdims: Bool, _ reduce: (_ array: NDArray, _ axis: Int?, _ keepdims: Bool) throws -> NDArray
    ) throws -> NDArray {
        guard let axes, axes.count != 1 else { return try reduce(self, axes?.first, keepdims) }
        let reduced = try axes.map { try BuiltinRows.normalized($0, rank) }
        guard Set(reduced).count == reduced.count else { throw ArrayError.badValue(operation: "axis", .axisTwice) }
        let others = shape.indices.filter { !reduced.contains($0) }
        let rows = try transposed(others + reduced).reshaped(to: others.map { shape[$0] } + [reduced.reduce(1) { $0 * shape[$1] }])
        let result = try reduce(rows, others.count, false)
        return keepdims ? try result.reshaped(to: result.shape.prefix(leading) + shape.indices.map { reduced.contains($0) ? 1 : shape[$0] }) : result
    }

    /// Where the smallest or largest element is: the first of equal ones, or the last.
    fileprivate func position(_ operation: ReduceOperation, axis: Int?, keepdims: Bool, isLast: Bool) throws -> NDArray {
        guard isLast else { return try argReduced(operation, axis: axis, keepdims: keepdims) }
        let flipped = try axis.map { try detached().flipped([$0]) } ?? detached().flipped()
        let size = try axis.map { shape[try BuiltinRows.normalized($0, rank)] } ?? count
        return try Double(size - 1) - flipped.argReduced(operation, axis: axis, keepdims: keepdims)
    }
}

private enum Side: String, Choice {
    case left, right
}

extension Call {
    /// The elements of a list of strings, or `nil`.
    fileprivate func strings<T>(_ argument: Input<T>) -> [String]? {
        guard case .list(let list) = value(argument), !list.elements.isEmpty else { return nil }
        var strings: [String] = []
        for element in list.elements {
            guard case .string(let text) = element else { return nil }
            strings.append(text.string)
        }
        return strings
    }
}
