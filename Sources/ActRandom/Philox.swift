// The random bits: Philox4x64-10, a counter-based generator (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). Word number n of a stream is a pure function of key and n, so any number of threads gives the same words,
// on every machine.

/// A stream of 2^64 random words; a block of four is made at a time.
struct Philox: Equatable {
    var key: UInt64

    typealias Block = (UInt64, UInt64, UInt64, UInt64)

    /// The four words of one counter. `attempt` numbers further draws for the same block.
    @inline(__always)
    func block(_ counter: UInt64, attempt: UInt64 = 0) -> Block {
        var (c0, c1, c2, c3) = (counter, attempt, 0 as UInt64, 0 as UInt64)
        var (k0, k1) = (key, 0 as UInt64)
        for round in 0..<10 {
            if round > 0 {
                k0 = k0 &+ 0x9E37_79B9_7F4A_7C15  // the golden ratio
                k1 = k1 &+ 0xBB67_AE85_84CA_A73B  // √3 − 1
            }
            let p0 = c0.multipliedFullWidth(by: 0xD2E7_470E_E14C_6C93)
            let p1 = c2.multipliedFullWidth(by: 0xCA5A_8263_9512_1157)
            (c0, c1, c2, c3) = (p1.high ^ c1 ^ k0, p1.low, p0.high ^ c3 ^ k1, p0.low)
        }
        return (c0, c1, c2, c3)
    }

    /// Calls `body(i, word)` for word number `start + i` of the stream, `i` from 0 to `count` − 1.
    @inline(__always)
    func forEach(from start: UInt64, count: Int, _ body: (Int, UInt64) -> Void) {
        var i = 0, position = start
        while i < count {
            let words = block(position / 4)
            let first = Int(position % 4)
            if first == 0, i &+ 4 <= count {
                body(i, words.0)
                body(i &+ 1, words.1)
                body(i &+ 2, words.2)
                body(i &+ 3, words.3)
                i &+= 4
                position &+= 4
            } else {
                body(i, first == 0 ? words.0 : first == 1 ? words.1 : first == 2 ? words.2 : words.3)
                i &+= 1
                position &+= 1
            }
        }
    }
}
