// Operations along one axis that look at whole rows: where the extreme is, softmax. Kernels see contiguous rows: those of
// other axes than the last are turned a few at a time.
//
// What must stay true: long rows are cut into pieces of fixed length, so that the bits do not depend on threads.

import ActArray
import CActKernels

extension NDArray {
    /// Where along the axis (in the flat order for `nil`) the first smallest or largest element is, as f64; the first NaN wins.
    /// - Throws: `emptyReduction` along an axis of size 0.
    package func argReduced(_ op: ReduceOperation, axis: Int? = nil, keepdims: Bool = false) throws -> NDArray {
        guard op == .min || op == .max else { throw ArrayError.badValue(operation: op.name, .noPosition) }
        let name = op == .min ? "argmin" : "argmax"
        guard let axis else {
            if rank == 1, !keepdims { return try argReduced(op, axis: 0) }
            let flat = try detached().reshaped(to: [count])
            let result = try flat.argReduced(op, axis: 0)
            return keepdims ? try result.reshaped(to: [Int](repeating: 1, count: rank)) : result
        }
        let position = try Shapes.axis(axis, rank: rank)
        let length = shape[position]
        var kept = shape
        kept.remove(at: position)
        if length == 0, !kept.contains(0) { throw ArrayError.emptyReduction(operation: name, shape: shape) }
        let numbers = try type == .bool ? converted(to: .f32) : detached()
        let result = try FreshArray(shape: kept, type: .f64), positions = result.elements(of: Double.self)
        try numbers.forRows(position) { source, _, first, rows in
            for row in 0..<rows {
                let x = source + row &* length &* numbers.type.size
                let index = length >= NDArray.longRow ? NDArray.argLong(op, numbers.type, x, length) : NDArray.arg(op, numbers.type, x, length)
                positions[first &+ row] = Double(index)
            }
        }
        let found = result.finished()
        if !keepdims { return found }
        kept.insert(1, at: position)
        return try found.reshaped(to: kept)
    }

    /// What `argReduced` finds in a short vector that lies in memory and that no derivative follows; `nil` of any other array.
    package func position(of op: ReduceOperation) -> Int? {
        guard rank == 1, !isTraced, type != .bool, count > 0, count < NDArray.longRow, let elements = node.elements else { return nil }
        return NDArray.arg(op, type, elements, count)
    }

    /// exp(xᵢ − m) / Σ along the axis, m being the largest element.
    package func softmax(axis: Int = -1) throws -> NDArray { try normalized(.softmax, axis: axis) }

    /// xᵢ − logsumexp(x) along the axis.
    package func logSoftmax(axis: Int = -1) throws -> NDArray { try normalized(.logSoftmax, axis: axis) }

    /// Along an axis of size 0 there is nothing to share: the result is empty too.
    package func normalized(_ op: NormalizeOperation, axis: Int) throws -> NDArray {
        if type == .bool { return try converted(to: .f64).normalized(op, axis: axis) }
        let position = try Shapes.axis(axis, rank: rank)
        if isAbstract { return try NDArray.abstractResult(.normalize(op, axis: position), [self], shape: shape, type: type) }
        let length = shape[position]
        let table = Kernels.table
        let layout = try alongRows(position) { source, target, rows in
            if length >= NDArray.longRow {
                for row in 0..<rows {
                    let offset = row &* length &* type.size
                    NDArray.normalizeLong(op, type, source + offset, target + offset, length)
                }
                return
            }
            switch (op, type) {
            case (.softmax, .f32): table.pointee.softmax_rows_f32(source.f32, target.f32, rows, length)
            case (.softmax, _): table.pointee.softmax_rows_f64(source.f64, target.f64, rows, length)
            case (.logSoftmax, .f32): table.pointee.log_softmax_rows_f32(source.f32, target.f32, rows, length)
            case (.logSoftmax, _): table.pointee.log_softmax_rows_f64(source.f64, target.f64, rows, length)
            }
        }
        let result = view(.normalize(op, axis: position), shape: shape, layout: layout)
        if NumericEvents.isEnabled, count > 0 {
            // No flag tells of a row that has no limit; but all of it is NaN, so its first element tells.
            let inner = shape[(position + 1)...].reduce(1, &*)
            let hasNaN = type == .f32 ? layout.hasNaNLane(Float.self, count, length, inner) : layout.hasNaNLane(Double.self, count, length, inner)
            if hasNaN { try NumericEvents.examineLanes(op.name, result.detached(), of: detached(), axis: position) }
        }
        return result
    }

