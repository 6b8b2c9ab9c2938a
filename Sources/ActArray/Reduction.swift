// How reductions are computed. The elements lie as (outer, n, inner) in memory and n is reduced: rows when inner is 1, columns else.
//
// What must stay true: elements are combined in blocks of fixed size and the blocks in order, so that a result depends on the numbers
// alone, not on threads nor on whether the input was computed before.

import CActKernels
import Synchronization

package enum Reduction {
    /// Elements that a kernel reduces at once; their results are combined in order.
    static let block = 2048
    /// Elements of one piece of parallel work.
    static let chunk = 1 << 16

    /// Reduces over the given axes (ascending), which are removed. The result is data. Elements that are not there yet are computed meanwhile, and
    /// stored only if they are shared: someone else refers to them, unless it is said.
    static func value(_ op: ReduceOperation, _ x: consuming NDArray, _ axes: [Int], isShared: Bool? = nil) throws -> NDArray {
        if op == .any || op == .all, x.type != .bool { throw ArrayError.badValue(operation: op.name, .notBools) }
        if !x.isEvaluated, !x.isTraced {
            let isShared = isShared ?? !isKnownUniquelyReferenced(&x.node)
            if let result = try computed(op, x, axes, isShared: isShared) { return result }
        }
        let x = try x.detached()
        let layout = try x.evaluatedLayout()
        if let strides = layout.strides {
            let order = x.shape.indices.sorted { abs(strides[$0]) == abs(strides[$1]) ? $0 < $1 : abs(strides[$0]) > abs(strides[$1]) }
            let inMemory = try x.transposed(order)
            guard inMemory.node.layout?.strides == nil else {
                if axes.count == x.rank, x.count > 0 { return try gathered(op, x, layout, strides) }
                return try value(op, x.contiguous(), axes)
            }
            let result = try value(op, inMemory, order.indices.filter { axes.contains(order[$0]) })
            // The kept axes are in memory order: put them back.
            let kept = order.filter { !axes.contains($0) }
            return try result.transposed(kept.sorted().map { axis in kept.firstIndex(of: axis) ?? 0 }).contiguous()
        }
        let kept = x.shape.indices.filter { !axes.contains($0) }
        guard let (outer, n, inner) = split(x.shape, axes), inner == 1 || x.type != .bool, !(op == .prod && x.type == .f32 && inner > 1) else {
            let rows = try x.transposed(kept + axes).contiguous()
            return try value(op, rows, Array(kept.count..<x.rank))
        }
        let result = try NDArray.uninitialized(shape: kept.map { x.shape[$0] }, type: x.type)
        let source = layout.storage.pointer + layout.offset &* x.type.size
        try withExtendedLifetime(layout.storage) {
            try result.withMutableBytes { target in
                if inner == 1 {
                    try rows(op, x.type, source, outer, n, target)
                } else if x.type == .f32 {
                    try columns(op, source.assumingMemoryBound(to: Float.self), outer, n, inner, target.assumingMemoryBound(to: Float.self))
                } else {
                    try columns(op, source.assumingMemoryBound(to: Double.self), outer, n, inner, target.assumingMemoryBound(to: Double.self))
                }
            }
        }
        try examine(op, result, of: x, axes)
        return result
    }

    /// Reduces all elements of a view with gaps, gathered a block at a time.
    private static func gathered(_ op: ReduceOperation, _ x: NDArray, _ layout: Layout, _ strides: [Int]) throws -> NDArray {
        let size = x.type.size, count = x.count, blocks = (count + block - 1) / block
        let view = StridedView(base: layout.storage.pointer + layout.offset &* size, size: size, shape: x.shape, strides: strides)
        try MemoryPool.allow(blocks &* 8)
        var values = [Double](repeating: 0, count: blocks)
        let seen = Specials(), watches = NumericEvents.isEnabled
        try withExtendedLifetime(layout.storage) {
            try values.withUnsafeMutableBufferPointer { values in
                try ThreadPool.parallelPieces(blocks, of: 8) { piece in
                    withUnsafeTemporaryAllocation(byteCount: block &* 8, alignment: 64) { scratch in
                        guard let scratch = scratch.baseAddress else { return }
                        for index in piece {
                            let n = min(block, count - index &* block)
                            view.copy(index &* block, n, to: scratch)
                            values[index] = blockValue(op, x.type, scratch, n)
                            if watches, !values[index].isFinite { seen.look(scratch, x.type, n) }
                        }
                    }
                }
            }
        }
        var total = Combination(op)
        for value in values { total.add(value) }
        if watches { note(op, total.value, x.type, of: seen) }
        return try NDArray.scalar(total.value, type: x.type)
    }

    // MARK: Numeric events

    /// Whether there were infinities or NaNs among elements that several threads reduce.
    final class Specials: Sendable {
        private let infinite = Atomic<Bool>(false), nan = Atomic<Bool>(false)

        /// Looks at the elements of a block whose reduction is not finite.
        func look(_ x: UnsafeRawPointer, _ type: ElementType, _ n: Int) {
            switch type {
            case .f64: look(UnsafeBufferPointer(start: x.assumingMemoryBound(to: Double.self), count: n))
            case .f32: look(UnsafeBufferPointer(start: x.assumingMemoryBound(to: Float.self), count: n))
            case .bool: break
            }
        }

        private func look<T: BinaryFloatingPoint>(_ elements: UnsafeBufferPointer<T>) {
            for element in elements where !element.isFinite {
                if element.isNaN { return nan.store(true, ordering: .relaxed) }
                infinite.store(true, ordering: .relaxed)
            }
        }

        var sawInfinite: Bool { infinite.load(ordering: .relaxed) }
        var sawNaN: Bool { nan.load(ordering: .relaxed) }
    }

    /// Notes the result of reducing all elements if it is not finite although they were.
    static func note(_ op: ReduceOperation, _ value: Double, _ type: ElementType, of seen: Specials) {
        let value = type == .f32 ? Double(Float(value)) : value
        guard op == .sum || op == .prod, type != .bool, !value.isFinite, !seen.sawNaN, value.isNaN || !seen.sawInfinite else { return }
        NumericEvents.add([
            NumericEvent(kind: value.isNaN ? .invalid : .overflow, operation: op.name, site: .current, count: 1, first: 0, example: [])
        ])
    }

    /// The shape as (outer, reduced, inner), when the reduced axes are neighbours.
    private static func split(_ shape: [Int], _ axes: [Int]) -> (Int, Int, Int)? {
        let wide = axes.filter { shape[$0] != 1 }
        guard let first = wide.first, let last = wide.last else { return (shape.reduce(1, &*), 1, 1) }
        for axis in first...last where shape[axis] != 1 && !wide.contains(axis) { return nil }
        return (shape[..<first].reduce(1, &*), shape[first...last].reduce(1, &*), shape[(last + 1)...].reduce(1, &*))
    }

    // MARK: Rows

    /// The reduction of one block, as a number (bools: 0 or 1).
    @inline(__always)
    package static func blockValue(_ op: ReduceOperation, _ type: ElementType, _ x: UnsafeRawPointer, _ n: Int) -> Double {
        let table = Kernels.table
        switch type {
        case .f64:
            let x = x.assumingMemoryBound(to: Double.self)
            switch op {
            case .sum: return table.pointee.sum_f64(x, n)
            case .prod: return table.pointee.prod_f64(x, n)
            case .min, .all: return table.pointee.min_f64(x, n)
            case .max, .any: return table.pointee.max_f64(x, n)
            }
        case .f32:
            let x = x.assumingMemoryBound(to: Float.self)
            switch op {
            case .sum: return table.pointee.sum_f32(x, n)
            case .prod: return table.pointee.prod_f32(x, n)
            case .min, .all: return table.pointee.min_f32(x, n)
            case .max, .any: return table.pointee.max_f32(x, n)
            }
        case .bool:
            let x = x.assumingMemoryBound(to: UInt8.self)
            switch op {
            case .sum: return Double(table.pointee.count_u8(x, n))
            case .min, .all, .prod: return table.pointee.all_u8(x, n) != 0 ? 1 : 0
            case .max, .any: return table.pointee.any_u8(x, n) != 0 ? 1 : 0
            }
        }
    }

    /// Combines the results of blocks, given in order.
    package struct Combination {
        private let op: ReduceOperation
        package private(set) var total: Double
        /// What rounding took from the sum so far (Neumaier).
        private var lost = 0.0

        package init(_ op: ReduceOperation) {
            self.op = op
            switch op {
            case .sum: total = 0
            case .prod: total = 1
            case .min, .all: total = .infinity
            case .max, .any: total = -.infinity
            }
        }

        package mutating func add(_ value: Double) {
            switch op {
            case .sum:
                let next = total + value
                lost += abs(total) >= abs(value) ? (total - next) + value : (value - next) + total
                total = next
            case .prod: total *= value
            case .min, .all: total = total.isNaN || total < value ? total : value
            case .max, .any: total = total.isNaN || total > value ? total : value
            }
        }

        package var value: Double { lost.isFinite ? total + lost : total }
    }

    /// - Parameter result: What `target` holds, if that is another type.
    private static func rows(
        _ op: ReduceOperation, _ type: ElementType, _ source: UnsafeRawPointer, _ outer: Int, _ n: Int, _ target: UnsafeMutableRawPointer,
        as result: ElementType? = nil
    ) throws {
        let stored = result ?? type
        if n > 2 * chunk, outer < 2 * ThreadPool.count {
            for row in 0..<outer {
                let x = source + row &* n &* type.size
                let blocks = (n + block - 1) / block
                var values = [Double](repeating: 0, count: blocks)
                let perChunk = Node.chunk(of: n) / block
                try values.withUnsafeMutableBufferPointer { values in
                    try ThreadPool.parallel((blocks + perChunk - 1) / perChunk) { index in
                        for i in index * perChunk..<min(blocks, (index + 1) * perChunk) {
                            values[i] = blockValue(op, type, x + i * block * type.size, min(block, n - i * block))
                        }
                    }
                }
                var total = Combination(op)
                for value in values { total.add(value) }
                store(total.value, stored, target, row)
            }
            return
        }
        let perChunk = max(1, chunk / max(1, n))
        try ThreadPool.parallel((outer + perChunk - 1) / perChunk) { index in
            for row in index * perChunk..<min(outer, (index + 1) * perChunk) {
                let x = source + row &* n &* type.size
                if n <= block, n > 0 {
                    store(blockValue(op, type, x, n), stored, target, row)
                    continue
                }
                var total = Combination(op)
                for start in stride(from: 0, to: n, by: block) {
                    total.add(blockValue(op, type, x + start * type.size, min(block, n - start)))
                }
                store(n == 0 && type == .bool ? (op == .all || op == .prod ? 1 : 0) : total.value, stored, target, row)
            }
        }
    }

    @inline(__always)
    package static func store(_ value: Double, _ type: ElementType, _ target: UnsafeMutableRawPointer, _ index: Int) {
        switch type {
        case .f64: target.assumingMemoryBound(to: Double.self)[index] = value
        case .f32: target.assumingMemoryBound(to: Float.self)[index] = Float(value)
        case .bool: target.assumingMemoryBound(to: UInt8.self)[index] = value != 0 ? 1 : 0
        }
    }

    // MARK: Columns

    private static func columns(
        _ op: ReduceOperation, _ x: UnsafePointer<Double>, _ outer: Int, _ n: Int, _ inner: Int, _ y: UnsafeMutablePointer<Double>
    ) throws {
        guard outer > 0, inner > 0 else { return }
        let plan = try ColumnPlan<Double, Double>.plan(op, outer, n, inner)
        try plan.reduce(x)
        plan.finish { y[$0] = $1 }
    }

    private static func columns(
        _ op: ReduceOperation, _ x: UnsafePointer<Float>, _ outer: Int, _ n: Int, _ inner: Int, _ y: UnsafeMutablePointer<Float>
    ) throws {
        guard outer > 0, inner > 0 else { return }
        if op == .sum {
            let plan = try ColumnPlan<Float, Double>.sums(outer, n, inner)
            try plan.reduce(x)
            return plan.finish { y[$0] = Float($1) }
        }
        let plan = try ColumnPlan<Float, Float>.plan(op, outer, n, inner)
        try plan.reduce(x)
        plan.finish { y[$0] = $1 }
    }

    // MARK: Elements that are not there yet

    /// The same of elements that are not there yet, a block at a time as they are computed.
    /// - Returns: `nil` where blocks would be too small, or lie across: then they are better computed first.
    private static func computed(_ op: ReduceOperation, _ x: NDArray, _ axes: [Int], isShared: Bool) throws -> NDArray? {
        guard let (outer, n, inner) = split(x.shape, axes), x.count > 0 else { return nil }
        let kept = x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] }
        var graph = try Neighbourhood(root: x.node)
        if inner == 1 {
            let result = try FreshArray(shape: kept, type: x.type), seen = Specials()
            let plan = try RowPlan(op, x.type, outer, n, result.bytes, NumericEvents.isEnabled ? seen : nil)
            try graph.run(storingRoot: isShared, reducing: plan)
            let totals = plan.finish(), array = result.finished()
            if outer == 1, let total = totals { note(op, total, x.type, of: seen) } else { try examine(op, array, of: x, axes) }
            return array
        }
        guard x.type != .bool, !(op == .prod && x.type == .f32) else { return nil }
        let result = try FreshArray(shape: kept, type: x.type)
        if x.type == .f64 {
            let plan = try ColumnPlan<Double, Double>.plan(op, outer, n, inner), y = result.elements(of: Double.self)
            guard plan.fitsBlocks else { return nil }
            try graph.run(storingRoot: isShared, reducing: plan)
            plan.finish { y[$0] = $1 }
        } else if op == .sum {
            let plan = try ColumnPlan<Float, Double>.sums(outer, n, inner), y = result.elements(of: Float.self)
            guard plan.fitsBlocks else { return nil }
            try graph.run(storingRoot: isShared, reducing: plan)
            plan.finish { y[$0] = Float($1) }
        } else {
            let plan = try ColumnPlan<Float, Float>.plan(op, outer, n, inner), y = result.elements(of: Float.self)
            guard plan.fitsBlocks else { return nil }
            try graph.run(storingRoot: isShared, reducing: plan)
            plan.finish { y[$0] = $1 }
        }
        let array = result.finished()
        try examine(op, array, of: x, axes)
        return array
    }

    /// How many of rows of bools are true, as f64: the sums of the bools as numbers, without the numbers.
    /// - Returns: `nil` of others than rows that lie in memory or are computed.
    static func counts(_ x: NDArray, _ axes: [Int], isShared: Bool) throws -> NDArray? {
        guard x.type == .bool, !x.isTraced, x.count > 0, let (outer, n, inner) = split(x.shape, axes), inner == 1 else { return nil }
        let kept = x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] }, result = try FreshArray(shape: kept, type: .f64)
        if let elements = x.node.elements {
            try withExtendedLifetime(x) { try rows(.sum, .bool, elements, outer, n, result.bytes, as: .f64) }
            return result.finished()
        }
        guard !x.isEvaluated else { return nil }
        var graph = try Neighbourhood(root: x.node)
        let plan = try RowPlan(.sum, .bool, outer, n, result.bytes, nil, as: .f64)
        try graph.run(storingRoot: isShared, reducing: plan)
        _ = plan.finish()
        return result.finished()
    }

    private static func examine(_ op: ReduceOperation, _ result: NDArray, of x: NDArray, _ axes: [Int]) throws {
        guard op == .sum || op == .prod else { return }
        try NumericEvents.examine(op.name, result) { try NDArray.test($0, x).reduced(.any, axes: axes) }
    }
}
