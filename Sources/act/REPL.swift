// The session at a terminal: reads a line, hands it over, again.

import ActArray
import ActFiles
import ActLanguage
import ActSyntax
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct REPL {
    private let interaction: Interaction
    private let display: Display
    private let history: HistoryFile?

    /// Called before the first line is read, with everything open that act itself needs.
    private let isReady: (_ history: Folder?) -> Void

    init(_ interaction: Interaction, _ display: Display, isReady: @escaping (_ history: Folder?) -> Void) {
        self.interaction = interaction
        self.isReady = isReady
        self.display = display
        history = HistoryFile.standardPath.map(HistoryFile.init)
    }

    /// - Returns: The exit status.
    func run() -> Int32 {
        Terminal.adoptUTF8()
        Interrupt.installForSession()
        guard Terminal.isCredible, let editor = makeEditor() else {
            isReady(nil)
            return PlainSession(interaction).run()
        }
        defer {
            editor.close()
            history?.close()
        }
        history?.load { editor.remember($0) }
        interaction.onEntry = { [history] text in
            editor.remember(text)
            history?.append(text)
        }
        isReady(history?.folder)
        display.write("act \(actVersion)   \(Display.dim("?name explains, :help lists commands, Ctrl-D leaves"))\n")
        while true {
            warn()
            display.endLine()
            display.flush()
            Interrupt.enter(.editing)
            let line = editor.read()
            Interrupt.enter(.runningLine)
            switch line {
            case .end: return Interrupt.ending == 0 ? ExitStatus.success : ExitStatus.ended(by: Interrupt.ending)
            case .interrupted: editor.discardPending()
            case .text(let text):
                interaction.figureStyle = display.figureStyle
                switch interaction.enter(input: text) {
                case .leave(let status): return status
                case .interrupted: editor.discardPending()
                case .done, .failed, .incomplete: break
                }
            }
        }
    }

    private func makeEditor() -> LineEditor? {
        LineEditor(
            program: "act", prompt: Interaction.prompt, continuation: Interaction.continuationPrompt,
            LineEditor.Language(
                complete: interaction.complete, needsMore: interaction.needsMore, typed: interaction.typed, firstInput: interaction.firstInput,
                styles: { [session = interaction.session] in session.looks(of: $0).map { ($0.end, $0.look.style) } }))
    }

    private func warn() {
        if let warning = history?.takeWarning() { display.report(Diagnostic(.history, warning)) }
    }
}

extension TokenLook {
    fileprivate var style: LineDisplay.Style {
        switch self {
        case .comment: .comment
        case .keyword: .keyword
        case .number: .number
        case .string: .string
        case .builtin: .function
        case .plain: .plain
        }
    }
}
