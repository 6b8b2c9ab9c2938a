// Convolution of images, as the three linear functions of one trilinear form: from images and weights to the result, and back to each of
// the two. Each one's derivatives are the other two, so that derivatives of any order need nothing more.
//
// Images are (rows of the batch, channels, height, width), weights (outputs, channels of a group, height, width). Each image's patches are
// laid out as columns of a matrix, some rows of the result at a time, and the product of the weights with it is the result.
//
// What must stay true: images are shared out among threads in fixed parts and their contributions added in order, so that the result
// depends on neither.

import ActArray

struct ConvolutionShape: Equatable {
    let batch, channels, height, width: Int
    let outputs, kernelHeight, kernelWidth: Int
    let stride, padding, groups: Int
    let outHeight, outWidth: Int

    /// - Throws: `ArrayError.tooLarge` when the patches cannot be counted.
    init?(images: [Int], weights: [Int], stride: Int, padding: Int, groups: Int) {
        guard images.count == 4, weights.count == 4, images[1] == weights[1] * groups, weights[0] % groups == 0 else { return nil }
        (batch, channels, height, width) = (images[0], images[1], images[2], images[3])
        (outputs, kernelHeight, kernelWidth) = (weights[0], weights[2], weights[3])
        (self.stride, self.padding, self.groups) = (stride, padding, groups)
        guard height + 2 * padding >= kernelHeight, width + 2 * padding >= kernelWidth else { return nil }
        outHeight = (height + 2 * padding - kernelHeight) / stride + 1
        outWidth = (width + 2 * padding - kernelWidth) / stride + 1
    }

    var images: [Int] { [batch, channels, height, width] }
    var weights: [Int] { [outputs, channels / groups, kernelHeight, kernelWidth] }
    var result: [Int] { [batch, outputs, outHeight, outWidth] }

    /// Of one group: patches are `depth` numbers, and there are `places` of them.
    var depth: Int { channels / groups * kernelHeight * kernelWidth }
    var places: Int { outHeight * outWidth }
    /// How many rows of the result are computed together: their patches stay in a core's cache.
    var rowsAtOnce: Int { max(1, min(outHeight, Int(0x1p18 / (Double(depth) * Double(outWidth))))) }
    /// How many parts the batch is cut into.
    var parts: Int { min(batch, 8) }

    func images(of part: Int) -> Range<Int> { part * batch / max(1, parts)..<(part + 1) * batch / max(1, parts) }
}

final class Convolution: CustomFunction {
    /// Which of the three is computed from the other two.
    enum Face: String {
        case result     // of images and weights
        case images     // of what reached the result, and weights
        case weights    // of what reached the result, and images
    }

    private let face: Face
    private let shape: ConvolutionShape

    private init(_ face: Face, _ shape: ConvolutionShape) {
        self.face = face
        self.shape = shape
    }

    var name: String { "convolution" }
    var isElementwise: Bool { false }

    /// Which of the three it gives, and how images and weights lie on each other.
    var attributes: [Attribute] {
        [
            Attribute("gives", face.rawValue), Attribute("stride", shape.stride), Attribute("padding", shape.padding),
            Attribute("groups", shape.groups),
        ]
    }

    /// Padding, patches as columns, a product of matrices; and back.
    func lowered(_ x: [NDArray]) throws -> NDArray? {
        let (batch, groups, depth, places) = (shape.batch, shape.groups, shape.depth, shape.places)
        let outs = shape.outputs / groups
        let patches = GatherIndices(starts: shape.patches, chunk: 1), padded = shape.paddedImages
        let inside = [0, 0, shape.padding, shape.padding]
        let ranges = zip(inside, shape.images).map { SliceRange(start: $0, step: 1, count: $1) }
        func columns(_ images: NDArray) throws -> NDArray {
            try images.unsliced(ranges, shape: padded).gathered(patches, shape: [batch, groups, depth, places])
        }
        func rows(_ result: NDArray) throws -> NDArray { try result.reshaped(to: [batch, groups, outs, places]) }
        switch face {
        case .result:
            return try NDArray.matmul(x[1].reshaped(to: [1, groups, outs, depth]), columns(x[0])).reshaped(to: shape.result)
        case .images:
            let reached = try NDArray.matmul(x[1].reshaped(to: [1, groups, outs, depth]).matrixTransposed(), rows(x[0]))
            return try reached.scatteredAdd(patches, shape: padded).sliced(ranges)
        case .weights:
            return try NDArray.matmul(rows(x[0]), columns(x[1]).matrixTransposed()).reduced(.sum, axes: [0]).reshaped(to: shape.weights)
        }
    }

