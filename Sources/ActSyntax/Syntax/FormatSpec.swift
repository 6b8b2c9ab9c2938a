// The part after `:` in `"{x:>8.2f}"`, also the second argument of `format`:
// `[[fill]align][sign][0][width][,][.precision][type]`, Python's rules.

/// How a value is to be written. What it means for each kind of value is decided where values are formatted.
package struct FormatSpec: Equatable, Sendable {
    package enum Alignment: Character, Sendable { case left = "<", right = ">", centre = "^", afterSign = "=" }
    package enum Sign: Character, Sendable { case always = "+", negativeOnly = "-", spaceForPositive = " " }
    package enum Kind: Character, Sendable { case exponent = "e", fixed = "f", general = "g", percent = "%", whole = "d", string = "s" }

    /// nil: blanks, or zeros by `isZeroPadded`.
    package var fill: Character?
    /// nil: numbers go to the right, all else to the left.
    package var alignment: Alignment?
    /// nil: as `negativeOnly`, and allowed for text.
    package var sign: Sign?
    /// `0` before the width: fill with zeros, and after the sign, unless a fill or an alignment is given.
    package var isZeroPadded = false
    /// At least this many characters.
    package var width = 0
    /// `,`: separates thousands.
    package var isGrouped = false
    package var precision: Int?
    /// nil: as the value prints by itself.
    package var kind: Kind?

    /// Widths and precisions stay below this, so that a spec cannot ask for unbounded memory.
    package static let limit = 10_000

    package init() {}
}

/// What is wrong with a spec: a message and the characters it is about, counted from the spec's start.
package struct FormatSpecError: Error, Equatable {
    package var message: String
    package var characters: Range<Int>
}

extension FormatSpec {
    package init(parsing text: some StringProtocol) throws(FormatSpecError) {
        let characters = Array(text)
        var position = 0
        func peek(_ offset: Int = 0) -> Character? {
            position + offset < characters.count ? characters[position + offset] : nil
        }
        func number(_ what: String) throws(FormatSpecError) -> Int? {
            let start = position
            var value = 0
            while let digit = peek(), digit >= "0", digit <= "9" {
                value = min(value * 10 + (digit.wholeNumberValue ?? 0), FormatSpec.limit + 1)
                position += 1
            }
            guard value <= FormatSpec.limit else {
                throw FormatSpecError(message: "the \(what) is more than \(FormatSpec.limit)", characters: start..<position)
            }
            return position > start ? value : nil
        }

        if let fill = peek(), let align = peek(1).flatMap(Alignment.init) {
            self.fill = fill
            alignment = align
            position += 2
        } else if let align = peek().flatMap(Alignment.init) {
            alignment = align
            position += 1
        }
        if let sign = peek().flatMap(Sign.init) {
            self.sign = sign
            position += 1
        }
        if peek() == "0" {
            isZeroPadded = true
            position += 1
        }
        width = try number("width") ?? 0
        if peek() == "," {
            isGrouped = true
            position += 1
        }
        if peek() == "." {
            position += 1
            guard let digits = try number("precision") else {
                throw FormatSpecError(message: "digits must follow the `.`", characters: position - 1..<position)
            }
            precision = digits
        }
        if let letter = peek() {
            guard let kind = Kind(rawValue: letter) else {
                throw FormatSpecError(message: "`\(letter)` is not a type; the types are e f g % d s", characters: position..<position + 1)
            }
            self.kind = kind
            position += 1
        }
        guard position == characters.count else {
            throw FormatSpecError(message: "nothing may follow the type `\(characters[position - 1])`", characters: position..<characters.count)
        }
    }
}
