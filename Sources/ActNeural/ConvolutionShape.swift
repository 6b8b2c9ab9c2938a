// How a window goes over images: what sizes fit, which pixels each place of the result sees. Convolutions and pools ask it.
//
// Images are (rows of the batch, channels, sizes along 1 to 3 axes). Fewer axes than three are three whose first ones have one pixel, so
// that there is one way to walk over them.
//
// What must stay true: every size and position fits in an Int; what does not is refused when the shape is made.

import ActArray
import CActKernels

/// A window along one axis: place o sees the pixels o·stride + k·dilation − before, k counting from 0 to below `window`.
package struct WindowAxis: Equatable {
    package let size, window, stride, dilation, before, after, places: Int

    /// An axis that is not there.
    static let none = WindowAxis(size: 1, window: 1, stride: 1, dilation: 1, before: 0, after: 0, places: 1)

    private init(size: Int, window: Int, stride: Int, dilation: Int, before: Int, after: Int, places: Int) {
        (self.size, self.window, self.stride, self.dilation, self.before, self.after, self.places) = (size, window, stride, dilation, before, after, places)
    }

    /// - Parameter ceil: Whether a last window that goes over the end counts, if it begins before.
    /// - Returns: `nil` where the window has no place.
    package init?(size: Int, _ windows: Windows.Axis, ceil: Bool = false) {
        let extent = (windows.window - 1) * windows.dilation + 1, stride = windows.stride
        let (before, after) = windows.padding(of: size)
        // Four billion pixels along an axis are more than memory holds of them; what is added to it is bounded by `Windows`.
        guard size >= 0, size <= 1 << 40, size + before + after >= extent else { return nil }
        let room = size + before + after - extent
        var places = room / stride + 1
        if ceil, room % stride > 0, places * stride < size + before { places += 1 }
        self.init(
            size: size, window: windows.window, stride: stride, dilation: windows.dilation, before: before, after: after, places: places)
    }

    /// How many zeros after the last pixel the last window reaches.
    package var overhang: Int { max(0, (places - 1) * stride + (window - 1) * dilation + 1 - before - size) }

    /// Places o with 0 ≤ o·stride + k·dilation − before < size.
    func places(seeing k: Int) -> Range<Int> {
        let shift = before &- k &* dilation
        let first = min(places, max(0, (shift &+ stride &- 1) / stride))
        return size &+ shift <= 0 ? first..<first : first..<max(first, min(places, (size &- 1 &+ shift) / stride &+ 1))
    }

    /// Elements k of the window that lie on pixels, at a place.
    func seen(from place: Int) -> Range<Int> {
        let start = before &- place &* stride
        let first = min(window, max(0, (start &+ dilation &- 1) / dilation))
        return size &+ start <= 0 ? first..<first : first..<max(first, min(window, (size &- 1 &+ start) / dilation &+ 1))
    }
}

extension act_window_axis {
    fileprivate init(_ axis: WindowAxis) {
        self.init(
            size: axis.size, window: axis.window, stride: axis.stride, dilation: axis.dilation, before: axis.before, places: axis.places)
    }
}

/// How windows are laid, whatever the images' size.
package struct Windows: Equatable {
    package struct Axis: Equatable {
        package let window, stride, dilation: Int
        let padding: Padding

        /// Zeros before and after so many pixels.
        func padding(of size: Int) -> (before: Int, after: Int) {
            switch padding {
            case .of(let before, let after): return (before, after)
            case .same:
                // As many places as strides begin; of an odd number of zeros the greater part comes after.
                let places = size / stride + (size % stride > 0 ? 1 : 0)
                let total = max(0, (places - 1) * stride + (window - 1) * dilation + 1 - size)
                return (total / 2, total - total / 2)
            }
        }
    }

    package enum Padding: Equatable {
        case of(before: Int, after: Int)
        /// As much as makes the result as long as the image, or the share of it that the stride leaves.
        case same
    }

    package let axes: [Axis]

    /// - Parameters: each a number for all axes, or one for each.
    package init(window: [Int], stride: [Int], padding: [Padding], dilation: [Int]) {
        axes = window.indices.map { Axis(window: window[$0], stride: stride[$0], dilation: dilation[$0], padding: padding[$0]) }
    }

    package var rank: Int { axes.count }
    package var window: [Int] { axes.map(\.window) }
    /// How many elements a window has.
    package var area: Int { window.reduce(1, *) }

    /// The most that one of its numbers may be.
    package static let most = 1 << 15

    /// The axes for images of such sizes.
    /// - Returns: `nil` where a window has no place.
    package func axes(over sizes: [Int], ceil: Bool = false) -> [WindowAxis]? {
        guard sizes.count == rank else { return nil }
        var result: [WindowAxis] = []
        for (size, windows) in zip(sizes, axes) {
            guard let axis = WindowAxis(size: size, windows, ceil: ceil) else { return nil }
            result.append(axis)
        }
        return result
    }

    /// The least sizes that have a place for the window: `3 by 5`.
    package var leastSizes: [Int] {
        axes.map { axis in
            switch axis.padding {
            case .of(let before, let after): max(1, (axis.window - 1) * axis.dilation + 1 - before - after)
            case .same: 1
            }
        }
    }
}

