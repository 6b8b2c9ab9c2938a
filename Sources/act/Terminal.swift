// What the terminal is like: its size, colours and characters.

import ActPlot
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

enum Terminal {
    /// More cells than this no screen has.
    static let largest = (columns: 2000, rows: 1000)

    /// The size in cells; 80 × 24 where the terminal does not say, and at most `largest`.
    static var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 || ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 else { return (80, 24) }
        return (size.ws_col > 0 ? min(Int(size.ws_col), largest.columns) : 80, size.ws_row > 0 ? min(Int(size.ws_row), largest.rows) : 24)
    }

    /// Whether the terminal claims a size that a screen can have: what keeps a picture of it is lost otherwise.
    static var isCredible: Bool {
        var size = winsize()
        return ioctl(STDIN_FILENO, UInt(TIOCGWINSZ), &size) != 0 || Int(size.ws_col) <= largest.columns && Int(size.ws_row) <= largest.rows
    }

    /// The size of a cell in pixels; a usual one where the terminal does not say.
    static var cell: (width: Double, height: Double) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0, size.ws_xpixel > 0, size.ws_ypixel > 0 else {
            return (9, 18)
        }
        let width = Double(size.ws_xpixel) / Double(size.ws_col), height = Double(size.ws_ypixel) / Double(size.ws_row)
        return (4...100).contains(width) && (6...200).contains(height) ? (width, height) : (9, 18)
    }

    /// What was typed while the terminal was asked something. `unsafe`: the main thread alone reads the terminal.
    static nonisolated(unsafe) var typedAhead: [UInt8] = []

    static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    static var isDumb: Bool { variable("TERM") == "dumb" || variable("TERM") == nil }

    /// Whether colours are welcome where they can be shown (no-color.org).
    static var wantsColor: Bool { variable("NO_COLOR") == nil && !isDumb }

    static var color: TerminalColor {
        guard wantsColor else { return .none }
        if let depth = variable("COLORTERM"), depth == "truecolor" || depth == "24bit" { return .truecolor }
        return .ansi16
    }

    /// Whether the locale's characters are UTF-8. A locale that nobody chose counts as UTF-8, as today's terminals do.
    static var isUTF8: Bool {
        guard let locale = variable("LC_ALL") ?? variable("LC_CTYPE") ?? variable("LANG") else { return true }
        let name = locale.lowercased()
        return name.contains("utf-8") || name.contains("utf8")
    }

    /// Chooses a locale in which typed bytes are read as UTF-8, whatever the environment says.
    static func adoptUTF8() {
        setlocale(LC_CTYPE, "")
        if let codeset = nl_langinfo(nl_item(CODESET)), String(cString: codeset) == "UTF-8" { return }
        for name in ["C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8"] where setlocale(LC_CTYPE, name) != nil { return }
    }
}
