// What a command line asks for, as data.

/// How programs run and figures are shown.
struct Settings {
    var isStrict = false
    var warns = true
    var threads: Int?
    var seed: UInt64?
    /// In bytes.
    var maximumMemory: Int?
    /// In seconds.
    var maximumTime: Double?
    var isSandboxed = false
    /// As bytes, for a name need not be text.
    var allowedFolders: [[UInt8]] = []
    var plot = PlotMode.auto
    /// How many processes run a program.
    var ranks: Int?
}

enum PlotMode: String, CaseIterable {
    /// Pictures where the terminal shows them, else text.
    case auto
    case braille, ascii, none
    /// Pictures, whatever is known of the terminal.
    case kitty, iterm, sixel
}

enum Task {
    case session
    case text(String, arguments: [String])
    case file(String, arguments: [String])
    case standardInput(arguments: [String])
    case subcommand((Settings) -> Int32)

    /// What is asked for by arguments that need no parser: no options, or `-e TEXT` alone. The parser takes longer to set up than
    /// most one-line programs take to run.
    init?(plain arguments: [String]) {
        switch arguments.first {
        case nil: self = .session
        case "-e" where arguments.count == 2: self = .text(arguments[1], arguments: [])
        case let file? where !file.hasPrefix("-") && Subcommand.named(file) == nil: self = .file(file, arguments: Array(arguments.dropFirst()))
        default: return nil
        }
    }

    /// Does it.
    /// - Returns: The exit status.
    func perform(_ settings: Settings) -> Int32 {
        switch self {
        case .session: Runner(settings).runSession()
        case .text(let text, let arguments): Runner(settings, arguments: arguments).run(text: text)
        case .file(let file, let arguments): Runner(settings, arguments: arguments).run(file: file)
        case .standardInput(let arguments): Runner(settings, arguments: arguments).runStandardInput()
        case .subcommand(let perform): perform(settings)
        }
    }
}