    /// Of each row along the last axis the element of log-softmax at a position, and, if asked for, the softmax of the rows.
    /// - Parameter positions: One a row, below the size of the last axis.
    /// - Returns: `nil` where rows are long, or one has no limit or a NaN in it: `logSoftmax` says more then.
    package func logSoftmax(at positions: [Int], withSoftmax: Bool) throws -> (logs: NDArray, softmax: NDArray?)? {
        guard type != .bool, !isAbstract, let length = shape.last, length > 0, length < NDArray.longRow, positions.count == count / length else { return nil }
        if !withSoftmax { return try logSoftmax(at: positions, length, to: nil).map { ($0, nil) } }
        let softmax = try FreshArray(shape: shape, type: type)
        guard let logs = try logSoftmax(at: positions, length, to: softmax.bytes) else { return nil }
        return (logs, softmax.finished())
    }

    private func logSoftmax(at positions: [Int], _ length: Int, to softmax: UnsafeMutableRawPointer?) throws -> NDArray? {
        let table = Kernels.table, logs = try FreshArray(shape: [positions.count], type: type), target = logs.bytes
        try positions.map(UInt.init(bitPattern:)).withUnsafeBufferPointer { positions in
            guard let positions = positions.baseAddress else { return }
            try detached().forRows(rank - 1, to: softmax) { source, softmax, first, rows in
                if type == .f32 {
                    table.pointee.log_softmax_at_f32(source.f32, positions + first, softmax?.f32, target.f32 + first, rows, length)
                } else {
                    table.pointee.log_softmax_at_f64(source.f64, positions + first, softmax?.f64, target.f64 + first, rows, length)
                }
            }
        }
        let result = logs.finished()
        return try NDArray.test(.isnan, result).reduced(.any).item() == 0 ? result : nil
    }

    // MARK: Long rows

    /// Rows from this length on are cut into pieces of it, which several threads share.
    static let longRow = 1 << 16

    private static func arg(_ op: ReduceOperation, _ type: ElementType, _ x: UnsafeRawPointer, _ n: Int) -> Int {
        let table = Kernels.table
        if type == .f32 { return Int(op == .min ? table.pointee.argmin_f32(x.f32, n) : table.pointee.argmax_f32(x.f32, n)) }
        return Int(op == .min ? table.pointee.argmin_f64(x.f64, n) : table.pointee.argmax_f64(x.f64, n))
    }

