// Attention and recurrences at sizes that take more than one block or thread, against the operations that they are made of: values, first
// derivatives, both element types, whatever the number of threads.

import ActArray
import ActGrad
import ActNetwork
import ActNeural
import ActRandom
import Testing

@Suite struct SequenceTests {
    /// softmax(q kᵀ/√d) v, head by head, from operations alone.
    /// - Parameter kept: What the shares are multiplied by: (…, heads, queries, keys).
    private func attention(_ x: [NDArray], heads: Int, causal: Bool, kept: NDArray? = nil) throws -> NDArray {
        let parts = try x.map { try $0.split(parts: heads, axis: -1) }
        return try NDArray.concatenated(
            (0..<heads).map { head in
                let (q, k, v) = (parts[0][head], parts[1][head], parts[2][head]), rank = k.rank
                var order = Array(0..<rank)
                order.swapAt(rank - 1, rank - 2)
                var scores = try NDArray.matmul(q, k.transposed(order)) / Double(q.shape[rank - 1]).squareRoot()
                if causal {
                    let (rows, columns) = (q.shape[rank - 2], k.shape[rank - 2])
                    let seen = try NDArray(bools: (0..<rows * columns).map { $0 % columns <= $0 / columns }, shape: [rows, columns])
                    scores = try NDArray.select(seen, .array(scores), .number(-.infinity))
                }
                var shares = try scores.softmax()
                if let kept {
                    shares =
                        try shares
                        * kept.indexed(by: [.ellipsis, .integer(head)] + [NDArray.Index](repeating: .slice(start: nil, stop: nil, step: nil), count: 2))
                }
                return try NDArray.matmul(shares, v)
            }, axis: -1)
    }