    static func result(_ images: NDArray, _ weights: NDArray, _ shape: ConvolutionShape) throws -> NDArray {
        try apply(.result, images, weights, shape)
    }

    /// The adjoint in the images: what every place of a result lays on the images that it comes from.
    static func images(_ result: NDArray, _ weights: NDArray, _ shape: ConvolutionShape) throws -> NDArray {
        try apply(.images, result, weights, shape)
    }

    private static func apply(_ face: Face, _ a: NDArray, _ b: NDArray, _ shape: ConvolutionShape) throws -> NDArray {
        let first = try a.detached().contiguous(), second = try b.detached().converted(to: a.type).contiguous()
        let value = a.type == .f32 ? try compute(face, first, second, shape, Float.self) : try compute(face, first, second, shape, Double.self)
        return try NDArray.custom(Convolution(face, shape), inputs: [a, b], value: value)
    }

    func pullback(cotangent c: NDArray, inputs: [NDArray], result: NDArray) throws -> [NDArray?] {
        let apply = { (face: Face, a: NDArray, b: NDArray) in try Convolution.apply(face, a, b, self.shape) }
        let (a, b) = (inputs[0], inputs[1])
        return switch face {
        case .result: [try apply(.images, c, b), try apply(.weights, c, a)]      // a: images, b: weights
        case .images: [try apply(.result, c, b), try apply(.weights, a, c)]      // a: of the result, b: weights
        case .weights: [try apply(.result, b, c), try apply(.images, a, c)]      // a: of the result, b: images
        }
    }

    // MARK: Computing

    private static func compute<T: MatrixElement>(
        _ face: Face, _ a: NDArray, _ b: NDArray, _ shape: ConvolutionShape, _: T.Type
    ) throws -> NDArray {
        let (depth, places) = (shape.depth, shape.places)
        let target = switch face {
        case .result: shape.result
        case .images: shape.images
        case .weights: shape.weights
        }
        let value = try FreshArray(shape: target, type: a.type, filledWith: face == .result && a.count > 0 && b.count > 0 ? nil : 0)
        if value.count == 0 || a.count == 0 || b.count == 0 { return value.finished() }
        let (columnsCount, overflow) = depth.multipliedReportingOverflow(by: shape.rowsAtOnce * shape.outWidth)
        guard !overflow else { throw ArrayError.tooLarge(shape: [depth, shape.rowsAtOnce, shape.outWidth]) }
        // A matrix of patches for each part of the batch; a sum of weights too.
        let columns = try FreshArray(shape: [shape.parts, columnsCount], type: a.type)
        let sums = try FreshArray(shape: [face == .weights ? shape.parts : 0] + target, type: a.type, filledWith: 0)
        let (patchElements, sumElements, targetElements) = (columns.elements(of: T.self), sums.elements(of: T.self), value.elements(of: T.self))
        let weightCount = value.count
        let (outs, channels) = (shape.outputs / shape.groups, shape.channels / shape.groups)
        try a.withContiguous(of: T.self) { a in
            try b.withContiguous(of: T.self) { b in
                guard let a = a.baseAddress, let b = b.baseAddress else { return }
                let target = targetElements
                try ThreadPool.parallel(shape.parts) { part in
                    let matrix = patchElements + part * columnsCount
                    for (image, group, rows) in shape.pieces(of: part) {
                        try Interrupt.check()
                        let pixels = (image * shape.groups + group) * channels * shape.height * shape.width
                        let results = (image * shape.groups + group) * outs * places + rows.lowerBound * shape.outWidth
                        let weights = group * outs * depth, count = rows.count * shape.outWidth
                        let patches = MatrixView(UnsafePointer(matrix), rowStride: count)
                        switch face {
                        case .result:
                            shape.spread(a + pixels, rows, into: matrix)
                            try MatrixProduct.multiply(
                                m: outs, n: count, k: depth, MatrixView(b + weights, rowStride: depth), patches, into: target + results,
                                rowStride: places)
                        case .images:
                            try MatrixProduct.multiply(
                                m: depth, n: count, k: outs, MatrixView(b + weights, rowStride: depth).transposed,
                                MatrixView(a + results, rowStride: places), into: matrix, rowStride: count)
                            shape.gather(matrix, rows, addingTo: target + pixels)
                        case .weights:
                            shape.spread(b + pixels, rows, into: matrix)
                            let sum = sumElements + part * weightCount
                            try MatrixProduct.multiply(
                                m: outs, n: depth, k: count, MatrixView(a + results, rowStride: places), patches.transposed, beta: 1,
                                into: sum + weights, rowStride: depth)
                        }
                    }
                }
            }
        }
        // The parts are done, so their memory may go.
        _ = columns.finished()
        guard face == .weights else { return value.finished() }
        let parts = sums.finished()
        return try (1..<shape.parts).reduce(parts.indexed(by: [.integer(0)])) { try $0 + parts.indexed(by: [.integer($1)]) }
    }
}

