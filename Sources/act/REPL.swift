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
        guard Terminal.isCredible, let editor = LineEditor(program: "act", completing: interaction.complete) else {
            isReady(nil)
            return PlainSession(interaction).run()
        }
        defer {
            editor.close()
            history?.close()
        }
        editor.prompts = [Interaction.prompt, Interaction.continuationPrompt]
        history?.load { editor.remember($0) }
        isReady(history?.folder)
        display.write("act \(actVersion)   \(Display.dim("?name explains, :help lists commands, Ctrl-D leaves"))\n")
        while true {
            warn()
            display.endLine()
            display.flush()
            Interrupt.enter(.editing)
            let line = editor.read(prompt: interaction.isContinuing ? Interaction.continuationPrompt : Interaction.prompt)
            Interrupt.enter(.runningLine)
            switch line {
            case .end:
                display.write("\n")
                return Interrupt.ending == 0 ? ExitStatus.success : ExitStatus.ended(by: Interrupt.ending)
            case .interrupted:
                display.write("\n")
                interaction.discard()
                editor.discardPending()
            case .text(let text):
                remember(text, editor)
                interaction.figureStyle = display.figureStyle
                switch interaction.enter(text, before: editor.nextLine) {
                case .leave(let status): return status
                case .interrupted: editor.discardPending()
                case .done, .failed, .incomplete: break
                }
            }
        }
    }

    private func remember(_ line: String, _ editor: LineEditor) {
        let text = Interaction.withoutPrompt(line)
        guard text.contains(where: { !$0.isWhitespace }) else { return }
        editor.remember(text)
        history?.append(text)
    }

    private func warn() {
        if let warning = history?.takeWarning() { display.report(Diagnostic(.history, warning)) }
    }
}