    /// What is left out is the same on the way forward, on the way back, and in the formula, whatever the blocks and threads.
    @Test(arguments: shapes.indices, [false, true]) func attendLeavesOutShares(_ index: Int, _ causal: Bool) throws {
        let shape = Self.shapes[index], rate = 0.3
        var random = RandomSource(seed: UInt64(index))
        let sizes = [(shape.queries, shape.width), (shape.keys, shape.width), (shape.keys, shape.valueWidth)]
        let x = try sizes.map { try random.normal(shape: shape.lead + [$0.0, shape.heads * $0.1]) }
        let masks = shape.lead + [shape.heads, shape.queries, shape.keys], count = masks.reduce(1, *), words = random.stretch(of: count)
        var factors = [Double](repeating: 0, count: count), falling = 0
        words.forEach(from: 0, count: count, share: rate) {
            factors[$0] = $1 ? 0 : 1 / (1 - rate)
            if $1 { falling += 1 }
        }
        let spread = (Double(count) * rate * (1 - rate)).squareRoot()
        #expect(abs(Double(falling) - rate * Double(count)) <= 5 * spread)
        let kept = try NDArray(factors, shape: masks), weights = try random.normal(shape: shape.lead + [shape.queries, shape.heads * shape.valueWidth])
        func gradients(_ f: ([NDArray]) throws -> NDArray) throws -> [NDArray] {
            let (value, gradients) = try Derivative.valueAndGradient(of: { try (f($0) * weights).reduced(.sum) }, at: x)
            return [value] + gradients
        }
        let dropout = AttentionDropout(rate: rate, words: words)
        let found = try gradients { try NDArray.attend($0[0], $0[1], $0[2], heads: shape.heads, causal: causal, dropout: dropout) }
        let expected = try gradients { try attention($0, heads: shape.heads, causal: causal, kept: kept) }
        for (a, b) in zip(found, expected) { #expect(try distance(a, b) < 1e-12 * Double(max(1, shape.queries))) }
    }

    @Test func attentionDropsOutInTrainingAlone() throws {
        let settings: [String: Setting] = ["size": .number(4), "heads": .number(2)]
        let plain = try makeLayer("Attention", settings), dropping = try makeLayer("Attention", settings.merging(["dropout": .number(0.5)]) { _, new in new })
        var random = RandomSource(seed: 4)
        let x = try random.normal(shape: [2, 5, 4])
        #expect(try dropping(x, Pass()).toDoubles() == plain(x, Pass()).toDoubles())
        let pass = Pass(isTraining: true, random: RandomSource(seed: 1)), first = try dropping(x, pass), second = try dropping(x, pass)
        #expect(try first.toDoubles() != second.toDoubles(), "every pass draws anew")
        #expect(try dropping(x, Pass(isTraining: true, random: RandomSource(seed: 1))).toDoubles() == first.toDoubles())
    }

    private static let shapes: [(lead: [Int], queries: Int, keys: Int, heads: Int, width: Int, valueWidth: Int)] = [
        ([], 1, 1, 1, 1, 1), ([2], 3, 5, 2, 3, 2), ([1], 130, 130, 1, 4, 4), ([2], 257, 140, 3, 5, 2), ([2, 2], 40, 300, 2, 2, 3), ([], 300, 129, 5, 1, 1),
        ([0], 3, 3, 1, 2, 2),
    ]

    @Test(arguments: shapes.indices, [false, true]) func attendIsItsFormula(_ index: Int, _ causal: Bool) throws {
        let shape = Self.shapes[index]
        for (type, tolerance) in [(ElementType.f64, 1e-12), (.f32, 2e-5)] {
            var random = RandomSource(seed: UInt64(index))
            let sizes = [(shape.queries, shape.width), (shape.keys, shape.width), (shape.keys, shape.valueWidth)]
            let x = try sizes.map { try (random.normal(shape: shape.lead + [$0.0, shape.heads * $0.1]) * 2).converted(to: type).contiguous() }
            let weights = try random.normal(shape: shape.lead + [shape.queries, shape.heads * shape.valueWidth]).converted(to: type)
            func gradients(_ f: ([NDArray]) throws -> NDArray) throws -> [NDArray] {
                let (value, gradients) = try Derivative.valueAndGradient(of: { try (f($0) * weights).reduced(.sum) }, at: x)
                return [value] + gradients
            }
            let found = try gradients { try NDArray.attend($0[0], $0[1], $0[2], heads: shape.heads, causal: causal) }
            let expected = try gradients { try attention($0, heads: shape.heads, causal: causal) }
            for (a, b) in zip(found, expected) { #expect(try distance(a, b) < tolerance * Double(max(1, shape.queries)), "\(type.name)") }
        }
    }

    /// Scores far beyond what e^x can take, those of the largest in another block than the first.
    @Test func attendIsStable() throws {
        let keys = try NDArray((0..<300).map { Double($0) * 40 - 3000 }, shape: [300, 1]), values = try NDArray((0..<300).map(Double.init), shape: [300, 1])
        let result = try NDArray.attend(NDArray([1, -1, 0], shape: [3, 1]), keys, values)
        #expect(try distance(result, NDArray([299, 0, 149.5], shape: [3, 1])) < 1e-12)
    }

    @Test func attendRefusesWhatDoesNotFit() throws {
        let x = try NDArray.full(1, shape: [2, 3, 4], type: .f64)
        for (q, k, v, heads) in [
            (x, x, x, 3), (x, x, x, 0), (try x.reshaped(to: [3, 2, 4]), x, x, 1), (x, x, try x.reshaped(to: [2, 2, 6]), 1),
            (x, try x.reshaped(to: [2, 6, 2]), x, 1),
            (try NDArray.full(1, shape: [4], type: .f64), x, x, 1),
            (x, try NDArray.full(1, shape: [2, 0, 4], type: .f64), try NDArray.full(1, shape: [2, 0, 4], type: .f64), 1),
        ] {
            #expect(throws: ArrayError.self) { try NDArray.attend(q, k, v, heads: heads) }
        }
    }

    @Test(arguments: ["RNN", "GRU", "LSTM"]) func recurrenceDoesNotDependOnThreads(_ kind: String) throws {
        let layer = try makeLayer(kind, ["inputs": .number(3), "units": .number(37)])
        var random = RandomSource(seed: 2)
        let x = try random.normal(shape: [21, 9, 3])
        func run() throws -> [[Double]] {
            let (value, gradients) = try Derivative.valueAndGradient(
                of: { variables in
                    var copy = layer
                    copy.parameters = Array(variables.dropFirst())
                    return try NDArray.unary(.square, copy(variables[0], Pass())).reduced(.sum)
                }, at: [x] + layer.parameters)
            return try ([value] + gradients).map { try $0.toDoubles() }
        }
        let before = ThreadPool.count
        defer { ThreadPool.count = before }
        ThreadPool.count = 1
        let alone = try run()
        ThreadPool.count = 4
        #expect(try run() == alone)
    }

    @Test func windowsDoNotDependOnThreads() throws {
        var random = RandomSource(seed: 6)
        let x = try random.normal(shape: [11, 4, 9, 10])
        let settings: [(String, [String: Setting])] = [
            (
                "Conv2D",
                ["inputs": .number(4), "outputs": .number(6), "groups": .number(2), "padding": .text("same"), "stride": .list([.number(2), .number(1)])]
            ),
            ("ConvTranspose2D", ["inputs": .number(4), "outputs": .number(2), "dilation": .number(2), "groups": .number(2)]),
            ("MaxPool2D", ["size": .number(3), "padding": .number(1), "stride": .number(1)]),
            ("AvgPool2D", ["size": .number(3), "ceil": .flag(true), "padding": .number(1)]),
        ]
        let layers = try settings.map { try makeLayer($0.0, $0.1) }
        func run() throws -> [[Double]] {
            try layers.flatMap { layer -> [[Double]] in
                let (value, gradients) = try Derivative.valueAndGradient(
                    of: { variables in
                        var copy = layer
                        copy.parameters = Array(variables.dropFirst())
                        return try NDArray.unary(.square, copy(variables[0], Pass())).reduced(.sum)
                    }, at: [x] + layer.parameters)
                return try ([value] + gradients).map { try $0.toDoubles() }
            }
        }
        let before = ThreadPool.count
        defer { ThreadPool.count = before }
        ThreadPool.count = 1
        let alone = try run()
        ThreadPool.count = 4
        #expect(try run() == alone)
    }

    /// f32 layers against the same in f64, and every state against one row at a time.
    @Test(arguments: ["RNN", "GRU", "LSTM", "Attention"]) func rowsDoNotSeeEachOther(_ kind: String) throws {
        let settings: [String: Setting] = kind == "Attention" ? ["size": .number(6), "heads": .number(2)] : ["inputs": .number(6), "units": .number(400)]
        let layer = try makeLayer(kind, settings)
        var narrow = try makeLayer(kind, settings.merging(["dtype": .text("f32")]) { _, new in new })
        narrow.parameters = try layer.parameters.map { try $0.converted(to: .f32).contiguous() }
        var random = RandomSource(seed: 5)
        let x = try random.normal(shape: [11, 4, 6]), all = try layer(x, Pass())
        #expect(try distance(narrow(x, Pass()).converted(to: .f64), all) < 1e-5)
        for row in 0..<11 {
            let one = try layer(x.indexed(by: [.slice(start: row, stop: row + 1, step: nil)]), Pass())
            #expect(try one.toDoubles() == all.indexed(by: [.slice(start: row, stop: row + 1, step: nil)]).toDoubles(), "row \(row)")
        }
    }

    @Test func noSteps() throws {
        let empty = try NDArray.full(0, shape: [2, 0, 3], type: .f64)
        for kind in ["RNN", "GRU", "LSTM"] {
            let layer = try makeLayer(kind, ["inputs": .number(3), "units": .number(2)])
            #expect(try layer(empty, Pass()).shape == [2, 0, 2])
            let gradient = try Derivative.gradient(of: { try layer($0, Pass()).reduced(.sum) }, at: empty)
            #expect(gradient.shape == [2, 0, 3])
            #expect(try layer(NDArray.full(0, shape: [0, 4, 3], type: .f64), Pass()).shape == [0, 4, 2])
            let last = try makeLayer(kind, ["inputs": .number(3), "units": .number(2), "sequences": .flag(false)])
            #expect(throws: NetworkError.self) { try last(empty, Pass()) }
        }
    }
}
