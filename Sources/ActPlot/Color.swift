// Colours of marks: the names a program may use, the cycle that series take, and the map for grids.
// Every colour of the cycle must stay readable on white and on black: relative luminance between 0.13 and 0.32.

/// An opaque sRGB colour.
package struct Color: Hashable, Sendable {
    package var red, green, blue: UInt8

    package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        (self.red, self.green, self.blue) = (red, green, blue)
    }

    init(_ rgb: UInt32) {
        self.init(UInt8(truncatingIfNeeded: rgb >> 16), UInt8(truncatingIfNeeded: rgb >> 8), UInt8(truncatingIfNeeded: rgb))
    }

    /// A named colour and the foreground code that stands for it on a terminal of 16 colours.
    package struct Row: Sendable {
        package let name: String
        let short: String?
        package let color: Color
        let terminalCode: Int
    }

    /// The named colours. The first `cycleCount` are what series take in turn.
    package static let rows: [Row] = [
        Row(name: "blue", short: "b", color: Color(0x3b82f6), terminalCode: 94),
        Row(name: "orange", short: nil, color: Color(0xe8710a), terminalCode: 33),
        Row(name: "green", short: "g", color: Color(0x1a9e5c), terminalCode: 32),
        Row(name: "red", short: "r", color: Color(0xe5484d), terminalCode: 91),
        Row(name: "purple", short: nil, color: Color(0x9b6cf0), terminalCode: 95),
        Row(name: "teal", short: nil, color: Color(0x0d9aa8), terminalCode: 36),
        Row(name: "pink", short: nil, color: Color(0xd6499b), terminalCode: 35),
        Row(name: "brown", short: nil, color: Color(0xa0711a), terminalCode: 31),
        Row(name: "gray", short: nil, color: Color(0x808080), terminalCode: 90),
        Row(name: "cyan", short: "c", color: Color(0x06b6d4), terminalCode: 96),
        Row(name: "magenta", short: "m", color: Color(0xd946ef), terminalCode: 95),
        Row(name: "yellow", short: "y", color: Color(0xd4a800), terminalCode: 93),
        Row(name: "navy", short: nil, color: Color(0x1e40af), terminalCode: 34),
        Row(name: "black", short: "k", color: Color(0x000000), terminalCode: 30),
        Row(name: "white", short: "w", color: Color(0xffffff), terminalCode: 97),
    ]

    static let cycleCount = 8

    /// What stands in a picture where a number is not finite; of gray pictures no pixel has it otherwise.
    static let notFinite = Color(0xff2fa0)

    /// The colour of the series at a position, counted over the marks of a figure.
    static func ofSeries(_ index: Int) -> Color { rows[index % cycleCount].color }

    /// Reads a name (`red`, `r`, `grey`), `#rgb`, `#rrggbb`, or `C0`, `C1` … for a place in the cycle.
    package init?(_ text: String) {
        // No name is so long, and comparing long ones takes long.
        guard text.utf8.count <= 64 else { return nil }
        let name = text == "grey" ? "gray" : text
        if let row = Color.rows.first(where: { $0.name == name || $0.short == name }) {
            self = row.color
        } else if name.first == "C", let place = Int(name.dropFirst()), place >= 0 {
            self = Color.ofSeries(place)
        } else if name.first == "#", let value = UInt32(name.dropFirst(), radix: 16), !name.contains("+") {
            switch name.utf8.count {
            case 7: self.init(value)
            case 4: self.init((value >> 8 & 15) * 0x110000 + (value >> 4 & 15) * 0x1100 + (value & 15) * 0x11)
            default: return nil
            }
        } else {
            return nil
        }
    }

    /// `#rrggbb`.
    package var hex: String {
        let digits = Array("0123456789abcdef")
        return "#" + String([red, green, blue].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// The code (30…37, 90…97) of the nearest named colour.
    var terminalCode: Int {
        func distance(_ other: Color) -> Int {
            let (r, g, b) = (Int(red) - Int(other.red), Int(green) - Int(other.green), Int(blue) - Int(other.blue))
            return r * r + g * g + b * b
        }
        return Color.rows.min { distance($0.color) < distance($1.color) }?.terminalCode ?? 39
    }

    /// The colour at `position` (0…1) of the map for grids: viridis, from dark violet to yellow, straight between ten of its colours.
    static func ofGrid(_ position: Double) -> Color {
        guard position.isFinite else { return Color(0x808080) }
        let place = min(max(position, 0), 1) * Double(viridis.count - 1)
        let index = min(Int(place), viridis.count - 2)
        return viridis[index].mixed(with: viridis[index + 1], place - Double(index))
    }

    private static let viridis: [Color] = [
        0x440154, 0x482878, 0x3e4989, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725,
    ].map { Color($0) }

    private func mixed(with other: Color, _ share: Double) -> Color {
        func mix(_ a: UInt8, _ b: UInt8) -> UInt8 { UInt8(min(max((Double(a) + (Double(b) - Double(a)) * share).rounded(), 0), 255)) }
        return Color(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
    }

    /// Luma from 0 (black) to 1 (white), with the weights of ITU-R BT.601.
    var luma: Double { (0.299 * Double(red) + 0.587 * Double(green) + 0.114 * Double(blue)) / 255 }
}
