// What an index selects: the list between the brackets is checked against a shape once, then applied to memory, for reading
// (NDArray+Index) and for writing (NDArray+Assign) alike.
//
// The meaning is NumPy's: slices, integers, `...` and new axes give a view. As soon as there is an array or a mask, integers count
// as arrays too; arrays broadcast together, and their axes take the place of those they index, or come first when slices
// stand between them.

import CActKernels
import Synchronization

extension NDArray {
    /// One part of an index, as it stands between the brackets.
    package enum Index {
        case integer(Int)
        case slice(start: Int?, stop: Int?, step: Int?)
        case ellipsis
        case newAxis
        /// Whole numbers, or bools: a mask that takes the place of as many axes as its rank.
        case array(NDArray)
    }
}

/// An index checked against a shape.
struct IndexPlan {
    /// What becomes of the axes of the array, in order of the result (before arrays are looked at).
    enum Part {
        case kept(axis: Int)  // sliced by ranges[axis]
        case new
        case indexed(axis: Int)  // by an array, a mask or, where there is an array, an integer
    }

    /// Offsets along the indexed axes, in elements for given strides: `positions[i]` is an index of each of `axes`.
    struct Lookup {
        var shape: [Int]
        var axes: [Int]
        /// For each of `axes` the indices, row-major over `shape`.
        var positions: [Positions]
        /// Why one of the numbers is not an index. That counts only if something is selected: arrays without elements say nothing of others.
        var fault: ArrayError?
        /// The array of indices or the mask, if a derivative or a graph follows it.
        var traced: NDArray?
    }

    let shape: [Int]
    private(set) var ranges: [SliceRange]
    private(set) var parts: [Part] = []
    private(set) var lookups: [Lookup] = []
    /// Whether all arrays stand side by side, so that their axes stay in place. An ellipsis between them parts them, for however few axes
    /// it stands.
    private(set) var isAdjacent = true
    /// What all lookups broadcast to.
    private(set) var lookupShape: [Int] = []

    var isBasic: Bool { lookups.isEmpty }
    /// Whether an array of indices or a mask is traced.
    var isTraced: Bool { lookups.contains { $0.traced != nil } }

    init(_ indices: [NDArray.Index], shape: [Int]) throws {
        self.shape = shape
        ranges = shape.map { SliceRange(start: 0, step: 1, count: $0) }
        let (consumed, hasArray) = try Self.demand(of: indices)
        guard consumed <= shape.count else { throw ArrayError.tooManyIndices(given: consumed, rank: shape.count) }

        var axis = 0, placeOfEllipsis: Int?
        for index in indices {
            switch index {
            case .integer(let i):
                let position = try Self.position(i, axis: axis, size: shape[axis])
                if hasArray {
                    parts.append(.indexed(axis: axis))
                    lookups.append(Lookup(shape: [], axes: [axis], positions: [try Positions([position])]))
                } else {
                    ranges[axis] = SliceRange(start: position, step: 1, count: 1)
                }
                axis += 1
            case .slice(let start, let stop, let step):
                ranges[axis] = try Self.range(start, stop, step, size: shape[axis])
                parts.append(.kept(axis: axis))
                axis += 1
            case .ellipsis:
                placeOfEllipsis = parts.count
                for _ in 0..<(shape.count - consumed) {
                    parts.append(.kept(axis: axis))
                    axis += 1
                }
            case .newAxis: parts.append(.new)
            case .array(let array):
                let lookup = try array.type == .bool ? Self.mask(array, axis: axis, shape: shape) : Self.numbers(array, axis: axis, size: shape[axis])
                parts += lookup.axes.map { .indexed(axis: $0) }
                lookups.append(lookup)
                axis += lookup.axes.count
            }
        }
        while axis < shape.count {
            parts.append(.kept(axis: axis))
            axis += 1
        }
        if lookups.isEmpty { return }
        for lookup in lookups { lookupShape = try Shapes.broadcast(lookupShape, lookup.shape) }
        if !lookupShape.contains(0), let fault = lookups.lazy.compactMap(\.fault).first { throw fault }
        let places = parts.indices.filter { isIndexed(parts[$0]) }
        if let first = places.first, let last = places.last {
            let isParted = placeOfEllipsis.map { first < $0 && $0 <= last } ?? false
            isAdjacent = last - first + 1 == places.count && !isParted
        }
    }

