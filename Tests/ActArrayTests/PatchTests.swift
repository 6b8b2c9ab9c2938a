// Patches of images as the product's kernel reads them: against the same laid out pixel by pixel and then packed, to the bit.

import ActArray
import CActKernels
import Testing

@Suite struct PatchTests {
    /// Windows along one axis: sizes, strides, dilations and paddings of every kind that leaves a place.
    private static func axis(_ dice: inout Dice, most: Int) -> act_window_axis {
        while true {
            let size = 1 + dice.roll(most), window = 1 + dice.roll(4), stride = 1 + dice.roll(3), dilation = 1 + dice.roll(3)
            let before = dice.roll(5), room = size + before + dice.roll(5) - (window - 1) * dilation - 1
            guard room >= 0 else { continue }
            return act_window_axis(size: size, window: window, stride: stride, dilation: dilation, before: before, places: room / stride + 1)
        }
    }

    private static func places(_ windows: act_windows) -> Int { windows.z.places * windows.y.places * windows.x.places }

    /// Every element of the windows, channel by channel, at every place.
    private static func matrix(_ image: [Double], _ windows: act_windows, channels: Int) -> [Double] {
        let (z, y, x) = (windows.z, windows.y, windows.x)
        func pixel(_ channel: Int, _ c: Int, _ b: Int, _ a: Int) -> Double {
            (0..<z.size).contains(c) && (0..<y.size).contains(b) && (0..<x.size).contains(a) ? image[((channel * z.size + c) * y.size + b) * x.size + a] : 0
        }
        var matrix: [Double] = []
        for element in 0..<channels * z.window * y.window * x.window {
            let j = element % x.window, i = element / x.window % y.window, k = element / x.window / y.window % z.window
            for place in 0..<places(windows) {
                let a = place % x.places, b = place / x.places % y.places, c = place / x.places / y.places
                matrix.append(
                    pixel(
                        element / x.window / y.window / z.window, c * z.stride + k * z.dilation - z.before, b * y.stride + i * y.dilation - y.before,
                        a * x.stride + j * x.dilation - x.before))
            }
        }
        return matrix
    }

    @Test(arguments: SameBitsTests.instructionSets) func stripsOfPatches(isa: String) throws {
        let table = try #require(act_kernels_named(isa)).pointee
        var dice = Dice(state: 5)
        for _ in 0..<200 {
            let windows = act_windows(z: Self.axis(&dice, most: 3), y: Self.axis(&dice, most: 9), x: Self.axis(&dice, most: 70)), channels = 1 + dice.roll(3)
            let image = numbers(channels * windows.z.size * windows.y.size * windows.x.size), all = Self.places(windows)
            let matrix = Self.matrix(image, windows, channels: channels), depth = matrix.count / all
            let place = dice.roll(all), count = 1 + dice.roll(min(all - place, 200)), first = dice.roll(depth), deep = 1 + dice.roll(depth - first)
            func compare<T: BinaryFloatingPoint>(
                _ tile: Int, _ patches: (UnsafePointer<T>, UnsafePointer<act_windows>, Int, Int, Int, Int, UnsafeMutablePointer<T>) -> Void,
                _ pack: (Int, Int, UnsafePointer<T>, Int, Int, UnsafeMutablePointer<T>) -> Void
            ) {
                let size = deep * (count + tile), source = matrix.map { T($0) }
                var strips = [T](repeating: .infinity, count: size), expected = strips, windows = windows
                patches(image.map { T($0) }, &windows, first, deep, place, count, &strips)
                source.withUnsafeBufferPointer { if let base = $0.baseAddress { pack(count, deep, base + first * all + place, all, 1, &expected) } }
                #expect(strips == expected, "\(isa): \(windows), \(channels) channels, elements \(first) + \(deep), places \(place) + \(count)")
            }
            compare(table.tile_columns_f64, { table.patches_f64($0, $1, $2, $3, $4, $5, $6) }, { table.product_pack_f64($0, $1, $2, $3, $4, $5) })
            compare(table.tile_columns_f32, { table.patches_f32($0, $1, $2, $3, $4, $5, $6) }, { table.product_pack_f32($0, $1, $2, $3, $4, $5) })
        }
    }
}
