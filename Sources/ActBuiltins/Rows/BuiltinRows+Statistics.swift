// Statistics of data with gaps, of several variables, and along data.

import ActArray
import ActLinear
import ActMachine
import ActRows

extension BuiltinRows {
    static let statistics: [Builtin] = [
        withoutNaN("nansum", "the sum of the elements that are not NaN", example: "nansum([1, nan, 2])   # 3") { try $0.nanSum(axes: $1, keepdims: $2) },
        withoutNaN("nanmean", "the mean of the elements that are not NaN", example: "nanmean([1, nan, 2])   # 1.5") { try $0.nanMean(axes: $1, keepdims: $2) },
        Builtin(
            .reduce, "nanstd", "the standard deviation of the elements that are not NaN", details: "The sum of squares is divided by their number - ddof.",
            example: "nanstd([1, nan, 3])   # 1", leaves: .all
        ) { takes in
            let a = takes.numbers("a"), axis = takes.axes(), ddof = takes.scalar("ddof", default: 0), keepdims = takes.keepdims()
            return { call in try Value(call[a].nanDeviation(axes: call[axis], ddof: call[ddof], keepdims: call[keepdims])) }
        },
        withoutNaN("nanmin", "the smallest element that is not NaN", example: "nanmin([3, nan, 2])   # 2") {
            try $0.nanExtreme(isMax: false, axes: $1, keepdims: $2)
        },
        withoutNaN("nanmax", "the largest element that is not NaN", example: "nanmax([3, nan, 2])   # 3") {
            try $0.nanExtreme(isMax: true, axes: $1, keepdims: $2)
        },
        Builtin(
            .reduce, "nanquantile", "the value below which the part q of the elements that are not NaN lies",
            details: "`q` is a number from 0 to 1, or several, whose axis comes first in the result.",
            example: "nanquantile([1, nan, 2, 3], 0.5)   # 2"
        ) { takes in
            let a = takes.numbers("a"), q = takes.numbers("q"), axis = takes.axis()
            return { call in try Value(call[a].nanQuantile(call[q], axis: call[axis])) }
        },
        Builtin(
            .reduce, "cov", "the covariances of variables, one a row",
            details:
                "y holds further variables. With `rowvar=false` variables are columns. Products are summed and divided by the number of observations - ddof.",
            example: "cov([[1, 2, 3], [2, 4, 6]])   # [[1, 2],\n# [2, 4]]"
        ) { takes in
            let m = takes.numbers("m"), y = takes.arrayOrNone("y"), rowvar = takes.flag("rowvar", default: true), ddof = takes.scalar("ddof", default: 1)
            return { call in
                guard let y = try call[y] else { return try Value(call[m].covariance(inRows: call[rowvar], ddof: call[ddof])) }
                return try Value(call[m].variables(beside: y, inRows: call[rowvar]).covariance(inRows: true, ddof: call[ddof]))
            }
        },
        Builtin(
            .reduce, "corrcoef", "the correlation coefficients of variables, one a row",
            details: "y holds further variables. With `rowvar=false` variables are columns.",
            example: "corrcoef([[1, 2, 3], [3, 2, 1]])   # [[ 1, -1],\n# [-1,  1]]"
        ) { takes in
            let x = takes.numbers("x"), y = takes.arrayOrNone("y"), rowvar = takes.flag("rowvar", default: true)
            return { call in
                guard let y = try call[y] else { return try Value(call[x].correlation(inRows: call[rowvar])) }
                return try Value(call[x].variables(beside: y, inRows: call[rowvar]).correlation(inRows: true))
            }
        },
        Builtin(
            .order, "interp", "the value at x of the lines through the points (xp, fp)", details: "xp ascends; beyond its ends the value is that at the end.",
            example: "interp([1.5, 9], [1, 2, 3], [10, 20, 40])   # [15, 40]"
        ) { takes in
            let x = takes.numbers("x"), xp = takes.numbers("xp"), fp = takes.numbers("fp")
            return { call in try Value(call[x].interpolated(call[xp], call[fp])) }
        },
        Builtin(
            .shape, "resize", "the last axes brought to other sizes, as pictures are", details: "`mode` is \"linear\" (neighbours are blended) or \"nearest\".",
            example: "resize([0, 10], 4)   # [0.0, 2.5, 7.5, 10.0]\nresize([1, 2], 4, mode=\"nearest\")   # [1, 1, 2, 2]"
        ) { takes in
            let x = takes.numbers("x"), size = takes.shape("size"), mode = takes.choice("mode", default: ResizeMode.linear)
            return { call in try Value(call[x].resized(to: call[size], isLinear: call[mode] == .linear)) }
        },
        Builtin(
            .order, "convolve", "the convolution of two vectors",
            details: "`mode` is \"full\" (every overlap), \"same\" (as long as the longer one) or \"valid\" (whole overlaps).",
            example: "convolve([1, 2, 3], [1, 10])   # [1, 12, 23, 30]"
        ) { takes in
            let a = takes.numbers("a"), v = takes.numbers("v"), mode = takes.choice("mode", default: NDArray.ConvolutionMode.full)
            return { call in try Value(NDArray.convolved(call[a], call[v], call[mode])) }
        },
        Builtin(
            .order, "polyfit", "the coefficients of the polynomial nearest to points, the highest power first",
            example: "round(polyfit([0, 1, 2], [1, 3, 9], 2), 6)   # [2, 0, 1]"
        ) { takes in
            let x = takes.numbers("x"), y = takes.numbers("y"), deg = takes.whole("deg", default: nil, .within(0...1000))
            return { call in try Value(NDArray.polynomialFit(call[x], call[y], degree: call[deg])) }
        },
        Builtin(
            .order, "polyval", "the polynomial with coefficients p, the highest power first, at x", example: "polyval([1, 0, 1], [0, 1, 2])   # [1, 2, 5]"
        ) { takes in
            let p = takes.numbers("p"), x = takes.numbers("x")
            return { call in try Value(call[p].polynomial(at: call[x])) }
        },
    ]

    private static func withoutNaN(_ name: String, _ summary: String, example: String, _ reduce: @escaping @Sendable (NDArray, [Int]?, Bool) throws -> NDArray)
        -> Builtin
    {
        Builtin(.reduce, name, summary, example: example, leaves: .all) { takes in
            let a = takes.numbers("a"), axis = takes.axes(), keepdims = takes.keepdims()
            return { call in try Value(reduce(call[a], call[axis], call[keepdims])) }
        }
    }
}

private enum ResizeMode: String, Choice {
    case linear, nearest
}

extension NDArray.ConvolutionMode: Choice {}
