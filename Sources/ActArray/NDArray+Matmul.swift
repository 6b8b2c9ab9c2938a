// Products of matrices and vectors as programs see them: NumPy's `matmul`, `dot` and `outer`, rank by rank. Views of any strides go to
// the product as they are; the derivative comes from the one primitive `matmul` and reshapes.

import CActKernels

extension NDArray {
    /// `a @ b`: the last axis of `a` against the second-last of `b` (the only one of a vector); the axes before them broadcast.
    /// - Throws: `scalarOperand` for rank 0, `shapesDoNotMultiply`, `outOfMemory`, `interrupted`.
    package static func matmul(_ a: NDArray, _ b: NDArray) throws -> NDArray {
        let rankA = a.rank, rankB = b.rank
        guard rankA > 0, rankB > 0 else { throw ArrayError.scalarOperand(operation: "matmul") }
        guard a.shape[rankA - 1] == b.shape[max(0, rankB - 2)] else { throw ArrayError.shapesDoNotMultiply(a.shape, b.shape) }
        if rankA <= 2, rankB <= 2, a.type == b.type, a.type != .bool, !a.isTraced, !b.isTraced, !a.isAbstract, !b.isAbstract {
            return a.type == .f32 ? try plainProduct(a, b, Float.self) : try plainProduct(a, b, Double.self)
        }
        let type = productType(a, b)
        let left = try (rankA == 1 ? a.reshaped(to: [1, a.count]) : a).converted(to: type)
        let right = try (rankB == 1 ? b.reshaped(to: [b.count, 1]) : b).converted(to: type)
        let product = try product(left, right, of: (a.shape, b.shape))
        if rankA > 1, rankB > 1 { return product }
        var shape = product.shape
        if rankB == 1 { shape.removeLast() }
        if rankA == 1 { shape.remove(at: shape.count - (rankB == 1 ? 1 : 2)) }
        return try product.reshaped(to: shape)
    }

    /// The commonest case, without detours: matrices and vectors of one type that nobody differentiates.
    private static func plainProduct<T: MatrixElement>(_ a: NDArray, _ b: NDArray, _: T.Type) throws -> NDArray {
        let layoutA = try a.evaluatedLayout(), layoutB = try b.evaluatedLayout()
        let k = a.shape[a.rank - 1], m = a.rank == 1 ? 1 : a.shape[0], n = b.rank == 1 ? 1 : b.shape[1]
        let shape = a.rank == 1 ? (b.rank == 1 ? [] : [n]) : (b.rank == 1 ? [m] : [m, n])
        let (count, overflow) = m.multipliedReportingOverflow(by: n)
        if overflow { throw ArrayError.tooLarge(shape: shape) }
        let result = try NDArray.uninitialized(shape: shape, count: count, type: a.type)
        let rowsA = a.rank == 1 ? (0, layoutA.strides?[0] ?? 1) : (layoutA.strides?[0] ?? k, layoutA.strides?[1] ?? 1)
        let rowsB = b.rank == 1 ? (layoutB.strides?[0] ?? 1, 1) : (layoutB.strides?[0] ?? n, layoutB.strides?[1] ?? 1)
        let left = MatrixView(layoutA.first(of: T.self), rowStride: rowsA.0, columnStride: rowsA.1)
        let right = MatrixView(layoutB.first(of: T.self), rowStride: rowsB.0, columnStride: rowsB.1)
        try withExtendedLifetime((layoutA.storage, layoutB.storage)) {
            try result.withMutableBytes { try multiplyMatrices(m: m, n: n, k: k, left, right, into: $0.assumingMemoryBound(to: T.self)) }
        }
        try watch(result, a, b)
        return result
    }

    /// The product of two vectors as a number, with the bits of `matmul`.
    /// - Returns: `nil` of everything else, and where there is something to say about it.
    package static func plainDot(_ a: NDArray, _ b: NDArray) throws -> Double? {
        guard a.node.length > 0, a.node.length == b.node.length, a.type == b.type else { return nil }
        func product<T: MatrixElement>(_: T.Type) throws -> Double? {
            guard let x = a.node.elements?.assumingMemoryBound(to: T.self), let y = b.node.elements?.assumingMemoryBound(to: T.self) else { return nil }
            var result: T = 0
            try withExtendedLifetime((a, b)) {
                try multiplyMatrices(
                    m: 1, n: 1, k: a.count, MatrixView(x, rowStride: 0, columnStride: 1), MatrixView(y, rowStride: 1, columnStride: 1), into: &result)
            }
            return result.isFinite ? Double(result) : nil
        }
        switch a.type {
        case .f64: return try product(Double.self)
        case .f32: return try product(Float.self)
        case .bool: return nil
        }
    }

