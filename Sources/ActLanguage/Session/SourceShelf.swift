// The sources of a session, to be found again when a message points at one.
//
// What must stay true: a session of any number of lines keeps a bounded number of them: the last ones, and those of which something is
// still there, such as a function.

import ActMachine
import ActSyntax

struct SourceShelf {
    private struct Reference {
        weak var source: SourceText?
    }

    private var references: [Int: Reference] = [:]
    /// Kept whether or not anything else holds them.
    private var recent: [SourceText] = []
    private(set) var recentBytes = 0
    private var next: Int32 = 0
    /// When so many are known, those that have gone are taken out.
    private var sweep = mostRecent * 2

    private static let mostRecent = 1000
    private static let mostBytes = 1 << 22

    subscript(id: Int32) -> SourceText? { references[Int(id)]?.source }

    /// The number of a source that is about to be made.
    mutating func newID() -> Int {
        defer { next = next == Int32.max ? 0 : next + 1 }
        return Int(next)
    }

    mutating func add(_ source: SourceText) {
        if references.count >= sweep {
            references = references.filter { $0.value.source != nil }
            sweep = max(Self.mostRecent * 2, references.count * 2)
        }
        references[source.id] = Reference(source: source)
        recent.append(source)
        recentBytes += source.bytes.count
        // A long one stays alone until the next is there.
        guard recent.count > 1, recent.count > Self.mostRecent || recentBytes > Self.mostBytes else { return }
        let kept = recentBytes > Self.mostBytes ? 1 : Self.mostRecent / 2
        recent.removeFirst(recent.count - kept)
        recentBytes = recent.reduce(0) { $0 + $1.bytes.count }
    }
}
