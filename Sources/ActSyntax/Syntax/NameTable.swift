// Interning: each name of a program once.
//
// What must stay true: two names get one id exactly when they are equal in NFC; the lexer hands over names in NFKC. Nearly all names are
// ASCII, and those are found by their bytes; the others go by String's own equality, which is canonical equivalence.

struct NameTable {
    private(set) var names: [String] = []
    /// Open addressing with a power-of-two size, at most half full: id + 1, or 0.
    private var slots = [UInt32](repeating: 0, count: 256)
    /// By id, for names that are in `slots`.
    private var hashes: [UInt32] = []
    private var others: [String: NameID] = [:]

    /// The hash that `intern(ascii:hash:)` expects, built byte by byte.
    @inline(__always)
    static func combine(_ hash: UInt32, _ byte: UInt8) -> UInt32 { (hash ^ UInt32(byte)) &* 0x0100_0193 }
    static let seed: UInt32 = 0x811C_9DC5

    mutating func intern(ascii bytes: UnsafeBufferPointer<UInt8>, hash: UInt32) -> NameID {
        // The low bits of this hash are weak; fold the high ones in.
        var slot = Int((hash ^ (hash >> 15)) & UInt32(truncatingIfNeeded: slots.count - 1))
        while slots[slot] != 0 {
            let id = slots[slot] - 1
            if hashes[Int(id)] == hash, isEqual(names[Int(id)], bytes) { return NameID(index: id) }
            slot = (slot + 1) & (slots.count - 1)
        }
        let id = append(String(decoding: bytes, as: UTF8.self), hash: hash)
        slots[slot] = id.index + 1
        if names.count * 2 > slots.count { grow() }
        return id
    }

    mutating func intern(_ name: String) -> NameID {
        // The Kelvin sign is the one letter outside ASCII whose NFC is an ASCII letter.
        if !name.utf8.allSatisfy({ $0 < 0x80 }), name.unicodeScalars.contains("\u{212A}") {
            return intern(String(String.UnicodeScalarView(name.unicodeScalars.map { $0 == "\u{212A}" ? "K" : $0 })))
        }
        if name.utf8.allSatisfy({ $0 < 0x80 }) {
            var name = name
            return name.withUTF8 { intern(ascii: $0, hash: $0.reduce(Self.seed, Self.combine)) }
        }
        if let id = others[name] { return id }
        let id = append(name, hash: 0)
        others[name] = id
        return id
    }

    private mutating func append(_ name: String, hash: UInt32) -> NameID {
        let id = NameID(index: UInt32(truncatingIfNeeded: names.count))
        names.append(name)
        hashes.append(hash)
        return id
    }

    private mutating func grow() {
        let count = slots.count * 4
        var larger = [UInt32](repeating: 0, count: count)
        for entry in slots where entry != 0 {
            let hash = hashes[Int(entry - 1)]
            var slot = Int((hash ^ (hash >> 15)) & UInt32(truncatingIfNeeded: count - 1))
            while larger[slot] != 0 { slot = (slot + 1) & (count - 1) }
            larger[slot] = entry
        }
        slots = larger
    }

    @inline(__always)
    private func isEqual(_ name: String, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let utf8 = name.utf8
        guard utf8.count == bytes.count else { return false }
        return utf8.withContiguousStorageIfAvailable { stored in
            for index in 0..<bytes.count where stored[index] != bytes[index] { return false }
            return true
        } ?? utf8.elementsEqual(bytes)
    }
}
