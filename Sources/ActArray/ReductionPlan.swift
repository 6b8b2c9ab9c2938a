// How elements are reduced as they come, a block at a time: from memory, or from a program that computes them (`Neighbourhood.run`).
//
// What must stay true: which elements are combined with which, and in which order, depends on the shape alone.

import CActKernels

/// What becomes of the blocks of an array whose elements come in pieces, on several threads. Whoever makes a plan keeps the memory of the result
/// until the last visit; each piece has a place of its own there, so that threads do not meet.
protocol ReductionPlan {
    /// Elements of a block, at most; the last of each `row` elements is shorter.
    var block: Int { get }
    var row: Int { get }
    /// Whether products of two arrays may come as their factors.
    var takesProducts: Bool { get }

    /// Calls `body` with where each piece begins and how many elements it has, on several threads when the work is worth it.
    /// - Throws: what `body` throws; `interrupted`.
    func inPieces(work: Int, _ body: (_ start: Int, _ count: Int) throws -> Void) throws
    /// Takes a block whose first element is number `first` of all.
    func visit(_ elements: UnsafeRawPointer, first: Int, _ n: Int)
    /// Takes the products of the elements of two blocks.
    func visit(products a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ first: Int, _ n: Int)
}

/// Reduces each of `outer` rows of `n` elements, n > 0.
struct RowPlan: ReductionPlan {
    private let op: ReduceOperation
    private let type: ElementType, stored: ElementType
    private let outer: Int, n: Int
    private let target: UnsafeMutableRawPointer
    /// Of rows that are longer than a block: what each block comes to.
    private let parts: Storage
    /// Of one row alone whether something unusual was among the elements.
    private let seen: Reduction.Specials?

    /// - Parameter result: What `target` holds, if that is another type.
    init(
        _ op: ReduceOperation, _ type: ElementType, _ outer: Int, _ n: Int, _ target: UnsafeMutableRawPointer, _ seen: Reduction.Specials?,
        as result: ElementType? = nil
    ) throws {
        (self.op, self.type, self.outer, self.n, self.target, stored) = (op, type, outer, n, target, result ?? type)
        self.seen = outer == 1 ? seen : nil
        let isLong = n > Reduction.block
        block = isLong ? Reduction.block : Reduction.block / n * n
        row = isLong ? n : .max
        parts = try Storage(byteCount: (isLong ? outer &* ((n + Reduction.block - 1) / Reduction.block) : outer == 1 ? 1 : 0) &* 8)
    }

    let block: Int, row: Int
    var takesProducts: Bool { op == .sum && type != .bool }

    private var isLong: Bool { n > Reduction.block }
    private var blocksPerRow: Int { (n + Reduction.block - 1) / Reduction.block }
    private var values: UnsafeMutablePointer<Double> { parts.pointer.assumingMemoryBound(to: Double.self) }

    func inPieces(work: Int, _ body: (_ start: Int, _ count: Int) throws -> Void) throws {
        // A unit is a row, or a block of a long one.
        let units = isLong ? outer &* blocksPerRow : outer
        let each = isLong ? max(1, Node.chunk(of: outer &* n) / Reduction.block) : max(1, Reduction.chunk / n)
        func start(_ unit: Int) -> Int { isLong ? unit / blocksPerRow &* n &+ unit % blocksPerRow &* Reduction.block : unit &* n }
        func run(_ index: Int) throws {
            let first = start(index &* each), end = start(min(units, (index &+ 1) &* each))
            try body(first, end &- first)
        }
        let pieces = (units + each - 1) / each
        if work >= Node.parallelWork { return try ThreadPool.parallel(pieces, run) }
        for index in 0..<pieces {
            try Interrupt.check()
            try run(index)
        }
    }

    func visit(_ elements: UnsafeRawPointer, first: Int, _ count: Int) {
        if isLong || outer == 1 {
            let value = Reduction.blockValue(op, type, elements, count)
            if let seen, !value.isFinite { seen.look(elements, type, count) }
            return values[first / n &* blocksPerRow &+ first % n / Reduction.block] = value
        }
        for i in 0..<count / n { Reduction.store(Reduction.blockValue(op, type, elements + i &* n &* type.size, n), stored, target, first / n &+ i) }
    }

