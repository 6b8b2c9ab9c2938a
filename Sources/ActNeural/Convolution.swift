// Convolution of images, as the three linear functions of one trilinear form: from images and weights to the result, and back to each of
// the two. Each one's derivatives are the other two, so that derivatives of any order need nothing more.
//
// Each image's patches are columns of a matrix, and the product of the weights with it is the result. For the result they are laid out some strips
// at a time, as the kernel of the product reads them; on the way back some lines at a time, as rows. `ConvolutionShape` says how images, windows and
// results lie on each other.
//
// What must stay true: images are shared out among threads in fixed parts and their contributions added in order, so that the result
// depends on neither.

import ActArray
import CActKernels

extension NDArray {
    /// This array of images convolved: (rows, channels, …) and weights (outputs, channels of a group, …) give (rows, outputs, …).
    /// - Returns: `nil` where images, weights and windows do not fit.
    package func convolved(with weights: NDArray, _ windows: Windows, groups: Int) throws -> NDArray? {
        guard rank == windows.rank + 2, let axes = windows.axes(over: Array(shape.dropFirst(2))) else { return nil }
        guard let shape = try ConvolutionShape(images: shape, weights: weights.shape, axes, groups: groups) else { return nil }
        return try Convolution.result(self, weights, shape)
    }

    /// The images of which this array would be the convolution, were it turned around: (rows, channels, …) and weights (channels, outputs of a
    /// group, …) give (rows, outputs, …). A side of n pixels becomes (n − 1) stride − padding + the window's extent + extra, with padding
    /// "same" n stride.
    /// - Returns: `nil` where images, weights and windows do not fit, or nothing would be left.
    package func convolvedBack(with weights: NDArray, _ windows: Windows, groups: Int, extra: [Int]) throws -> NDArray? {
        guard rank == windows.rank + 2, weights.rank == rank, shape.dropFirst(2).allSatisfy({ $0 > 0 && $0 <= 1 << 40 }) else { return nil }
        let sizes = zip(shape.dropFirst(2), zip(windows.axes, extra)).map { pixels, axis -> Int in
            let (axis, extra) = axis
            guard case .of(let before, let after) = axis.padding else { return pixels * axis.stride }
            return (pixels - 1) * axis.stride - before - after + (axis.window - 1) * axis.dilation + 1 + extra
        }
        let (outputs, overflow) = weights.shape[1].multipliedReportingOverflow(by: groups)
        guard !overflow, sizes.allSatisfy({ $0 > 0 }), let axes = windows.axes(over: sizes) else { return nil }
        let images = [shape[0], outputs] + sizes
        guard let shape = try ConvolutionShape(images: images, weights: weights.shape, axes, groups: groups), shape.result == self.shape else { return nil }
        return try Convolution.images(self, weights, shape)
    }
}

final class Convolution: CustomFunction {
    /// Which of the three is computed from the other two.
    enum Face: String {
        case result  // of images and weights
        case images  // of what reached the result, and weights
        case weights  // of what reached the result, and images
    }

    private let face: Face
    private let shape: ConvolutionShape

    private init(_ face: Face, _ shape: ConvolutionShape) {
        self.face = face
        self.shape = shape
    }

    var name: String { "convolution" }
    var isElementwise: Bool { false }

    /// Which of the three it gives, and how images and weights lie on each other: along each axis as in `Conv2D`, padding before and after.
    var attributes: [Attribute] {
        let axes = [shape.z, shape.y, shape.x].suffix(shape.rank)
        return [
            Attribute("gives", face.rawValue), Attribute("stride", .wholes(axes.map(\.stride))),
            Attribute("padding", .wholes(axes.flatMap { [$0.before, $0.after] })),
            Attribute("dilation", .wholes(axes.map(\.dilation))), Attribute("groups", shape.groups),
        ]
    }

    /// Padding, patches as columns, a product of matrices; and back.
    func lowered(_ x: [NDArray]) throws -> NDArray? {
        let (batch, groups, depth, places) = (shape.batch, shape.groups, shape.depth, shape.places)
        let outs = shape.outputs / groups
        let patches = GatherIndices(starts: shape.patches, chunk: 1), padded = zip(shape.images, shape.padding).map { $0 + $1.before + $1.after }
        let ranges = zip(shape.padding, shape.images).map { SliceRange(start: $0.before, step: 1, count: $1) }
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
        if let array = try NDArray.shapeAlone(shape.target(face), a.type) { return array }
        if let result = try Convolution(face, shape).resultWithoutElements([a, b]) { return result }
        let first = try a.detached().contiguous(), second = try b.detached().converted(to: a.type).contiguous()
        let value = a.type == .f32 ? try compute(face, first, second, shape, Float.self) : try compute(face, first, second, shape, Double.self)
        return try NDArray.custom(Convolution(face, shape), inputs: [a, b], value: value)
    }

    func pullback(cotangent c: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        func apply(_ input: Int, _ face: Face, _ a: NDArray, _ b: NDArray) throws -> NDArray? {
            wanted[input] ? try Convolution.apply(face, a, b, shape) : nil
        }
        let (a, b) = (inputs[0], inputs[1])
        return switch face {
        case .result: [try apply(0, .images, c, b), try apply(1, .weights, c, a)]  // a: images, b: weights
        case .images: [try apply(0, .result, c, b), try apply(1, .weights, a, c)]  // a: of the result, b: weights
        case .weights: [try apply(0, .result, b, c), try apply(1, .images, a, c)]  // a: of the result, b: images
        }
    }

    // MARK: Computing

