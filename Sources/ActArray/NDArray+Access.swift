// Looking at the elements of arrays, which computes them if they are not there yet.

import CActKernels
import Synchronization

extension NDArray {
    package var isEvaluated: Bool { node.layout != nil }

    /// Where the elements are, computing them first if need be.
    package func evaluatedLayout() throws -> Layout {
        if let layout = node.layout { return layout }
        try evaluate()
        guard let layout = node.layout else { throw ArrayError.interrupted }
        return layout
    }

    /// Refuses to read elements that stand for any.
    @inline(__always)
    private func checkReading() throws {
        if isTraced { try NDArray.refuse(.element) }
    }

    /// The only element, as a number (bool: 0 or 1).
    /// - Throws: `badValue` when there are none or several; `noGraph`.
    package func item() throws -> Double {
        try checkReading()
        guard count == 1 else { throw ArrayError.badValue(operation: "item", .notOneNumber(count: count)) }
        try evaluate()
        let element = operand.pointer
        switch type {
        case .bool: return element.load(as: UInt8.self) != 0 ? 1 : 0
        case .f32: return Double(element.load(as: Float.self))
        case .f64: return element.load(as: Double.self)
        }
    }

    /// All elements in row-major order, as numbers (bool: 0 or 1).
    package func toDoubles() throws -> [Double] {
        try checkReading()
        try MemoryPool.allow(count &* 8)
        return switch type {
        case .bool: try mapped(UInt8.self) { $0 != 0 ? 1 : 0 }
        case .f32: try mapped(Float.self) { Double($0) }
        case .f64: try mapped(Double.self) { $0 }
        }
    }

    /// All elements in row-major order, as bools (numbers: ≠ 0).
    package func toBools() throws -> [Bool] {
        try checkReading()
        return type == .bool ? try withContiguous(of: UInt8.self) { $0.map { $0 != 0 } } : try toDoubles().map { $0 != 0 }
    }

    /// Whether no element is infinite or NaN.
    package func isFinite() throws -> Bool {
        switch type {
        case .bool: true
        case .f32: try everyPiece(Float.self) { Kernels.table.pointee.finite_f32($0, $1) != 0 }
        case .f64: try everyPiece(Double.self) { Kernels.table.pointee.finite_f64($0, $1) != 0 }
        }
    }

    /// Whether a test holds for all pieces of the elements; they are shared out among threads.
    private func everyPiece<T>(_: T.Type, _ test: (UnsafePointer<T>, Int) -> Bool) throws -> Bool {
        try withContiguous(of: T.self) { elements in
            guard let first = elements.baseAddress else { return true }
            let fails = Atomic<Bool>(false)
            try ThreadPool.parallelPieces(elements.count) { piece in
                if fails.load(ordering: .relaxed) || test(first + piece.lowerBound, piece.count) { return }
                fails.store(true, ordering: .relaxed)
            }
            return !fails.load(ordering: .relaxed)
        }
    }

    private func mapped<T>(_: T.Type, _ convert: (T) -> Double) throws -> [Double] {
        try withContiguous(of: T.self) { elements in
            try [Double](unsafeUninitializedCapacity: elements.count) { target, filled in
                try Interrupt.forEachPiece(elements.count) { piece in
                    for i in piece { target[i] = convert(elements[i]) }
                    filled = piece.upperBound
                }
            }
        }
    }

    /// Reads the elements in row-major order in place, or from a copy when they do not lie so.
    /// - Parameter type: `Double`, `Float` or `UInt8`, as the element type is `f64`, `f32` or `bool`.
    package func withContiguous<T, Result>(of type: T.Type, _ body: (UnsafeBufferPointer<T>) throws -> Result) throws -> Result {
        guard MemoryLayout<T>.size == self.type.size else {
            throw ArrayError.badValue(operation: "read", .elements(self.type))
        }
        let source = try contiguous()
        let layout = try source.evaluatedLayout()
        return try withExtendedLifetime(layout.storage) {
            let first = (layout.storage.pointer + layout.offset &* source.type.size).assumingMemoryBound(to: T.self)
            return try body(UnsafeBufferPointer(start: first, count: count))
        }
    }

