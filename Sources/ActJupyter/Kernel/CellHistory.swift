// The cells that ran, for a front end that asks for them.

import ActArray
import ActFiles

struct CellHistory {
    private var entries: [(count: Int, input: String, output: String?)] = []
    private var bytes = 0

    private static let mostBytes = 1 << 24

    mutating func remember(_ count: Int, _ code: String, _ result: String?) {
        entries.append((count, code, result))
        bytes += code.utf8.count + (result?.utf8.count ?? 0)
        while bytes > Self.mostBytes, entries.count > 1 {
            let first = entries.removeFirst()
            bytes -= first.input.utf8.count + (first.output?.utf8.count ?? 0)
        }
    }

    /// To `history_request`; of use only if nothing interrupts it.
    func answer(to content: JSON) -> JSON {
        let withOutput = content["output"]?.asFlag ?? false, most = max(0, content["n"]?.asWhole ?? 100)
        var found = entries
        switch content["hist_access_type"]?.asText {
        case "range":
            let start = content["start"]?.asWhole ?? 0, stop = content["stop"]?.asWhole ?? Int.max
            // Sessions count from 1; 0 is this one, and there is no other.
            guard [0, 1].contains(content["session"]?.asWhole ?? 0) else { return ["status": "ok", "history": []] }
            found = found.filter { start <= $0.count && $0.count < stop }
        case "search":
            let pattern = Array((content["pattern"]?.asText ?? "*").unicodeScalars)
            let least = pattern.count { $0 != "*" }
            found = found.filter { !Interrupt.isSet && $0.input.utf8.count >= least && matches(Array($0.input.unicodeScalars), pattern) }
            if content["unique"]?.asFlag ?? false {
                var seen: Set<String> = []
                found = found.reversed().filter { seen.insert($0.input).inserted }.reversed()
            }
            found = found.suffix(most)
        default: found = found.suffix(most)
        }
        return [
            "status": "ok",
            "history": .list(
                found.map { entry in
                    let input = JSON.text(entry.input)
                    return [1, .whole(entry.count), withOutput ? [input, entry.output.map { .text($0) } ?? .null] : input]
                }),
        ]
    }

    /// `*` stands for any letters, `?` for one.
    private func matches(_ text: [Unicode.Scalar], _ pattern: [Unicode.Scalar]) -> Bool {
        var (i, j) = (0, 0), back: (text: Int, pattern: Int)?, steps = 0
        while i < text.count {
            steps &+= 1
            if steps & 0xffff == 0, Interrupt.isSet { return false }
            if j < pattern.count, pattern[j] == "*" {
                back = (i, j)
                j += 1
            } else if j < pattern.count, pattern[j] == "?" || pattern[j] == text[i] {
                (i, j) = (i + 1, j + 1)
            } else if let last = back {
                // The last star takes one letter more.
                back = (last.text + 1, last.pattern)
                (i, j) = (last.text + 1, last.pattern + 1)
            } else {
                return false
            }
        }
        return pattern[j...].allSatisfy { $0 == "*" }
    }
}
