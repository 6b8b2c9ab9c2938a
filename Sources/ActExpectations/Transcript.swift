// What a program writes, kept to be compared: values and pictures as they look in a file, messages as on standard error.
//
// What must stay true: a program that writes without end is ended before its transcript fills the memory.

import ActArray
import ActCompiler
import ActLanguage
import ActMachine
import ActPlot
import ActSyntax

package final class Transcript: SessionOutput, ProgressOutput {
    package struct Piece {
        package fileprivate(set) var text: String
        /// Whether it is for standard error.
        package let isMessage: Bool
        /// What a warning or an error says first: `error: shapes (3,) and (2,) do not fit for +`.
        package let title: String?
        /// The line, from 1, on which the outermost statement ends that wrote it; `nil` for what no statement wrote.
        package let line: Int?
    }

    package private(set) var pieces: [Piece] = []
    /// Whether it is incomplete.
    package private(set) var isCut = false
    private let draw: (Figure) -> String
    private var count = 0
    private var isSealed = false
    private static let mostBytes = 16 << 20
    /// Whose program runs.
    package weak var session: Session?

    /// - Parameter draw: Makes pictures text.
    package init(draw: @escaping (Figure) -> String = { render($0, TerminalStyle()) }) { self.draw = draw }

    /// What comes now is a piece of its own.
    /// - Returns: How many there are.
    package func seal() -> Int {
        isSealed = true
        return pieces.count
    }

    /// What went to standard output.
    package var output: String { pieces.filter { !$0.isMessage }.map(\.text).joined() }
    /// What went to standard error.
    package var messages: String { pieces.filter(\.isMessage).map(\.text).joined() }
    /// Both, in the order in which they came.
    package var everything: String { pieces.map(\.text).joined() }

    package func write(_ text: String) { add(text, isMessage: false) }

    package func show(_ shown: Shown) {
        add((shown.figure.map(draw) ?? shown.text) + "\n", isMessage: false)
    }

    package func report(_ diagnostic: Diagnostic, _ session: Session) {
        // An error is told of when what ran has been left.
        let place = diagnostic.callChain.last?.span ?? diagnostic.labels.first(where: \.isPrimary)?.span
        let line = place.flatMap { place in session.source(place.source)?.line(containing: max(0, Int(place.end) - 1)) }
        add(Self.text(diagnostic, session), isMessage: true, title: "\(diagnostic.level.rawValue): \(diagnostic.title)", line: line)
    }

    package func writeProgress(_ text: String) { add(text, isMessage: true) }
    package var isProgressMovable: Bool { false }

    static func text(_ diagnostic: Diagnostic, _ session: Session) -> String {
        DiagnosticRenderer(style: .plain, width: 100) { session.source($0) }.render(diagnostic)
    }

    private func add(_ text: String, isMessage: Bool, title: String? = nil, line told: Int? = nil) {
        guard !isCut, !text.isEmpty else { return }
        count += text.utf8.count + 64
        if count > Self.mostBytes {
            isCut = true
            session?.engine.interrupt.raise()
            return
        }
        let line = session?.currentLine ?? told
        // A line may be written in pieces.
        if title == nil, !isSealed, let last = pieces.last, last.title == nil, last.isMessage == isMessage, last.line == line {
            pieces[pieces.count - 1].text += text
        } else {
            pieces.append(Piece(text: text, isMessage: isMessage, title: title, line: line))
            isSealed = false
        }
    }
}

extension Session {
    /// The line on which the outermost statement ends that runs.
    fileprivate var currentLine: Int? {
        guard let machine, let outermost = machine.outermostOrigin else { return nil }
        let tree = outermost.code.unit.tree, place = tree.span(of: outermost.expression)
        let statement = tree[tree.program].lazy.map { tree.span(of: $0.expression) }.first { $0.start <= place.start && place.end <= $0.end }
        return tree.source.line(containing: max(0, Int((statement ?? place).end) - 1))
    }
}

/// How a program ended that was run to be compared.
package struct TestRun {
    package let transcript: Transcript
    package let status: Int32

    package init(transcript: Transcript, status: Int32) {
        self.transcript = transcript
        self.status = status
    }
}

/// What differs from what is expected, and where it is expected.
package struct Difference: Equatable {
    /// From 1; `nil` for the whole file.
    package let line: Int?
    package let text: String
    /// Whether to write down what came out mends it.
    package var canBeUpdated = true
}
