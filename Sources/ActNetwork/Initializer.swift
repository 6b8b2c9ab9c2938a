// How weights begin. An initialiser is one row; "auto" picks one by the activation that follows.

import ActArray

package struct Initializer {
    package let name: String
    package let summary: String
    /// `fanIn` and `fanOut`: how many numbers go into one unit, and into how many units one number goes.
    let fill: (_ shape: [Int], _ fanIn: Double, _ fanOut: Double, _ random: inout RandomSource) throws -> NDArray

    /// Weights of any shape, in f64.
    func callAsFunction(shape: [Int], fanIn: Int, fanOut: Int, type: ElementType, _ random: inout RandomSource) throws -> NDArray {
        try fill(shape, Double(max(1, fanIn)), Double(max(1, fanOut)), &random).converted(to: type).contiguous()
    }
}

package enum Initializers {
    // X. Glorot, Y. Bengio 2010; K. He et al. 2015; Y. LeCun et al. 1998; A. Saxe et al. 2014.
    package static let all: [Initializer] = [
        uniform("glorot_uniform", "uniform in ±√(6/(in + out)): for sigmoid, tanh and softmax") { (6 / ($0 + $1)).squareRoot() },
        normal("glorot_normal", "normal with variance 2/(in + out)") { (2 / ($0 + $1)).squareRoot() },
        uniform("he_uniform", "uniform in ±√(6/in)") { fanIn, _ in (6 / fanIn).squareRoot() },
        normal("he_normal", "normal with variance 2/in: for relu and its kin") { fanIn, _ in (2 / fanIn).squareRoot() },
        normal("lecun_normal", "normal with variance 1/in: for selu") { fanIn, _ in (1 / fanIn).squareRoot() },
        Initializer(name: "orthogonal", summary: "rows or columns that are orthogonal to each other and of length 1") { shape, _, _, random in
            try orthogonal(shape, &random)
        },
        Initializer(name: "zeros", summary: "zeros, which layers above the last cannot learn from") { shape, _, _, _ in
            try NDArray.full(0, shape: shape, type: .f64)
        },
    ]

    private static let heActivations: Set<String> = [
        "relu", "leaky_relu", "prelu", "rrelu", "relu6", "relu2", "elu", "celu", "gelu", "gelu_tanh", "gelu_sigmoid", "silu", "mish",
    ]

    /// What "auto" means before an activation.
    package static func automatic(for activation: String) -> String {
        activation == "selu" ? "lecun_normal" : heActivations.contains(activation) ? "he_normal" : "glorot_uniform"
    }

    static func named(_ name: String, owner: String) throws -> Initializer {
        guard let row = all.first(where: { $0.name == name }) else {
            throw NetworkError.setting(owner: owner, name: "init", reason: "\"auto\", " + all.map { "\"\($0.name)\"" }.joined(separator: ", "))
        }
        return row
    }

    private static func uniform(_ name: String, _ summary: String, _ limit: @escaping (Double, Double) -> Double) -> Initializer {
        Initializer(name: name, summary: summary) { shape, fanIn, fanOut, random in
            let limit = limit(fanIn, fanOut)
            return try random.uniform(shape: shape) * (2 * limit) - limit
        }
    }

    private static func normal(_ name: String, _ summary: String, _ deviation: @escaping (Double, Double) -> Double) -> Initializer {
        Initializer(name: name, summary: summary) { shape, fanIn, fanOut, random in
            try random.normal(shape: shape) * deviation(fanIn, fanOut)
        }
    }

    /// Of the matrix (first axis, all others), whichever side is shorter: Gram and Schmidt, each vector projected twice, since once
    /// leaves rounding errors behind.
    private static func orthogonal(_ shape: [Int], _ random: inout RandomSource) throws -> NDArray {
        let rows = shape.first ?? 1, columns = shape.dropFirst().reduce(1, *)
        let (count, size) = (min(rows, columns), max(rows, columns))
        let draws = try random.normal(shape: [count, size])
        let basis = try NDArray.full(0, shape: [count, size], type: .f64)
        for k in 0..<count {
            var vector = try draws.indexed(by: [.integer(k)])
            if k > 0 {
                let known = try basis.sliced([SliceRange(start: 0, step: 1, count: k), SliceRange(start: 0, step: 1, count: size)])
                for _ in 0..<2 { vector = try vector - NDArray.matmul(NDArray.matmul(known, vector), known) }
            }
            let length = try vector.norm().item()
            let unit = try (vector / (length > 0 ? length : 1)).contiguous()
            try unit.withContiguous(of: Double.self) { source in
                guard let base = source.baseAddress else { return }
                basis.withMutableBytes { ($0.assumingMemoryBound(to: Double.self) + k * size).update(from: base, count: size) }
            }
        }
        return try (rows <= columns ? basis : basis.transposed()).contiguous().reshaped(to: shape)
    }
}
