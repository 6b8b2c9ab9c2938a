// The faults of one source as lexer and parser find them.

struct FaultList {
    private var items: [(diagnostic: Diagnostic, isIncomplete: Bool)] = []
    private var omitted = 0
    /// Where brackets and strings begin that are never closed. What follows them on the way is no fault of its own.
    private var open: [Int32] = []

    mutating func add(_ diagnostic: Diagnostic, isIncomplete: Bool = false) {
        if items.count < Diagnostic.most { items.append((diagnostic, isIncomplete)) } else { omitted += 1 }
    }

    /// Adds the fault of something that is never closed.
    mutating func addOpen(_ diagnostic: Diagnostic, isIncomplete: Bool = false) {
        add(diagnostic, isIncomplete: isIncomplete)
        if let span = diagnostic.primarySpan { markOpen(span.start) }
    }

    /// Notes that something begins at an offset which is never closed, another fault standing for it.
    mutating func markOpen(_ offset: Int32) { open.append(offset) }

    /// Call once the lexer is done, before `hasOpen`.
    mutating func sortOpen() { open.sort() }

    /// Whether something that is never closed begins in `start...end`.
    func hasOpen(from start: Int32, to end: Int32) -> Bool {
        var low = 0
        var high = open.count
        while low < high {
            let middle = (low + high) / 2
            if open[middle] < start { low = middle + 1 } else { high = middle }
        }
        return low < open.count && open[low] <= end
    }

    /// All of them in source order, and whether the first is that the input ends too early.
    func sorted() -> (diagnostics: [Diagnostic], isIncomplete: Bool) {
        func start(_ diagnostic: Diagnostic) -> Int32 { diagnostic.primarySpan?.start ?? .max }
        let order = items.indices.sorted { (start(items[$0].diagnostic), $0) < (start(items[$1].diagnostic), $1) }
        let diagnostics = order.map { items[$0].diagnostic }
        return (diagnostics.shortened(of: items.count + omitted), order.first.map { items[$0].isIncomplete } ?? false)
    }
}

extension Diagnostic {
    /// Of one source no more are kept, the others are counted: nobody reads more, and a line and column cost time.
    package static let most = 1000
}

/// Diagnostics that are looked for: the first ones, and how many there are.
package struct FoundDiagnostics {
    package private(set) var kept: [Diagnostic] = []
    package private(set) var count = 0

    package init() {}

    /// - Parameter diagnostic: Made only if it is kept.
    package mutating func add(_ diagnostic: @autoclosure () -> Diagnostic) {
        count += 1
        if kept.count < Diagnostic.most { kept.append(diagnostic()) }
    }

    package static func += (left: inout FoundDiagnostics, right: FoundDiagnostics) {
        left.count += right.count
        left.kept += right.kept
    }
}

extension [Diagnostic] {
    /// The first of them, and how many there are besides.
    /// - Parameter total: How many there were, if not all were kept.
    package func shortened(of total: Int? = nil) -> [Diagnostic] {
        let rest = (total ?? count) - Diagnostic.most
        guard rest > 0 else { return self }
        let isError = contains { $0.level == .error }, word = isError ? "error" : "warning"
        var last = Diagnostic(.moreFaults, "\(rest) more \(word)\(rest == 1 ? " is" : "s are") not shown")
        last.level = isError ? .error : .warning
        return prefix(Diagnostic.most) + [last]
    }
}
