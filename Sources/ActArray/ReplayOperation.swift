// One operation of a function that is run without its program: kernels on memory whose place was settled before.
//
// What must stay true: the bits are those that the operation gives on arrays.

import CActKernels

/// Where elements lie: `strides` (in elements) is `nil` for row-major without gaps. The program that has the place holds the memory, or the array
/// whose elements they are, as long as it has operations on it.
package struct ReplayPlace {
    package var pointer: UnsafeMutableRawPointer
    package var shape: [Int]
    package var strides: [Int]?
    package let type: ElementType

    package init(_ pointer: UnsafeMutableRawPointer, shape: [Int], strides: [Int]? = nil, type: ElementType) {
        self.pointer = pointer
        self.shape = shape
        self.strides = strides.flatMap { Shapes.simplified($0, shape) }
        self.type = type
    }

    /// The elements of an array that has them, which whoever asks keeps.
    /// - Throws: `ArrayError.outOfMemory`, `interrupted`.
    package init(_ array: NDArray) throws {
        let layout = try array.evaluatedLayout()
        self.init(layout.storage.pointer + layout.offset &* array.type.size, shape: array.shape, strides: layout.strides, type: array.type)
    }

    package var count: Int { shape.reduce(1, &*) }
    package var allStrides: [Int] { strides ?? Shapes.rowMajorStrides(shape) }

    /// Stretched to a shape that it broadcasts to.
    package func broadcast(to target: [Int]) -> ReplayPlace? {
        Shapes.broadcastStrides(shape, allStrides, to: target).map { ReplayPlace(pointer, shape: target, strides: $0, type: type) }
    }

    package func sliced(_ ranges: [SliceRange]) -> ReplayPlace {
        var place = self
        for (range, stride) in zip(ranges, allStrides) where range.count > 0 { place.pointer += range.start &* stride &* type.size }
        place.shape = ranges.map(\.count)
        place.strides = Shapes.simplified(zip(ranges, allStrides).map { $0.step &* $1 }, place.shape)
        return place
    }

    /// As an operand of a kernel over `count` elements; `nil` where the elements do not lie one after the other.
    /// - Parameter isFirst: Kernels choose the way of a power, say, by the second operand where that alone is one number.
    fileprivate func operand(_ count: Int, isFirst: Bool = false) -> Kernel.Operand? {
        let own = self.count
        if own == 1, !(isFirst && count == 1) { return Kernel.Operand(pointer: pointer, stride: 0) }
        return own == count && strides == nil ? Kernel.Operand(pointer: pointer, stride: 1) : nil
    }

    fileprivate var view: StridedView { StridedView(base: pointer, size: type.size, shape: shape, strides: allStrides) }
    fileprivate func matrix<T>(_: T.Type) -> MatrixView<T> {
        MatrixView(UnsafePointer(pointer.assumingMemoryBound(to: T.self)), rowStride: allStrides[0], columnStride: allStrides[1])
    }
}

