// Reading by index: a[…] in all its forms, and single elements quickly.

import Synchronization

extension NDArray {
    /// The elements an index selects, with NumPy's meaning. A view unless arrays or masks take part.
    /// - Throws: `indexOutOfRange`, `tooManyIndices`, `indexNotWhole`, `maskShape`, `stepIsZero`.
    package func indexed(by indices: [Index]) throws -> NDArray {
        if indices.count == 1 { return try indexed(by: indices[0]) }
        if !isTraced, let view = try view(by: indices) { return view }
        return try planned(indices)
    }

    /// What one index selects, along the first axis or as a mask.
    package func indexed(by index: Index) throws -> NDArray {
        guard rank > 0, !isTraced else { return try planned([index]) }
        switch index {
        case .integer(let i): return try row(i)
        case .slice(let start, let stop, let step): return try rows(IndexPlan.range(start, stop, step, size: shape[0]))
        case .array(let array) where !array.isTraced:
            if let taken = try array.type == .bool ? chosen(by: array) : taking(array) { return taken }
            return try planned([index])
        default: return try planned([index])
        }
    }

    private func planned(_ indices: [Index]) throws -> NDArray {
        let plan = try IndexPlan(indices, shape: shape)
        if isTraced || !plan.isBasic && plan.isTraced && NDArray.followsPositions { return try tracedIndexed(plan) }
        let layout = try evaluatedLayout()
        let place = Place(plan, offset: layout.offset, strides: layout.strides ?? Shapes.rowMajorStrides(shape))
        if plan.isBasic {
            let view = Layout(storage: layout.storage, offset: place.offset, strides: Shapes.simplified(place.strides, place.shape))
            return NDArray(data: view, shape: place.shape, count: try Shapes.count(place.shape), type: type)
        }
        return try read(plan.selection(place), layout.storage)
    }

    // MARK: What is common, without a plan

    /// A view by integers, slices, ellipses and new axes.
    /// - Returns: `nil` where an array or a mask takes part.
    private func view(by indices: [Index]) throws -> NDArray? {
        let (consumed, hasArray) = try IndexPlan.demand(of: indices)
        guard !hasArray else { return nil }
        guard consumed <= rank else { throw ArrayError.tooManyIndices(given: consumed, rank: rank) }
        var layout = try evaluatedLayout()
        var sizes: [Int] = [], strides: [Int] = [], axis = 0, rest = count
        sizes.reserveCapacity(rank - consumed + indices.count)
        strides.reserveCapacity(rank - consumed + indices.count)
        /// Goes over an axis.
        func stride() -> Int {
            defer { axis += 1 }
            if let strides = layout.strides { return strides[axis] }
            if shape[axis] > 0 { rest /= shape[axis] }
            return rest
        }
        func keep() {
            sizes.append(shape[axis])
            strides.append(stride())
        }
        for index in indices {
            switch index {
            case .integer(let i):
                let position = try IndexPlan.position(i, axis: axis, size: shape[axis])
                layout.offset &+= position &* stride()
            case .slice(let start, let stop, let step):
                let range = try IndexPlan.range(start, stop, step, size: shape[axis]), stride = stride()
                sizes.append(range.count)
                strides.append(range.step &* stride)
                if range.count > 0 { layout.offset &+= range.start &* stride }
            case .ellipsis: for _ in consumed..<rank { keep() }
            case .newAxis:
                sizes.append(1)
                strides.append(0)
            case .array: return nil
            }
        }
        while axis < rank { keep() }
        layout.strides = Shapes.simplified(strides, sizes)
        return NDArray(data: layout, shape: sizes, count: try Shapes.count(sizes), type: type)
    }

    /// A slice along the first axis.
    private func rows(_ range: SliceRange) throws -> NDArray {
        var layout = try evaluatedLayout(), sizes = shape
        let size = shape[0], step = layout.strides?[0] ?? (size > 0 ? count / size : 0)
        sizes[0] = range.count
        if range.count > 0 { layout.offset &+= range.start &* step }
        if range.step != 1, range.count > 1 || layout.strides != nil {
            if sizes.count == 1 {
                layout.strides = [range.step &* step]
            } else {
                var strides = layout.strides ?? Shapes.rowMajorStrides(shape)
                strides[0] = range.step &* step
                layout.strides = strides
            }
        }
        layout.strides = layout.strides.flatMap { Shapes.simplified($0, sizes) }
        return NDArray(data: layout, shape: sizes, count: size > 0 ? count / size &* range.count : 0, type: type)
    }

