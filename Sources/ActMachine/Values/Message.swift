// What a message about the running program says. Programs hand over values of any length, and a message repeats them: it takes a long
// one by its ends, so that no message is longer than a few lines, and none costs the memory of a second copy.

/// Words with values among them; written as a string with `\(…)`.
package struct Message: ExpressibleByStringInterpolation, Equatable, Sendable {
    package let text: String

    /// Values of more bytes are cut.
    private static let longest = 2000
    /// How many characters stay at each end.
    private static let end = 40

    /// Text that a program or another part of act made.
    package init(_ text: String) { self.text = Message.cut(text) }

    package init(stringLiteral value: String) { text = value }

    package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ value: String) { text += Message.cut(value) }
        package mutating func appendInterpolation(_ value: Message) { text += value.text }
        package mutating func appendInterpolation(_ value: Substring) { text += Message.cut(value) }
        package mutating func appendInterpolation<T>(_ value: T) { text += Message.cut("\(value)") }
    }

    /// A long text as its first and last characters, with its length between them.
    package static func cut(_ text: some StringProtocol) -> String {
        let length = text.utf8.count
        if length <= longest { return String(text) }
        return "\(text.prefix(end))… (\(Format.bytes(length))) …\(text.suffix(end))"
    }
}
