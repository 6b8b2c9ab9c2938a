// Images looked at between their pixels: each place of the result says where it looks. Of operations that have derivatives, so that those
// of images and places, of any order, follow. M. Jaderberg et al. 2015, "Spatial transformer networks"; names and conventions are PyTorch's.

import ActArray
import ActRows

package enum Sampling {
    package enum Mode: String, Choice {
        /// Straight lines between the four (of volumes eight) pixels around.
        case bilinear
        case nearest
    }

    /// What is seen beyond the image.
    package enum Beyond: String, Choice {
        case zeros
        /// The nearest pixel at its border.
        case border
        /// The image in a mirror at its border.
        case reflection
    }
}

extension NDArray {
    /// Images (rows, channels, height, width) at places (rows, …, 2): x from −1 at the left to 1 at the right, then y from −1 at the top to 1 at
    /// the bottom. Of sequences and volumes likewise, with as many numbers as axes, the last axis first.
    /// - Parameter alignsCorners: Whether −1 and 1 are the middles of the outermost pixels, not their outer edges.
    /// - Throws: `ArrayError.badValue` for what does not fit.
    package func sampled(at grid: NDArray, _ mode: Sampling.Mode, beyond: Sampling.Beyond, alignsCorners: Bool) throws -> NDArray {
        func fail(_ reason: ArrayReason) -> ArrayError { .badValue(operation: "grid_sample", reason) }
        guard rank >= 3 else { throw fail(.sampledShape(shape)) }
        let sizes = Array(shape.dropFirst(2)), axes = sizes.count
        guard grid.rank >= 2, grid.shape.last == axes, grid.shape[0] == shape[0] else {
            throw fail(.gridShape(grid.shape, axes: axes, image: shape))
        }
        guard axes <= 8 else { throw fail(.tooManySampledAxes) }
        guard !sizes.contains(0) else { throw fail(.noPixels) }
        let type = self.type == .f32 && grid.type != .f64 ? ElementType.f32 : .f64
        let images = try converted(to: type), lead = Array(grid.shape.dropLast()), places = lead.dropFirst().reduce(1, &*)
        // Of every axis the position in pixels, for all places of the batch.
        let positions = try (0..<axes).map { axis in
            let number = try grid.converted(to: type).indexed(by: [.ellipsis, .integer(axes - 1 - axis)]).reshaped(to: [shape[0], places])
            return try number.pixels(sizes[axis], beyond, alignsCorners: alignsCorners)
        }
        var result: NDArray?
        for corner in 0..<(mode == .nearest ? 1 : 1 << axes) {
            var flat: NDArray?, weight: NDArray?
            for (axis, position) in positions.enumerated() {
                let fixed = try position.detached(), isNext = corner >> axis & 1 == 1
                let whole = try mode == .nearest ? NDArray.unary(.round, fixed) : NDArray.unary(.floor, fixed) + (isNext ? 1 : 0)
                if mode == .bilinear {
                    // From one pixel to the next its weight grows as the other's shrinks.
                    let share = try isNext ? position - (whole - 1) : (whole + 1) - position
                    weight = try weight.map { try $0 * share } ?? share
                }
                // No number at all lies outside too.
                let isInside = try NDArray.logical(
                    .and, NDArray.compare(.ge, .array(whole), .number(0)), NDArray.compare(.lt, .array(whole), .number(Double(sizes[axis]))))
                let mask = try NDArray.select(isInside, .number(1), .number(0)).converted(to: type)
                weight = try weight.map { try NDArray.select(isInside, .array($0), .number(0)) } ?? mask
                let safe = try NDArray.select(isInside, .array(whole), .number(0)).converted(to: .f64)
                flat = try flat.map { try $0 * Double(sizes[axis]) + safe } ?? safe
            }
            guard let flat, let weight else { continue }
            let pixels = try images.pixels(at: flat) * weight.reshaped(to: [shape[0], 1, places])
            result = try result.map { try $0 + pixels } ?? pixels
        }
        guard let result else { return self }
        return try result.reshaped(to: [shape[0], shape[1]] + lead.dropFirst())
    }

    /// Of every channel the pixels at flat positions (rows, places).
    private func pixels(at flat: NDArray) throws -> NDArray {
        let (rows, channels, places) = (shape[0], shape[1], flat.shape[1]), size = shape.dropFirst(2).reduce(1, &*)
        try MemoryPool.allow(rows &* channels &* places &* MemoryLayout<Int>.size)
        let numbers = try flat.toDoubles()
        var starts: [Int] = []
        starts.reserveCapacity(rows * channels * places)
        for row in 0..<rows {
            for channel in 0..<channels {
                try Interrupt.check()
                for place in 0..<places { starts.append((row * channels + channel) * size + Int(numbers[row * places + place])) }
            }
        }
        return try gathered(GatherIndices(starts: starts, chunk: 1), shape: [rows, channels, places])
    }

    /// Positions from −1 to 1 in pixels of an axis, brought onto the image where there is nothing beyond it.
    private func pixels(_ size: Int, _ beyond: Sampling.Beyond, alignsCorners: Bool) throws -> NDArray {
        let last = Double(size - 1)
        let position = try alignsCorners ? (self + 1) * (last / 2) : ((self + 1) * Double(size) - 1) / 2
        switch beyond {
        case .zeros: return position
        case .border: return try position.clipped(0, last)
        case .reflection:
            // Mirrors stand at the middles of the outermost pixels, or at their outer edges.
            let (low, span) = alignsCorners ? (0, last) : (-0.5, Double(size))
            if span == 0 { return try position * 0 }
            let distance = try NDArray.unary(.abs, position - low), fixed = try distance.detached()
            let flips = try NDArray.unary(.floor, fixed / span),
                isBack = try NDArray.compare(.eq, .array(NDArray.binary(.mod, .array(flips), .number(2))), .number(1))
            let rest = try distance - flips * span
            return try (NDArray.select(isBack, .array(span - rest), .array(rest)) + low).clipped(0, last)
        }
    }

    private func clipped(_ low: Double, _ high: Double) throws -> NDArray {
        try NDArray.binary(.min, .array(NDArray.binary(.max, .array(self), .number(low))), .number(high))
    }
}