package struct ReplayOperation {
    /// Plain, so that the commonest operations cost no reference counts.
    private let kernel: Kernel?
    private let operands: (Kernel.Operand, Kernel.Operand, Kernel.Operand)
    private let target: UnsafeMutableRawPointer
    private let count: Int
    private let other: Other?

    private final class Other {
        let run: (UnsafeMutableRawPointer) throws -> Void
        init(_ run: @escaping (UnsafeMutableRawPointer) throws -> Void) { self.run = run }
    }

    /// An elementwise operation; `nil` where an operand does not lie well: one element, or as many as the result, one after the other.
    package init?(elementwise primitive: Primitive, _ places: [ReplayPlace], to target: ReplayPlace) {
        let count = target.count
        guard let first = places.first?.operand(count, isFirst: true), let last = places.last,
            let kernel = Kernel(primitive, operand: last.type, type: target.type)
        else {
            return nil
        }
        guard let second = places.count > 1 ? places[1].operand(count) : first, let third = places.count > 2 ? places[2].operand(count) : second else {
            return nil
        }
        (self.kernel, operands, self.target, self.count, other) = (kernel, (first, second, third), target.pointer, count, nil)
    }

    private init(_ target: ReplayPlace, _ run: @escaping (UnsafeMutableRawPointer) throws -> Void) {
        let none = Kernel.Operand(pointer: target.pointer, stride: 0)
        (kernel, operands, self.target, count, other) = (nil, (none, none, none), target.pointer, target.count, Other(run))
    }

    /// The elements of a view, one after the other.
    package static func copy(_ source: ReplayPlace, to target: ReplayPlace) -> ReplayOperation {
        let view = source.view, count = source.count
        return ReplayOperation(target) { view.copy(0, count, to: $0) }
    }

    /// Elements without gaps at ranges of an array that is 0 elsewhere.
    package static func unslice(_ source: ReplayPlace, _ ranges: [SliceRange], to target: ReplayPlace) -> ReplayOperation {
        let view = target.sliced(ranges).view, bytes = target.count &* target.type.size, from = source.pointer, isEmpty = source.count == 0
        return ReplayOperation(target) {
            $0.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            if !isEmpty { view.assign(from: from) }
        }
    }

    /// The product of two matrices of one type; `nil` for other shapes.
    package static func product(_ a: ReplayPlace, _ b: ReplayPlace, to target: ReplayPlace) -> ReplayOperation? {
        guard a.shape.count == 2, b.shape.count == 2, target.count > 0, a.type == b.type else { return nil }
        func operation<T: MatrixElement>(_: T.Type) -> ReplayOperation {
            let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1]), left = a.matrix(T.self), right = b.matrix(T.self)
            return ReplayOperation(target) { try NDArray.multiplyMatrices(m: m, n: n, k: k, left, right, into: $0.assumingMemoryBound(to: T.self)) }
        }
        switch a.type {
        case .f64: return operation(Double.self)
        case .f32: return operation(Float.self)
        case .bool: return nil
        }
    }

    /// Numbers without gaps, and to each the product of an element of a column and one of a row; `nil` where the row has gaps.
    package static func addedOuter(_ sum: ReplayPlace, _ column: ReplayPlace, _ row: ReplayPlace, to target: ReplayPlace) -> ReplayOperation? {
        guard column.shape.count == 2, row.shape.count == 2, sum.shape == target.shape, sum.strides == nil, row.allStrides[1] == 1 else {
            return nil
        }
        let (m, n, step) = (column.shape[0], row.shape[1], column.allStrides[0]), (c, a, b) = (sum.pointer, column.pointer, row.pointer)
        let table = Kernels.table
        switch target.type {
        case .f32:
            return ReplayOperation(target) {
                table.pointee.add_outer_f32(
                    c.assumingMemoryBound(to: Float.self), a.assumingMemoryBound(to: Float.self), step, b.assumingMemoryBound(to: Float.self),
                    $0.assumingMemoryBound(to: Float.self), m, n)
            }
        case .f64:
            return ReplayOperation(target) {
                table.pointee.add_outer_f64(
                    c.assumingMemoryBound(to: Double.self), a.assumingMemoryBound(to: Double.self), step, b.assumingMemoryBound(to: Double.self),
                    $0.assumingMemoryBound(to: Double.self), m, n)
            }
        case .bool: return nil
        }
    }

    /// Any other operation, which makes an array of arrays that show what lies where its operands are.
    package static func general(to target: ReplayPlace, _ operation: @escaping () throws -> NDArray) -> ReplayOperation {
        let shape = target.shape, type = target.type
        return ReplayOperation(target) { pointer in
            let result = try operation()
            guard result.shape == shape, result.type == type else { try result.refuseElements() }
            let source = try ReplayPlace(result)
            withExtendedLifetime(result) { source.copy(to: ReplayPlace(pointer, shape: shape, type: type)) }
        }
    }

    /// - Throws: `ArrayError.outOfMemory`, `interrupted`.
    @inline(__always)
    private func run() throws {
        if let kernel {
            kernel.run(operands.0, operands.1, operands.2, to: target, count)
        } else {
            try other?.run(target)
        }
    }

    /// Runs operations in order.
    /// - Throws: `ArrayError.outOfMemory`, `interrupted`.
    package static func run(_ operations: ContiguousArray<ReplayOperation>) throws {
        try operations.withUnsafeBufferPointer { operations in
            var index = 0
            while index < operations.count {
                let end = min(index &+ 512, operations.count)
                while index < end {
                    try operations[index].run()
                    index &+= 1
                }
                try Interrupt.check()
            }
        }
    }
}

extension ReplayPlace {
    /// Copies the elements to a place of as many, which has no gaps.
    package func copy(to place: ReplayPlace) {
        if strides == nil {
            place.pointer.copyMemory(from: pointer, byteCount: count &* type.size)
        } else {
            view.copy(0, count, to: place.pointer)
        }
    }

    /// An array that shows what lies here, in memory that is kept.
    package func array(in memory: Storage) -> NDArray {
        NDArray(
            data: Layout(storage: memory, offset: (pointer - memory.pointer) / type.size, strides: strides), shape: shape, count: count, type: type)
    }

    /// An array of its own with these elements.
    /// - Throws: `ArrayError.outOfMemory`.
    package func array() throws -> NDArray {
        let array = try NDArray.uninitialized(shape: shape, type: type)
        array.withMutableBytes { copy(to: ReplayPlace($0, shape: shape, type: type)) }
        return array
    }

    /// Whether every element, of numbers without gaps, lies in the range.
    package func lies(in range: ClosedRange<Double>) -> Bool {
        switch type {
        case .bool: false
        case .f32: UnsafeBufferPointer(start: pointer.assumingMemoryBound(to: Float.self), count: count).allSatisfy { range.contains(Double($0)) }
        case .f64: UnsafeBufferPointer(start: pointer.assumingMemoryBound(to: Double.self), count: count).allSatisfy { range.contains($0) }
        }
    }
}
