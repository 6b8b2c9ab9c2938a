// Reductions, running sums, sorting and counting, linear algebra. `axis` is none (all elements), a whole number, or where NumPy
// has it several; a reduction to one element is a number.

import ActArray
import ActMachine

extension BuiltinRows {
    static let reduce: [Builtin] = [
        reduction("sum(a, axis=none, keepdims=false)", "the sum of the elements; of bools how many are true", example: "sum([[1, 2], [3, 4]], axis=0)   # [4, 6]") {
            try $0.reduced(.sum, axes: $1, keepdims: $2)
        },
        reduction("prod(a, axis=none, keepdims=false)", "the product of the elements", example: "prod([1, 2, 3, 4])   # 24") {
            try $0.reduced(.prod, axes: $1, keepdims: $2)
        },
        reduction("mean(a, axis=none, keepdims=false)", "the arithmetic mean", example: "mean([1, 2, 6])   # 3") {
            try $0.mean(axes: $1, keepdims: $2)
        },
        spread("std(a, axis=none, ddof=0, keepdims=false)", "the standard deviation: the root of `var`", example: "std([1, 2, 3, 4])   # 1.11803399") {
            try $0.standardDeviation(axes: $1, ddof: $2, keepdims: $3)
        },
        spread("var(a, axis=none, ddof=0, keepdims=false)", "the mean squared distance from the mean", example: "var([1, 2, 3, 4])   # 1.25") {
            try $0.variance(axes: $1, ddof: $2, keepdims: $3)
        },
        Builtin(
            .reduce, "argmin(a, axis=none, keepdims=false)", "the position of the first smallest element", details: "Without an axis counted in row-major order. The first NaN wins.",
            example: "argmin([3, 1, 2])   # 1"
        ) { call in try call.positions(of: call.array(0), call.array(0).argReduced(.min, axis: call.oneAxis(1), keepdims: call.bool(2, default: false))) },
        Builtin(
            .reduce, "argmax(a, axis=none, keepdims=false)", "the position of the first largest element", details: "Without an axis counted in row-major order. The first NaN wins.",
            example: "argmax([[1, 9], [8, 2]], axis=1)   # [1, 0]"
        ) { call in try call.positions(of: call.array(0), call.array(0).argReduced(.max, axis: call.oneAxis(1), keepdims: call.bool(2, default: false))) },
        reduction("any(a, axis=none, keepdims=false)", "whether at least one element is true (not 0)", example: "any([0, 2] > 1)   # true") {
            try $0.reduced(.any, axes: $1, keepdims: $2)
        },
        reduction("all(a, axis=none, keepdims=false)", "whether every element is true (not 0)", example: "all([0, 2] > 1)   # false") {
            try $0.reduced(.all, axes: $1, keepdims: $2)
        },
        Builtin(
            .reduce, "allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=false)", "whether |a - b| <= atol + rtol*|b| everywhere",
            example: "allclose([0.1 + 0.2], [0.3])   # true"
        ) { call in try Value(call.closeness().reduced(.all)) },
        Builtin(.reduce, "cumsum(a, axis=none)", "running sums; without an axis of the flattened array", example: "cumsum([1, 2, 3])   # [1, 3, 6]") { call in
            try Value(call.vector(0).cumulative(.sum, axis: call.oneAxis(1)))
        },
        Builtin(.reduce, "cumprod(a, axis=none)", "running products; without an axis of the flattened array", example: "cumprod([1, 2, 3])   # [1, 2, 6]") { call in
            try Value(call.vector(0).cumulative(.prod, axis: call.oneAxis(1)))
        },
        reduction(
            "logsumexp(a, axis=none, keepdims=false)", "log(sum(exp(a))), without overflow for any finite elements; of nothing -inf", example: "logsumexp([1000, 1000])   # 1000.69314718"
        ) { try $0.logsumexp(axes: $1, keepdims: $2) },
        Builtin(
            .reduce, "norm(a, ord=none, axis=none, keepdims=false)", "the root of the sum of squares; with `ord` another norm",
            details: "`ord` is p for (Σ|x|^p)^(1/p), inf for the largest magnitude, 1 or inf of a matrix for its largest column or row sum. The derivative at 0 is 0.",
            example: "norm([3, 4])   # 5\nnorm([3, -4], 1)   # 7"
        ) { call in
            let order: Operand? = if case .string(let name) = call.values[1], name.string == "fro" { nil } else { call.isGiven(1) ? try call.followedNumber(1) : nil }
            return try Value(call.numbers(0).norm(order: order, axes: call.axes(2), keepdims: call.bool(3, default: false)))
        },
        Builtin(
            .reduce, "median(a, axis=none, keepdims=false)", "the middle element, or the mean of the two in the middle; of nothing nan", example: "median([3, 1, 2, 10])   # 2.5"
        ) { call in try Value(call.numbers(0).median(axis: call.oneAxis(1), keepdims: call.bool(2, default: false))) },
        Builtin(
            .reduce, "quantile(a, q, axis=none, keepdims=false)", "the value below which the part q of the elements lies, neighbours interpolated linearly",
            details: "`q` is a number from 0 to 1, or several, whose axis comes first in the result.", example: "quantile([1, 2, 3, 4], 0.25)   # 1.75"
        ) { call in try Value(call.numbers(0).quantile(call.numbers(1), axis: call.oneAxis(2), keepdims: call.bool(3, default: false))) },
    ]