/// A convolution's sizes: images (batch, channels, …), weights (outputs, channels of a group, …), result (batch, outputs, …).
struct ConvolutionShape: Equatable {
    let batch, channels, outputs, groups: Int
    /// Of depth, height and width.
    let z, y, x: WindowAxis
    /// How many of them there are, the last ones.
    let rank: Int

    /// - Returns: `nil` where images, weights and windows do not fit.
    /// - Throws: `ArrayError.tooLarge` when pixels, places or patches cannot be counted.
    init?(images: [Int], weights: [Int], _ axes: [WindowAxis], groups: Int) throws {
        guard (1...3).contains(axes.count), images.count == axes.count + 2, weights.count == images.count, groups > 0 else { return nil }
        guard images[1] == weights[1] * groups, weights[0] % groups == 0, axes.map(\.window) == Array(weights.dropFirst(2)) else { return nil }
        (batch, channels, outputs, self.groups) = (images[0], images[1], weights[0], groups)
        rank = axes.count
        let all = [WindowAxis](repeating: .none, count: 3 - rank) + axes
        (z, y, x) = (all[0], all[1], all[2])
        for sizes in [all.map(\.size), all.map(\.places), weights.dropFirst() + [x.places]] { _ = try Shapes.count(sizes.map { max(1, $0) }) }
    }

    private var axes: [WindowAxis] { [z, y, x].suffix(rank) }
    var images: [Int] { [batch, channels] + axes.map(\.size) }
    var weights: [Int] { [outputs, channels / groups] + axes.map(\.window) }
    var result: [Int] { [batch, outputs] + axes.map(\.places) }

    /// Pixels of a channel.
    var pixels: Int { z.size * y.size * x.size }
    /// Of one group: patches are `depth` numbers, and there are `places` of them, in `lines` along the last axis.
    var depth: Int { channels / groups * z.window * y.window * x.window }
    var places: Int { lines * x.places }
    var lines: Int { z.places * y.places }
    /// How many lines of the result are computed together: their patches stay in a core's cache.
    var linesAtOnce: Int { max(1, min(lines, Int(0x1p18 / max(1, Double(depth) * Double(x.places))))) }
    /// How many parts the batch is cut into.
    var parts: Int { min(batch, 8) }

    func images(of part: Int) -> Range<Int> { part * batch / max(1, parts)..<(part + 1) * batch / max(1, parts) }

    // MARK: In primitives

    /// Zeros around the images.
    var padding: [(before: Int, after: Int)] { [(0, 0), (0, 0)] + axes.map { ($0.before, max($0.after, $0.overhang)) } }

    /// For every image, group, element of a patch and place of the result the flat position of the pixel in the padded images.
    var patches: [Int] {
        let (depth, height, width) = (
            z.size + z.before + max(z.after, z.overhang), y.size + y.before + max(y.after, y.overhang), x.size + x.before + max(x.after, x.overhang)
        )
        var positions: [Int] = []
        for plane in 0..<batch * channels {
            for k in 0..<z.window {
                for i in 0..<y.window {
                    for j in 0..<x.window {
                        for c in 0..<z.places {
                            for b in 0..<y.places {
                                let line = ((plane * depth + c * z.stride + k * z.dilation) * height + b * y.stride + i * y.dilation) * width + j * x.dilation
                                for a in 0..<x.places { positions.append(line + a * x.stride) }
                            }
                        }
                    }
                }
            }
        }
        return positions
    }

    // MARK: Walking

    /// As kernels take it.
    var windows: act_windows { act_windows(z: act_window_axis(z), y: act_window_axis(y), x: act_window_axis(x)) }

