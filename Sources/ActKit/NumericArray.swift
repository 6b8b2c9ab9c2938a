// Arrays between Swift and act.

import ActArray

/// An array of numbers of any shape, row-major: a value, whose memory is shared until somebody writes.
public struct NumericArray {
    /// What the elements are.
    public enum ElementType: String, Sendable { case f64, f32, bool }

    let core: NDArray

    init(_ core: NDArray) { self.core = core }

    /// An array of 64-bit numbers.
    /// - Parameters:
    ///   - elements: In row-major order.
    ///   - shape: The length of each axis; left out, one axis.
    /// - Throws: `ActError` when the shape holds another number of elements, or memory runs out.
    public init(_ elements: [Double], shape: [Int]? = nil) throws {
        core = try NumericArray.making { try NDArray(elements, shape: shape ?? [elements.count], type: .f64) }
    }

    /// An array of 32-bit numbers; otherwise as for 64-bit numbers.
    public init(_ elements: [Float], shape: [Int]? = nil) throws {
        core = try NumericArray.making { try NDArray(elements.map(Double.init), shape: shape ?? [elements.count], type: .f32) }
    }

    /// An array of bools; otherwise as for numbers.
    public init(_ elements: [Bool], shape: [Int]? = nil) throws {
        core = try NumericArray.making { try NDArray(bools: elements, shape: shape ?? [elements.count]) }
    }

    /// The length of each axis.
    public var shape: [Int] { core.shape }

    public var elementType: ElementType {
        switch core.type {
        case .f64: .f64
        case .f32: .f32
        case .bool: .bool
        }
    }

    /// The elements in row-major order as numbers, bools as 0 and 1. Computes them if that was put off.
    /// - Throws: `ActError` when memory runs out, or Ctrl-C ended the computation.
    public func elements() throws -> [Double] { try NumericArray.making { try core.toDoubles() } }

    private static func making<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch { throw ActError(arrayError: error) }
    }
}