    private static func reduction(
        _ signature: String, _ summary: String, example: String, _ reduce: @escaping (NDArray, [Int]?, Bool) throws -> NDArray
    ) -> Builtin {
        Builtin(.reduce, signature, summary, example: example) { call in try Value(reduce(call.array(0), call.axes(1), call.bool(2, default: false))) }
    }

    private static func spread(
        _ signature: String, _ summary: String, example: String, _ spread: @escaping (NDArray, [Int]?, Operand, Bool) throws -> NDArray
    ) -> Builtin {
        Builtin(.reduce, signature, summary, details: "The sum of squares is divided by the number of elements - ddof.", example: example) { call in
            try Value(spread(call.numbers(0), call.axes(1), call.followedNumber(2, default: 0), call.bool(3, default: false)))
        }
    }

    // MARK: - Order and counting

    static let order: [Builtin] = [
        Builtin(
            .order, "sort(a, axis=-1)", "the elements in ascending order along an axis, NaN last; also of a list of strings", example: "sort([3, 1, 2])   # [1, 2, 3]"
        ) { call in
            if let strings = call.strings(0) { return try .list(strings.sorted().map { .string($0) }) }
            return try Value(call.vector(0).sorted(axis: call.isNone(1) ? nil : call.whole(1, default: -1)))
        },
        Builtin(
            .order, "argsort(a, axis=-1)", "the positions in ascending order of their elements; equal ones keep their order", example: "argsort([3, 1, 2])   # [1, 2, 0]"
        ) { call in try call.positions(of: call.array(0), call.vector(0).argsorted(axis: call.isNone(1) ? nil : call.whole(1, default: -1))) },
        Builtin(
            .order, "unique(a, return_counts=false)", "the different elements in ascending order, with `return_counts` also how often each occurs",
            example: "unique([3, 1, 3])   # [1, 3]\nunique((\"b\", \"a\", \"b\"), return_counts=true)   # ((\"a\", \"b\"), [1, 2])"
        ) { call in
            let withCounts = try call.bool(1, default: false)
            if let strings = call.strings(0) {
                var values: [Value] = []
                var counts: [Double] = []
                var last: String?
                for string in strings.sorted() {
                    if string == last { counts[counts.count - 1] += 1 } else {
                        values.append(.string(string))
                        counts.append(1)
                        last = string
                    }
                }
                let list = try Value.list(values)
                return withCounts ? try .list([list, .array(NDArray(counts, shape: [counts.count]))]) : list
            }
            let (values, counts) = try call.vector(0).unique()
            return withCounts ? try .list([.array(values), .array(counts)]) : .array(values)
        },
        Builtin(
            .order, "nonzero(a)", "for each axis the positions of the elements that are not 0, as a list", example: "nonzero([0, 5, 6])   # ([1, 2],)"
        ) { call in try .list(call.vector(0).nonzero().map { .array($0) }) },
        Builtin(
            .order, "bincount(x, weights=none, minlength=0)", "how often each of 0, 1, 2 … occurs, or the sum of the weights where it does", example: "bincount([0, 2, 2])   # [1, 0, 2]"
        ) { call in
            let least = try call.whole(2, default: 0)
            guard least >= 0 else { throw call.fail(2, "0 or more") }
            return try call.positions(of: call.array(0), call.vector(0).bincount(weights: call.isGiven(1) ? call.vector(1) : nil, minLength: least))
        },
        Builtin(
            .order, "histogram(a, bins=10, range=none)", "how many elements fall into each interval, and the edges of the intervals",
            details: "`bins` is a number of intervals of equal width over `range` (by default the smallest and largest element), or ascending edges. The last interval holds its upper edge too.",
            example: "histogram([1, 2, 2, 3], bins=2)   # ([1, 3], [1, 2, 3])"
        ) { call in
            let values = try call.vector(0)
            let result: (counts: NDArray, edges: NDArray)
            var isCount = !call.isGiven(1)
            if case .number = call.values[1] { isCount = true }
            if isCount {
                var range: (low: Operand, high: Operand)?
                if call.isGiven(2) {
                    let pair = try call.array(2), ends = try pair.toDoubles()
                    guard ends.count == 2, ends[0] <= ends[1], (ends[1] - ends[0]).isFinite else { throw call.fail(2, "two finite numbers, the smaller one first") }
                    range = try (.array(pair.indexed(by: [.integer(0)])), .array(pair.indexed(by: [.integer(1)])))
                }
                result = try values.histogram(bins: call.whole(1, default: 10), range: range)
            } else {
                result = try values.histogram(edges: call.array(1))
            }
            return try .list([.array(result.counts), .array(result.edges)])
        },
        Builtin(
            .order, "searchsorted(a, v, side=\"left\")", "where v would go in the sorted vector a: before equal elements, or after them with side=\"right\"",
            example: "searchsorted([1, 3, 5], [3, 4])   # [1, 2]"
        ) { call in try call.positions(of: call.array(1), call.vector(0).searchsorted(call.array(1), isRight: call.word(2, among: ["left", "right"], default: "left") == "right")) },
    ]