    func visit(products a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ first: Int, _ count: Int) {
        if isLong || outer == 1 {
            return values[first / n &* blocksPerRow &+ first % n / Reduction.block] = dot(a, b, count)
        }
        for i in 0..<count / n {
            let offset = i &* n &* type.size
            Reduction.store(dot(a + offset, b + offset, n), stored, target, first / n &+ i)
        }
    }

    private func dot(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ n: Int) -> Double {
        type == .f32
            ? Float.dotPiece(a.assumingMemoryBound(to: Float.self), b.assumingMemoryBound(to: Float.self), n)
            : Double.dotPiece(a.assumingMemoryBound(to: Double.self), b.assumingMemoryBound(to: Double.self), n)
    }

    /// Combines what is left to combine.
    /// - Returns: of one row alone its value.
    func finish() -> Double? {
        guard isLong || outer == 1 else { return nil }
        var last = 0.0
        for row in 0..<outer {
            var total = Reduction.Combination(op)
            for part in 0..<blocksPerRow { total.add(values[row &* blocksPerRow &+ part]) }
            last = total.value
            Reduction.store(last, stored, target, row)
        }
        return outer == 1 ? last : nil
    }
}

/// Reduces each of `outer` planes of `n` rows to one row of `inner` elements: strips of rows into an accumulator each, the accumulators in order.
struct ColumnPlan<T, A>: ReductionPlan {
    /// acc = acc op each of some rows, which begin `row` elements apart, for `count` columns.
    typealias Accumulate = (_ acc: UnsafeMutablePointer<A>, UnsafePointer<T>, _ row: Int, _ rows: Int, _ count: Int) -> Void

    private let outer: Int, n: Int, inner: Int
    /// Short rows are taken several at a time, so that a kernel call is worth its while; their accumulators are folded afterwards.
    private let together: Int
    private let stripRows: Int, strips: Int
    private let memory: Storage
    private let accumulate: Accumulate
    private let combine: (UnsafeMutablePointer<A>, UnsafePointer<A>, Int) -> Void

    init(
        _ outer: Int, _ n: Int, _ inner: Int, identity: A, _ accumulate: @escaping Accumulate,
        combine: @escaping (UnsafeMutablePointer<A>, UnsafePointer<A>, Int) -> Void
    ) throws {
        (self.outer, self.n, self.inner, self.accumulate, self.combine) = (outer, n, inner, accumulate, combine)
        together = max(1, min(512 / inner, n))
        stripRows = max(together, max(64, Reduction.chunk / inner) / together * together)
        strips = max(1, (n + stripRows - 1) / stripRows)
        let shape = [outer, strips, inner &* together], count = try Shapes.count(shape)
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<A>.stride)
        if overflow { throw ArrayError.tooLarge(shape: shape) }
        memory = try Storage(byteCount: bytes)
        let accumulators = memory.pointer.assumingMemoryBound(to: A.self)
        try ThreadPool.parallelPieces(count) { (accumulators + $0.lowerBound).update(repeating: identity, count: $0.count) }
    }

    private var width: Int { inner &* together }
    private var accumulators: UnsafeMutablePointer<A> { memory.pointer.assumingMemoryBound(to: A.self) }

    /// Adds some rows of a strip, from a whole number of rows taken together on, to its accumulator.
    private func add(_ x: UnsafePointer<T>, rows: Int, to accumulator: UnsafeMutablePointer<A>, columns: Int) {
        if together == 1 { return accumulate(accumulator, x, inner, rows, columns) }
        let whole = rows / together
        accumulate(accumulator, x, width, whole, width)
        if rows > whole &* together { accumulate(accumulator, x + whole &* width, width, 1, (rows &- whole &* together) &* inner) }
    }

    /// Reduces elements that lie one after the other.
    /// - Throws: `interrupted`.
    func reduce(_ x: UnsafePointer<T>) throws {
        let panel = min(inner, 4096), panels = (inner + panel - 1) / panel
        try ThreadPool.parallel(outer &* strips &* panels) { unit in
            let (plane, strip, first) = (unit / panels / strips, unit / panels % strips, unit % panels &* panel)
            let row = strip &* stripRows, rows = min(n, row &+ stripRows) &- row
            let accumulator = accumulators + ((plane &* strips &+ strip) &* width &+ first)
            add(x + ((plane &* n &+ row) &* inner &+ first), rows: rows, to: accumulator, columns: min(panel, inner &- first))
        }
    }

    /// Hands out the results.
    func finish(_ store: (Int, A) -> Void) {
        for plane in 0..<outer {
            let total = accumulators + plane &* strips &* width
            for strip in 0..<strips {
                let accumulator = total + strip &* width
                for fold in 1..<max(1, together) { combine(accumulator, accumulator + fold &* inner, inner) }
                if strip > 0 { combine(total, accumulator, inner) }
            }
            for column in 0..<inner { store(plane &* inner &+ column, total[column]) }
        }
        withExtendedLifetime(memory) {}
    }

    // MARK: Elements that come in blocks

    /// Whether blocks have whole rows, and pieces enough elements.
    var fitsBlocks: Bool { width <= Reduction.block && min(n, stripRows) &* inner >= 4096 }
    var block: Int { Reduction.block / width &* width }
    var row: Int { .max }
    var takesProducts: Bool { false }

    func inPieces(work: Int, _ body: (_ start: Int, _ count: Int) throws -> Void) throws {
        try ThreadPool.parallel(outer &* strips) { unit in
            let (plane, strip) = (unit / strips, unit % strips), row = strip &* stripRows
            try body((plane &* n &+ row) &* inner, (min(n, row &+ stripRows) &- row) &* inner)
        }
    }

    func visit(_ elements: UnsafeRawPointer, first: Int, _ count: Int) {
        let row = first / inner, plane = row / n, strip = row % n / stripRows
        add(
            elements.assumingMemoryBound(to: T.self), rows: count / inner, to: accumulators + (plane &* strips &+ strip) &* width, columns: inner)
    }

    func visit(products a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ first: Int, _ n: Int) {}
}