    /// Notes what a product has of infinities and NaNs that were in neither the row nor the column.
    private static func watch(_ result: NDArray, _ a: NDArray, _ b: NDArray) throws {
        guard NumericEvents.isEnabled, act_fp_flags() != 0 else { return }
        try NumericEvents.examine("@", result) { test in
            let rows = try NDArray.test(test, a.detached()).reduced(.any, axes: [-1], keepdims: a.rank > 1 && b.rank > 1)
            let columns = try NDArray.test(test, b.detached()).reduced(.any, axes: [max(0, b.rank - 2)], keepdims: a.rank > 1 && b.rank > 1)
            return try NDArray.logical(.or, rows, columns)
        }
        act_fp_clear()
    }

    /// NumPy's `dot`: of matrices and vectors `matmul`; of rank 0 the product; of higher ranks the last axis of `a` against the
    /// second-last of `b`, the other axes of `a` before those of `b`.
    package static func dot(_ a: NDArray, _ b: NDArray) throws -> NDArray {
        if a.rank == 0 || b.rank == 0 { return try a * b }
        if b.rank <= 2 { return try matmul(a, b) }
        let k = b.shape[b.rank - 2]
        guard a.shape[a.rank - 1] == k else { throw ArrayError.shapesDoNotMultiply(a.shape, b.shape) }
        let others = Array(b.shape.dropLast(2)) + [b.shape[b.rank - 1]]
        let order = [b.rank - 2] + Array(0..<(b.rank - 2)) + [b.rank - 1]
        let right = try b.transposed(order).reshaped(to: [k, Shapes.count(others)])
        let left = try a.reshaped(to: [Shapes.count(Array(a.shape.dropLast())), k])
        return try matmul(left, right).reshaped(to: a.shape.dropLast() + others)
    }

    /// Every element of `a` times every element of `b`, both flattened: shape (a.count, b.count).
    package static func outer(_ a: Operand, _ b: Operand) throws -> NDArray {
        func vector(_ operand: Operand, _ shape: (Int) -> [Int]) throws -> Operand {
            if case .array(let array) = operand { .array(try array.reshaped(to: shape(array.count))) } else { operand }
        }
        let (column, row) = (try vector(a) { [$0, 1] }, try vector(b) { [1, $0] })
        // Two numbers make an array too.
        if case (.number(let x), .number) = (column, row) { return try binary(.mul, .array(full(x, shape: [1, 1], type: .f64)), row) }
        return try binary(.mul, column, row)
    }

    /// Two numbers' types promoted; bools count as 0 and 1.
    private static func productType(_ a: NDArray, _ b: NDArray) -> ElementType {
        let type = a.type.promoted(with: b.type)
        return type == .bool ? .f64 : type
    }