    /// How many axes indices are about, beside those that an ellipsis stands for, and whether there is an array among them.
    static func demand(of indices: [NDArray.Index]) throws -> (axes: Int, hasArray: Bool) {
        var axes = 0, hasEllipsis = false, hasArray = false
        for index in indices {
            switch index {
            case .integer, .slice: axes += 1
            case .array(let array):
                hasArray = true
                axes += array.type == .bool ? array.rank : 1
            case .ellipsis:
                if hasEllipsis { throw ArrayError.badValue(operation: "index", .severalEllipses) }
                hasEllipsis = true
            case .newAxis: break
            }
        }
        return (axes, hasArray)
    }

    private func isIndexed(_ part: Part) -> Bool {
        if case .indexed = part { return true }
        return false
    }

    static func position(_ i: Int, axis: Int, size: Int) throws -> Int {
        guard i < size, i >= -size else { throw ArrayError.indexOutOfRange(index: i, axis: axis, size: size) }
        return i < 0 ? i + size : i
    }

    /// The elements of `start:stop:step` along an axis, as in Python: what lies outside is cut off.
    static func range(_ start: Int?, _ stop: Int?, _ step: Int?, size: Int) throws -> SliceRange {
        let step = step ?? 1
        guard step != 0 else { throw ArrayError.stepIsZero }
        let (lowest, highest) = step > 0 ? (0, size) : (-1, size - 1)
        func clamp(_ bound: Int) -> Int { min(max(bound < 0 ? bound + size : bound, lowest), highest) }
        let first = start.map(clamp) ?? (step > 0 ? lowest : highest)
        let end = stop.map(clamp) ?? (step > 0 ? highest : lowest)
        let span = step > 0 ? end - first : first - end
        guard span > 0 else { return SliceRange(start: 0, step: 1, count: 0) }
        let count = Int((UInt(span) - 1) / step.magnitude) + 1
        return SliceRange(start: first, step: count == 1 ? 1 : step, count: count)
    }

    private static func numbers(_ array: NDArray, axis: Int, size: Int) throws -> Lookup {
        let found = try Positions(count: array.count)
        var wrong: ArrayError?
        func convert<T: BinaryFloatingPoint>(_ elements: UnsafeBufferPointer<T>) throws {
            let hasFault = Atomic<Bool>(false)
            try ThreadPool.parallelPieces(elements.count) { piece in
                guard let first = elements.baseAddress else { return }
                if Self.places(first + piece.lowerBound, size: size, found.base + piece.lowerBound, piece.count) { hasFault.store(true, ordering: .relaxed) }
            }
            if hasFault.load(ordering: .relaxed), let bad = elements.first(where: { Self.place($0, size: size) == nil }) {
                wrong = Self.fault(Double(bad), axis: axis, size: size)
                if case .indexNotWhole? = wrong, let wrong { throw wrong }
            }
        }
        if array.type == .f32 { try array.withContiguous(of: Float.self, convert) } else { try array.withContiguous(of: Double.self, convert) }
        return Lookup(shape: array.shape, axes: [axis], positions: [found], fault: wrong, traced: array.isTraced ? array : nil)
    }

    /// The places that `count` numbers mean on an axis.
    /// - Returns: whether one of them is not an index of it.
    @inline(__always)
    static func places<T>(_ numbers: UnsafePointer<T>, size: Int, _ places: UnsafeMutablePointer<Int>, _ count: Int) -> Bool {
        let numbers = UnsafeRawPointer(numbers), places = UnsafeMutableRawPointer(places).assumingMemoryBound(to: Int64.self)
        if MemoryLayout<T>.size == 4 {
            return Kernels.table.pointee.places_f32(numbers.assumingMemoryBound(to: Float.self), Int64(size), places, count) != 0
        }
        return Kernels.table.pointee.places_f64(numbers.assumingMemoryBound(to: Double.self), Int64(size), places, count) != 0
    }

