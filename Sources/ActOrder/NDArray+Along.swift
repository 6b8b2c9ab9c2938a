// Elements chosen, written and added at positions along one axis; triangles and diagonals of matrices; the largest few. All are compositions
// of gather, scatter, assignment and select, so that derivatives follow.

import ActArray
import CActKernels

extension NDArray {
    // MARK: Matrices

    /// The elements on and below the diagonal `k`, or on and above it, of the last two axes; the others are 0.
    package func triangle(_ k: Int, isLower: Bool) throws -> NDArray {
        guard rank >= 2 else { throw ArrayError.rankMismatch(operation: isLower ? "tril" : "triu", ranks: 2...Shapes.rankLimit, shape: shape) }
        let n = shape[rank - 2], m = shape[rank - 1]
        let rows = try NDArray.range(0, Double(n), 1).reshaped(to: [n, 1]) + Double(k), columns = try NDArray.range(0, Double(m), 1)
        let inside = try NDArray.compare(isLower ? .le : .ge, .array(columns), .array(rows))
        return type == .bool ? try NDArray.logical(.and, self, inside) : try NDArray.select(inside, .array(self), .number(0))
    }

    /// A square matrix with this vector on its diagonal `k`, zeros elsewhere.
    package func diagonalMatrix(_ k: Int) throws -> NDArray {
        guard rank == 1 else { throw ArrayError.rankMismatch(operation: "diag", ranks: 1...1, shape: shape) }
        guard k.magnitude < 1 << 31 else { throw ArrayError.tooLarge(shape: [k]) }
        let size = count + Int(k.magnitude)
        _ = try Shapes.count([size, size])
        if type == .bool { return try converted(to: .f32).diagonalMatrix(k).converted(to: .bool) }
        try MemoryPool.allow(count &* MemoryLayout<Int>.stride)
        let first = k >= 0 ? k : -k &* size
        let starts = (0..<count).map { first &+ $0 &* (size &+ 1) }
        return try scatteredAdd(GatherIndices(starts: starts, chunk: 1), shape: [size, size])
    }

    // MARK: Along an axis

    /// `result[…, i, …] = self[…, indices[…, i, …], …]`: the shapes agree but along the axis, or stretch. Flattened for `nil`.
    /// - Throws: `rankMismatch`, `indexOutOfRange`, `indexNotWhole`.
    package func takenAlong(_ indices: NDArray, axis: Int?) throws -> NDArray {
        guard let axis else { return try reshaped(to: [count]).takenAlong(indices.reshaped(to: [indices.count]), axis: 0) }
        return try indexed(by: along(indices, axis, "take_along"))
    }

    /// A copy in which the elements that `takenAlong` would take are `values`, broadcast.
    package func puttingAlong(_ indices: NDArray, _ values: Operand, axis: Int?) throws -> NDArray {
        guard let axis else {
            let flat = try reshaped(to: [count]).puttingAlong(indices.reshaped(to: [indices.count]), values, axis: 0)
            return try flat.reshaped(to: shape)
        }
        var result = self
        try result.assign(values, at: along(indices, axis, "put_along"))
        return result
    }

    private func along(_ indices: NDArray, _ axis: Int, _ operation: String) throws -> [Index] {
        let axis = try Shapes.axis(axis, rank: rank)
        guard indices.type != .bool else { throw ArrayError.badValue(operation: operation, .boolIndices) }
        guard indices.rank == rank else { throw ArrayError.rankMismatch(operation: operation, ranks: rank...rank, shape: indices.shape) }
        return try shape.indices.map { other in
            if other == axis { return .array(indices) }
            var unit = [Int](repeating: 1, count: rank)
            unit[other] = shape[other]
            return .array(try NDArray.range(0, Double(shape[other]), 1).reshaped(to: unit))
        }
    }

    // MARK: Sums at rows

    /// A copy to whose rows (along axis 0) `values` are added, those for one row one after the other.
    /// - Throws: `indexOutOfRange`, `indexNotWhole`, `cannotBroadcast`.
    package func addingRows(_ values: NDArray, at indices: NDArray, operation: String) throws -> NDArray {
        guard rank > 0 else { throw ArrayError.rankMismatch(operation: operation, ranks: 1...Shapes.rankLimit, shape: shape) }
        var type = type.promoted(with: values.type)
        if type == .bool { type = .f64 }
        let rest = Array(shape.dropFirst()), chunk = try Shapes.count(rest)
        let rows = try values.converted(to: type).broadcast(to: indices.shape + rest).contiguous()
        let starts = try indices.rowStarts(of: shape[0], chunk: chunk)
        let added: NDArray
        if indices.isTraced, NDArray.followsPositions {
            let isFromEnd = try NDArray.compare(.lt, .array(indices), .number(0))
            let positions = try NDArray.select(isFromEnd, .array(indices + Double(shape[0])), .array(indices)) * Double(chunk)
            added = try rows.scatteredAdd(at: positions.converted(to: .f64).reshaped(to: [starts.count]), chunk: chunk, shape: shape)
        } else {
            added = try rows.scatteredAdd(GatherIndices(starts: starts, chunk: chunk), shape: shape)
        }
        return try converted(to: type) + added
    }

    /// These elements as positions of rows of `chunk` elements; negative ones count from the end.
    private func rowStarts(of size: Int, chunk: Int) throws -> [Int] {
        guard type != .bool else { throw ArrayError.badValue(operation: "index", .boolIndices) }
        let numbers = try detached().toDoubles()
        var isBad = false
        let starts = [Int](unsafeUninitializedCapacity: numbers.count) { starts, count in
            count = numbers.count
            guard let base = starts.baseAddress else { return }
            base.withMemoryRebound(to: Int64.self, capacity: count) {
                isBad = Kernels.table.pointee.places_f64(numbers, Int64(size), $0, numbers.count) != 0
            }
        }
        if !isBad { return chunk == 1 ? starts : starts.map { $0 &* chunk } }
        return try numbers.map { number in
            guard let index = Int(exactly: number) else { throw ArrayError.indexNotWhole(number) }
            guard index < size, index >= -size else { throw ArrayError.indexOutOfRange(index: index, axis: 0, size: size) }
            return (index < 0 ? index + size : index) &* chunk
        }
    }

    /// Row s of the result is the sum of the rows whose id is s.
    /// - Parameter segments: How many there are; by default as many as the largest id needs.
    package func segmentSum(_ ids: NDArray, segments: Int?) throws -> NDArray {
        guard rank > 0 else { throw ArrayError.rankMismatch(operation: "segment_sum", ranks: 1...Shapes.rankLimit, shape: shape) }
        guard ids.shape == [shape[0]] else { throw ArrayError.shapesDiffer(operation: "segment_sum", shape, ids.shape, axis: 0) }
        let numbers = try ids.detached().toDoubles()
        if let negative = numbers.first(where: { $0 < 0 }) {
            throw ArrayError.badValue(operation: "segment_sum", .negativeID(negative))
        }
        let count: Int
        if let segments {
            count = segments
        } else {
            let largest = numbers.max() ?? -1
            guard largest < 0x1p48 else { throw ArrayError.tooLarge(shape: [Int.max]) }
            count = Int(largest) + 1
        }
        guard count >= 0 else { throw ArrayError.negativeSize(count) }
        let zeros = try NDArray.full(0, shape: [count] + shape.dropFirst(), type: type == .bool ? .f64 : type)
        return try zeros.addingRows(self, at: ids, operation: "segment_sum")
    }
}
