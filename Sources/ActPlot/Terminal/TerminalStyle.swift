// How a terminal wants its figures, and the characters that are used for them.

/// The size of a figure in terminal cells, and which characters and colours may be used.
package struct TerminalStyle: Sendable {
    package var columns: Int
    package var rows: Int
    package var glyphs: Glyphs
    package var color: TerminalColor

    package enum Glyphs: Sendable {
        /// Unicode: braille dots, block and line characters.
        case braille
        /// Printable ASCII only (texts of the figure are written as they are).
        case ascii
    }

    package init(columns: Int = 72, rows: Int = 20, glyphs: Glyphs = .braille, color: TerminalColor = .none) {
        (self.columns, self.rows, self.glyphs, self.color) = (columns, rows, glyphs, color)
    }

    /// Sizes from 1 × 1 up to what any screen has.
    var bounded: TerminalStyle {
        TerminalStyle(columns: min(max(columns, 1), 1000), rows: min(max(rows, 1), 500), glyphs: glyphs, color: color)
    }

    var isASCII: Bool { glyphs == .ascii }
}

/// The characters of a set.
struct GlyphSet {
    let horizontal, vertical, topLeft, topRight, bottomLeft, bottomRight: Character
    let leftTick, bottomTick, rightTick: Character
    /// Of the lines at zero; and of the grid, which without colours must be lighter than any curve.
    let zeroHorizontal, zeroVertical, gridDot, annotation: Character
    let point: Character
    /// From light to dark for grids without colours.
    let shades: [Character]
    /// Fills of bars; further series take further ones where colours cannot tell them apart.
    let fills: [Character]

    static let braille = GlyphSet(
        horizontal: "─", vertical: "│", topLeft: "┌", topRight: "┐", bottomLeft: "└", bottomRight: "┘",
        leftTick: "┤", bottomTick: "┬", rightTick: "├", zeroHorizontal: "┈", zeroVertical: "┊", gridDot: "·", annotation: "╎", point: "•",
        shades: [" ", "░", "▒", "▓", "█"], fills: ["█", "░", "▓", "▒"])

    static let ascii = GlyphSet(
        horizontal: "-", vertical: "|", topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+",
        leftTick: "+", bottomTick: "+", rightTick: "+", zeroHorizontal: ".", zeroVertical: ":", gridDot: ".", annotation: "!", point: "o",
        shades: [" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"], fills: ["#", "=", ":", "%"])

    /// What tells series apart without colours: letters where the signs are used up, but those that look like signs or lines.
    static let signs: [Character] = ["*", "o", "+", "x", "#", "@", "%", "&"] + Array("ABCDEFGHJKLMNPQRSTUVWYZabcdefghijkmnpqrstuvwyz")

    /// Parts of a full block, an eighth to seven eighths high.
    static let eighths: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇"]

    static func of(_ style: TerminalStyle) -> GlyphSet { style.isASCII ? .ascii : .braille }
}

extension Mark.Marker {
    func glyph(isASCII: Bool) -> Character {
        if isASCII { return Character(rawValue) }
        return switch self {
        case .circle: "o"
        case .cross: "×"
        case .plus: "+"
        case .star: "*"
        case .point: "•"
        case .square: "■"
        case .diamond: "◆"
        case .up: "▲"
        case .down: "▼"
        }
    }
}
