// Which line comes after another where some are empty or comments: it may go on with the statement before.

/// Looks ahead in lines that are there already.
package struct LinesAhead {
    private let lines: ArraySlice<String>
    private var next: Int

    package init(_ lines: ArraySlice<String>) { (self.lines, next) = (lines, lines.startIndex) }

    /// The first line after one that says something: empty lines and comments may stand before what belongs to it. Asked in order.
    package mutating func line(after index: Int) -> String? {
        next = max(next, index + 1)
        while next < lines.endIndex, lines[next].first(where: { !$0.isWhitespace }).map({ $0 == "#" }) ?? true { next += 1 }
        return next < lines.endIndex ? lines[next] : nil
    }
}
