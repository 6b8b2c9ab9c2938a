// Which way of showing pictures a terminal has. The environment says it of some; the others are asked, with two requests that every
// terminal either answers or ignores: its name (XTVERSION) and what it can do (DA1, which nearly all answer, so that the wait is short).
//
// What must stay true: only a terminal that is ours to use is asked, with nothing typed ahead; answers never become input, late ones
// included, and what was typed meanwhile is not lost.

import ActPlot
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

enum GraphicsProtocol {
    case kitty, iTerm2, sixel

    /// That of the terminal at standard output, found out once.
    static let ofTerminal: GraphicsProtocol? = {
        // Inside of these, pictures do not reach the terminal, or stay where text has moved on.
        guard Terminal.variable("TMUX") == nil, Terminal.variable("STY") == nil, !Terminal.isDumb else { return nil }
        let term = Terminal.variable("TERM") ?? ""
        if term.hasPrefix("screen") || term.hasPrefix("tmux") || term == "linux" { return nil }
        if Terminal.variable("KITTY_WINDOW_ID") != nil || term == "xterm-kitty" || term == "xterm-ghostty" { return .kitty }
        switch Terminal.variable("TERM_PROGRAM") ?? Terminal.variable("LC_TERMINAL") {
        case "iTerm.app", "iTerm2", "WezTerm": return .iTerm2
        case "ghostty": return .kitty
        case "Apple_Terminal": return nil
        default: return asked().flatMap(ofAnswer)
        }
    }()

    private static func ofAnswer(_ answer: [UInt8]) -> GraphicsProtocol? {
        let text = String(decoding: answer, as: UTF8.self)
        if text.contains(">|kitty") || text.contains(">|ghostty") { return .kitty }
        if text.contains(">|iTerm2") || text.contains(">|WezTerm") { return .iTerm2 }
        // ESC [ ? 62 ; 4 ; 22 c: among what the terminal can do, 4 is sixel.
        guard let start = text.firstRange(of: "\u{1b}[?"), let end = text[start.upperBound...].firstIndex(of: "c") else { return nil }
        return text[start.upperBound..<end].split(separator: ";").dropFirst().contains("4") ? .sixel : nil
    }

    // MARK: Asking

    /// An answer may still come. `unsafe`: the main thread alone reads the terminal.
    private static nonisolated(unsafe) var isAnswerDue = false
    private static let patience = 0.25

    /// What the terminal answers; `nil` if it may not be asked or does not answer in time.
    private static func asked() -> [UInt8]? {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, tcgetpgrp(STDIN_FILENO) == getpgrp(), !waitForInput(0) else { return nil }
        var saved = termios()
        guard tcgetattr(STDIN_FILENO, &saved) == 0 else { return nil }
        var plain = saved
        plain.c_lflag &= ~tcflag_t(ICANON | ECHO)
        guard tcsetattr(STDIN_FILENO, TCSANOW, &plain) == 0 else { return nil }
        defer { tcsetattr(STDIN_FILENO, TCSANOW, &saved) }
        guard writeAll(Array("\u{1b}[>0q\u{1b}[c".utf8), to: STDOUT_FILENO) == nil else { return nil }
        var came: [UInt8] = []
        let start = act_seconds()
        isAnswerDue = true
        while case let left = patience - (act_seconds() - start), left > 0, waitForInput(left) {
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = readSome(STDIN_FILENO, into: &chunk)
            guard count > 0 else { break }
            came += chunk[..<count]
            let (answers, rest) = parted(came)
            if answers.last == UInt8(ascii: "c") {
                isAnswerDue = false
                Terminal.typedAhead += rest
                return answers
            }
        }
        Terminal.typedAhead += parted(came).rest
        return nil
    }

    /// Input without an answer that came too late.
    static func withoutAnswers(_ input: [UInt8]) -> [UInt8] {
        guard isAnswerDue else { return input }
        let (answers, rest) = parted(input)
        if answers.last == UInt8(ascii: "c") { isAnswerDue = false }
        return rest
    }

    /// Answers and what else there is: `ESC P > | name ESC \`, `ESC [ ? numbers c`.
    private static func parted(_ bytes: [UInt8]) -> (answers: [UInt8], rest: [UInt8]) {
        var answers: [UInt8] = [], rest: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let end: Int?
            if bytes[index...].starts(with: "\u{1b}P>|".utf8) {
                end = bytes.indices.dropFirst(index + 4).first { bytes[$0] == UInt8(ascii: "\\") && bytes[$0 - 1] == 0x1B }
            } else if bytes[index...].starts(with: "\u{1b}[?".utf8) {
                let stop = bytes.indices.dropFirst(index + 3).first { !(0x30...0x3B).contains(bytes[$0]) }
                end = stop.flatMap { bytes[$0] == UInt8(ascii: "c") ? $0 : nil }
            } else {
                end = nil
            }
            if let end {
                answers += bytes[index...end]
                index = end + 1
            } else {
                rest.append(bytes[index])
                index += 1
            }
        }
        return (answers, rest)
    }

    private static func waitForInput(_ seconds: Double) -> Bool {
        var source = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        return poll(&source, 1, Int32((seconds * 1000).rounded(.up))) > 0
    }

    // MARK: Pictures

    /// The figure as an escape sequence; `nil` where librsvg is missing.
    func picture(_ figure: Figure) -> String? {
        let size = Terminal.size, cell = Terminal.cell
        let columns = min(max(size.columns - 1, 20), 80), rows = min(figure.naturalRows, max(size.rows - 2, 8))
        // Text in the picture as large as that of the terminal.
        let scale = max((cell.height / 16 * 4).rounded() / 4, 0.5)
        let width = Int(Double(columns) * cell.width / scale), height = Int(Double(rows) * cell.height / scale)
        var figure = figure
        (figure.options.width, figure.options.height) = (width, height)
        guard let rasterizer = try? Rasterizer() else { return nil }
        let text = svg(figure)
        switch self {
        case .kitty:
            return (try? rasterizer.png(text, width: width, height: height, scale: scale)).map { InlinePicture.kitty(png: $0, columns: columns, rows: rows) }
        case .iTerm2: return (try? rasterizer.png(text, width: width, height: height, scale: scale)).map { InlinePicture.iTerm2(png: $0, columns: columns) }
        case .sixel: return (try? rasterizer.pixels(text, width: width, height: height, scale: scale)).map(InlinePicture.sixel)
        }
    }
}
