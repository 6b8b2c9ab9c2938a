/// What one element of an array is. The raw value orders the types by promotion: the larger one wins.
package enum ElementType: UInt8, Sendable, CaseIterable {
    case bool, f32, f64

    /// Bytes one element takes.
    package var size: Int {
        switch self {
        case .bool: 1
        case .f32: 4
        case .f64: 8
        }
    }

    /// The name used in programs and messages.
    package var name: String {
        switch self {
        case .bool: "bool"
        case .f32: "f32"
        case .f64: "f64"
        }
    }

    /// The type that elements of both types fit in: `f32` with `f64` gives `f64`; a bool takes the other side's type.
    package func promoted(with other: ElementType) -> ElementType {
        rawValue >= other.rawValue ? self : other
    }
}
