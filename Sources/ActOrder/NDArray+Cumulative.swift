// Running sums and products along an axis: many lanes at a time, or one long lane in pieces.
//
// What must stay true: each lane is carried in f64 in the order of its elements; those of at least `longRow` elements are summed in pieces of
// that length, so that the bits do not depend on threads.

import ActArray
import CActKernels

extension NDArray {
    /// Running sums or products along the axis (in the flat order for `nil`), carried in f64; from the end when `reversed`.
    package func cumulative(_ op: CumulativeOperation, axis: Int? = nil, reversed: Bool = false) throws -> NDArray {
        guard let axis else { return try reshaped(to: [count]).cumulative(op, axis: 0, reversed: reversed) }
        if type == .bool { return try converted(to: .f64).cumulative(op, axis: axis, reversed: reversed) }
        let position = try Shapes.axis(axis, rank: rank)
        if isAbstract { return try NDArray.abstractResult(.cumulative(op, axis: position, reversed: reversed), [self], shape: shape, type: type) }
        let layout = try shape[position] < NDArray.longRow ? scannedLanes(op, position, reversed) : scannedLongLanes(op, position, reversed)
        let result = view(.cumulative(op, axis: position, reversed: reversed), shape: shape, layout: layout)
        if NumericEvents.isEnabled, act_fp_flags() != 0 {
            try NumericEvents.examine(op.name, result.detached()) { test in
                try NDArray.test(test, detached()).converted(to: .f64).cumulative(.sum, axis: position, reversed: reversed).converted(to: .bool)
            }
            act_fp_clear()
        }
        return result
    }

    /// What a lane begins with: −0 leaves 0 and −0 as they are.
    private static func beginning(_ op: CumulativeOperation) -> Double { op == .sum ? -0.0 : 1 }

    // MARK: Lanes side by side

    private func scannedLanes(_ op: CumulativeOperation, _ axis: Int, _ reversed: Bool) throws -> Layout {
        let source = try detached().contiguous().evaluatedLayout(), result = try FreshArray(shape: shape, type: type)
        let x = UnsafeRawPointer(source.storage.pointer + source.offset &* type.size), y = result.bytes
        let n = shape[axis], inner = shape[(axis + 1)...].reduce(1, &*)
        /// Lanes `across` apart, the first of which begins at an element.
        func scan(_ first: Int, across: Int, lanes: Int) {
            let along = reversed ? -inner : inner, offset = (first &+ (reversed ? (n &- 1) &* inner : 0)) &* type.size, table = Kernels.table
            withUnsafeTemporaryAllocation(of: Double.self, capacity: lanes) { totals in
                totals.initialize(repeating: NDArray.beginning(op))
                guard let totals = totals.baseAddress else { return }
                let (from, to) = (x + offset, y + offset)
                switch (op, type) {
                case (.sum, .f32): table.pointee.scan_sum_f32(from.f32, to.f32, along, across, n, lanes, totals)
                case (.sum, _): table.pointee.scan_sum_f64(from.f64, to.f64, along, across, n, lanes, totals)
                case (.prod, .f32): table.pointee.scan_prod_f32(from.f32, to.f32, along, across, n, lanes, totals)
                case (.prod, _): table.pointee.scan_prod_f64(from.f64, to.f64, along, across, n, lanes, totals)
                }
            }
        }
        try withExtendedLifetime(source.storage) {
            if count == 0 { return }
            if inner == 1 {
                return try ThreadPool.parallelPieces(count / n, of: max(8, (1 << 14) / n / 8 * 8)) { piece in
                    scan(piece.lowerBound &* n, across: n, lanes: piece.count)
                }
            }
            // Some columns of one plane, wide enough to be read in order, or some planes that are small.
            let plane = n &* inner, panel = max(64, min(inner / 8, (1 << 18) / n) / 16 * 16), panels = (inner + panel - 1) / panel
            if panels == 1 {
                return try ThreadPool.parallelPieces(count / plane, of: max(1, (1 << 14) / plane)) { planes in
                    for index in planes { scan(index &* plane, across: 1, lanes: inner) }
                }
            }
            try ThreadPool.parallel(count / plane &* panels) { unit in
                let column = unit % panels &* panel
                scan(unit / panels &* plane &+ column, across: 1, lanes: min(panel, inner - column))
            }
        }
        return try result.finished().evaluatedLayout()
    }

    // MARK: Long lanes

    private func scannedLongLanes(_ op: CumulativeOperation, _ axis: Int, _ reversed: Bool) throws -> Layout {
        let length = shape[axis]
        return try alongRows(axis) { source, target, rows in
            for row in 0..<rows {
                let offset = row &* length
                if type == .f32 {
                    NDArray.scan(op, reversed, source.f32 + offset, target.f32 + offset, length)
                } else {
                    NDArray.scan(op, reversed, source.f64 + offset, target.f64 + offset, length)
                }
            }
        }
    }

    private static func scan<T: BinaryFloatingPoint & Sendable>(
        _ op: CumulativeOperation, _ reversed: Bool, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, _ n: Int
    ) {
        if op == .prod {
            // Products stay in order however long the row is: partial ones could overflow.
            var total = beginning(op), start = 0
            while start < n, !Interrupt.isSet {
                let end = min(n, start &+ longRow)
                scan(op, reversed, x, y, n, start..<end, &total)
                start = end
            }
            return
        }
        // Sums of pieces first, so that each piece knows where it starts.
        let parts = (n + longRow - 1) / longRow
        withUnsafeTemporaryAllocation(of: Double.self, capacity: parts) { starts in
            ThreadPool.parallelFor(parts) { part in
                if Interrupt.isSet { return }
                let start = part * longRow, count = min(longRow, n - start), first = reversed ? n - start - count : start
                let sum = Reduction.blockValue(.sum, T.self == Float.self ? .f32 : .f64, UnsafeRawPointer(x + first), count)
                let isMinusZero = sum == 0 && (first..<first + count).allSatisfy { x[$0] == 0 && x[$0].sign == .minus }
                starts[part] = isMinusZero ? -0.0 : sum
            }
            if Interrupt.isSet { return }
            var sum = beginning(op)
            for part in 0..<parts { (starts[part], sum) = (sum, sum + starts[part]) }
            ThreadPool.parallelFor(parts) { part in
                if Interrupt.isSet { return }
                var total = starts[part]
                scan(op, reversed, x, y, n, part * longRow..<min(n, (part + 1) * longRow), &total)
            }
        }
    }

    /// Steps `steps` of a scan, which goes on from `total`.
    @inline(__always)
    private static func scan<T: BinaryFloatingPoint & Sendable>(
        _ op: CumulativeOperation, _ reversed: Bool, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, _ n: Int, _ steps: Range<Int>,
        _ total: inout Double
    ) {
        let isSum = op == .sum
        for step in steps {
            let i = reversed ? n &- 1 &- step : step
            if isSum { total += Double(x[i]) } else { total *= Double(x[i]) }
            y[i] = T(total)
        }
    }
}
