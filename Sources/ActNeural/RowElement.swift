// What the kernels that standardise are called with, for both element types: rows of a matrix, or channels of a batch.

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
}
