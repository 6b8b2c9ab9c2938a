// Lines and points as dots: 2 × 4 braille dots in a cell, or one character a cell in ASCII.
// A cell takes the colour of what was drawn there last; dots of all series are kept.

struct DotLayer {
    let columns: Int
    let rows: Int
    /// Dots of a cell, across and down: 2 × 4 or 1 × 1.
    let across: Int
    let down: Int

    private var masks: [UInt8]
    private var owners: [Int32]
    /// Characters that stand on top of the dots.
    private var signs: [Character?]

    init(columns: Int, rows: Int, braille: Bool) {
        (self.columns, self.rows) = (columns, rows)
        (across, down) = braille ? (2, 4) : (1, 1)
        masks = Array(repeating: 0, count: columns * rows)
        owners = Array(repeating: 0, count: columns * rows)
        signs = Array(repeating: nil, count: columns * rows)
    }

    /// The area in dots: positions 0…1 fall on the first to the last dot.
    func area(_ axes: Axes) -> Area {
        Area(x: axes.x, y: axes.y, width: Double(columns * across - 1), height: Double(rows * down - 1))
    }

    mutating func dot(_ x: Int, _ y: Int, owner: Int) {
        guard x >= 0, y >= 0, x < columns * across, y < rows * down else { return }
        let index = y / down * columns + x / across
        masks[index] |= DotLayer.bits[y % down * 2 + x % across]
        owners[index] = Int32(truncatingIfNeeded: owner)
    }

    /// Puts a character over the cell of a dot.
    mutating func sign(_ character: Character, _ x: Int, _ y: Int, owner: Int) {
        guard x >= 0, y >= 0, x < columns * across, y < rows * down else { return }
        let index = y / down * columns + x / across
        signs[index] = character
        owners[index] = Int32(truncatingIfNeeded: owner)
    }

    /// Draws a line. `sign` puts a character on every `interval`-th dot of it, the first after `phase`.
    mutating func draw(
        _ trace: Trace, in area: Area, owner: Int, style: Mark.LineStyle, sign: Character? = nil, interval: Int = 1, phase: Int = 0
    ) {
        guard style != .none else { return }
        let pattern = DotLayer.patterns[style] ?? []
        var travelled = 0
        trace.forEachSegment { start, end, isStart in
            if isStart { travelled = start == end ? phase : 0 }
            guard let (a, b) = area.clipped(start, end) else { return }
            // Bresenham; the first dot of a segment is the last of the one before, unless the line just came in.
            var (x, y) = (Int(a.x.rounded()), Int(a.y.rounded()))
            let (lastX, lastY) = (Int(b.x.rounded()), Int(b.y.rounded()))
            let (dx, dy) = (abs(lastX - x), -abs(lastY - y))
            let (stepX, stepY) = (x < lastX ? 1 : -1, y < lastY ? 1 : -1)
            var error = dx + dy
            if isStart || a != start { step(x, y, travelled: travelled, pattern, sign, interval, phase, owner) }
            while x != lastX || y != lastY {
                let doubled = 2 * error
                if doubled >= dy {
                    error += dy
                    x += stepX
                }
                if doubled <= dx {
                    error += dx
                    y += stepY
                }
                travelled &+= 1
                step(x, y, travelled: travelled, pattern, sign, interval, phase, owner)
            }
        }
    }

    @inline(__always)
    private mutating func step(
        _ x: Int, _ y: Int, travelled: Int, _ pattern: [Bool], _ sign: Character?, _ interval: Int, _ phase: Int, _ owner: Int
    ) {
        if pattern.isEmpty || pattern[travelled % pattern.count] { dot(x, y, owner: owner) }
        if let sign, travelled % interval == phase % interval { self.sign(sign, x, y, owner: owner) }
    }

    /// Hands over every cell that has something: column, row, character, owner.
    func forEach(_ body: (Int, Int, Character, Int) -> Void) {
        for index in masks.indices where masks[index] != 0 || signs[index] != nil {
            let braille = Unicode.Scalar(0x2800 + UInt32(masks[index])).map(Character.init) ?? " "
            body(index % columns, index / columns, signs[index] ?? braille, Int(owners[index]))
        }
    }

    /// Bits of the braille pattern at U+2800, row by row, two a row.
    private static let bits: [UInt8] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80]

    private static let patterns: [Mark.LineStyle: [Bool]] = [
        .dashed: [true, true, true, true, true, false, false, false],
        .dotted: [true, false, false],
        .dashdot: [true, true, true, true, true, false, false, true, false, false],
    ]
}