    /// The elements where a mask of the same shape is true.
    /// - Returns: `nil` when it has another shape, or the elements of one of the two do not lie row-major without gaps.
    private func chosen(by mask: NDArray) throws -> NDArray? {
        guard mask.shape == shape else { return nil }
        let layout = try evaluatedLayout(), flags = try mask.evaluatedLayout()
        guard layout.strides == nil, flags.strides == nil, count > 0 else { return nil }
        let source = UnsafeRawPointer(layout.storage.pointer + layout.offset &* type.size)
        let isChosen = UnsafePointer((flags.storage.pointer + flags.offset).assumingMemoryBound(to: UInt8.self))
        let length = 1 << 15, parts = (count + length - 1) / length
        return try withExtendedLifetime((layout.storage, flags.storage)) {
            try withUnsafeTemporaryAllocation(of: Int.self, capacity: parts + 1) { ends in
                // How many are chosen up to the end of each part, so that all parts can be filled at once.
                ends[0] = 0
                try ThreadPool.parallelPieces(count, of: length) { piece in
                    var total = 0
                    for i in piece { total &+= Int(isChosen[i]) }
                    ends[piece.lowerBound / length + 1] = total
                }
                for part in 0..<parts { ends[part + 1] += ends[part] }
                let result = try NDArray.uninitialized(shape: [ends[parts]], type: type)
                func fill<T: BitwiseCopyable>(_ source: UnsafePointer<T>, _ target: UnsafeMutablePointer<T>) throws {
                    try ThreadPool.parallelPieces(count, of: length) { piece in
                        let part = piece.lowerBound / length
                        var i = piece.lowerBound, k = ends[part]
                        // Each is written and kept only if it is chosen, which needs no branch.
                        while k < ends[part + 1] {
                            target[k] = source[i]
                            k &+= Int(isChosen[i])
                            i &+= 1
                        }
                    }
                }
                try result.withMutableBytes { target in
                    switch type {
                    case .bool: try fill(source.assumingMemoryBound(to: UInt8.self), target.assumingMemoryBound(to: UInt8.self))
                    case .f32: try fill(source.assumingMemoryBound(to: UInt32.self), target.assumingMemoryBound(to: UInt32.self))
                    case .f64: try fill(source.assumingMemoryBound(to: UInt64.self), target.assumingMemoryBound(to: UInt64.self))
                    }
                }
                return result
            }
        }
    }

    /// One index along the first axis of an array that no derivative follows.
    private func row(_ i: Int) throws -> NDArray {
        let size = shape[0]
        guard i < size, i >= -size else { throw ArrayError.indexOutOfRange(index: i, axis: 0, size: size) }
        var layout = try evaluatedLayout()
        let rest = rank == 2 ? Shapes.ofVector(shape[1]) : Array(shape.dropFirst()), count = count / size
        layout.offset &+= (i < 0 ? i + size : i) &* (layout.strides?[0] ?? count)
        layout.strides = layout.strides.flatMap { Shapes.simplified(Array($0.dropFirst()), rest) }
        return NDArray(data: layout, shape: rest, count: count, type: type)
    }

