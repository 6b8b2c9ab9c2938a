// How what a program shows reaches the person: values as text, figures as pictures in text, diagnostics on standard error.

import ActArray
import ActLanguage
import ActPlot
import ActRanks
import ActSyntax

final class Display: SessionOutput, ProgressOutput {
    private let output = Output.standard
    private let error = Output.error
    private let plot: PlotMode
    /// The processes that run the program.
    var team = Team.none
    /// Whether something that was written ended without a line end, as a progress line does.
    private(set) var isMidLine = false

    init(plot: PlotMode) {
        self.plot = plot
        // Nothing that the program still computes can be seen.
        output.onFailure = { Engine.process.interrupt.raise() }
    }

    @inline(never)
    func write(_ text: String) {
        guard !text.isEmpty else { return }
        output.write(text)
        isMidLine = text.utf8.last != UInt8(ascii: "\n")
    }

    func show(_ shown: Shown) {
        if let figure = shown.figure {
            let picture = picture(figure)
            // One that ended early is of no use.
            if !Engine.process.interrupt.isRaised { write(picture + "\n") }
        } else {
            write(shown.text + "\n")
        }
        if let note = shown.note, output.isTerminal { write(Display.dim(note) + "\n") }
    }

    func show(_ figure: Figure) { write(picture(figure) + "\n") }

    /// On standard error, so that it does not mix with results that go into a file.
    func writeProgress(_ text: String) {
        output.flush()
        error.write(text)
        error.flush()
    }

    var isProgressMovable: Bool { error.isTerminal }

    func report(_ diagnostic: Diagnostic, _ session: Session) {
        report(diagnostic) { session.source($0) }
    }

    /// An error that no source text belongs to.
    func report(_ diagnostic: Diagnostic) { report(diagnostic) { _ in nil } }

    @inline(never)
    private func report(_ diagnostic: Diagnostic, source: @escaping (Int32) -> SourceText?) {
        endLine()
        output.flush()
        let style: DiagnosticRenderer.Style = error.isTerminal && Terminal.wantsColor ? .colour : .plain
        let width = error.isTerminal ? Terminal.size.columns : 100
        error.write(DiagnosticRenderer(style: style, width: width, source: source).render(RankOutput.placed(diagnostic, team)))
        error.flush()
    }

    /// Brings the cursor to the start of a line on a terminal.
    func endLine() {
        if isMidLine && output.isTerminal { write("\n") }
    }

    func flush() { output.flush() }

    static func dim(_ text: String) -> String { Terminal.wantsColor ? "\u{1b}[2m\(text)\u{1b}[22m" : text }

    // MARK: Figures

    /// Of a terminal its size and colours; elsewhere plain text of a fixed size, the same on every machine.
    var figureStyle: TerminalStyle {
        guard output.isTerminal else { return TerminalStyle(glyphs: plot == .ascii ? .ascii : .braille) }
        let size = Terminal.size
        let isASCII = plot == .ascii || plot == .auto && !Terminal.isUTF8
        return TerminalStyle(
            columns: min(max(size.columns, 20), 100), rows: max(size.rows - 2, 8), glyphs: isASCII ? .ascii : .braille, color: Terminal.color)
    }

    /// As it stands in a file, the same on every machine.
    func plainPicture(_ figure: Figure) -> String {
        plot == .none ? Display.summary(figure) : render(figure, TerminalStyle(glyphs: plot == .ascii ? .ascii : .braille))
    }

    private func picture(_ figure: Figure) -> String {
        if plot == .none { return Display.summary(figure) }
        if let picture = graphics?.picture(figure) { return picture }
        var style = figureStyle
        if output.isTerminal { style.rows = min(figure.naturalRows, style.rows) }
        return render(figure, style)
    }

    private var graphics: GraphicsProtocol? {
        switch plot {
        case .kitty: return .kitty
        case .iterm: return .iTerm2
        case .sixel: return .sixel
        case .auto where output.isTerminal:
            output.flush()
            return GraphicsProtocol.ofTerminal
        case .auto, .braille, .ascii, .none: return nil
        }
    }

    /// A line in place of a picture: `figure: 2 lines (relu, relu')`.
    static func summary(_ figure: Figure) -> String {
        guard figure.panels.isEmpty else { return "figure: \(figure.panels.count) panels" }
        var kinds: [(name: String, count: Int)] = []
        for mark in figure.marks {
            let name = mark.shape.noun
            if let index = kinds.firstIndex(where: { $0.name == name }) { kinds[index].count += 1 } else { kinds.append((name, 1)) }
        }
        let parts = kinds.map { "\($0.count) \($0.name)\($0.count == 1 ? "" : "s")" }.joined(separator: ", ")
        let names = figure.marks.compactMap(\.name).joined(separator: ", ")
        let title = figure.options.title.map { " “\($0)”" } ?? ""
        return "figure\(title): \(parts.isEmpty ? "empty" : parts)\(names.isEmpty ? "" : " (\(names))")"
    }
}

extension Mark.Shape {
    fileprivate var noun: String {
        switch self {
        case .line: "line"
        case .scatter: "scatter"
        case .bar: "bar chart"
        case .histogram: "histogram"
        case .heatmap: "heatmap"
        case .image: "image"
        case .contour: "contour plot"
        }
    }
}