    /// The memory of an array that nobody else has seen yet, as made by `uninitialized`.
    package func withMutableBytes<Result>(_ body: (UnsafeMutableRawPointer) throws -> Result) rethrows -> Result {
        guard let layout = node.layout, layout.strides == nil else { preconditionFailure("only new arrays are written") }
        return try withExtendedLifetime(layout.storage) { try body(layout.storage.pointer + layout.offset &* type.size) }
    }

    /// Makes this variable the only holder of its elements, row-major without gaps and untraced, copying them if need be, so that they
    /// may be written. Copying happens when another array or variable shows the same memory.
    package mutating func makeUnique() throws {
        _ = try evaluatedLayout()
        if isKnownUniquelyReferenced(&node), !isTraced, node.inputs.isEmpty, node.elements != nil, node.isOnlyUserOfStorage { return }
        let copy = try NDArray.uninitialized(shape: shape, count: count, type: type)
        try copyElements(to: copy)
        self = copy
    }

    /// The same elements as data: no derivative flows through.
    package func detached() throws -> NDArray {
        if isAbstract { return isTraced ? try abstractCopy(.data, [], isTraced: false) : self }
        let layout = try evaluatedLayout()
        if !isTraced { return self }
        return NDArray(data: layout, shape: shape, count: count, type: type)
    }

    /// The same elements as an array that is told apart from this one.
    package func renewed() throws -> NDArray { NDArray(data: try evaluatedLayout(), shape: shape, count: count, type: type) }

    /// By which an array is told apart from others, while it is held.
    package var identity: ObjectIdentifier { ObjectIdentifier(node) }

    /// A new point of differentiation over the same elements. What an outer derivative traces stays its input.
    package func variable() throws -> NDArray {
        if isAbstract { return try abstractCopy(.variable, isTraced ? [self] : [], isTraced: true) }
        let layout = try evaluatedLayout()
        return NDArray(
            node: Node(
                .variable, inputs: isTraced ? [self] : [], shape: shape, count: count, type: type, isTraced: true, site: .current,
                layout: layout))
    }

    /// The same elements row-major without gaps: itself, or a copy.
    package func contiguous() throws -> NDArray {
        if isAbstract { return self }
        let layout = try evaluatedLayout()
        if layout.strides == nil { return self }
        let copy = try NDArray.uninitialized(shape: shape, count: count, type: type)
        try copyElements(to: copy)
        guard isTraced, let copied = copy.node.layout else { return copy }
        return view(.reshape, shape: shape, layout: copied)
    }

    /// The elements at another place, row-major without gaps.
    func copied() throws -> NDArray {
        let copy = try NDArray.uninitialized(shape: shape, count: count, type: type)
        try copyElements(to: copy)
        return copy
    }

    /// Whether there are elements that lie beside each other along another axis than the last.
    var liesAcross: Bool {
        guard let layout = node.layout, let strides = layout.strides else { return false }
        return StridedView(base: layout.storage.pointer, size: type.size, shape: shape, strides: strides).axisAcross != nil
    }

    /// Copies the elements, in order, to where the first one belongs and the others at strides from it; on all threads.
    /// - Parameter canStop: Whether an interrupt may end it early.
    package func copyElements(to target: UnsafeMutableRawPointer, strides: [Int], canStop: Bool = true) throws {
        // What lies across is turned by tiles first.
        let layout = try liesAcross ? copied().evaluatedLayout() : evaluatedLayout()
        let from = layout.strides ?? Shapes.rowMajorStrides(shape)
        try withExtendedLifetime(layout.storage) {
            let source = layout.storage.pointer + layout.offset &* type.size
            try StridedPair(from: source, strides: from, to: target, strides: strides, shape, type.size).copyAll(canStop: canStop)
        }
    }

    /// Copies the elements of an evaluated array to a new one of the same shape and type.
    private func copyElements(to copy: NDArray) throws {
        guard let layout = node.layout else { return }
        let source = layout.storage.pointer + layout.offset &* type.size
        try withExtendedLifetime(layout.storage) {
            try copy.withMutableBytes { bytes in
                if let strides = layout.strides {
                    try StridedView(base: source, size: type.size, shape: shape, strides: strides).copyAll(to: bytes)
                } else {
                    try ThreadPool.parallelPieces(count &* type.size, of: 1 << 18) { piece in
                        (bytes + piece.lowerBound).copyMemory(from: source + piece.lowerBound, byteCount: piece.count)
                    }
                }
            }
        }
    }
}
