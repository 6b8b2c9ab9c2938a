// The faults of one source as lexer and parser find them.

struct FaultList {
    private var items: [(diagnostic: Diagnostic, isIncomplete: Bool)] = []
    private var omitted = 0
    /// Where brackets and strings begin that are never closed. What follows them on the way is no fault of its own.
    private var open: [Int32] = []

    mutating func add(_ diagnostic: Diagnostic, isIncomplete: Bool = false) {
        if items.count < Diagnostic.mostShown { items.append((diagnostic, isIncomplete)) } else { omitted += 1 }
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
        var diagnostics = order.map { items[$0].diagnostic }
        if omitted > 0 { diagnostics.append(.more(omitted, .error)) }
        return (diagnostics, order.first.map { items[$0].isIncomplete } ?? false)
    }
}