extension ConvolutionShape {
    fileprivate var paddedImages: [Int] { [batch, channels, height + 2 * padding, width + 2 * padding] }

    /// For every image, group, element of a patch and place of the result the flat position of the pixel in the padded images.
    fileprivate var patches: [Int] {
        let (rows, columns) = (height + 2 * padding, width + 2 * padding)
        var positions: [Int] = []
        for plane in 0..<batch * groups {
            for channel in 0..<channels / groups {
                for i in 0..<kernelHeight {
                    for j in 0..<kernelWidth {
                        let corner = ((plane * (channels / groups) + channel) * rows + i) * columns + j
                        for y in 0..<outHeight { for x in 0..<outWidth { positions.append(corner + y * stride * columns + x * stride) } }
                    }
                }
            }
        }
        return positions
    }

    /// What a part of the batch is computed in: rows of the result of one image's group.
    fileprivate func pieces(of part: Int) -> some Sequence<(image: Int, group: Int, rows: Range<Int>)> {
        let strips = (outHeight + rowsAtOnce - 1) / rowsAtOnce, images = images(of: part)
        return (images.lowerBound * groups * strips..<images.upperBound * groups * strips).lazy.map { number in
            let first = number % strips * rowsAtOnce
            return (number / strips / groups, number / strips % groups, first..<min(outHeight, first + rowsAtOnce))
        }
    }

    /// Calls `body` for every row of a kernel position's values: where it begins among the columns and in the image, and which of its
    /// places lie inside the image.
    @inline(__always)
    private func forEachRow(_ rows: Range<Int>, _ body: (_ column: Int, _ pixel: Int, _ inside: Range<Int>) -> Void) {
        var column = 0
        for channel in 0..<channels / groups {
            for i in 0..<kernelHeight {
                for j in 0..<kernelWidth {
                    // Places x with 0 ≤ x·stride + j − padding < width.
                    let first = min(outWidth, max(0, (padding - j + stride - 1) / stride))
                    let last = min(outWidth, max(first, (width - 1 + padding - j) / stride + 1))
                    let inside = width + padding - j <= 0 ? 0..<0 : first..<max(first, last)
                    for y in rows {
                        let line = y &* stride &+ i &- padding
                        if line < 0 || line >= height {
                            body(column, 0, 0..<0)
                        } else {
                            body(column, (channel &* height &+ line) &* width &+ j &- padding, inside)
                        }
                        column &+= outWidth
                    }
                }
            }
        }
    }

    /// The patches of one image's group that belong to some rows of the result, as columns.
    fileprivate func spread<T: BinaryFloatingPoint>(_ pixels: UnsafePointer<T>, _ rows: Range<Int>, into columns: UnsafeMutablePointer<T>) {
        forEachRow(rows) { column, pixel, inside in
            let target = columns + column
            for x in 0..<inside.lowerBound { target[x] = 0 }
            if stride == 1 {
                (target + inside.lowerBound).update(from: pixels + pixel + inside.lowerBound, count: inside.count)
            } else {
                for x in inside { target[x] = pixels[pixel &+ x &* stride] }
            }
            for x in inside.upperBound..<outWidth { target[x] = 0 }
        }
    }

    /// The adjoint: every column's values added to the pixels that they came from.
    fileprivate func gather<T: BinaryFloatingPoint>(_ columns: UnsafePointer<T>, _ rows: Range<Int>, addingTo pixels: UnsafeMutablePointer<T>) {
        forEachRow(rows) { column, pixel, inside in
            let source = columns + column
            for x in inside { pixels[pixel &+ x &* stride] += source[x] }
        }
    }
}