    /// One array of indices along the first axis.
    /// - Returns: `nil` when one of the numbers is not an index, or the elements do not lie row-major without gaps.
    private func taking(_ rows: NDArray) throws -> NDArray? {
        let layout = try evaluatedLayout()
        guard layout.strides == nil, shape[0] > 0 else { return nil }
        let size = shape[0], chunk = count / size &* type.size
        let result = try NDArray.uninitialized(shape: rows.shape + shape.dropFirst(), type: type)
        let source = UnsafeRawPointer(layout.storage.pointer + layout.offset &* type.size)
        let hasFault = Atomic<Bool>(false)
        func take<I>(_ numbers: UnsafeBufferPointer<I>, _ target: UnsafeMutableRawPointer) throws {
            guard let first = numbers.baseAddress else { return }
            let block = max(1, min(1 << 10, (1 << 18) / max(1, chunk)))
            try ThreadPool.parallelPieces(numbers.count, of: 16 * block) { piece in
                withUnsafeTemporaryAllocation(of: Int.self, capacity: block) { places in
                    guard let base = places.baseAddress else { return }
                    for start in stride(from: piece.lowerBound, to: piece.upperBound, by: block) {
                        let n = min(block, piece.upperBound - start)
                        if IndexPlan.places(first + start, size: size, base, n) { return hasFault.store(true, ordering: .relaxed) }
                        let to = target + start &* chunk
                        switch chunk {
                        case 1: for k in 0..<n { to.storeBytes(of: source.load(fromByteOffset: base[k], as: UInt8.self), toByteOffset: k, as: UInt8.self) }
                        case 4 where type == .f32:
                            let from = source.assumingMemoryBound(to: UInt32.self), to = to.assumingMemoryBound(to: UInt32.self)
                            for k in 0..<n { to[k] = from[base[k]] }
                        case 8 where type == .f64:
                            let from = source.assumingMemoryBound(to: UInt64.self), to = to.assumingMemoryBound(to: UInt64.self)
                            for k in 0..<n { to[k] = from[base[k]] }
                        default: for k in 0..<n { (to + k &* chunk).copyMemory(from: source + base[k] &* chunk, byteCount: chunk) }
                        }
                    }
                }
            }
        }
        try withExtendedLifetime(layout.storage) {
            try result.withMutableBytes { target in
                if rows.type == .f32 {
                    try rows.withContiguous(of: Float.self) { try take($0, target) }
                } else {
                    try rows.withContiguous(of: Double.self) { try take($0, target) }
                }
            }
        }
        return hasFault.load(ordering: .relaxed) ? nil : result
    }

    /// The same as a composition of primitives: slice, reshape, transpose, gather.
    private func tracedIndexed(_ plan: IndexPlan) throws -> NDArray {
        let cut = try sliced(plan.ranges)
        // Dropped and new axes have size 1, so they come and go by reshaping; then indexed axes may have to move to the front.
        let sizes = plan.parts.map { part in
            switch part {
            case .kept(let axis): plan.ranges[axis].count
            case .indexed(let axis): plan.shape[axis]
            case .new: 1
            }
        }
        var view = try cut.reshaped(to: sizes)
        if plan.isBasic { return view }
        if !plan.isAdjacent {
            let indexed = plan.parts.indices.filter { if case .indexed = plan.parts[$0] { true } else { false } }
            view = try view.transposed(indexed + plan.parts.indices.filter { !indexed.contains($0) })
        }
        let source = try view.contiguous()
        var place = Place(plan, offset: 0, strides: Shapes.rowMajorStrides(plan.shape))
        place.offset = 0
        place.strides = Shapes.rowMajorStrides(place.shape)
        let selection = try plan.selection(place)
        let starts = try selection.starts()
        if let positions = try plan.positions(selection, starts, place) {
            return try source.gathered(at: positions, chunk: selection.chunk, shape: selection.shape)
        }
        return try source.gathered(GatherIndices(starts: starts, chunk: selection.chunk), shape: selection.shape)
    }

    private func read(_ selection: Selection, _ storage: Storage) throws -> NDArray {
        let result = try NDArray.uninitialized(shape: selection.shape, type: type)
        try withExtendedLifetime(storage) {
            try result.withMutableBytes { try selection.read(from: storage.pointer, size: type.size, to: $0) }
        }
        return result
    }

    // MARK: Single elements

    /// Element `i` of a vector; negative indices count from the end.
    package func element(at i: Int) throws -> Double {
        guard rank == 1 else { throw ArrayError.rankMismatch(operation: "index", ranks: 1...1, shape: shape) }
        let layout = try evaluatedLayout()
        guard i < count, i >= -count else { throw ArrayError.indexOutOfRange(index: i, axis: 0, size: count) }
        let position = i < 0 ? i + count : i
        return load(layout, at: layout.offset &+ position &* (layout.strides?[0] ?? 1))
    }

    /// The element at one index for each axis.
    package func element(at indices: [Int]) throws -> Double {
        guard indices.count == rank else {
            if indices.count > rank { throw ArrayError.tooManyIndices(given: indices.count, rank: rank) }
            throw ArrayError.rankMismatch(operation: "index", ranks: indices.count...indices.count, shape: shape)
        }
        let layout = try evaluatedLayout()
        var position = layout.offset, flat = 0
        for axis in 0..<rank {
            let size = shape[axis], i = indices[axis]
            guard i < size, i >= -size else { throw ArrayError.indexOutOfRange(index: i, axis: axis, size: size) }
            let index = i < 0 ? i + size : i
            flat = flat &* size &+ index
            if let strides = layout.strides { position &+= index &* strides[axis] }
        }
        return load(layout, at: layout.strides == nil ? layout.offset &+ flat : position)
    }

