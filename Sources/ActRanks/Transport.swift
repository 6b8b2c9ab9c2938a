// Several processes that run one program: how they reach each other.

/// What carries bytes between the processes of a run. Every process calls the same functions in the same order.
package protocol Transport: AnyObject, Sendable {
    /// Which process this is, from 0.
    var rank: Int { get }
    /// How many processes there are.
    var ranks: Int { get }
    /// Everybody's bytes, in the order of ranks.
    func allGather(_ bytes: [UInt8]) throws -> [[UInt8]]
    /// Returns when everybody has called it.
    func barrier() throws
}