    /// The place from 0 that a number means on an axis; `nil` when it is not an index of it.
    private static func place<T: BinaryFloatingPoint>(_ number: T, size: Int) -> Int? {
        guard number.magnitude < 0x1p53 else { return nil }
        let i = Int(number), place = i < 0 ? i &+ size : i
        return T(i) == number && place >= 0 && place < size ? place : nil
    }

    /// Why a number is not an index of an axis.
    private static func fault(_ number: Double, axis: Int, size: Int) -> ArrayError {
        guard number.rounded(.towardZero) == number else { return .indexNotWhole(number) }
        return .indexOutOfRange(index: Int(exactly: number) ?? (number < 0 ? .min : .max), axis: axis, size: size)
    }

    private static func mask(_ array: NDArray, axis: Int, shape: [Int]) throws -> Lookup {
        let axes = Array(axis..<(axis + array.rank))
        guard array.rank > 0, axes.allSatisfy({ array.shape[$0 - axis] == shape[$0] }) else {
            throw ArrayError.maskShape(mask: array.shape, array: shape)
        }
        let flat = try array.truePositions()
        let traced = array.isTraced ? array : nil
        if array.rank == 1 { return Lookup(shape: [flat.count], axes: axes, positions: [flat], traced: traced) }
        let steps = Shapes.rowMajorStrides(array.shape)
        let positions = try array.shape.indices.map { a in
            let positions = try Positions(count: flat.count)
            try ThreadPool.parallelPieces(flat.count) { for i in $0 { positions[i] = flat[i] / steps[a] % array.shape[a] } }
            return positions
        }
        return Lookup(shape: [flat.count], axes: axes, positions: positions, traced: traced)
    }
}

extension NDArray {
    /// Calls `body` with parts of the elements of an array of numbers as whole numbers from 0 on and below `bound`; there are `parts` parts, shared
    /// out among the threads, each in order and a piece at a time: where it begins among all, and its numbers.
    /// - Returns: whether all of them are such numbers; `body` may not have seen those after one that is not.
    package func forEachWhole(
        below bound: Int, parts: Int, _ body: (_ part: Int, _ first: Int, UnsafeBufferPointer<Int>) -> Void
    ) throws -> Bool {
        let hasFault = Atomic<Bool>(false)
        func run<T: BinaryFloatingPoint>(_: T.Type) throws {
            try withContiguous(of: T.self) { elements in
                guard let base = elements.baseAddress else { return }
                let block = 1024, length = ((elements.count + parts - 1) / parts + block - 1) / block * block
                try ThreadPool.parallel(parts) { part in
                    try withUnsafeTemporaryAllocation(of: Int.self, capacity: block) { places in
                        guard let first = places.baseAddress else { return }
                        for start in stride(from: part * length, to: min(elements.count, (part + 1) * length), by: block) {
                            if start & 0xffff == 0 { try Interrupt.check() }
                            let count = min(block, elements.count - start)
                            if IndexPlan.places(base + start, size: bound, first, count) { return hasFault.store(true, ordering: .relaxed) }
                            body(part, start, UnsafeBufferPointer(start: first, count: count))
                        }
                    }
                }
            }
        }
        if type == .f32 { try run(Float.self) } else { try run(Double.self) }
        return !hasFault.load(ordering: .relaxed)
    }
}

/// Indices or offsets, in memory of the pool, which lives as long as this: `base` is for calls that end before it does.
package final class Positions {
    private let storage: Storage
    package let count: Int
    /// The start of `storage`.
    package let base: UnsafeMutablePointer<Int>

    init(count: Int) throws {
        storage = try Storage(byteCount: count * MemoryLayout<Int>.stride)
        self.count = count
        base = storage.pointer.assumingMemoryBound(to: Int.self)
    }

    /// The first of other positions, in the same memory.
    init(_ other: Positions, count: Int) {
        storage = other.storage
        self.count = count
        base = other.base
    }

    convenience init(_ elements: [Int]) throws {
        try self.init(count: elements.count)
        base.update(from: elements, count: count)
    }

    @inline(__always)
    subscript(i: Int) -> Int {
        get { base[i] }
        set { base[i] = newValue }
    }
}