    @inline(__always)
    private func load(_ layout: Layout, at position: Int) -> Double {
        let element = layout.storage.pointer + position &* type.size
        switch type {
        case .bool: return element.load(as: UInt8.self) != 0 ? 1 : 0
        case .f32: return Double(element.load(as: Float.self))
        case .f64: return element.load(as: Double.self)
        }
    }

    // MARK: Gather and its adjoint

    /// `result.flat[k*chunk ..< (k+1)*chunk] = flat[starts[k] ..< starts[k]+chunk]`, as an array of `shape`.
    package func gathered(_ indices: GatherIndices, shape target: [Int]) throws -> NDArray {
        let (length, overflow) = indices.starts.count.multipliedReportingOverflow(by: indices.chunk)
        guard !overflow, try Shapes.count(target) == length else { throw ArrayError.cannotReshape([indices.starts.count, indices.chunk], to: target) }
        try check(indices, within: count)
        if isAbstract { return try NDArray.abstractResult(.gather(indices), [self], shape: target, type: type) }
        let source = try contiguous()
        let layout = try source.evaluatedLayout()
        let selection = Selection(
            shape: target, count: length, outerShape: [], outerStrides: [], offsets: try Positions(indices.starts),
            innerShape: [indices.chunk], innerStrides: [1])
        let result = try NDArray.uninitialized(shape: target, type: type)
        try withExtendedLifetime(layout.storage) {
            try result.withMutableBytes { try selection.read(from: layout.storage.pointer + layout.offset &* type.size, size: type.size, to: $0) }
        }
        guard source.isTraced, let made = result.node.layout else { return result }
        return (source.written ?? source).view(.gather(indices), shape: target, layout: made)
    }

    /// The adjoint of `gathered`: zeros of `shape` to which the chunks of this array are added at their places, in order.
    package func scatteredAdd(_ indices: GatherIndices, shape target: [Int]) throws -> NDArray {
        let (length, overflow) = indices.starts.count.multipliedReportingOverflow(by: indices.chunk)
        guard !overflow, count == length else { throw ArrayError.cannotAssign(value: shape, to: [indices.starts.count, indices.chunk]) }
        try check(indices, within: Shapes.count(target))
        if isAbstract, type != .bool { return try NDArray.abstractResult(.scatterAdd(indices), [self], shape: target, type: type) }
        let result = try NDArray.full(0, shape: target, type: type)
        let source = try contiguous()
        let chunk = indices.chunk
        func add<T: AdditiveArithmetic>(_ elements: UnsafeBufferPointer<T>, _ bytes: UnsafeMutableRawPointer) throws {
            let sums = bytes.assumingMemoryBound(to: T.self)
            try Interrupt.forEachPiece(indices.starts.count, of: max(1, (1 << 20) / max(1, chunk))) { piece in
                if chunk == 1 { return indices.starts.withUnsafeBufferPointer { starts in for k in piece { sums[starts[k]] += elements[k] } } }
                var k = piece.lowerBound &* chunk
                for start in indices.starts[piece] {
                    for i in 0..<chunk { sums[start &+ i] += elements[k &+ i] }
                    k &+= chunk
                }
            }
        }
        switch type {
        case .bool: throw ArrayError.badValue(operation: "scatter", .boolsAdded)
        case .f32: try source.withContiguous(of: Float.self) { elements in try result.withMutableBytes { try add(elements, $0) } }
        case .f64: try source.withContiguous(of: Double.self) { elements in try result.withMutableBytes { try add(elements, $0) } }
        }
        guard source.isTraced, let made = result.node.layout else { return result }
        return source.view(.scatterAdd(indices), shape: target, layout: made)
    }

    private func check(_ indices: GatherIndices, within size: Int) throws {
        for start in indices.starts where start < 0 || start > size - indices.chunk {
            throw ArrayError.indexOutOfRange(index: start, axis: 0, size: size)
        }
    }
}
