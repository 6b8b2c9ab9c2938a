// What a process shows that is not rank 0: nothing, for rank 0 shows the same. What is wrong on it alone is kept for rank 0 to tell.

import ActArray
import ActLanguage
import ActRanks
import ActSyntax

final class RankOutput: SessionOutput {
    private let team: Team
    /// What ended the program, as messages are written.
    private(set) var faults = ""

    init(_ team: Team) { self.team = team }

    func write(_ text: String) {}
    func show(_ shown: Shown) {}

    func report(_ diagnostic: Diagnostic, _ session: Session) { report(diagnostic) { session.source($0) } }

    func report(_ diagnostic: Diagnostic) { report(diagnostic) { _ in nil } }

    private func report(_ diagnostic: Diagnostic, source: @escaping (Int32) -> SourceText?) {
        let text = DiagnosticRenderer(style: .plain, width: 100, source: source).render(Self.placed(diagnostic, team))
        if diagnostic.level == .error {
            faults += text
        } else if team.speaks {
            // A warning of what this rank does by itself.
            Output.error.write(text)
            Output.error.flush()
        }
    }

    /// An error that says which process it is of.
    static func placed(_ diagnostic: Diagnostic, _ team: Team) -> Diagnostic {
        guard diagnostic.level == .error, team.processCount > 1, diagnostic.code != .ranks else { return diagnostic }
        var placed = diagnostic
        placed.notes.append("on rank \(team.processRank) of \(team.processCount)")
        return placed
    }
}
