// How weights begin. An initialiser is one row; "auto" picks one by the activation that follows.

import ActArray
import ActGrad
import ActLinear
import ActRandom

package struct Initializer: Sendable {
    package let name: String
    package let summary: String
    fileprivate let fill: Fill

    fileprivate enum Fill: Sendable {
        /// Numbers that do not depend on each other, in f64. `fanIn` and `fanOut`: how many numbers go into one unit, and into how many
        /// units one number goes.
        case numbers(@Sendable (_ count: Int, _ fanIn: Double, _ fanOut: Double, _ random: inout RandomSource) throws -> NDArray)
        case array(@Sendable (_ shape: [Int], _ random: inout RandomSource) throws -> NDArray)
    }

    /// Weights of any shape.
    package func callAsFunction(shape: [Int], fanIn: Int, fanOut: Int, type: ElementType, _ random: inout RandomSource) throws -> NDArray {
        if let array = try NDArray.shapeAlone(shape, type) { return array }
        switch fill {
        case .array(let fill): return try fill(shape, &random).converted(to: type).contiguous()
        case .numbers(let fill):
            let result = try NDArray.uninitialized(shape: shape, type: type), count = result.count
            // In pieces, for the draws are larger than the weights.
            let piece = 1 << 16
            for start in stride(from: 0, to: count, by: piece) {
                let part = try fill(min(piece, count - start), Double(max(1, fanIn)), Double(max(1, fanOut)), &random).converted(to: type).contiguous()
                try part.evaluate()
                part.withMutableBytes { source in
                    result.withMutableBytes { ($0 + start * type.size).copyMemory(from: source, byteCount: part.count * type.size) }
                }
            }
            return result
        }
    }
}

package enum Initializers {
    // X. Glorot, Y. Bengio 2010; K. He et al. 2015; Y. LeCun et al. 1998; A. Saxe et al. 2014.
    package static let all: [Initializer] = [
        glorotUniform,
        normal("glorot_normal", "normal with variance 2/(in + out)") { (2 / ($0 + $1)).squareRoot() },
        uniform("he_uniform", "uniform in ±√(6/in)") { fanIn, _ in (6 / fanIn).squareRoot() },
        heNormal,
        lecunNormal,
        orthogonal,
        Initializer(
            name: "zeros", summary: "zeros, which layers above the last cannot learn from",
            fill: .array { shape, _ in try NDArray.full(0, shape: shape, type: .f32) }),
    ]

    private static let glorotUniform = uniform("glorot_uniform", "uniform in ±√(6/(in + out)): for sigmoid, tanh and softmax") { (6 / ($0 + $1)).squareRoot() }
    static let heNormal = normal("he_normal", "normal with variance 2/in: for relu and functions like it") { fanIn, _ in (2 / fanIn).squareRoot() }
    private static let lecunNormal = normal("lecun_normal", "normal with variance 1/in: for selu") { fanIn, _ in (1 / fanIn).squareRoot() }

    static let orthogonal = Initializer(
        name: "orthogonal", summary: "rows or columns that are orthogonal to each other and of length 1", fill: .array(orthogonalBasis))

    /// What the setting `init` may be: one of these, or what goes with the activation.
    package enum Choice { case automatic }

    /// What "auto" means.
    package static func automatic(_ start: ActivationRow.WeightStart) -> Initializer {
        switch start {
        case .glorot: glorotUniform
        case .he: heNormal
        case .lecun: lecunNormal
        }
    }

    package static func named(_ name: String) -> Initializer? { all.first { $0.name == name } }

    private static func uniform(_ name: String, _ summary: String, _ limit: @escaping @Sendable (Double, Double) -> Double) -> Initializer {
        Initializer(
            name: name, summary: summary,
            fill: .numbers { count, fanIn, fanOut, random in
                let limit = limit(fanIn, fanOut)
                return try random.uniform(shape: [count]) * (2 * limit) - limit
            })
    }

    private static func normal(_ name: String, _ summary: String, _ deviation: @escaping @Sendable (Double, Double) -> Double) -> Initializer {
        Initializer(
            name: name, summary: summary,
            fill: .numbers { count, fanIn, fanOut, random in try random.normal(shape: [count]) * deviation(fanIn, fanOut) })
    }

    /// Of the matrix (first axis, all others), whichever side is shorter: Gram and Schmidt, in blocks of vectors so that most of it is
    /// products of matrices. What is known is taken out twice, since once leaves rounding errors behind.
    @Sendable private static func orthogonalBasis(_ shape: [Int], _ random: inout RandomSource) throws -> NDArray {
        let rows = shape.first ?? 1, columns = shape.dropFirst().reduce(1, *)
        let (count, size) = (min(rows, columns), max(rows, columns))
        let basis = try NDArray.full(0, shape: [count, size], type: .f64)
        func without(_ known: Range<Int>, _ vectors: NDArray) throws -> NDArray {
            if known.isEmpty { return vectors }
            let known = try basis.rows(known), once = try vectors - NDArray.matmul(NDArray.matmul(vectors, known.transposed()), known)
            return try once - NDArray.matmul(NDArray.matmul(once, known.transposed()), known)
        }
        for first in stride(from: 0, to: count, by: 64) {
            let block = first..<min(count, first + 64)
            let vectors = try without(0..<first, random.normal(shape: [block.count, size]))
            for k in block {
                let vector = try without(first..<k, vectors.rows(k - first..<k - first + 1)), length = try vector.norm().item()
                let unit = try (vector / (length > 0 ? length : 1)).contiguous()
                try unit.withContiguous(of: Double.self) { source in
                    guard let base = source.baseAddress else { return }
                    basis.withMutableBytes { ($0.assumingMemoryBound(to: Double.self) + k * size).update(from: base, count: size) }
                }
            }
        }
        return try (rows <= columns ? basis : basis.transposed()).contiguous().reshaped(to: shape)
    }
}
