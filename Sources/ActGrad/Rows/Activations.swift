// Every activation function, family by family.

import ActArray

package enum Activations {
    package static let all: [ActivationRow] =
        saturating + rectified + exponentialUnits + gated + shrinking + alongAxis + halved + periodicAndOther

    private static let byName: [String: Int] = {
        var positions: [String: Int] = [:]
        for (position, row) in all.enumerated() {
            for name in [row.name] + row.aliases { positions[name] = position }
        }
        return positions
    }()

    /// The row of that name or alias.
    package static func named(_ name: String) -> ActivationRow? {
        byName[name].map { all[$0] }
    }

    /// `rrelu` as it is in training: slopes of the negative side drawn between `lower` and `upper`.
    /// - Parameter draws: Uniform in [0, 1), shaped as `x`.
    package static func randomizedLeaky(_ x: NDArray, lower: Double = 1 / 8.0, upper: Double = 1 / 3.0, draws: NDArray) throws -> NDArray {
        let slopes = try (draws * (upper - lower) + lower).converted(to: x.type)
        return try NDArray.binary(.leaky, .array(x), .array(slopes))
    }
}
