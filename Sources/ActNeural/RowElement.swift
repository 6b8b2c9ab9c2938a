// What kernels of rows, of channels of a batch and of windows over images are called with, for both element types.

import ActArray
import CActKernels

extension CustomFunction {
    /// Calls `body` with some of `count` after the others, on several threads.
    /// - Returns: whether no number overflowed or was undefined.
    func everyPiece(_ count: Int, of together: Int, _ body: (Int, Range<Int>) -> Void) throws -> Bool {
        try ThreadPool.parallelIsUsual((count + together - 1) / together) { piece in
            try Interrupt.check()
            body(piece, piece * together..<min(count, (piece + 1) * together))
        }
    }

    /// Calls `body` with the elements of arrays without gaps, `nil` for those that are missing.
    func withOperands<T, Result>(_ arrays: [NDArray?], _: T.Type, _ body: ([UnsafePointer<T>?]) throws -> Result) throws -> Result {
        func open(_ index: Int, _ opened: [UnsafePointer<T>?]) throws -> Result {
            guard index < arrays.count else { return try body(opened) }
            guard let array = arrays[index] else { return try open(index + 1, opened + [nil]) }
            return try array.detached().withContiguous(of: T.self) { try open(index + 1, opened + [$0.baseAddress]) }
        }
        return try open(0, [])
    }
}

/// How the channels of a batch lie: element (o, c, i) is at o · stride + c · inner + i.
struct Batch {
    let outer, channels, inner: Int
    var stride: Int { channels &* inner }
    /// How many elements each channel has.
    var count: Int { outer &* inner }

    /// - Parameter shape: (rows, channels, …).
    init(_ shape: [Int]) {
        (outer, channels, inner) = (shape[0], shape[1], shape.dropFirst(2).reduce(1, &*))
    }
}

/// The kernels for one element type (see CActKernels.h).
protocol RowElement {
    static func standardize(
        _ x: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>, _ rows: Int, _ n: Int, _ eps: Double, _ centers: Bool,
        _ gamma: UnsafePointer<Self>?, _ beta: UnsafePointer<Self>?, _ past: UnsafeMutablePointer<Double>)
    static func standardizeBack(
        _ x: UnsafePointer<Self>, _ dy: UnsafePointer<Self>, _ dx: UnsafeMutablePointer<Self>?, _ rows: Int, _ n: Int, _ eps: Double, _ centers: Bool,
        _ gamma: UnsafePointer<Self>?, _ past: UnsafePointer<Double>, _ dgamma: UnsafeMutablePointer<Self>?, _ dbeta: UnsafeMutablePointer<Self>?)
    static func standardizeChannels(
        _ x: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>, _ batch: Batch, _ channels: Int, _ eps: Double,
        _ gamma: UnsafePointer<Self>, _ beta: UnsafePointer<Self>, _ past: UnsafeMutablePointer<Double>)
    static func standardizeChannelsBack(
        _ x: UnsafePointer<Self>, _ dy: UnsafePointer<Self>, _ dx: UnsafeMutablePointer<Self>?, _ batch: Batch, _ channels: Int, _ eps: Double,
        _ gamma: UnsafePointer<Self>, _ past: UnsafePointer<Double>, _ dgamma: UnsafeMutablePointer<Self>, _ dbeta: UnsafeMutablePointer<Self>)
    /// `y` = `x` and `y` += `x`, line by line.
    static func copy(_ x: Lines<Self>, to y: UnsafeMutablePointer<Self>, line: Int)
    static func add(_ x: UnsafePointer<Self>, line: Int, to y: Lines<Self>)
    /// Patches of an image in strips, as `MatrixElement.productPack` lays out a matrix: some elements of the windows at `count` places.
    static func patches(
        _ image: UnsafePointer<Self>, _ windows: act_windows, _ elements: Range<Int>, place: Int, _ count: Int, _ packed: UnsafeMutablePointer<Self>)
    static func largest(_ x: Lines<Self>, _ distances: UnsafeBufferPointer<Int>, _ y: UnsafeMutablePointer<Self>, line: Int)
}

/// Elements in the memory of an image: `rows` lines that begin `line` apart, of each `count` elements that lie `step` apart.
struct Lines<T> {
    /// The first one. Who makes this keeps the memory until the last use, and writes to it only where it is its own.
    let first: UnsafePointer<T>
    let step, line, rows, count: Int
}

extension Float: RowElement {
    static func standardize(
        _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ rows: Int, _ n: Int, _ eps: Double, _ centers: Bool,
        _ gamma: UnsafePointer<Float>?, _ beta: UnsafePointer<Float>?, _ past: UnsafeMutablePointer<Double>
    ) {
        Kernels.table.pointee.standardize_f32(x, y, rows, n, eps, centers ? 1 : 0, gamma, beta, past)
    }

    static func standardizeBack(
        _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>?, _ rows: Int, _ n: Int, _ eps: Double,
        _ centers: Bool, _ gamma: UnsafePointer<Float>?, _ past: UnsafePointer<Double>, _ dgamma: UnsafeMutablePointer<Float>?,
        _ dbeta: UnsafeMutablePointer<Float>?
    ) {
        Kernels.table.pointee.standardize_back_f32(x, dy, dx, rows, n, eps, centers ? 1 : 0, gamma, past, dgamma, dbeta)
    }

