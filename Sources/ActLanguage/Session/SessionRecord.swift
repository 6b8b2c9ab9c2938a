// What a session ran, as a script that gives the same again.
//
// What must stay true: only statements that have run are in it; one that is undone is not. Where a later statement uses `ans`, the one that set it does so
// by name, since a script has no `ans` of its own.

import ActCompiler
import ActMachine
import ActSyntax

struct SessionRecord {
    fileprivate struct Statement {
        /// With the comments and blank lines before it.
        var text: String
        /// Where its value stands in the text, if it set `ans`.
        var value: Range<Int>?
        var usesAns: Bool
        /// Whether it gave `ans` a value itself.
        var assignsAns: Bool
    }

    /// The statements of one input.
    struct Run {
        fileprivate var statements: [Statement] = []
        private var end = 0
        private var shown = 0

        /// Takes a statement of the outermost level that has run.
        mutating func add(_ unit: SourceUnit, _ index: Int, in session: Session) {
            let tree = unit.tree, source = unit.source, all = tree[tree.program], statement = all[all.startIndex + index]
            let span = tree.span(of: statement.expression)
            var stop = Int(span.end)
            if statement.isSilenced, let semicolon = source.bytes[stop...].firstIndex(of: UInt8(ascii: ";")) { stop = semicolon + 1 }
            // Behind the last one, a comment.
            if index == all.count - 1 { stop = source.bytes.count }
            var start = end
            while start < Int(span.start), [UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: ";")].contains(source.bytes[start]) {
                start += 1
            }
            end = stop
            let isShown = !tree[statement.expression].isStatement && !statement.isSilenced && session.resultCount > shown
            shown = session.resultCount
            let symbols = unit.resolution.globalsSet(by: statement.expression, in: tree)
            statements.append(
                Statement(
                    text: source.text(start..<max(start, stop)).trimmingLineEnds(), value: isShown ? Int(span.start) - start..<Int(span.end) - start : nil,
                    usesAns: tree.names(in: statement.expression).contains("ans"), assignsAns: symbols.contains("ans")))
        }

        init(_ session: Session) { shown = session.resultCount }
    }

    private var statements: [Statement] = []
    private var bytes = 0
    /// How many statements were let go of, for a long session keeps the last ones.
    private(set) var forgotten = 0
    private static let mostBytes = 1 << 22

    var count: Int { statements.count }

    mutating func add(_ run: Run) {
        statements += run.statements
        bytes += run.statements.reduce(0) { $0 + $1.text.utf8.count + 64 }
        guard bytes > Self.mostBytes else { return }
        let count = (statements.count + 1) / 2
        statements.removeFirst(count)
        forgotten += count
        bytes = statements.reduce(0) { $0 + $1.text.utf8.count + 64 }
    }

    /// The script.
    var text: String {
        var lines: [String] = [], isUsed = false
        // From the end: whether `ans` is used before it is set again.
        for statement in statements.reversed() {
            if statement.assignsAns { isUsed = false }
            if let value = statement.value, isUsed {
                let text = statement.text.utf8.map { $0 }
                let parts = [text[..<value.lowerBound], text[value], text[value.upperBound...]].map { String(decoding: $0, as: UTF8.self) }
                lines.append(parts[0] + "ans = " + parts[1] + "\nans" + parts[2])
            } else {
                lines.append(statement.text)
            }
            if statement.value != nil { isUsed = false }
            isUsed = isUsed || statement.usesAns
        }
        return lines.reversed().map { $0 + "\n" }.joined()
    }
}

extension String {
    func trimmingLineEnds() -> String {
        var text = self[...]
        while let last = text.last, last.isNewline || last == " " { text.removeLast() }
        return String(text)
    }
}

extension SyntaxTree {
    /// The names that an expression mentions.
    fileprivate func names(in id: ExpressionID) -> Set<String> {
        var found: Set<String> = [], rest = [id]
        while let next = rest.popLast() {
            if case .name(let name) = self[next] { found.insert(self[name]) }
            forEachChild(of: next) { rest.append($0) }
        }
        return found
    }
}
