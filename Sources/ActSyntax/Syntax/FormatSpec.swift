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
    /// The longest spec, in bytes; a fill may be a character of many.
    static let longest = 1000

    package init() {}
}

/// What is wrong with a spec, and the characters that it is about, counted from the spec's start.
package struct FormatSpecError: Error, Equatable {
    package let fault: Fault
    package let characters: Range<Int>

    package enum Fault: Equatable, Sendable {
        case tooLong
        case largeWidth, largePrecision
        case digitsMissing
        case unknownType(Character)
        case textAfterType(Character)
    }
}

extension FormatSpec {
    package init(parsing text: some StringProtocol) throws(FormatSpecError) {
        guard text.utf8.count <= FormatSpec.longest else { throw FormatSpecError(fault: .tooLong, characters: 0..<1) }
        let characters = Array(text)
        var position = 0
        func peek(_ offset: Int = 0) -> Character? { position + offset < characters.count ? characters[position + offset] : nil }
        func number(or fault: FormatSpecError.Fault) throws(FormatSpecError) -> Int? {
            let start = position
            var value = 0
            while let digit = peek(), digit >= "0", digit <= "9" {
                value = min(value * 10 + (digit.wholeNumberValue ?? 0), FormatSpec.limit + 1)
                position += 1
            }
            guard value <= FormatSpec.limit else { throw FormatSpecError(fault: fault, characters: start..<position) }
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
        width = try number(or: .largeWidth) ?? 0
        if peek() == "," {
            isGrouped = true
            position += 1
        }
        if peek() == "." {
            position += 1
            guard let digits = try number(or: .largePrecision) else {
                throw FormatSpecError(fault: .digitsMissing, characters: position - 1..<position)
            }
            precision = digits
        }
        if let letter = peek() {
            guard let kind = Kind(rawValue: letter) else {
                throw FormatSpecError(fault: .unknownType(letter), characters: position..<position + 1)
            }
            self.kind = kind
            position += 1
        }
        guard position == characters.count else {
            throw FormatSpecError(fault: .textAfterType(characters[position - 1]), characters: position..<characters.count)
        }
    }
}