extension ColumnPlan where T == Double, A == Double {
    static func plan(_ op: ReduceOperation, _ outer: Int, _ n: Int, _ inner: Int) throws -> ColumnPlan {
        let table = Kernels.table, one = table.pointee.accumulate_f64[Int(op.accumulation.rawValue)], sums = table.pointee.accumulate_sums_f64
        let identity = Reduction.Combination(op).total
        if op == .sum { return try ColumnPlan(outer, n, inner, identity: identity, { sums($0, $1, $2, $3, $4) }, combine: { one($0, $1, $2) }) }
        return try ColumnPlan(
            outer, n, inner, identity: identity,
            { acc, x, row, rows, count in for r in 0..<rows { one(acc, x + r &* row, count) } }, combine: { one($0, $1, $2) })
    }
}

extension ColumnPlan where T == Float, A == Float {
    /// Of all but sums, which are carried in f64.
    static func plan(_ op: ReduceOperation, _ outer: Int, _ n: Int, _ inner: Int) throws -> ColumnPlan {
        let one = Kernels.table.pointee.accumulate_f32[Int(op.accumulation.rawValue)]
        return try ColumnPlan(
            outer, n, inner, identity: Float(Reduction.Combination(op).total),
            { acc, x, row, rows, count in for r in 0..<rows { one(acc, x + r &* row, count) } }, combine: { one($0, $1, $2) })
    }
}

extension ColumnPlan where T == Float, A == Double {
    static func sums(_ outer: Int, _ n: Int, _ inner: Int) throws -> ColumnPlan {
        let table = Kernels.table, one = table.pointee.accumulate_f64[Int(ACT_A_ADD.rawValue)], sums = table.pointee.accumulate_sums_f32
        return try ColumnPlan(outer, n, inner, identity: 0, { sums($0, $1, $2, $3, $4) }, combine: { one($0, $1, $2) })
    }
}

extension ReduceOperation {
    fileprivate var accumulation: act_accumulate_op {
        switch self {
        case .sum: ACT_A_ADD
        case .prod: ACT_A_MUL
        case .min, .all: ACT_A_MIN
        case .max, .any: ACT_A_MAX
        }
    }
}
