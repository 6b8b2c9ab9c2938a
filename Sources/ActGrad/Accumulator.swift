// Cotangents of indexed elements, added in place: a loop over the elements of an array costs one addition each, not one array each. What is added to
// belongs to the accumulator alone; pointers stay in the closures that gave them.

import ActArray

enum Accumulator {
    /// Adds `c` to the elements of `total` at the ranges; `total` begins as zeros shaped like `array`. Nothing is traced.
    static func add(_ c: NDArray, at ranges: [SliceRange], to total: inout NDArray?, like array: NDArray) throws {
        try add(c, to: &total, like: array) { source, target in
            // The odometer runs over all axes but the last, which is a loop.
            let shape = array.shape
            var strides = [Int](repeating: 1, count: shape.count)
            for axis in shape.indices.reversed().dropFirst() { strides[axis] = strides[axis + 1] &* shape[axis + 1] }
            guard let last = ranges.last, let lastStride = strides.last else { return target.addElement(0, source, 0) }
            var counter = [Int](repeating: 0, count: shape.count)
            var position = zip(ranges, strides).reduce(0) { $0 &+ $1.0.start &* $1.1 }
            var next = 0
            while true {
                target.addRun(position, step: last.step &* lastStride, source, next, count: last.count)
                next &+= last.count
                var axis = shape.count - 2
                while axis >= 0 {
                    counter[axis] &+= 1
                    position &+= ranges[axis].step &* strides[axis]
                    if counter[axis] < ranges[axis].count { break }
                    position &-= ranges[axis].count &* ranges[axis].step &* strides[axis]
                    counter[axis] = 0
                    axis &-= 1
                }
                if axis < 0 { return }
            }
        }
    }

    /// Adds the chunks of `c` to the elements of `total` that they were gathered from.
    static func add(_ c: NDArray, at indices: GatherIndices, to total: inout NDArray?, like array: NDArray) throws {
        try add(c, to: &total, like: array) { source, target in
            for (k, start) in indices.starts.enumerated() {
                target.addRun(start, step: 1, source, k &* indices.chunk, count: indices.chunk)
            }
        }
    }

    /// Row-major elements of either float type.
    private enum Elements {
        case f32(UnsafeMutablePointer<Float>)
        case f64(UnsafeMutablePointer<Double>)

        func addRun(_ position: Int, step: Int, _ source: Elements, _ start: Int, count: Int) {
            switch (self, source) {
            case (.f64(let target), .f64(let source)): for i in 0..<count { target[position &+ i &* step] += source[start &+ i] }
            case (.f32(let target), .f32(let source)): for i in 0..<count { target[position &+ i &* step] += source[start &+ i] }
            default: break
            }
        }

        func addElement(_ position: Int, _ source: Elements, _ start: Int) { addRun(position, step: 1, source, start, count: 1) }
    }

    private static func add(_ c: NDArray, to total: inout NDArray?, like array: NDArray, _ body: (Elements, Elements) -> Void) throws {
        var sum: NDArray
        if let known = total {
            sum = known
            total = nil
            try sum.makeUnique()
        } else {
            sum = try NDArray.full(0, shape: array.shape, type: array.type)
        }
        if c.count > 0 {
            if c.type == .f64 {
                try c.withContiguous(of: Double.self) { source in
                    guard let base = source.baseAddress else { return }
                    sum.withMutableBytes {
                        body(.f64(UnsafeMutablePointer(mutating: base)), .f64($0.assumingMemoryBound(to: Double.self)))
                    }
                }
            } else {
                try c.withContiguous(of: Float.self) { source in
                    guard let base = source.baseAddress else { return }
                    sum.withMutableBytes {
                        body(.f32(UnsafeMutablePointer(mutating: base)), .f32($0.assumingMemoryBound(to: Float.self)))
                    }
                }
            }
        }
        total = sum
    }
}