    // MARK: - Linear algebra

    static let linear: [Builtin] = [
        Builtin(
            .linear, "dot(a, b)", "the scalar product of vectors, the product of matrices; of higher ranks as NumPy's dot", example: "dot([1, 2], [3, 4])   # 11"
        ) { call in
            guard case (.array, .array) = (try call.operand(0), try call.operand(1)) else { return try call.apply(.mul, call.values[0], call.values[1]) }
            return try Value(NDArray.dot(call.numbers(0), call.numbers(1)))
        },
        Builtin(
            .linear, "matmul(a, b)", "the product of matrices, as `a @ b`", details: "Axes before the last two broadcast.",
            example: "matmul([[1, 2], [3, 4]], [1, 1])   # [3, 7]"
        ) { call in try Value(NDArray.matmul(call.numbers(0), call.numbers(1))) },
        Builtin(.linear, "outer(a, b)", "every element of a times every element of b", example: "outer([1, 2], [3, 4])   # [[3, 4],\n# [6, 8]]") { call in
            try Value(NDArray.outer(call.operand(0), call.operand(1)))
        },
        Builtin(.linear, "trace(a, offset=0)", "the sum of the diagonal", example: "trace([[1, 2], [3, 4]])   # 5") { call in
            try Value(call.numbers(0).trace(offset: call.whole(1, default: 0)))
        },
        Builtin(
            .linear, "inv(a)", "the inverse of a square matrix", details: "A singular matrix is an error.", example: "inv([[2, 0], [0, 4]])   # [[0.50, 0.00],\n# [0.00, 0.25]]"
        ) { call in try Value(call.numbers(0).inverse()) },
        Builtin(.linear, "solve(a, b)", "the x for which a @ x is b", example: "solve([[2, 0], [0, 4]], [2, 2])   # [1.0, 0.5]") { call in
            try Value(NDArray.solve(call.numbers(0), call.numbers(1)))
        },
        Builtin(.linear, "det(a)", "the determinant of a square matrix", example: "det([[1, 2], [3, 4]])   # -2") { call in try Value(call.numbers(0).determinant()) },
    ]
}

extension Call {
    /// Given as none, which here is not the same as left out.
    fileprivate func isNone(_ index: Int) -> Bool {
        if case .none = values[index] { return true }
        return false
    }

    /// The elements of a list of strings, or `nil`.
    fileprivate func strings(_ index: Int) -> [String]? {
        guard case .list(let list) = values[index], !list.elements.isEmpty else { return nil }
        var strings: [String] = []
        for element in list.elements {
            guard case .string(let text) = element else { return nil }
            strings.append(text.string)
        }
        return strings
    }
}