extension NDArray {
    /// The flat positions of the true elements of a bool array, ascending.
    package func truePositions() throws -> Positions {
        try withContiguous(of: UInt8.self) { mask in
            var total = 1
            try Interrupt.forEachPiece(mask.count) { for i in $0 { total &+= Int(mask[i]) } }
            let positions = try Positions(count: total)
            // One place more than needed, so that writing needs no branch.
            var k = 0
            try Interrupt.forEachPiece(mask.count) { piece in
                for i in piece {
                    positions[k] = i
                    k &+= Int(mask[i])
                }
            }
            return Positions(positions, count: k)
        }
    }
}

/// Memory as a plan shows it: `strides` and `offset` in elements.
struct Place {
    var offset: Int
    var shape: [Int]
    var strides: [Int]

    /// The kept and new axes, in order; indexed axes stay whole and, unless they stand side by side, come first.
    init(_ plan: IndexPlan, offset: Int, strides: [Int]) {
        self.offset = offset
        shape = []
        self.strides = []
        for (range, stride) in zip(plan.ranges, strides) where range.count > 0 { self.offset &+= range.start &* stride }
        for part in plan.orderedParts {
            switch part {
            case .kept(let axis):
                shape.append(plan.ranges[axis].count)
                self.strides.append(plan.ranges[axis].step &* strides[axis])
            case .new:
                shape.append(1)
                self.strides.append(0)
            case .indexed(let axis):
                shape.append(plan.shape[axis])
                self.strides.append(strides[axis])
            }
        }
    }
}

extension IndexPlan {
    /// The parts with the indexed ones in front when they are not side by side.
    var orderedParts: [Part] {
        isAdjacent ? parts : parts.filter(isIndexed) + parts.filter { !isIndexed($0) }
    }

    /// How many of the ordered parts come before the indexed ones, and how many are indexed.
    private var indexedSpan: (start: Int, count: Int) {
        let ordered = orderedParts
        return (ordered.firstIndex(where: isIndexed) ?? ordered.count, ordered.filter(isIndexed).count)
    }

    /// The selection in memory of the given strides; of a plan that is not basic.
    func selection(_ place: Place) throws -> Selection {
        let (start, count) = indexedSpan
        // Strides of the indexed axes by axis of the array.
        var strideOfAxis: [Int: Int] = [:]
        for (part, stride) in zip(orderedParts, place.strides) {
            if case .indexed(let axis) = part { strideOfAxis[axis] = stride }
        }
        let total = try Shapes.count(lookupShape)
        let offsets = try Positions(count: total)
        try ThreadPool.parallelPieces(total) { (offsets.base + $0.lowerBound).update(repeating: place.offset, count: $0.count) }
        for lookup in lookups {
            for (axis, positions) in zip(lookup.axes, lookup.positions) {
                let stride = strideOfAxis[axis] ?? 0
                if positions.count == 1 {
                    let offset = positions[0] &* stride
                    try ThreadPool.parallelPieces(total) { for i in $0 { offsets[i] &+= offset } }
                } else if lookup.shape == lookupShape {
                    try ThreadPool.parallelPieces(total) { for i in $0 { offsets[i] &+= positions[i] &* stride } }
                } else if let steps = Shapes.broadcastStrides(lookup.shape, Shapes.rowMajorStrides(lookup.shape), to: lookupShape) {
                    let view = StridedView(base: positions.base, size: 8, shape: lookupShape, strides: steps)
                    try ThreadPool.parallelPieces(total) { piece in
                        view.forEachRun(piece.lowerBound, piece.count) { from, step, run, done in
                            let first = piece.lowerBound &+ done
                            for i in 0..<run { offsets[first &+ i] &+= positions[from &+ i &* step] &* stride }
                        }
                    }
                }
            }
        }
        let shape = Array(place.shape[..<start]) + lookupShape + place.shape[(start + count)...]
        return Selection(
            shape: shape, count: try Shapes.count(shape), outerShape: Array(place.shape[..<start]), outerStrides: Array(place.strides[..<start]),
            offsets: offsets, innerShape: Array(place.shape[(start + count)...]), innerStrides: Array(place.strides[(start + count)...]))
    }
}
