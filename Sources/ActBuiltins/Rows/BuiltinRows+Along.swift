// Contractions and choices: Einstein sums, triangles and diagonals, elements taken and put along an axis, sums at rows, draws by weight.

import ActArray
import ActGrad
import ActLinear
import ActMachine
import ActNetwork
import ActNeural
import ActOrder
import ActRandom
import ActRows

extension BuiltinRows {
    static let contraction: [Builtin] = [
        Builtin(
            .linear, "einsum", "sums of products along axes named by letters",
            details: """
                Each operand's axes are letters; after `->` stand those of the result, over the others it is summed. `...` stands for any axes. A \
                letter twice in one operand is its diagonal. \
                Without `->` the result has the letters that occur once, in alphabetical order. Axes may be lists of numbers instead, each after its \
                operand, that of the result last: "..." stands for any axes there.
                """,
            example:
                "einsum([[1, 2], [3, 4]], (0, 1), [1, 10], (1,), (0,))   # [21, 43]\neinsum(\"ij,jk->ik\", [[1, 2], [3, 4]], [[1, 0], [1, 1]])   # [[3, 2],\n# [7, 4]]\neinsum(\"ii\", [[1, 2], [3, 4]])   # 5"
        ) { takes in
            let subscripts = takes.value("subscripts"), operands = takes.rest("operands")
            return { call in
                if case .string(let text) = call[subscripts] {
                    return try Value(NDArray.einsum(text.string, call[operands].map { try call.array($0, operands) }))
                }
                return try call.einsum([call[subscripts]] + call[operands], operands)
            }
        },
        triangle("tril", "below", isLower: true, example: "tril([[1, 2], [3, 4]])   # [[1, 0],\n# [3, 4]]"),
        triangle("triu", "above", isLower: false, example: "triu([[1, 2], [3, 4]])   # [[1, 2],\n# [0, 4]]"),
        Builtin(
            .linear, "diag", "the diagonal of a matrix; of a vector, the matrix with it on the diagonal",
            details: "`k` counts diagonals, upward from the main one.",
            example: "diag([[1, 2], [3, 4]])   # [1, 4]\ndiag([1, 2])   # [[1, 0],\n# [0, 2]]"
        ) { takes in
            let v = takes.array("v"), k = takes.whole("k", default: 0)
            return { call in
                let array = try call[v]
                if array.rank == 1 { return try Value(array.diagonalMatrix(call[k])) }
                guard array.rank == 2 else { throw ArrayError.rankMismatch(operation: "diag", ranks: 1...2, shape: array.shape) }
                return try Value(array.diagonal(offset: call[k]))
            }
        },
    ]

    static let attention: [Builtin] = [
        Builtin(
            .networks, "attend", "attention: for each query the mean of the values, weighed by softmax(q kᵀ / √d)",
            details: """
                q, k and v are (…, time, size), the last axis with the heads side by side; d is the size of one head. With `causal=true` query i sees \
                keys 0 … i only. \
                Of long sequences the weights are made part by part: memory grows with the length, not with its square.
                """,
            example: "attend([[1, 0]], [[1, 0], [0, 1]], [[1], [3]])   # [[1.6604769]]"
        ) { takes in
            let q = takes.array("q"), k = takes.array("k"), v = takes.array("v"), heads = takes.whole("heads", default: 1, .within(1...0x1p20)),
                causal = takes.flag("causal", default: false)
            return { call in try Value(NDArray.attend(call[q], call[k], call[v], heads: call[heads], causal: call[causal])) }
        }
    ]

    private static func triangle(_ name: String, _ side: String, isLower: Bool, example: String) -> Builtin {
        Builtin(
            .linear, name, "the elements on and \(side) the diagonal, the others 0",
            details: "Of the last two axes. `k` counts diagonals, upward from the main one.",
            example: example
        ) { takes in
            let m = takes.array("m"), k = takes.whole("k", default: 0, .within(-0x1p48...0x1p48))
            return { call in try Value(call[m].triangle(call[k], isLower: isLower)) }
        }
    }

