// SHA-256 (FIPS 180-4) and HMAC (RFC 2104) with it: how Jupyter signs its messages.

struct SHA256 {
    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    /// What does not fill a block yet.
    private var rest: [UInt8] = []
    private var count = 0

    mutating func update(_ bytes: some Collection<UInt8>) {
        count &+= bytes.count
        rest += bytes
        guard rest.count >= 64 else { return }
        let whole = rest.count & ~63
        rest.withUnsafeBufferPointer { buffer in
            for start in stride(from: 0, to: whole, by: 64) { compress(UnsafeBufferPointer(rebasing: buffer[start..<start + 64])) }
        }
        rest.removeFirst(whole)
    }

    /// The 32 bytes; nothing can be added after it.
    mutating func finish() -> [UInt8] {
        let bits = UInt64(count) &* 8
        update([0x80] + Array(repeating: 0, count: (119 - count % 64) % 64))
        update((0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * $0)) })
        return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } }
    }

    private mutating func compress(_ block: UnsafeBufferPointer<UInt8>) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
            for i in 0..<16 {
                words[i] = UInt32(block[4 * i]) << 24 | UInt32(block[4 * i + 1]) << 16 | UInt32(block[4 * i + 2]) << 8 | UInt32(block[4 * i + 3])
            }
            for i in 16..<64 {
                let (x, y) = (words[i - 15], words[i - 2])
                let s0 = rotated(x, 7) ^ rotated(x, 18) ^ x >> 3, s1 = rotated(y, 17) ^ rotated(y, 19) ^ y >> 10
                words[i] = words[i - 16] &+ s0 &+ words[i - 7] &+ s1
            }
            var (a, b, c, d, e, f, g, h) = (state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7])
            for i in 0..<64 {
                let s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25), choice = e & f ^ ~e & g
                let first = h &+ s1 &+ choice &+ Self.constants[i] &+ words[i]
                let s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22), majority = a & b ^ a & c ^ b & c
                (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ s0 &+ majority)
            }
            for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
        }
    }

    private func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }

    /// The fractions of the cube roots of the first 64 primes.
    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}

/// The signatures of one key.
package struct MessageAuthentication: Sendable {
    private let inner, outer: SHA256

    package init(key: [UInt8]) {
        var key = key
        if key.count > 64 {
            var hash = SHA256()
            hash.update(key)
            key = hash.finish()
        }
        key += Array(repeating: 0, count: 64 - key.count)
        var (inner, outer) = (SHA256(), SHA256())
        inner.update(key.map { $0 ^ 0x36 })
        outer.update(key.map { $0 ^ 0x5c })
        (self.inner, self.outer) = (inner, outer)
    }

    /// The signature of the parts one after the other, in hexadecimal digits.
    package func signature(of parts: some Sequence<[UInt8]>) -> [UInt8] {
        var (inner, outer) = (inner, outer)
        for part in parts { inner.update(part) }
        outer.update(inner.finish())
        let digits = Array("0123456789abcdef".utf8)
        return outer.finish().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// Whether a signature is that of the parts; the time that it takes does not tell how much of it is right.
    package func isValid(_ signature: [UInt8], of parts: some Sequence<[UInt8]>) -> Bool {
        let right = self.signature(of: parts)
        guard signature.count == right.count else { return false }
        return zip(signature, right).reduce(UInt8(0)) { $0 | $1.0 ^ $1.1 } == 0
    }
}
