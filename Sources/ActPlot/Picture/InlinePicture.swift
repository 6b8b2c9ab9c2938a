// Pictures as escape sequences for terminals that can show them. Pure functions: which terminal can what is found out elsewhere.

/// Encoders of pictures for terminals.
package enum InlinePicture {
    /// The kitty graphics protocol: PNG bytes in base64, in chunks of at most 4096 characters, shown at the cursor.
    /// With `columns` and `rows` the terminal scales the picture to so many cells.
    package static func kitty(png: [UInt8], columns: Int? = nil, rows: Int? = nil) -> String {
        let data = Array(base64(png).utf8)
        var result = ""
        var start = 0
        repeat {
            let end = min(start + 4096, data.count)
            let size = (columns.map { ",c=\($0)" } ?? "") + (rows.map { ",r=\($0)" } ?? "")
            // f=100: PNG; a=T: transmit and show; q=2: no answers.
            let keys = (start == 0 ? "a=T,f=100,q=2\(size)," : "") + "m=\(end < data.count ? 1 : 0)"
            result += "\u{1b}_G\(keys);" + String(decoding: data[start..<end], as: UTF8.self) + "\u{1b}\\"
            start = end
        } while start < data.count
        return result
    }

    /// The inline images of iTerm2 (and WezTerm): PNG bytes in base64. With `columns` the terminal scales the picture to that width.
    package static func iTerm2(png: [UInt8], columns: Int? = nil) -> String {
        let width = columns.map { "width=\($0);" } ?? ""
        return "\u{1b}]1337;File=inline=1;size=\(png.count);\(width)preserveAspectRatio=1:\(base64(png))\u{07}"
    }

    /// Sixels with a palette of at most 256 colours; clear pixels are left out.
    package static func sixel(_ pixels: Pixels) -> String {
        let (width, height) = (pixels.width, pixels.height)
        let palette = Palette(pixels)
        var result = "\u{1b}P0;1q\"1;1;\(width);\(height)"
        for (index, color) in palette.colors.enumerated() {
            func percent(_ byte: UInt8) -> Int { (Int(byte) * 100 + 127) / 255 }
            result += "#\(index);2;\(percent(color.red));\(percent(color.green));\(percent(color.blue))"
        }
        // Bands of six rows; in each, one line of sixels a colour that occurs in it.
        for top in stride(from: 0, to: height, by: 6) {
            var lines: [Int: [UInt8]] = [:]
            for row in top..<min(top + 6, height) {
                for column in 0..<width {
                    guard let color = palette.indices[row * width + column] else { continue }
                    lines[Int(color), default: [UInt8](repeating: 0, count: width)][column] |= 1 << UInt8(row - top)
                }
            }
            result += lines.sorted { $0.key < $1.key }.map { "#\($0.key)" + runs($0.value) }.joined(separator: "$")
            result += "-"
        }
        return result + "\u{1b}\\"
    }

    /// Sixels with repeats as `!count`, without the blank ones at the end.
    private static func runs(_ sixels: [UInt8]) -> String {
        var result = ""
        let end = (sixels.lastIndex { $0 != 0 } ?? -1) + 1
        var index = 0
        while index < end {
            var next = index + 1
            while next < end && sixels[next] == sixels[index] { next += 1 }
            let character = String(UnicodeScalar(63 + sixels[index]))
            result += next - index > 3 ? "!\(next - index)\(character)" : String(repeating: character, count: next - index)
            index = next
        }
        return result
    }

    /// Base64 with padding (RFC 4648).
    package static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let rest = bytes.count - start
            let word = UInt32(bytes[start]) << 16 | (rest > 1 ? UInt32(bytes[start + 1]) << 8 : 0) | (rest > 2 ? UInt32(bytes[start + 2]) : 0)
            for (place, shift) in [18, 12, 6, 0].enumerated() {
                result.append(place <= rest ? alphabet[Int(word >> UInt32(shift) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// The most frequent colours of a picture, and for each pixel the nearest of them.
private struct Palette {
    private(set) var colors: [Color] = []
    private(set) var indices: [UInt8?] = []

    init(_ pixels: Pixels) {
        // Colours to 5 bits a channel, which figures hardly show.
        func key(_ offset: Int) -> Int? {
            guard pixels.rgba[offset + 3] >= 128 else { return nil }
            return Int(pixels.rgba[offset] >> 3) << 10 | Int(pixels.rgba[offset + 1] >> 3) << 5 | Int(pixels.rgba[offset + 2] >> 3)
        }
        var counts = [Int](repeating: 0, count: 1 << 15)
        let offsets = stride(from: 0, to: pixels.rgba.count, by: 4)
        for offset in offsets { if let key = key(offset) { counts[key] += 1 } }
        let used = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$1], $0) < (counts[$0], $1) }
        func color(_ key: Int) -> Color {
            func byte(_ five: Int) -> UInt8 { UInt8(five << 3 | five >> 2) }
            return Color(byte(key >> 10), byte(key >> 5 & 31), byte(key & 31))
        }
        colors = used.prefix(256).map(color)
        var places = [UInt8](repeating: 0, count: 1 << 15)
        for (rank, key) in used.enumerated() {
            places[key] = rank < 256 ? UInt8(rank) : UInt8(nearest(color(key)))
        }
        indices = offsets.map { key($0).map { places[$0] } }
    }

    private func nearest(_ color: Color) -> Int {
        func distance(_ other: Color) -> Int {
            let (r, g, b) = (Int(color.red) - Int(other.red), Int(color.green) - Int(other.green), Int(color.blue) - Int(other.blue))
            return r * r + g * g + b * b
        }
        return colors.indices.min { distance(colors[$0]) < distance(colors[$1]) } ?? 0
    }
}