    private static func compute<T: MatrixElement & RowElement>(
        _ face: Face, _ a: NDArray, _ b: NDArray, _ shape: ConvolutionShape, _: T.Type
    ) throws -> NDArray {
        let (depth, places) = (shape.depth, shape.places)
        let target = shape.target(face)
        let value = try FreshArray(shape: target, type: a.type, filledWith: face == .result && a.count > 0 && b.count > 0 ? nil : 0)
        if value.count == 0 || a.count == 0 || b.count == 0 { return value.finished() }
        if face == .result, shape.isLaidOutInStrips { return try multiply(b, byPatchesOf: a, shape, into: value, T.self) }
        let (columnsCount, overflow) = depth.multipliedReportingOverflow(by: shape.linesAtOnce * shape.x.places)
        guard !overflow else { throw ArrayError.tooLarge(shape: [depth, shape.linesAtOnce, shape.x.places]) }
        // A matrix of patches for each part of the batch; a sum of weights too.
        let columns = try FreshArray(shape: [shape.parts, columnsCount], type: a.type)
        let sums = try FreshArray(shape: [face == .weights ? shape.parts : 0] + target, type: a.type, filledWith: 0)
        let (patchElements, sumElements, targetElements) = (columns.elements(of: T.self), sums.elements(of: T.self), value.elements(of: T.self))
        let (outs, channels) = (shape.outputs / shape.groups, shape.channels / shape.groups)
        try a.withContiguous(of: T.self) { a in
            try b.withContiguous(of: T.self) { b in
                guard let a = a.baseAddress, let b = b.baseAddress else { return }
                let target = targetElements
                try ThreadPool.parallel(shape.parts) { part in
                    let matrix = patchElements + part * columnsCount
                    var bordered: Range<Int>?
                    for (image, group, lines) in shape.pieces(of: part) {
                        try Interrupt.check()
                        let pixels = (image * shape.groups + group) * channels * shape.pixels
                        let results = (image * shape.groups + group) * outs * places + lines.lowerBound * shape.x.places
                        let weights = group * outs * depth, count = lines.count * shape.x.places
                        let patches = MatrixView(UnsafePointer(matrix), rowStride: count)
                        if face != .images, bordered != lines {
                            shape.fillBorders(lines, of: matrix)
                            bordered = lines
                        }
                        switch face {
                        case .result:
                            shape.spread(a + pixels, lines, into: matrix)
                            try MatrixProduct.multiply(
                                m: outs, n: count, k: depth, MatrixView(b + weights, rowStride: depth), patches, into: target + results,
                                rowStride: places)
                        case .images:
                            try MatrixProduct.multiply(
                                m: depth, n: count, k: outs, MatrixView(b + weights, rowStride: depth).transposed,
                                MatrixView(a + results, rowStride: places), into: matrix, rowStride: count)
                            shape.gather(matrix, lines, addingTo: target + pixels)
                        case .weights:
                            shape.spread(b + pixels, lines, into: matrix)
                            let sum = sumElements + part * value.count
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

extension Convolution {
    /// The result, a few strips of patches at a time: one, which stays in the first cache, or several where the weights leave the second one.
    private static func multiply<T: MatrixElement & RowElement>(
        _ weights: NDArray, byPatchesOf images: NDArray, _ shape: ConvolutionShape, into value: consuming FreshArray, _: T.Type
    ) throws -> NDArray {
        let target = value.elements(of: T.self)
        try images.withContiguous(of: T.self) { images in
            try weights.withContiguous(of: T.self) { weights in
                if let images = images.baseAddress, let weights = weights.baseAddress { try multiply(weights, byPatchesOf: images, shape, into: target) }
            }
        }
        return value.finished()
    }

    private static func multiply<T: MatrixElement & RowElement>(
        _ weights: UnsafePointer<T>, byPatchesOf images: UnsafePointer<T>, _ shape: ConvolutionShape, into target: UnsafeMutablePointer<T>
    ) throws {
        let (depth, places, outs, windows) = (shape.depth, shape.places, shape.outputs / shape.groups, shape.windows)
        let rows = 128, deep = min(depth, Int(PRODUCT_DEPTH)), width = T.tileColumns &* (outs > rows ? 8 : 1)
        let blocks = (places + width - 1) / width, units = shape.batch &* shape.groups &* blocks
        let together = max(1, Int(0x1p19 / (Double(outs) * Double(depth) * Double(width))))
        try ThreadPool.parallelPieces(units, of: together) { piece in
            let scratch = try Storage(byteCount: deep &* width &* MemoryLayout<T>.stride), strips = scratch.pointer.assumingMemoryBound(to: T.self)
            for unit in piece {
                let plane = unit / blocks, first = unit % blocks &* width, count = min(width, places &- first)
                let image = images + plane &* (shape.channels / shape.groups) &* shape.pixels, group = plane % shape.groups &* outs
                for p in stride(from: 0, to: depth, by: deep) {
                    let elements = p..<min(depth, p &+ deep)
                    T.patches(image, windows, elements, place: first, count, strips)
                    for row in stride(from: 0, to: outs, by: rows) {
                        try Interrupt.check()
                        T.productPacked(
                            min(rows, outs &- row), count, elements.count, 1, MatrixView(weights + ((group &+ row) &* depth &+ p), rowStride: depth),
                            strips, adds: p > 0, target + ((plane &* outs &+ row) &* places &+ first), places)
                    }
                }
            }
            withExtendedLifetime(scratch) {}
        }
    }
}

extension ConvolutionShape {
    /// Whether a result is computed from strips of patches. (A vector's products are sums in another order; and to begin a line takes too long for a few
    /// elements.)
    fileprivate var isLaidOutInStrips: Bool { outputs > groups && x.places > 1 && depth >= 24 }

    /// The shape of what is computed from the other two.
    fileprivate func target(_ face: Convolution.Face) -> [Int] {
        switch face {
        case .result: result
        case .images: images
        case .weights: weights
        }
    }
}