    static func standardizeChannels(
        _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ batch: Batch, _ channels: Int, _ eps: Double,
        _ gamma: UnsafePointer<Float>, _ beta: UnsafePointer<Float>, _ past: UnsafeMutablePointer<Double>
    ) {
        Kernels.table.pointee.standardize_channels_f32(x, y, batch.outer, batch.stride, channels, batch.inner, eps, gamma, beta, past)
    }

    static func standardizeChannelsBack(
        _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>?, _ batch: Batch, _ channels: Int, _ eps: Double,
        _ gamma: UnsafePointer<Float>, _ past: UnsafePointer<Double>, _ dgamma: UnsafeMutablePointer<Float>, _ dbeta: UnsafeMutablePointer<Float>
    ) {
        Kernels.table.pointee.standardize_channels_back_f32(
            x, dy, dx, batch.outer, batch.stride, channels, batch.inner, eps, gamma, past, dgamma, dbeta)
    }

    static func copy(_ x: Lines<Float>, to y: UnsafeMutablePointer<Float>, line: Int) {
        Kernels.table.pointee.arrange_f32(x.first, x.line, x.step, x.rows, x.count, y, line)
    }

    static func add(_ x: UnsafePointer<Float>, line: Int, to y: Lines<Float>) {
        Kernels.table.pointee.add_lines_f32(x, line, UnsafeMutablePointer(mutating: y.first), y.step, y.line, y.rows, y.count)
    }

    static func patches(
        _ image: UnsafePointer<Float>, _ windows: act_windows, _ elements: Range<Int>, place: Int, _ count: Int, _ packed: UnsafeMutablePointer<Float>
    ) {
        var windows = windows
        Kernels.table.pointee.patches_f32(image, &windows, elements.lowerBound, elements.count, place, count, packed)
    }

    static func largest(_ x: Lines<Float>, _ distances: UnsafeBufferPointer<Int>, _ y: UnsafeMutablePointer<Float>, line: Int) {
        guard let first = distances.baseAddress else { return }
        Kernels.table.pointee.window_max_f32(x.first, x.step, x.line, first, distances.count, y, line, x.rows, x.count)
    }
}

extension Double: RowElement {
    static func standardize(
        _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ rows: Int, _ n: Int, _ eps: Double, _ centers: Bool,
        _ gamma: UnsafePointer<Double>?, _ beta: UnsafePointer<Double>?, _ past: UnsafeMutablePointer<Double>
    ) {
        Kernels.table.pointee.standardize_f64(x, y, rows, n, eps, centers ? 1 : 0, gamma, beta, past)
    }

    static func standardizeBack(
        _ x: UnsafePointer<Double>, _ dy: UnsafePointer<Double>, _ dx: UnsafeMutablePointer<Double>?, _ rows: Int, _ n: Int, _ eps: Double,
        _ centers: Bool, _ gamma: UnsafePointer<Double>?, _ past: UnsafePointer<Double>, _ dgamma: UnsafeMutablePointer<Double>?,
        _ dbeta: UnsafeMutablePointer<Double>?
    ) {
        Kernels.table.pointee.standardize_back_f64(x, dy, dx, rows, n, eps, centers ? 1 : 0, gamma, past, dgamma, dbeta)
    }

    static func standardizeChannels(
        _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ batch: Batch, _ channels: Int, _ eps: Double,
        _ gamma: UnsafePointer<Double>, _ beta: UnsafePointer<Double>, _ past: UnsafeMutablePointer<Double>
    ) {
        Kernels.table.pointee.standardize_channels_f64(x, y, batch.outer, batch.stride, channels, batch.inner, eps, gamma, beta, past)
    }

    static func standardizeChannelsBack(
        _ x: UnsafePointer<Double>, _ dy: UnsafePointer<Double>, _ dx: UnsafeMutablePointer<Double>?, _ batch: Batch, _ channels: Int, _ eps: Double,
        _ gamma: UnsafePointer<Double>, _ past: UnsafePointer<Double>, _ dgamma: UnsafeMutablePointer<Double>, _ dbeta: UnsafeMutablePointer<Double>
    ) {
        Kernels.table.pointee.standardize_channels_back_f64(
            x, dy, dx, batch.outer, batch.stride, channels, batch.inner, eps, gamma, past, dgamma, dbeta)
    }

    static func copy(_ x: Lines<Double>, to y: UnsafeMutablePointer<Double>, line: Int) {
        Kernels.table.pointee.arrange_f64(x.first, x.line, x.step, x.rows, x.count, y, line)
    }

    static func add(_ x: UnsafePointer<Double>, line: Int, to y: Lines<Double>) {
        Kernels.table.pointee.add_lines_f64(x, line, UnsafeMutablePointer(mutating: y.first), y.step, y.line, y.rows, y.count)
    }

    static func patches(
        _ image: UnsafePointer<Double>, _ windows: act_windows, _ elements: Range<Int>, place: Int, _ count: Int, _ packed: UnsafeMutablePointer<Double>
    ) {
        var windows = windows
        Kernels.table.pointee.patches_f64(image, &windows, elements.lowerBound, elements.count, place, count, packed)
    }

    static func largest(_ x: Lines<Double>, _ distances: UnsafeBufferPointer<Int>, _ y: UnsafeMutablePointer<Double>, line: Int) {
        guard let first = distances.baseAddress else { return }
        Kernels.table.pointee.window_max_f64(x.first, x.step, x.line, first, distances.count, y, line, x.rows, x.count)
    }
}
