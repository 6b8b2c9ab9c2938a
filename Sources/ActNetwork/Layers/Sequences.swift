// Layers that look along sequences of shape (rows, time, size): Attention and Positions.

import ActArray
import ActGrad
import ActNeural
import ActRandom
import ActRows

/// attend(q, k, v) @ Wo + bo with q, k, v the thirds of x @ W + b: self-attention. A. Vaswani et al. 2017.
package struct Attention: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package let initializer: Initializer?
    package var parameters: [NDArray]
    private let size, heads: Int
    private let isCausal: Bool
    private let dropout: Double
    private let weightType: ElementType

    fileprivate init(
        _ settings: LayerSettings, size: Int, heads: Int, isCausal: Bool, dropout: Double, hasBias: Bool, _ initializer: Initializer, type: ElementType,
        _ random: inout RandomSource
    ) throws {
        self.settings = settings
        self.type = type
        weightType = type
        self.initializer = initializer
        (self.size, self.heads, self.isCausal, self.dropout) = (size, heads, isCausal, dropout)
        func square() throws -> NDArray { try initializer(shape: [size, size], fanIn: size, fanOut: size, type: type, &random) }
        let thirds = try NDArray.concatenated([square(), square(), square()], axis: 1), out = try square()
        parameters =
            hasBias ? [thirds, try NDArray.full(0, shape: [3 * size], type: type), out, try NDArray.full(0, shape: [size], type: type)] : [thirds, out]
    }

    package var form: LayerForm { .attention(heads: heads, causal: isCausal) }
    package var parameterNames: [String] { parameters.count > 2 ? ["W", "b", "Wo", "bo"] : ["W", "Wo"] }
    package var inputWidth: Int? { size }
    package var width: Width { .of(size) }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == 3, x.shape[2] == size else { throw unfit(x, needs: .sequences(size)) }
        guard x.shape[1] > 0 else { throw unfit(x, needs: .oneStep) }
        let hasBias = parameters.count > 2
        var thirds = try NDArray.matmul(x.converted(to: weightType), parameters[0])
        if hasBias { thirds = try thirds + parameters[1] }
        let parts = try thirds.split(parts: 3, axis: 2)
        var dropping: AttentionDropout?
        if pass.isTraining, dropout > 0 {
            let words = try Shapes.count([x.shape[0], heads, x.shape[1], x.shape[1]])
            dropping = AttentionDropout(rate: dropout, words: pass.random.stretch(of: words))
        }
        let seen = try NDArray.attend(parts[0], parts[1], parts[2], heads: heads, causal: isCausal, dropout: dropping)
        let out = try NDArray.matmul(seen, parameters[hasBias ? 2 : 1])
        return hasBias ? try out + parameters[3] : out
    }
}

/// x + W[:time]: learned numbers for every place, so that attention can tell them apart.
package struct Positions: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package var parameters: [NDArray]
    private let length, size: Int

    fileprivate init(_ settings: LayerSettings, length: Int, size: Int, type: ElementType, _ random: inout RandomSource) throws {
        self.settings = settings
        self.type = type
        (self.length, self.size) = (length, size)
        // Small beside what they are added to, as in GPT-2.
        parameters = [try (random.normal(shape: [length, size], type: type) * 0.02).contiguous()]
    }

    package var form: LayerForm { .positions }
    package var parameterNames: [String] { ["W"] }
    package var inputWidth: Int? { size }
    package var width: Width { .same }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == 3, x.shape[2] == size else { throw unfit(x, needs: .sequences(size)) }
        let time = x.shape[1]
        guard time <= length else { throw unfit(x, needs: .steps(most: length)) }
        return try x.converted(to: parameters[0].type) + parameters[0].rows(0..<time)
    }
}

extension LayerRows {
    static let sequenceRows: [LayerRow] = [
        LayerRow(
            "Attention", "lets every step of a sequence gather from the others what it asks for",
            details:
                "Sequences have the shape (rows, time, size). q, k, v are the thirds of x @ W + b; each of the heads, an equal part of `size`, gives softmax(q kᵀ/√d) v; then @ Wo + bo. With `causal=true` a step sees no later one. In training a share `dropout` of what the softmax gives is left out at random, the rest grown. The memory needed grows with the time, not with its square.",
            example: "shape(Attention(8, heads=2, causal=true)(ones(3, 5, 8)))   # (3, 5, 8)"
        ) { takes in
            let size = takes.size("size"), heads = takes.size("heads", default: 1), causal = takes.flag("causal", default: false)
            let dropout = takes.number("dropout", default: 0, .within(0..<1), role: .opaque), initializer = takes.initializer(),
                bias = takes.flag("bias", default: true), type = takes.floatType()
            return { settings, random in
                guard try settings[size] % settings[heads] == 0 else {
                    throw NetworkError.setting(owner: "Attention", name: "heads", .divisor(of: "size", try settings[size]))
                }
                return try Attention(
                    settings, size: settings[size], heads: settings[heads], isCausal: settings[causal], dropout: settings[dropout], hasBias: settings[bias],
                    settings[initializer, automatic: .glorot], type: settings[type], &random)
            }
        },
        LayerRow(
            "Positions", "adds learned numbers to every step of a sequence, by its place",
            details: "Sequences have the shape (rows, time, size) and at most `length` steps. W has the shape (length, size).",
            example: "shape(Positions(16, 8)(ones(3, 5, 8)))   # (3, 5, 8)"
        ) { takes in
            let length = takes.size("length"), size = takes.size("size"), type = takes.floatType()
            return { settings, random in try Positions(settings, length: settings[length], size: settings[size], type: settings[type], &random) }
        },
    ]
}
