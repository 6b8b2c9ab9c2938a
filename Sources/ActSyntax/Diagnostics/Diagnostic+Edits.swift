// Whether edits are certain: what they write must be a program, or they are no more than a guess.
//
// What must stay true: of a program with many faults it takes no more time than reading it a few times.

extension Diagnostic {
    /// Whether the program can be read where the edits have written, or be put right there by edits again: one may bring the next fault to light.
    package func makesAProgram(in source: SourceText, isStopped: StopCheck? = nil) -> Bool {
        makesAProgram(in: source, passes: 4, isStopped)
    }

    private func makesAProgram(in source: SourceText, passes: Int, _ isStopped: StopCheck?) -> Bool {
        guard passes > 0, let next = try? SourceText(id: source.id, name: source.name, text: source.applying(edits)) else { return false }
        var shift: Int32 = 0
        let written = edits.map { edit -> (start: Int32, end: Int32) in
            let start = edit.span.start &+ shift, count = Int32(truncatingIfNeeded: edit.replacement.utf8.count)
            shift = shift &+ count &- (edit.span.end &- edit.span.start)
            return (start, start &+ count)
        }
        return parse(next, isStopped: isStopped).diagnostics.allSatisfy { fault in
            guard let place = fault.primarySpan, written.contains(where: { place.start <= $0.end && place.end >= $0.start }) else { return true }
            return !fault.edits.isEmpty && !fault.isGuess && fault.makesAProgram(in: next, passes: passes - 1, isStopped)
        }
    }
}

extension [Diagnostic] {
    /// Without the edits that would leave what is no program, and without those of a program that is too long to try them all.
    package func withEditsThatHold(in source: SourceText, isStopped: StopCheck? = nil) -> [Diagnostic] {
        var bytesLeft = Diagnostic.mostBytesTried
        return map { diagnostic in
            guard !diagnostic.edits.isEmpty, !diagnostic.isGuess else { return diagnostic }
            bytesLeft -= source.bytes.count + 100
            if bytesLeft > 0, diagnostic.makesAProgram(in: source, isStopped: isStopped) { return diagnostic }
            var diagnostic = diagnostic
            diagnostic.edits = []
            return diagnostic
        }
    }
}

extension Diagnostic {
    /// The first fault's edits are tried in every program that is not larger than this.
    fileprivate static let mostBytesTried = 1 << 24
}
