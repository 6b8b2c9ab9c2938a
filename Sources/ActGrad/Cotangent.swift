// What a reverse pass has gathered for an array. Often that is one number for all elements (what a sum hands down), or a few elements
// that no array need be made of.

import ActArray

enum Cotangent {
    /// Nothing has reached it.
    case none
    /// The same number for each element.
    case uniform(Double)
    /// As many f64 numbers as the array has, row-major without gaps. Who holds the only reference may change them.
    case small(Storage)
    /// Shaped and typed as the array.
    case array(NDArray)

    init(_ array: NDArray) {
        self = array.uniformValue.map(Cotangent.uniform) ?? .array(array)
    }

    var isTraced: Bool {
        if case .array(let array) = self { array.isTraced } else { false }
    }

    var isAbstract: Bool {
        if case .array(let array) = self { array.isAbstract } else { false }
    }

    /// As the array that it is for `node`; `nil` where nothing has reached it.
    func array(like node: Node) throws -> NDArray? {
        switch self {
        case .none: nil
        case .uniform(let value): try NDArray.scalar(value, type: node.type).broadcast(to: node.shape)
        case .small(let storage): NDArray(storage: storage, shape: node.shape, count: node.count, type: .f64)
        case .array(let array): array
        }
    }

    /// Adds what reaches `node` on another way.
    mutating func add(_ other: Cotangent, for node: Node) throws {
        switch (self, other) {
        case (_, .none): break
        case (.none, .array(let array)) where node.count == 1: self = Cotangent(array)
        case (.none, _): self = other
        case (.uniform(let a), .uniform(let b)): self = .uniform(node.type.rounded(a + b))
        case (.uniform(let value), .array(let array)), (.array(let array), .uniform(let value)):
            self = .none
            self = try .array(array + value)
        default:
            guard let a = try array(like: node), let b = try other.array(like: node) else { return }
            self = .none
            self = try .array(a + b)
        }
    }

    /// What a derivative gives: a slope of 0 has no sign.
    consuming func slopes(like node: Node) throws -> NDArray? {
        switch consume self {
        case .none: return nil
        case .uniform(let value): return try NDArray.scalar(value + 0, type: node.type).broadcast(to: node.shape)
        case .small(var storage):
            guard isKnownUniquelyReferenced(&storage) else {
                return try NDArray(storage: storage, shape: node.shape, count: node.count, type: .f64) + 0
            }
            let elements = storage.pointer.assumingMemoryBound(to: Double.self)
            for i in 0..<node.count { elements[i] += 0 }
            return NDArray(storage: storage, shape: node.shape, count: node.count, type: .f64)
        case .array(let array): return try array + 0
        }
    }

    /// The same for a node of as many elements whose shape is another.
    func shaped(like node: Node) throws -> Cotangent {
        if case .array(let array) = self, array.shape != node.shape { .array(try array.reshaped(to: node.shape)) } else { self }
    }

    /// What reaches an operand of `count` elements that was stretched to an array of `stretched` elements which this reaches; `nil` unless
    /// that takes no looking at elements.
    func gathered(from stretched: Int, to count: Int, type: ElementType) -> Cotangent? {
        guard case .uniform(let value) = self, count > 0, stretched > 0 else { return nil }
        return .uniform(type.rounded(stretched == count ? value : value * Double(stretched / count)))
    }
}

extension ElementType {
    /// A number as an element of this type holds it.
    func rounded(_ value: Double) -> Double { self == .f32 ? Double(Float(value)) : value }
}
