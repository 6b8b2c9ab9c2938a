// Windows and transforms of signals: spectra as products with cosines and sines.

import ActArray
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension ONNXOperators {
    static let signals: [OperatorRow] = [
        window("HannWindow", [0.5, -0.5]), window("HammingWindow", [25 / 46.0, -21 / 46.0]), window("BlackmanWindow", [0.42, -0.5, 0.08]),
        OperatorRow("DFT", settings: [1, 2]) { call in
            let x = try call.x(0), given = try call.has(2) ? call.whole(2) : call.int("axis", call.version >= 20 ? -2 : 1)
            let axis = try call.axis(given, rank: x.rank), isHalf = try call.flag("onesided", false), isInverse = try call.flag("inverse", false)
            let length = try call.has(1) ? call.size(1) : isHalf && isInverse ? 2 * (x.shape[axis] - 1) : x.shape[axis]
            guard x.rank >= 2, axis < x.rank - 1, length > 0, let parts = x.shape.last, parts == 1 || parts == 2 else {
                throw call.fail(.shape(x.shape, input: 0))
            }
            return try call.result(x.spectrum(axis, length, isOnesided: isHalf, isInverse: isInverse))
        },
        OperatorRow("STFT", settings: [1, 3]) { call in
            let given = try call.x(0), step = try call.whole(1), x = given.rank == 2 ? try given.expandedDims(2) : given
            let length = try call.has(3) ? call.whole(3) : call.maybe(2)?.count ?? 0
            guard x.rank == 3, step > 0, length > 0, length <= x.shape[1] else { throw call.fail(.shape(x.shape, input: 0)) }
            let frames = (x.shape[1] - length) / step + 1
            try MemoryPool.allow(Shapes.count([frames, length]) &* 16)
            let places = try NDArray((0..<frames).flatMap { frame in (0..<length).map { Double(frame * step + $0) } }, shape: [frames, length])
            var parts = try x.indexed(by: [.slice(start: nil, stop: nil, step: nil), .array(places)])
            if let window = try call.maybe(2) { parts = try parts * window.reshaped(to: [window.count, 1]) }
            return try call.result(parts.spectrum(2, length, isOnesided: call.flag("onesided", true), isInverse: false))
        },
    ]

    /// Sums of cosines of whole multiples of the turn.
    private static func window(_ name: String, _ factors: [Double]) -> OperatorRow {
        OperatorRow(name, .said("output_datatype"), settings: [0]) { call in
            let size = try call.size(0), isPeriodic = try call.flag("periodic", true), type = try call.elementType("output_datatype") ?? .float
            guard size >= 0 else { throw ArrayError.negativeSize(size) }
            let places = try NDArray.range(0, Double(size), 1), turn = 2 * Double.pi / Double(max(1, isPeriodic ? size : size - 1))
            var sum = try NDArray.full(factors[0], shape: [size], type: .f64)
            for (index, factor) in factors.enumerated().dropFirst() { sum = try sum + NDArray.unary(.cos, places * (turn * Double(index))) * factor }
            return [.array(try sum.converted(to: type.storage ?? .f32), type)]
        }
    }
}

extension NDArray {
    /// The discrete Fourier transform along an axis; the last axis holds real parts, and imaginary ones where they are there. A signal that is too
    /// short goes on with zeros.
    fileprivate func spectrum(_ axis: Int, _ length: Int, isOnesided: Bool, isInverse: Bool) throws -> NDArray {
        _ = try Shapes.count([length, length])
        try MemoryPool.allow(length &* length &* 16)
        let half = length / 2 + 1, inputs = isOnesided && isInverse ? half : length, outputs = isOnesided && !isInverse ? half : length
        // Sums of many terms that cancel: in f64 whatever the type.
        var x = try converted(to: .f64)
        if x.shape[axis] > inputs { x = try x.cut(axis, 0, inputs) }
        if x.shape[axis] < inputs {
            var widths = [(before: Int, after: Int)](repeating: (0, 0), count: rank)
            widths[axis].after = inputs - x.shape[axis]
            x = try x.padded(widths)
        }
        // The axis last but one, real and imaginary parts side by side.
        let order = (0..<rank - 1).filter { $0 != axis } + [axis, rank - 1]
        let front = try x.transposed(order), parts = shape[rank - 1]
        let real = try front.cut(rank - 1, 0, 1), imaginary = parts == 2 ? try front.cut(rank - 1, 1, 1) : nil
        func table(_ function: (Double) -> Double) throws -> NDArray {
            let elements = try (0..<outputs).flatMap { k in
                try Interrupt.check()
                return (0..<inputs).map { t -> Double in
                    // A one-sided spectrum is half of one: the other half is its mirror image, and both come together.
                    let weight = inputs < length && t > 0 && 2 * t != length ? 2.0 : 1.0
                    return weight * function(2 * Double.pi * Double(k * t % length) / Double(length))
                }
            }
            return try NDArray(elements, shape: [outputs, inputs])
        }
        let c = try table { cos($0) }, s = try table { sin($0) }, sign = isInverse ? -1.0 : 1.0
        var re = try NDArray.matmul(c, real), im = try NDArray.matmul(s, real) * -sign
        if let imaginary {
            re = try re + NDArray.matmul(s, imaginary) * sign
            im = try im + NDArray.matmul(c, imaginary)
        }
        var result = try NDArray.concatenated(isOnesided && isInverse ? [re] : [re, im], axis: rank - 1)
        if isInverse { result = try result / Double(length) }
        return try result.transposed((0..<rank).map { place in order.firstIndex(of: place) ?? place }).converted(to: type)
    }
}
