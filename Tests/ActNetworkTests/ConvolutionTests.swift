// Convolutions against the product of the weights with a matrix of patches that is made pixel by pixel, to the bit.

import ActArray
import ActNeural
import Testing

@Suite struct ConvolutionTests {
    private struct Case: CustomTestStringConvertible {
        let images: [Int], outputs: Int, groups: Int, window: [Int], stride: [Int], padding: [Int], dilation: [Int]

        init(_ images: [Int], to outputs: Int, _ window: [Int], groups: Int = 1, stride: [Int]? = nil, padding: [Int]? = nil, dilation: [Int]? = nil) {
            (self.images, self.outputs, self.groups, self.window) = (images, outputs, groups, window)
            let ones = window.map { _ in 1 }
            (self.stride, self.padding, self.dilation) = (stride ?? ones, padding ?? window.map { _ in 0 }, dilation ?? ones)
        }

        var testDescription: String { "\(images) to \(outputs), \(window)" }
        var depth: Int { images[1] / groups * window.reduce(1, *) }
        var places: [Int] {
            window.indices.map { (images[$0 + 2] + 2 * padding[$0] - (window[$0] - 1) * dilation[$0] - 1) / stride[$0] + 1 }
        }
    }

    private static let cases: [Case] = [
        Case([2, 3, 50], to: 5, [4]), Case([1, 7, 300], to: 2, [9], stride: [2], padding: [4]), Case([2, 1, 28, 28], to: 16, [3, 3], padding: [1, 1]),
        Case([3, 16, 16, 16], to: 32, [3, 3], padding: [1, 1]),
        Case([2, 6, 9, 11], to: 8, [3, 2], groups: 2, stride: [2, 3], padding: [1, 0], dilation: [1, 2]),
        Case([1, 64, 12, 10], to: 130, [3, 3], padding: [1, 1]), Case([2, 4, 5, 6, 7], to: 3, [2, 3, 2], stride: [1, 2, 1], padding: [1, 1, 1]),
        Case([2, 5, 8, 9], to: 1, [3, 3]), Case([2, 5, 8, 3], to: 4, [3, 3]), Case([2, 8, 7, 7], to: 8, [1, 1]), Case([1, 4, 6, 6], to: 4, [5, 5], groups: 4),
    ]

    /// For each image and group a matrix (depth, places).
    private func patches(_ x: [Double], _ test: Case) -> [[Double]] {
        let sizes = Array(test.images.dropFirst(2)), pixels = sizes.reduce(1, *), channels = test.images[1] / test.groups
        let area = test.window.reduce(1, *), all = test.places.reduce(1, *)
        /// A flat position as one along each axis.
        func split(_ flat: Int, _ shape: [Int]) -> [Int] {
            var rest = flat, result = shape
            for axis in shape.indices.reversed() {
                result[axis] = rest % shape[axis]
                rest /= shape[axis]
            }
            return result
        }
        return (0..<test.images[0] * test.groups).map { plane in
            (0..<test.depth * all).map { number in
                let element = number / all, place = split(number % all, test.places), offset = split(element % area, test.window)
                var flat = 0
                for axis in sizes.indices {
                    let at = place[axis] * test.stride[axis] + offset[axis] * test.dilation[axis] - test.padding[axis]
                    guard (0..<sizes[axis]).contains(at) else { return 0 }
                    flat = flat * sizes[axis] + at
                }
                return x[(plane * channels + element / area) * pixels + flat]
            }
        }
    }

    private func numbers(_ count: Int, _ seed: Int) -> [Double] { (0..<count).map { Double(($0 + seed) * 7919 % 1009) / 101 - 5 } }

    @Test(arguments: cases, [ElementType.f64, .f32])
    private func productsOfPatches(test: Case, type: ElementType) throws {
        let outs = test.outputs / test.groups, all = test.places.reduce(1, *)
        let x = try NDArray(numbers(test.images.reduce(1, *), 0), shape: test.images, type: type)
        let w = try NDArray(numbers(test.outputs * test.depth, 3), shape: [test.outputs, test.images[1] / test.groups] + test.window, type: type)
        let windows = Windows(
            window: test.window, stride: test.stride, padding: test.padding.map { .of(before: $0, after: $0) }, dilation: test.dilation)
        let result = try #require(try x.convolved(with: w, windows, groups: test.groups))
        #expect(result.shape == [test.images[0], test.outputs] + test.places)
        var expected: [Double] = []
        for (plane, matrix) in try patches(x.toDoubles(), test).enumerated() {
            let group = plane % test.groups, rows = try w.toDoubles()[group * outs * test.depth..<(group + 1) * outs * test.depth]
            let weights = try NDArray(Array(rows), shape: [outs, test.depth], type: type)
            expected += try NDArray.matmul(weights, NDArray(matrix, shape: [test.depth, all], type: type)).toDoubles()
        }
        #expect(try result.toDoubles() == expected)
    }
}
