// Sums over parts whose order does not depend on who computes which part: a tree of halves. Each process adds up what lies wholly with it,
// and of these sums everybody makes the same total.
//
// What must stay true: the tree hangs on the number of parts alone.

import ActArray

package struct ShardPlan {
    /// How many parts there are.
    package let count: Int
    package let ranks: Int

    package init(count: Int, ranks: Int) {
        self.count = max(0, count)
        self.ranks = max(1, ranks)
    }

    /// The parts of a rank, which lie side by side.
    package func shards(of rank: Int) -> Range<Int> { rank * count / ranks..<(rank + 1) * count / ranks }

    /// The largest branches of the tree that lie wholly with a rank, from left to right.
    package func branches(of rank: Int) -> [Range<Int>] {
        let own = shards(of: rank)
        func branches(_ branch: Range<Int>) -> [Range<Int>] {
            if branch.isEmpty || !branch.overlaps(own) { return [] }
            if branch.lowerBound >= own.lowerBound, branch.upperBound <= own.upperBound { return [branch] }
            let (left, right) = ShardPlan.halves(branch)
            return branches(left) + branches(right)
        }
        return branches(0..<count)
    }

    package static func halves(_ branch: Range<Int>) -> (left: Range<Int>, right: Range<Int>) {
        let middle = branch.lowerBound + branch.count / 2
        return (branch.lowerBound..<middle, middle..<branch.upperBound)
    }

    /// The sum over a branch of what `leaf` makes of its parts.
    package static func sum<Sum>(_ branch: Range<Int>, leaf: (Int) throws -> Sum, add: (Sum, Sum) throws -> Sum) rethrows -> Sum {
        if branch.count == 1 { return try leaf(branch.lowerBound) }
        let (left, right) = halves(branch)
        let first = try sum(left, leaf: leaf, add: add)
        return try add(first, sum(right, leaf: leaf, add: add))
    }

    /// Makes the total of everybody's branches.
    /// - Parameter parts: Of each rank its branches, as `branches(of:)` has them, each of `count` numbers in memory of the caller.
    func fold<T: BinaryFloatingPoint>(_ parts: [[UnsafeRawPointer]], _ count: Int, _ into: UnsafeMutableRawPointer, as _: T.Type) {
        var known: [Range<Int>: UnsafePointer<T>] = [:]
        for rank in 0..<ranks {
            for (branch, part) in zip(branches(of: rank), parts[rank]) { known[branch] = part.assumingMemoryBound(to: T.self) }
        }
        func fold(_ branch: Range<Int>, _ target: UnsafeMutablePointer<T>) {
            if let part = known[branch] { return target.update(from: part, count: count) }
            let (left, right) = ShardPlan.halves(branch)
            fold(left, target)
            if let part = known[right] { return ShardPlan.add(part, to: target, count) }
            withUnsafeTemporaryAllocation(of: T.self, capacity: count) { other in
                guard let other = other.baseAddress else { return }
                other.initialize(repeating: 0, count: count)
                fold(right, other)
                ShardPlan.add(other, to: target, count)
            }
        }
        let target = into.assumingMemoryBound(to: T.self)
        if self.count == 0 { target.update(repeating: 0, count: count) } else { fold(0..<self.count, target) }
    }

    @inline(__always)
    private static func add<T: BinaryFloatingPoint>(_ part: UnsafePointer<T>, to target: UnsafeMutablePointer<T>, _ count: Int) {
        for index in 0..<count { target[index] += part[index] }
    }
}
