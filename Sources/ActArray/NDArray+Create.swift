// Making arrays from numbers.

import CActKernels
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension NDArray {
    /// An array of the given elements in row-major order; numbers become bools by `≠ 0`.
    /// - Throws: `cannotReshape` when the shape holds another number of elements.
    package init(_ elements: [Double], shape: [Int], type: ElementType = .f64) throws {
        guard try Shapes.count(shape) == elements.count else { throw ArrayError.cannotReshape([elements.count], to: shape) }
        try self.init(shape: shape, type: type) { elements[$0] }
    }

    /// A bool array of the given elements in row-major order.
    package init(bools elements: [Bool], shape: [Int]) throws {
        guard try Shapes.count(shape) == elements.count else { throw ArrayError.cannotReshape([elements.count], to: shape) }
        try self.init(shape: shape, type: .bool) { elements[$0] ? 1 : 0 }
    }

    /// An array whose elements are all `value`.
    package static func full(_ value: Double, shape: [Int], type: ElementType) throws -> NDArray {
        if let array = try shapeAlone(shape, type) { return array }
        let array = try filled(value, shape: shape, type: type)
        NumericEvents.noteConversion(of: value, to: type, count: array.count)
        return array
    }

    /// The same for a value that is known to be too large for the type, if it is.
    private static func filled(_ value: Double, shape: [Int], type: ElementType) throws -> NDArray {
        let array = try uninitialized(shape: shape, type: type)
        try array.withMutableBytes { bytes in
            func fill(_ piece: Range<Int>) {
                if value == 0, value.sign == .plus {
                    memset(bytes + piece.lowerBound &* type.size, 0, piece.count &* type.size)
                    return
                }
                switch type {
                case .bool: (bytes.assumingMemoryBound(to: UInt8.self) + piece.lowerBound).update(repeating: value != 0 ? 1 : 0, count: piece.count)
                case .f32: (bytes.assumingMemoryBound(to: Float.self) + piece.lowerBound).update(repeating: Float(value), count: piece.count)
                case .f64: (bytes.assumingMemoryBound(to: Double.self) + piece.lowerBound).update(repeating: value, count: piece.count)
                }
            }
            if array.count < 1024 { fill(0..<array.count) } else { try ThreadPool.parallelPieces(array.count, fill) }
        }
        return array
    }

    /// An array of rank 0.
    package static func scalar(_ value: Double, type: ElementType) throws -> NDArray {
        try filled(value, shape: [], type: type)
    }

    /// `start + i * step` for i = 0, 1, … up to `stop`, which never appears, whatever the rounding.
    /// - Throws: `stepIsZero`; `badValue` when an argument is not finite; `tooLarge`.
    package static func range(_ start: Double, _ stop: Double, _ step: Double) throws -> NDArray {
        let count = try rangeCount(start: start, stop: stop, step: step)
        return try progression(start, step, count)
    }

    /// start + i · step for i = 0, 1 …
    package static func progression(_ start: Double, _ step: Double, _ count: Int) throws -> NDArray {
        let result = try FreshArray(shape: [count], type: .f64), y = result.elements(of: Double.self)
        try ThreadPool.parallelPieces(count) { piece in
            // Eight at a time; i as a double is exact.
            var i = piece.lowerBound, places = SIMD8<Double>(0, 1, 2, 3, 4, 5, 6, 7) + Double(i)
            while i &+ 8 <= piece.upperBound {
                UnsafeMutableRawPointer(y + i).storeBytes(of: start + places * step, as: SIMD8<Double>.self)
                places += 8
                i &+= 8
            }
            while i < piece.upperBound {
                y[i] = start + Double(i) * step
                i &+= 1
            }
        }
        return result.finished()
    }

    /// How many elements `range` has. Throws what it throws.
    package static func rangeCount(start: Double, stop: Double, step: Double) throws -> Int {
        guard start.isFinite, stop.isFinite, step.isFinite else {
            throw ArrayError.badValue(operation: "range", .infiniteRange)
        }
        guard step != 0 else { throw ArrayError.stepIsZero }
        let span = stop - start
        let steps = span.isFinite ? span / step : stop / step - start / step
        guard steps > 0 else { return 0 }
        guard steps < 0x1p48 else { throw ArrayError.tooLarge(shape: [Int.max]) }
        // A quotient that is whole up to the rounding of the arguments is whole.
        let doubt = min(1e-3, 4 * Double.ulpOfOne * (abs(start) + abs(stop)) / abs(step))
        let whole = steps.rounded()
        var count = Int(abs(steps - whole) <= doubt ? whole : steps.rounded(.up))
        while count > 0, step > 0 ? start + Double(count - 1) * step >= stop : start + Double(count - 1) * step <= stop { count -= 1 }
        return count
    }

    /// An array whose elements are whatever the memory held, to be filled through `withMutableBytes` before anyone else sees it.
    package static func uninitialized(shape: [Int], type: ElementType) throws -> NDArray {
        try uninitialized(shape: shape, count: Shapes.count(shape), type: type)
    }

    static func uninitialized(shape: [Int], count: Int, type: ElementType) throws -> NDArray {
        let layout = Layout(storage: try Storage(byteCount: count &* type.size), offset: 0, strides: nil)
        return NDArray(data: layout, shape: shape, count: count, type: type)
    }

    /// An array of given data that has forgotten how it was made.
    init(data layout: Layout, shape: [Int], count: Int, type: ElementType) {
        node = Node(.data, inputs: Inputs(), shape: shape, count: count, type: type, isTraced: false, site: .current, layout: layout)
    }

    /// An array of what `element` gives for each place, on several threads.
    package init(shape: [Int], type: ElementType, element: (Int) -> Double) throws {
        self = try NDArray.uninitialized(shape: shape, type: type)
        try withMutableBytes { bytes in
            try ThreadPool.parallelPieces(count) { piece in
                switch type {
                case .bool:
                    let target = bytes.assumingMemoryBound(to: UInt8.self)
                    for i in piece { target[i] = element(i) != 0 ? 1 : 0 }
                case .f32:
                    let target = bytes.assumingMemoryBound(to: Float.self)
                    for i in piece { target[i] = Float(element(i)) }
                case .f64:
                    let target = bytes.assumingMemoryBound(to: Double.self)
                    for i in piece { target[i] = element(i) }
                }
            }
        }
    }
}