    /// The primitive: both of rank 2 and up and of one type, f32 or f64.
    private static func product(_ a: NDArray, _ b: NDArray, of shapes: ([Int], [Int])) throws -> NDArray {
        let m = a.shape[a.rank - 2], n = b.shape[b.rank - 1]
        var batch: [Int] = []
        if a.rank > 2 || b.rank > 2 {
            do { batch = try Shapes.broadcast(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))) } catch {
                throw ArrayError.shapesDoNotMultiply(shapes.0, shapes.1)
            }
        }
        if a.isAbstract || b.isAbstract {
            _ = try Shapes.count(batch + [m, n])
            return try abstractResult(.matmul, [a, b], shape: batch + [m, n], type: a.type)
        }
        let result = try NDArray.uninitialized(shape: batch + [m, n], type: a.type)
        if result.count > 0 {
            if a.type == .f32 { try multiply(a, b, batch, into: result, Float.self) } else { try multiply(a, b, batch, into: result, Double.self) }
            try watch(result, a, b)
        }
        guard a.isTraced || b.isTraced else { return result }
        return NDArray(
            node: Node(
                .matmul, inputs: [a, b], shape: result.shape, count: result.count, type: a.type, isTraced: true, site: .current,
                layout: result.node.layout))
    }

    private static func multiply<T: MatrixElement>(_ a: NDArray, _ b: NDArray, _ batch: [Int], into result: NDArray, _: T.Type) throws {
        let (m, k, n) = (a.shape[a.rank - 2], a.shape[a.rank - 1], b.shape[b.rank - 1])
        let layoutA = try a.evaluatedLayout(), layoutB = try b.evaluatedLayout()
        let stridesA = layoutA.strides ?? Shapes.rowMajorStrides(a.shape), stridesB = layoutB.strides ?? Shapes.rowMajorStrides(b.shape)
        let (rowA, columnA) = (stridesA[a.rank - 2], stridesA[a.rank - 1])
        let (rowB, columnB) = (stridesB[b.rank - 2], stridesB[b.rank - 1])
        let baseA = layoutA.first(of: T.self), baseB = layoutB.first(of: T.self)

        try withExtendedLifetime((layoutA.storage, layoutB.storage)) {
            try result.withMutableBytes { bytes in
                let c = bytes.assumingMemoryBound(to: T.self)
                if a.rank == 2, b.rank == 2 {
                    return try multiplyMatrices(
                        m: m, n: n, k: k, MatrixView(baseA, rowStride: rowA, columnStride: columnA),
                        MatrixView(baseB, rowStride: rowB, columnStride: columnB), into: c)
                }
                // One matrix on the right for all rows on the left: one large product instead of many small ones.
                if b.rank == 2 {
                    let rows = MergedAxes(Array(a.shape.dropLast()), [Array(stridesA.dropLast())])
                    if rows.shape.count <= 1 {
                        let view = MatrixView(baseA, rowStride: rows.strides[0].first ?? max(k, 1), columnStride: columnA)
                        return try multiplyMatrices(
                            m: result.count / n, n: n, k: k, view, MatrixView(baseB, rowStride: rowB, columnStride: columnB), into: c)
                    }
                }
                let planes = batch.reduce(1, &*)
                let lead = batch.count
                let outerA = Shapes.broadcastStrides(Array(a.shape.dropLast(2)), Array(stridesA.dropLast(2)), to: batch) ?? []
                let outerB = Shapes.broadcastStrides(Array(b.shape.dropLast(2)), Array(stridesB.dropLast(2)), to: batch) ?? []
                // Whole planes to each thread; a single large one is shared out by the product itself.
                let work = max(1, m * n * max(1, min(k, 1 << 20)))
                let part = max(1, (1 << 18) / work)
                try ThreadPool.parallel(work >= 1 << 24 ? 1 : (planes + part - 1) / part) { index in
                    let range = work >= 1 << 24 ? 0..<planes : index * part..<min(planes, (index + 1) * part)
                    for plane in range {
                        var rest = plane, offsetA = 0, offsetB = 0
                        for axis in (0..<lead).reversed() {
                            let i = rest % batch[axis]
                            rest /= batch[axis]
                            offsetA &+= i &* outerA[axis]
                            offsetB &+= i &* outerB[axis]
                        }
                        try multiplyMatrices(
                            m: m, n: n, k: k, MatrixView(baseA + offsetA, rowStride: rowA, columnStride: columnA),
                            MatrixView(baseB + offsetB, rowStride: rowB, columnStride: columnB), into: c + plane * m * n)
                    }
                }
            }
        }
    }

    /// A product into contiguous memory; of two vectors by the kernel that sums in f64.
    static func multiplyMatrices<T: MatrixElement>(
        m: Int, n: Int, k: Int, _ a: MatrixView<T>, _ b: MatrixView<T>, into c: UnsafeMutablePointer<T>
    ) throws {
        if m == 1, n == 1, k > 0 {
            c.pointee = T(try T.dotProduct(a.pointer, step: k == 1 ? 1 : a.columnStride, b.pointer, step: k == 1 ? 1 : b.rowStride, k))
        } else {
            try MatrixProduct.multiply(m: m, n: n, k: k, a, b, into: c, rowStride: n)
        }
    }
}

extension Layout {
    /// Where the first element is.
    fileprivate func first<T>(of _: T.Type) -> UnsafePointer<T> {
        UnsafePointer(storage.pointer.assumingMemoryBound(to: T.self) + offset)
    }
}