    /// What a part of the batch is computed in: lines of the result of one image's group.
    func pieces(of part: Int) -> some Sequence<(image: Int, group: Int, lines: Range<Int>)> {
        let strips = (lines + linesAtOnce - 1) / linesAtOnce, images = images(of: part)
        return (images.lowerBound * groups * strips..<images.upperBound * groups * strips).lazy.map { number in
            let first = number % strips * linesAtOnce
            return (number / strips / groups, number / strips % groups, first..<min(lines, first + linesAtOnce))
        }
    }

    /// The places of some lines of the result, in one plane of it, as one element of the window sees them.
    private struct Block {
        /// Where they begin among the columns, and how many lines they are.
        let column, rows: Int
        /// Which of the lines, and of each line's places, see a pixel; and which pixel is the first of them.
        let seenRows, seen: Range<Int>
        let pixel: Int
    }

    private func forEachBlock(_ lines: Range<Int>, _ body: (Block) -> Void) {
        var column = 0
        for channel in 0..<channels / groups {
            for k in 0..<z.window {
                for i in 0..<y.window {
                    for j in 0..<x.window {
                        let seen = x.places(seeing: j)
                        var line = lines.lowerBound
                        while line < lines.upperBound {
                            let c = line / y.places, b = line % y.places, rows = min(lines.upperBound &- line, y.places &- b)
                            let plane = c &* z.stride &+ k &* z.dilation &- z.before
                            let inside = plane >= 0 && plane < z.size ? y.places(seeing: i).clamped(to: b..<b &+ rows) : b..<b
                            let row = inside.lowerBound &* y.stride &+ i &* y.dilation &- y.before
                            let first = seen.lowerBound &* x.stride &+ j &* x.dilation &- x.before
                            body(
                                Block(
                                    column: column, rows: rows, seenRows: inside.lowerBound &- b..<inside.upperBound &- b, seen: seen,
                                    pixel: ((channel &* z.size &+ plane) &* y.size &+ row) &* x.size &+ first))
                            column &+= rows &* x.places
                            line &+= rows
                        }
                    }
                }
            }
        }
    }

    /// The pixels that the places of a block see.
    private func pixels<T>(_ block: Block, of image: UnsafePointer<T>) -> Lines<T> {
        Lines(first: image + block.pixel, step: x.stride, line: y.stride &* x.size, rows: block.seenRows.count, count: block.seen.count)
    }

    /// Zeros among the columns of some lines where windows lie beside the image. Whichever image's patches come there, they stay.
    func fillBorders<T: BinaryFloatingPoint>(_ lines: Range<Int>, of columns: UnsafeMutablePointer<T>) {
        let places = x.places
        forEachBlock(lines) { block in
            let target = columns + block.column, (rows, seen) = (block.seenRows, block.seen)
            guard !rows.isEmpty, !seen.isEmpty else { return target.update(repeating: 0, count: block.rows &* places) }
            target.update(repeating: 0, count: rows.lowerBound &* places)
            for row in rows {
                let line = target + row &* places
                for place in 0..<seen.lowerBound { line[place] = 0 }
                for place in seen.upperBound..<places { line[place] = 0 }
            }
            (target + rows.upperBound &* places).update(repeating: 0, count: (block.rows &- rows.upperBound) &* places)
        }
    }

    /// The patches of one image's group that belong to some lines of the result, as columns, between the borders.
    func spread<T: RowElement>(_ image: UnsafePointer<T>, _ lines: Range<Int>, into columns: UnsafeMutablePointer<T>) {
        forEachBlock(lines) { block in
            guard !block.seenRows.isEmpty, !block.seen.isEmpty else { return }
            let target = columns + block.column + block.seenRows.lowerBound &* x.places + block.seen.lowerBound
            T.copy(pixels(block, of: image), to: target, line: x.places)
        }
    }

    /// The adjoint: every column's values added to the pixels that they came from.
    func gather<T: RowElement>(_ columns: UnsafePointer<T>, _ lines: Range<Int>, addingTo image: UnsafeMutablePointer<T>) {
        forEachBlock(lines) { block in
            guard !block.seenRows.isEmpty, !block.seen.isEmpty else { return }
            let source = columns + block.column + block.seenRows.lowerBound &* x.places + block.seen.lowerBound
            T.add(source, line: x.places, to: pixels(block, of: image))
        }
    }
}
