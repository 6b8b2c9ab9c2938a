// Which statements of the outermost level ran, so that `why` can run again those that set a variable.
//
// What must stay true: an entry holds no values. A variable that has been set again since a statement read it is brought back by running
// what set it before; all others are taken as they are.

import ActArray
import ActCompiler
import ActMachine
import ActRandom
import ActSyntax

struct StatementLog {
    struct Entry {
        let source: SourceText
        let statement: Int
        /// The random numbers as they were before it.
        let random: RandomSource
    }

    private(set) var entries: [Entry] = []
    private static let limit = 10_000
    /// Of the sources.
    private static let mostBytes = 1 << 23
    private var bytes = 0

    var count: Int { entries.count }

    /// - Parameter isShown: Whether a statement that only shows its value counts, since it sets `ans`.
    mutating func add(_ unit: SourceUnit, _ statement: Int, _ random: RandomSource, isShown: Bool) {
        let tree = unit.tree
        let id = tree[tree.program][tree[tree.program].startIndex + statement].expression
        guard isShown || !unit.resolution.globalsSet(by: id, in: tree).isEmpty else { return }
        // The positions of all others stay as they are while a statement runs.
        if entries.count >= Self.limit || bytes > Self.mostBytes {
            entries.removeFirst(entries.count / 2)
            bytes = 0
            var last: SourceText?
            for entry in entries where entry.source !== last {
                bytes += entry.source.bytes.count
                last = entry.source
            }
        }
        // Statements of one source follow each other.
        if entries.last?.source !== unit.source { bytes += unit.source.bytes.count }
        entries.append(Entry(source: unit.source, statement: statement, random: random))
    }

    mutating func truncate(to count: Int) {
        if count < entries.count { entries.removeLast(entries.count - count) }
    }
}

/// A variable's statement, run again.
struct Replay {
    let recording: Recording
    /// The number of the statement in the log.
    let entry: Int
    /// Whether the variable came out as it is; not where a file, a clock or a person had a part in it.
    let isSame: Bool
}

extension Session {
    /// Runs once more what last set a global variable before statement `end` of the log.
    /// - Returns: `nil` if nothing in the log set it.
    func replay(_ name: String, before end: Int?, _ machine: Machine) throws -> Replay? {
        var units: [Int: SourceUnit] = [:]
        let statements = log.entries.map { statement($0, &units) }
        func set(by index: Int) -> Set<String> { statements[index]?.set ?? [] }
        guard let target = (0..<min(end ?? .max, statements.count)).last(where: { set(by: $0).contains(name) }) else { return nil }
        var lastSetting: [String: Int] = [:]
        for index in statements.indices { for name in set(by: index) { lastSetting[name] = index } }
        func isStale(_ name: String, _ index: Int) -> Bool { lastSetting[name].map { $0 >= index } ?? false }

        // Backwards: whatever sets a variable that has changed since.
        var chosen: [Int] = []
        var needed: Set<String> = [name]
        for index in (0...target).reversed() {
            guard let statement = statements[index], !statement.set.isDisjoint(with: needed) else { continue }
            chosen.append(index)
            if statement.isPlain { needed.subtract(statement.set) }
            needed.formUnion(read(statement).filter { isStale($0, index) })
        }

        let slots = module.names.indices.map { module.slots[$0] }
        defer { for index in slots.indices { module.slots[index] = slots[index] } }
        let recording = Recording()
        try machine.record(into: recording) {
            for index in chosen.reversed() {
                guard let statement = statements[index] else { continue }
                for name in read(statement) where !isStale(name, index) {
                    if let slot = module.existingSlot(name), slots.indices.contains(slot) { module.slots[slot] = slots[slot] }
                }
                machine.random = log.entries[index].random
                try machine.run(Code(Compiler(unit: statement.unit, scope: module, records: true).compile(statement.statement), in: module))
            }
        }
        guard let slot = module.existingSlot(name), slots.indices.contains(slot) else { return nil }
        let isCurrent = lastSetting[name] == target
        var seen: Set<ObjectIdentifier> = []
        let isSame = try name == "ans" || !isCurrent || module.slots[slot].isSame(as: slots[slot], &seen)
        return Replay(recording: recording, entry: target, isSame: isSame)
    }

    private struct Statement {
        let unit: SourceUnit
        let statement: ActSyntax.Statement
        let set: Set<String>
        /// Sets its variables whole, whatever happens.
        let isPlain: Bool
    }

    private func statement(_ entry: StatementLog.Entry, _ units: inout [Int: SourceUnit]) -> Statement? {
        guard let unit = units[entry.source.id] ?? unit(entry.source) else { return nil }
        units[entry.source.id] = unit
        let tree = unit.tree
        let program = tree[tree.program]
        guard entry.statement < program.count else { return nil }
        let statement = program[program.startIndex + entry.statement]
        var set = unit.resolution.globalsSet(by: statement.expression, in: tree)
        var isPlain = false
        switch tree[statement.expression] {
        case .assign(let target, _): if case .name = tree[target] { isPlain = set.count == 1 }
        case .define: isPlain = true
        default: if options.isInteractive, !tree[statement.expression].isStatement { set.insert("ans") }
        }
        return Statement(unit: unit, statement: statement, set: set, isPlain: isPlain)
    }

    /// The global names that a statement may read, in the functions that it calls too.
    private func read(_ statement: Statement) -> Set<String> {
        var found = statement.unit.resolution.globalsRead(by: statement.statement.expression, in: statement.unit.tree)
        var pending = Array(found)
        while let name = pending.popLast() {
            guard case .function(let closure as Closure)? = module[name], let node = closure.code.definition?.node else { continue }
            for name in closure.code.unit.resolution.globalsRead(by: node.body, in: closure.code.unit.tree) where found.insert(name).inserted {
                pending.append(name)
            }
        }
        return found
    }
}

extension Value {
    /// Whether two values are the same to the last bit; NaN is the same as NaN. Functions count as the same.
    /// - Parameter seen: Lists and records that have been compared: each is looked at once, however often it is held.
    fileprivate func isSame(as other: Value, _ seen: inout Set<ObjectIdentifier>) throws -> Bool {
        switch (self, other) {
        case (.number(let a), .number(let b)): return a.bitPattern == b.bitPattern || a.isNaN && b.isNaN
        case (.array(let a), .array(let b)):
            return try a.shape == b.shape && a.type == b.type && zip(a.toDoubles(), b.toDoubles()).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
        case (.list(let a), .list(let b)):
            guard seen.insert(ObjectIdentifier(a)).inserted else { return true }
            guard a.elements.count == b.elements.count else { return false }
            for (x, y) in zip(a.elements, b.elements) where try !x.isSame(as: y, &seen) { return false }
            return true
        case (.record(let a), .record(let b)):
            guard seen.insert(ObjectIdentifier(a)).inserted else { return true }
            guard a.fields.count == b.fields.count else { return false }
            for (name, x) in a.fields { guard let y = b[name], try x.isSame(as: y, &seen) else { return false } }
            return true
        case (.bool(let a), .bool(let b)): return a == b
        case (.string(let a), .string(let b)): return a.string == b.string
        default: return typeName == other.typeName
        }
    }
}
