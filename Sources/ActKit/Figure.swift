// Figures, drawn.

import ActPlot

/// What `plot` and functions like it make.
public struct Figure {
    let core: ActPlot.Figure

    init(_ core: ActPlot.Figure) { self.core = core }

    /// The figure as an SVG document; its size in pixels is the figure's `width` and `height`, 640 × 420 unless it says otherwise.
    public var svg: String { ActPlot.svg(core) }

    /// The figure drawn with Unicode characters, or ASCII ones.
    /// - Parameters:
    ///   - columns: Characters in a line.
    ///   - rows: Lines.
    public func text(columns: Int = 72, rows: Int = 20, ascii: Bool = false) -> String {
        render(core, TerminalStyle(columns: columns, rows: rows, glyphs: ascii ? .ascii : .braille))
    }
}