    private static func argLong(_ op: ReduceOperation, _ type: ElementType, _ x: UnsafeRawPointer, _ n: Int) -> Int {
        let parts = (n + longRow - 1) / longRow
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: parts) { values in
            ThreadPool.parallelFor(parts) { part in
                values[part] = Reduction.blockValue(op, type, x + part * longRow * type.size, min(longRow, n - part * longRow))
            }
            var best = 0
            for part in 1..<max(1, parts) where !values[best].isNaN {
                if values[part].isNaN || (op == .min ? values[part] < values[best] : values[part] > values[best]) { best = part }
            }
            return best * longRow + arg(op, type, x + best * longRow * type.size, min(longRow, n - best * longRow))
        }
    }

    /// Calls `body` with each piece of a long row, on several threads.
    private static func eachPiece(_ n: Int, _ body: (_ part: Int, _ pieces: Range<Int>) -> Void) {
        ThreadPool.parallelFor((n + longRow - 1) / longRow) { part in
            if !Interrupt.isSet { body(part, part * longRow..<min(n, (part + 1) * longRow)) }
        }
    }

    /// Of one row the largest element m, how many equal it, and Σ e^(x−m) of the others. Every e^(x−m) goes `into` a row, if there is one.
    /// What is returned after an interrupt means nothing.
    static func expSumLong(
        _ type: ElementType, _ source: UnsafeRawPointer, into target: UnsafeMutableRawPointer?, _ n: Int
    ) -> (largest: Double, sum: Double, ties: Double) {
        let table = Kernels.table, parts = (n + longRow - 1) / longRow
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * parts) { values in
            values.initialize(repeating: 0)
            eachPiece(n) { part, piece in
                values[part] = Reduction.blockValue(.max, type, source + piece.lowerBound * type.size, piece.count)
            }
            var largest = Reduction.Combination(.max)
            for part in 0..<parts { largest.add(values[part]) }
            let m = largest.total
            eachPiece(n) { part, piece in
                let offset = piece.lowerBound * type.size
                var ties = 0.0
                if type == .f32 {
                    values[part] = table.pointee.exp_sum_f32((source + offset).f32, target.map { ($0 + offset).f32 }, piece.count, Float(m), &ties)
                } else {
                    values[part] = table.pointee.exp_sum_f64((source + offset).f64, target.map { ($0 + offset).f64 }, piece.count, m, &ties)
                }
                values[parts + part] = ties
            }
            var sum = Reduction.Combination(.sum), ties = 0.0
            for part in 0..<parts {
                sum.add(values[part])
                ties += values[parts + part]
            }
            return (m, sum.value, ties)
        }
    }

    /// Softmax or its logarithm of one row, in pieces.
    private static func normalizeLong(
        _ op: NormalizeOperation, _ type: ElementType, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ n: Int
    ) {
        let table = Kernels.table
        let (m, sum, ties) = expSumLong(type, source, into: op == .softmax ? target : nil, n)
        if Interrupt.isSet { return }
        // As in the kernels of whole rows: nothing but −∞, or several +∞, have no limit.
        var share = m == -.infinity || m == .infinity && ties + sum != 1 ? Double.nan : 1 / (ties + sum), narrow = Float(share)
        let log = share.isNaN ? .nan : Scalar.unary(.log1p, sum + (ties - 1))
        eachPiece(n) { _, piece in
            let x = source + piece.lowerBound * type.size, y = target + piece.lowerBound * type.size
            switch (op, type) {
            case (.softmax, .f32): table.pointee.binary_f32[Int(ACT_B_MUL.rawValue)](y.f32, 1, &narrow, 0, y.f32, piece.count)
            case (.softmax, _): table.pointee.binary_f64[Int(ACT_B_MUL.rawValue)](y.f64, 1, &share, 0, y.f64, piece.count)
            case (.logSoftmax, .f32): table.pointee.log_below_f32(x.f32, y.f32, piece.count, Float(m), log)
            case (.logSoftmax, _): table.pointee.log_below_f64(x.f64, y.f64, piece.count, m, log)
            }
        }
    }

    // MARK: Rows

    /// A new array of the same shape and type: `body` maps some contiguous rows along the axis (source, target, how many).
    func alongRows(_ axis: Int, _ body: (UnsafeRawPointer, UnsafeMutableRawPointer, Int) -> Void) throws -> Layout {
        let result = try FreshArray(shape: shape, type: type)
        try detached().forRows(axis, to: result.bytes) { source, target, _, rows in
            if let target { body(source, target, rows) }
        }
        return try result.finished().evaluatedLayout()
    }

    /// Calls `body` with contiguous rows along the axis, in any order and on several threads: where they are, where the results go that
    /// belong to `target`, memory of as many elements, the number of the first row, and how many. Other axes than the last are brought into working
    /// memory a few columns at a time, so that they stay in the cache.
    func forRows(
        _ axis: Int, to target: UnsafeMutableRawPointer? = nil,
        _ body: (_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer?, _ first: Int, _ rows: Int) -> Void
    ) throws {
        if count == 0 { return }
        let layout = try contiguous().evaluatedLayout()
        let n = shape[axis], inner = shape[(axis + 1)...].reduce(1, &*), size = type.size
        try withExtendedLifetime(layout.storage) {
            let base = UnsafeRawPointer(layout.storage.pointer + layout.offset &* size)
            if inner == 1 {
                let rowBytes = n &* size, rows = count / n
                if n >= NDArray.longRow {
                    for row in 0..<rows { body(base + row &* rowBytes, target.map { $0 + row &* rowBytes }, row, 1) }
                    return try Interrupt.check()
                }
                return try ThreadPool.parallelPieces(rows, of: max(1, (1 << 14) / n)) { piece in
                    let offset = piece.lowerBound &* rowBytes
                    body(base + offset, target.map { $0 + offset }, piece.lowerBound, piece.count)
                }
            }
            let panel = max(8, (256 << 10) / (n &* size) / 8 * 8), panels = (inner + panel - 1) / panel
            let memory = n &* min(panel, inner) &* size
            func runPanel(_ unit: Int, _ scratch: UnsafeMutableRawPointer) {
                let plane = unit / panels, column = unit % panels &* panel, columns = min(panel, inner - column)
                let offset = (plane &* n &* inner &+ column) &* size
                NDArray.arrange(base + offset, along: 1, across: inner, columns, n, to: scratch, width: n, size)
                body(scratch, target == nil ? nil : scratch, plane &* inner &+ column, columns)
                if let target { NDArray.arrange(scratch, along: 1, across: n, n, columns, to: target + offset, width: inner, size) }
            }
            let units = count / (n &* inner) &* panels
            if n < NDArray.longRow {
                return try ThreadPool.parallel(units) { unit in
                    withUnsafeTemporaryAllocation(byteCount: memory, alignment: 64) { scratch in
                        if let scratch = scratch.baseAddress { runPanel(unit, scratch) }
                    }
                }
            }
            // Long columns: each row is shared out by `body`.
            let scratch = try Storage(byteCount: memory)
            try withExtendedLifetime(scratch) {
                for unit in 0..<units {
                    try Interrupt.check()
                    runPanel(unit, scratch.pointer)
                }
            }
            try Interrupt.check()
        }
    }

    /// `to[p * width + j] = x[p * along + j * across]` for p < `count`, j < `used`.
    private static func arrange(
        _ x: UnsafeRawPointer, along: Int, across: Int, _ count: Int, _ used: Int, to: UnsafeMutableRawPointer, width: Int, _ size: Int
    ) {
        if size == 4 {
            Kernels.table.pointee.arrange_f32(x.f32, along, across, count, used, to.f32, width)
        } else {
            Kernels.table.pointee.arrange_f64(x.f64, along, across, count, used, to.f64, width)
        }
    }
}

// Array memory as what its node says it holds, for kernels of that type.
extension UnsafeRawPointer {
    var f64: UnsafePointer<Double> { assumingMemoryBound(to: Double.self) }
    var f32: UnsafePointer<Float> { assumingMemoryBound(to: Float.self) }
}

extension UnsafeMutableRawPointer {
    var f64: UnsafeMutablePointer<Double> { assumingMemoryBound(to: Double.self) }
    var f32: UnsafeMutablePointer<Float> { assumingMemoryBound(to: Float.self) }
}

extension Layout {
    /// Whether the first element of a lane is NaN: lanes have `length` elements, `inner` apart, in `count` elements without gaps.
    fileprivate func hasNaNLane<T: BinaryFloatingPoint>(_: T.Type, _ count: Int, _ length: Int, _ inner: Int) -> Bool {
        let elements = storage.pointer.assumingMemoryBound(to: T.self) + offset
        for start in stride(from: 0, to: count, by: length &* inner) {
            for lane in start..<start &+ inner where elements[lane].isNaN { return true }
        }
        return false
    }
}