    static let along: [Builtin] = [
        Builtin(
            .order, "top_k", "the k largest elements along an axis, the largest first, and their positions",
            details: "Of equal elements the first comes first. NaN counts as largest.",
            example: "top_k([3, 1, 4, 1, 5], 2)   # ([5, 4], [4, 2])"
        ) { takes in
            let x = takes.vector("x"), k = takes.whole("k"), axis = takes.whole("axis", default: -1)
            return { call in
                let array = try call[x], place = try call[axis], (values, indices) = try array.largest(call[k], axis: place)
                return try .list([Value(values), call.positions(of: array, indices, axis: place)])
            }
        },
        Builtin(
            .order, "take_along", "for each place the element whose position along the axis stands there",
            details: "`indices` has as many axes as x, and its sizes or 1 along the others. With `axis=none` both count as flattened.",
            example: "x = [[3, 1, 2], [4, 6, 5]]\ntake_along(x, argsort(x))   # [[1, 2, 3],\n# [4, 5, 6]]"
        ) { takes in
            let x = takes.vector("x"), indices = takes.array("indices", role: .steps), axis = takes.wholeOrNone("axis", default: -1)
            return { call in try Value(call[x].takenAlong(call.positionsArgument(indices), axis: call[axis])) }
        },
        Builtin(
            .order, "put_along", "x with values put at positions along an axis",
            details: "What `take_along` would take is replaced; x itself stays. Where a position occurs twice, the last value counts.",
            example: "put_along([[3, 1, 2], [4, 6, 5]], [[0], [2]], 9)   # [[9, 1, 2],\n# [4, 6, 9]]"
        ) { takes in
            let x = takes.vector("x"), indices = takes.array("indices", role: .steps), values = takes.operand("values"),
                axis = takes.wholeOrNone("axis", default: -1)
            return { call in try Value(call[x].puttingAlong(call.positionsArgument(indices), call[values], axis: call[axis])) }
        },
        Builtin(
            .order, "scatter_add", "x with values added to its rows at positions",
            details: "Along axis 0; values for one row are added one after the other. `values` has the shape of `x[indices]`, or stretches to it.",
            example: "scatter_add([1, 1, 1], [0, 2, 2], [10, 20, 30])   # [11, 1, 51]"
        ) { takes in
            let x = takes.vector("x"), indices = takes.array("indices", role: .steps), values = takes.array("values")
            return { call in try Value(call[x].addingRows(call[values], at: call.positionsArgument(indices), operation: "scatter_add")) }
        },
        Builtin(
            .order, "segment_sum", "sums of the rows that have one id",
            details:
                "`ids` holds a whole number from 0 on for each row of x; `count` says how many sums there are, by default as many as the largest id needs.",
            example: "segment_sum([1, 2, 4, 8], [0, 0, 1, 2])   # [3, 4, 8]"
        ) { takes in
            let x = takes.vector("x"), ids = takes.vector("ids", role: .steps), count = takes.wholeOrNone("count", nil, .within(0...))
            return { call in try Value(call[x].segmentSum(call.positionsArgument(ids), segments: call[count])) }
        },
    ]

    // MARK: Random choices

    static let choices: [Builtin] = [
        Builtin(
            .make, "choice", "random elements of xs",
            details: """
                xs is a list, an array (its rows) or a number n (for 0 … n - 1). Without `size` one element, else an array or list of that shape. `p` \
                holds a probability for each. \
                With `replace=false` no element is drawn twice.
                """,
            example: "seed(1); sort(choice(5, 5, replace=false))   # [0, 1, 2, 3, 4]\nchoice((\"a\", \"b\"), 2, p=[0, 1])   # (\"b\", \"b\")"
        ) { takes in
            let xs = takes.value("xs"), size = takes.shapeOrNone("size"), p = takes.vectorOrNone("p", role: .steps),
                replace = takes.flag("replace", default: true)
            return { call in
                let count = try call.population(xs), shape = try call[size], draws = try call.sampleCount(shape)
                let weights = try call[p].map { try call.probabilities($0, count, p) }
                guard count > 0 || draws == 0 else { throw call.fail(xs, .kind(.elements)) }
                if try !call[replace], draws > weights?.count(where: { $0 > 0 }) ?? count {
                    throw BuiltinRefusal.tooManyDraws(draws, of: count, isWeighted: weights != nil)
                }
                let places = try call.draws(draws, of: count, weights, replace: call[replace])
                return try call.chosen(xs, places, shape)
            }
        },
        Builtin(
            .make, "categorical", "random classes, with the probabilities softmax(logits) along the last axis",
            details: "One class for each row of logits; with `size` so many for each, as axes in front.",
            example: "seed(1); categorical([0, -inf, -inf])   # 0", role: .steps
        ) { takes in
            let logits = takes.array("logits"), size = takes.shapeOrNone("size")
            return { call in
                let array = try call[logits], shape = try call[size] ?? []
                return try call.positions(of: array, call.categorical(array, logits, size: shape))
            }
        },
    ]
}

extension Signature {
    fileprivate mutating func wholeOrNone(_ name: String, _ fallback: Int?, _ bounds: Bounds) -> Input<Int?> { wholeOrNone(name, default: fallback, bounds) }
}

extension Call {
    /// Operands, each with the list of its axes; after them perhaps that of the result.
    fileprivate func einsum<T>(_ arguments: [Value], _ argument: Input<T>) throws -> Value {
        guard arguments.count > 1 else { throw BuiltinRefusal.einsumWithoutAxes }
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        func axes(_ value: Value) throws -> String {
            try (machine.elements(of: value) ?? [value]).map { axis in
                if case .string(let text) = axis, text.string == "..." { return "..." }
                guard case .number(let number) = axis, let whole = Int(exactly: number), letters.indices.contains(whole) else {
                    throw BuiltinRefusal.einsumAxis(axis)
                }
                return String(letters[whole])
            }.joined()
        }
        let pairs = arguments.count / 2
        var text = try (0..<pairs).map { try axes(arguments[2 * $0 + 1]) }.joined(separator: ",")
        if arguments.count % 2 == 1 { text += "->" + (try axes(arguments[arguments.count - 1])) }
        return try Value(NDArray.einsum(text, (0..<pairs).map { try array(arguments[2 * $0], argument) }))
    }

