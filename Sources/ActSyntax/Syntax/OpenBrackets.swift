// Which brackets and strings are open at a place in a text. Made for text that is still being written, where the parser has not
// much to say: completion asks what stands around the cursor, the session whether a long input goes on.

package struct OpenBrackets {
    package enum Kind {
        case parenthesis, bracket, brace
        /// `"…`, and `"""…`
        case string, blockString
        /// `{` in a string
        case interpolation
    }

    package struct Open {
        package let kind: Kind
        /// The offset of the bracket or quote.
        package let start: Int
        /// The offset after it.
        package var inside: Int { kind == .blockString ? start + 3 : start + 1 }
    }

    package private(set) var stack: [Open] = []
    package private(set) var isInComment = false
    /// Whether a bracket was closed that was not open, or was open as another.
    package private(set) var isMismatched = false
    private var offset = 0

    package init() {}

    /// What closes everything that is open.
    package var closing: String {
        let closers = stack.reversed().map { open in
            switch open.kind {
            case .parenthesis: ")"
            case .bracket: "]"
            case .brace, .interpolation: "}"
            case .string: "\""
            case .blockString: "\"\"\""
            }
        }
        return closers.joined()
    }

    package var isInString: Bool { stack.last?.kind == .string || stack.last?.kind == .blockString }

    private mutating func close(_ kind: Kind) {
        if stack.popLast()?.kind != kind { isMismatched = true }
    }

    /// Reads on. Pieces of a text must end at line ends, but for the last one.
    package mutating func read(_ text: some Collection<UInt8>) {
        let bytes = Array(text)
        var index = 0
        func startsQuotes(_ index: Int) -> Bool { index + 2 < bytes.count && bytes[index + 1] == quote && bytes[index + 2] == quote }
        while index < bytes.count {
            let byte = bytes[index]
            let position = offset + index
            index += 1
            if byte == UInt8(ascii: "\n") {
                isInComment = false
                // A string ends with its line, and with it whatever was interpolated.
                if let first = stack.firstIndex(where: { $0.kind == .string }) { stack.removeSubrange(first...) }
                continue
            }
            if isInComment { continue }
            if isInString {
                switch byte {
                case UInt8(ascii: "\\"): index += 1
                case UInt8(ascii: "{"): stack.append(Open(kind: .interpolation, start: position))
                case quote where stack.last?.kind == .string: stack.removeLast()
                case quote where startsQuotes(index - 1):
                    stack.removeLast()
                    index += 2
                default: break
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "#"): isInComment = true
            case quote where startsQuotes(index - 1):
                stack.append(Open(kind: .blockString, start: position))
                index += 2
            case quote: stack.append(Open(kind: .string, start: position))
            case UInt8(ascii: "("): stack.append(Open(kind: .parenthesis, start: position))
            case UInt8(ascii: "["): stack.append(Open(kind: .bracket, start: position))
            case UInt8(ascii: "{"): stack.append(Open(kind: .brace, start: position))
            case UInt8(ascii: ")"): close(.parenthesis)
            case UInt8(ascii: "]"): close(.bracket)
            case UInt8(ascii: "}"): close(stack.last?.kind == .interpolation ? .interpolation : .brace)
            default: break
            }
        }
        offset += bytes.count
    }
}

private let quote = UInt8(ascii: "\"")