    /// Positions: of a derivative they are constants.
    fileprivate func positionsArgument(_ input: Input<NDArray>) throws -> NDArray { try untraced(self[input]) }
    fileprivate func positionsArgument(_ input: Input<Reading.Vector>) throws -> NDArray { try untraced(self[input]) }

    private func untraced(_ array: NDArray) throws -> NDArray { array.isTraced && !NDArray.followsPositions ? try array.detached() : array }

    // MARK: Drawing

    /// How many elements there are to choose from.
    fileprivate func population(_ xs: Input<Value>) throws -> Int {
        switch self[xs] {
        case .number:
            let count = try whole(xs)
            guard count >= 0 else { throw fail(xs, .within(.within(0...))) }
            return count
        case .list(let list): return list.elements.count
        case .array(let array) where array.rank > 0: return array.shape[0]
        default: throw fail(xs, .wholeOrSequence)
        }
    }

    fileprivate func sampleCount(_ shape: [Int]?) throws -> Int {
        var count = 1
        for size in shape ?? [] {
            guard size >= 0 else { throw ArrayError.negativeSize(size) }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow, product < 1 << 48 else { throw ArrayError.tooLarge(shape: shape ?? []) }
            count = product
        }
        return count
    }

    fileprivate func probabilities(_ p: NDArray, _ count: Int, _ input: Input<Reading.Vector?>) throws -> [Double] {
        let weights = try p.detached().toDoubles()
        guard weights.count == count else { throw BuiltinRefusal.probabilityCount(weights.count, elements: count) }
        let sum = weights.reduce(0, +)
        guard weights.allSatisfy({ $0 >= 0 }), abs(sum - 1) <= 1e-6 else { throw fail(input, .probabilities) }
        return weights
    }

    /// Positions that are drawn.
    fileprivate func draws(_ draws: Int, of count: Int, _ weights: [Double]?, replace: Bool) throws -> [Int] {
        try MemoryPool.allow(draws &* 16)
        if let weights {
            if replace {
                let running = RunningSum(weights)
                return try (0..<draws).map { _ in try running.place(of: machine.random.uniform()) }
            }
            // The smallest of exponential times, each the faster the likelier, come in the order of draws one after the other.
            // (P. Efraimidis, P. Spirakis, "Weighted random sampling with a reservoir", 2006.)
            let times = try weights.map { try $0 > 0 ? -Scalar.unary(.log1p, -machine.random.uniform()) / $0 : .infinity }
            return Array(times.indices.sorted { (times[$0], $0) < (times[$1], $1) }.prefix(draws))
        }
        if replace { return try (0..<draws).map { _ in try machine.random.integer(0, count) } }
        return try machine.random.permutation(count).toDoubles().prefix(draws).map { Int($0) }
    }

    fileprivate func chosen(_ xs: Input<Value>, _ places: [Int], _ shape: [Int]?) throws -> Value {
        switch self[xs] {
        case .number:
            guard let shape else { return .number(Double(places[0])) }
            return try Value(NDArray(places.map { Double($0) }, shape: shape))
        case .list(let list):
            guard let shape else { return list.elements[places[0]] }
            guard shape.count == 1 else { throw BuiltinRefusal.drawnShapeOfList }
            return try .list(places.map { list.elements[$0] })
        default:
            let array = try array(xs)
            guard let shape else { return try Value(array.indexed(by: [.integer(places[0])])) }
            return try Value(array.indexed(by: [.array(NDArray(places.map { Double($0) }, shape: shape))]))
        }
    }

    fileprivate func categorical(_ logits: NDArray, _ input: Input<NDArray>, size: [Int]) throws -> NDArray {
        guard let classes = logits.shape.last, classes > 0 else { throw fail(input, .scoresAlongAxis) }
        let shape = size + logits.shape.dropLast(), rows = logits.count / classes
        let draws = try sampleCount(size)
        let numbers = try logits.detached().converted(to: .f64).softmax().toDoubles()
        if numbers.contains(where: \.isNaN) { throw BuiltinRefusal.noProbabilities }
        _ = try sampleCount(shape)
        let sums = (0..<rows).map { RunningSum(numbers[$0 * classes..<($0 + 1) * classes]) }
        try MemoryPool.allow(draws &* rows &* 8)
        var places: [Double] = []
        for _ in 0..<draws {
            try Interrupt.check()
            for sum in sums { places.append(Double(sum.place(of: try machine.random.uniform()))) }
        }
        return try NDArray(places, shape: shape)
    }
}

/// Weights added up, to find the one at which a share of them all is reached.
private struct RunningSum {
    private let sums: [Double]

    init(_ weights: some Sequence<Double>) {
        var sum = 0.0
        sums = weights.map {
            sum += $0
            return sum
        }
    }

    /// The first place whose sum is above the share; a weight of 0 is never found.
    func place(of share: Double) -> Int {
        guard let total = sums.last else { return 0 }
        let wanted = share * total
        var low = 0, high = sums.count - 1
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > wanted { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
