// Numbers and strings.
//
// What must stay true: a decimal number is the double nearest to what is written. Line ends inside `"""` are `\n` however the
// file writes them. A string that breaks off is handed on as if it had been closed.

import ActText

extension Lexer {
    // MARK: Numbers

    mutating func lexNumber() {
        let start = position
        if bytes[position] == "0" {
            switch peek(1) {
            case "x", "X": return lexInteger(radix: 16, from: start)
            case "b", "B": return lexInteger(radix: 2, from: start)
            default: break
            }
        }
        var digits = Digits()
        lexDigits(&digits, isFraction: false)
        if peek() == ".", pointBelongsToNumber(at: position) {
            position += 1
            lexDigits(&digits, isFraction: true)
        }
        if peek() == "e" || peek() == "E" { digits.exponent += lexExponent(from: start) }
        if digits.hasSeparators || peek() == "_" { checkSeparators(from: start) }

        let value: Double
        if digits.isExact, digits.mantissa <= 1 << 53, digits.exponent >= -22, digits.exponent <= 22 {
            // Both factors are exact, so one rounding gives the nearest double.
            let mantissa = Double(digits.mantissa)
            value = digits.exponent < 0 ? mantissa / powersOfTen[-digits.exponent] : mantissa * powersOfTen[digits.exponent]
        } else {
            value = DecimalText.number(source.bytes[start..<position], ignoring: UInt8(ascii: "_")) {} ?? 0
            if value.isInfinite { faults.add(.numberTooLarge(at: source.span(start, position))) }
        }
        finishNumber(value, from: start)
    }

    /// The digits of a decimal number so far: mantissa times ten to the exponent, if that is exact.
    private struct Digits {
        var mantissa: UInt64 = 0
        var exponent = 0
        var isExact = true
        var hasSeparators = false
    }

    private mutating func lexDigits(_ digits: inout Digits, isFraction: Bool) {
        while position < bytes.count {
            let byte = bytes[position]
            if byte == "_" {
                digits.hasSeparators = true
            } else {
                guard byte >= 0x30, byte <= 0x39 else { return }
                if digits.mantissa < 100_000_000_000_000_000 {
                    digits.mantissa = digits.mantissa &* 10 &+ UInt64(byte &- 0x30)
                    if isFraction { digits.exponent &-= 1 }
                } else {
                    digits.isExact = false
                }
            }
            position &+= 1
        }
    }

    /// The exponent at an `e`; 0 where the `e` belongs to something else, or has no digits.
    /// - Parameter start: Where the number begins.
    private mutating func lexExponent(from start: Int) -> Int {
        let sign = peek(1) == "+" || peek(1) == "-" ? 1 : 0
        guard isDigit(peek(1 + sign)) else {
            if sign == 1 || !isNameByte(peek(1)) {
                position += 1 + sign
                faults.add(.exponentWithoutDigits(at: source.span(start, position)))
            }
            return 0
        }
        let isNegative = peek(1) == "-"
        position += 1 + sign
        var written = 0
        while isDigit(peek()) {
            written = min(written * 10 + Int(peek() - 0x30), 1_000_000)
            position += 1
        }
        return isNegative ? -written : written
    }

    private mutating func lexInteger(radix: UInt64, from start: Int) {
        position += 2
        var value: UInt64 = 0
        var isTooLong = false
        var hasDigits = false
        var hasSeparators = false
        while position < bytes.count {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case "0"..."9": digit = byte - 0x30
            case "a"..."f" where radix == 16: digit = byte - 0x61 + 10
            case "A"..."F" where radix == 16: digit = byte - 0x41 + 10
            case "_": digit = 0xFF
            default: digit = 0xFE
            }
            if digit == 0xFE { break }
            if digit == 0xFF {
                hasSeparators = true
            } else {
                guard digit < radix else {
                    while isNameByte(peek()) { position += 1 }
                    faults.add(.notABinaryNumber(at: source.span(start, position)))
                    break
                }
                if value > UInt64.max / radix { isTooLong = true }
                value = value &* radix &+ UInt64(digit)
                hasDigits = true
            }
            position += 1
        }
        if !hasDigits { faults.add(.prefixWithoutDigits(source.text(start..<start + 2), at: source.span(start, position))) }
        if isTooLong { faults.add(.tooManyBits(at: source.span(start, position))) }
        if hasSeparators { checkSeparators(from: start) }
        finishNumber(Double(value), from: start)
    }

    private mutating func finishNumber(_ value: Double, from start: Int) {
        numbers.append(value)
        // `1,000`: digits that no number of its own begins with.
        if position - start == 3, bytes[start] == UInt8(ascii: "0"), start > 1, bytes[start - 1] == UInt8(ascii: ","), isDigit(bytes[start - 2]),
            isDigit(bytes[start + 1]), isDigit(bytes[start + 2])
        {
            faults.add(.groupedDigits(source.text(start..<position), at: source.span(start - 1, position)))
        }
        emit(.number, from: start, payload: UInt32(truncatingIfNeeded: numbers.count - 1))
        let isName = isNameByte(peek()) || (peek() >= 0x80 && scalar(at: position).map(isLetter) == true)
        guard isName else { return }
        var end = position
        while end - position < Self.longestName, let scalar = scalar(at: end), isNamePart(scalar) { end += UTF8.width(scalar) }
        faults.add(
            .numberBeforeName(source.text(start..<position), name: source.text(position..<end), at: source.span(start, end)))
        // Go on as if it had been written.
        emit(.star, from: position)
    }

    /// Whether the point at an offset is part of the number before it: in `1.5`, `2.`, `2.e5`, but not in `2.mean()` or `0...`.
    private func pointBelongsToNumber(at offset: Int) -> Bool {
        switch peek(1) {
        case ".": return false
        case "e", "E": return isDigit(peek(2)) || ((peek(2) == "+" || peek(2) == "-") && isDigit(peek(3)))
        case "0"..."9": return true
        case 0x80...: return scalar(at: offset + 1).map(isLetter) != true
        case let byte: return !isNameByte(byte)
        }
    }

    /// `_` stands between two digits.
    private mutating func checkSeparators(from start: Int) {
        while isNameByte(peek()) { position += 1 }
        func isBetweenDigits(_ index: Int) -> Bool {
            index > start && index + 1 < position && isHexDigit(bytes[index - 1]) && isHexDigit(bytes[index + 1])
        }
        let isRight = (start..<position).allSatisfy { bytes[$0] != "_" || isBetweenDigits($0) }
        if !isRight { faults.add(.misplacedSeparator(at: source.span(start, position))) }
    }

    // MARK: Strings

    mutating func lexString() {
        let start = position
        let isBlock = peek(1) == "\"" && peek(2) == "\""
        position += isBlock ? 3 : 1
        let (text, ending) = scanText(isBlock: isBlock)
        switch ending {
        case .quotes: emit(.string, from: start, payload: text)
        case .brace:
            brackets.append(Bracket(kind: isBlock ? .blockTemplate : .lineTemplate, token: tokens.count))
            if !isBlock { openLineTemplates += 1 }
            emit(.templateHead, from: start, payload: text)
        case .end:
            if isBlock {
                faults.addOpen(.unclosedString(at: source.span(start, start + 3), isBlock: true), isIncomplete: true)
            } else if openLineTemplates == 0 {
                faults.addOpen(.unclosedString(at: source.span(start, position), isBlock: false))
                forgetBracketsOfLine()
            }
            emit(.string, from: start, payload: text)
        }
    }

    /// Goes on with the text of a string after the `}` (or what took its place) of an expression in it.
    mutating func continueTemplate(from start: Int, isBlock: Bool) {
        let (text, ending) = scanText(isBlock: isBlock)
        switch ending {
        case .brace: return emit(.templateMiddle, from: start, payload: text)
        case .quotes: break
        case .end:
            guard isBlock else { return abandonTemplate(at: position) }
            if let bracket = brackets.last {
                let head = Int(tokens[bracket.token].start)
                faults.addOpen(.unclosedString(at: source.span(head, head + 3), isBlock: true), isIncomplete: true)
            }
        }
        if !isBlock { openLineTemplates -= 1 }
        if !brackets.isEmpty { brackets.removeLast() }
        emit(.templateTail, from: start, payload: text)
    }

    /// Ends every string that stands on one line, the text or the line having ended inside it.
    mutating func abandonTemplate(at end: Int) {
        var first = brackets.count
        while openLineTemplates > 0, first > 0 {
            first -= 1
            if brackets[first].kind == .lineTemplate { openLineTemplates -= 1 }
        }
        guard first < brackets.count else { return }
        let head = tokens[brackets[first].token]
        faults.addOpen(.unclosedTemplate(at: source.span(Int(head.start), end), brace: source.span(Int(head.end) - 1, Int(head.end))))
        while brackets.count > first {
            faults.markOpen(tokens[brackets[brackets.count - 1].token].start)
            let kind = brackets.removeLast().kind
            if kind == .lineTemplate || kind == .blockTemplate { emit(.templateTail, from: position, payload: addString("")) }
        }
        forgetBracketsOfLine()
    }

    /// An open string has swallowed the closing brackets of its line: they are not missed a second time.
    private mutating func forgetBracketsOfLine() {
        while let last = brackets.last, last.token >= lineStart, last.kind == .parenthesis || last.kind == .bracket {
            faults.markOpen(tokens[last.token].start)
            brackets.removeLast()
        }
    }

    mutating func lexFormatSpec() {
        let start = position
        position += 1
        while position < bytes.count, bytes[position] != "}", bytes[position] != "\"", bytes[position] != "\n", bytes[position] != "\r" {
            position += 1
        }
        emit(.formatSpec, from: start)
        if peek() == "\"", let bracket = brackets.last {
            faults.addOpen(.unclosedInterpolation(at: source.span(start, position)))
            continueTemplate(from: position, isBlock: bracket.kind == .blockTemplate)
        }
    }

    private enum Ending { case quotes, brace, end }

    /// Reads text up to and with its closing quotes or an opening `{`; at `end` the position is at the end of the line or the input.
    private mutating func scanText(isBlock: Bool) -> (UInt32, Ending) {
        var rewritten: [UInt8] = []
        var segment = position
        var ending = Ending.end
        var textEnd = bytes.count
        scan: while true {
            guard position < bytes.count else {
                textEnd = position
                break
            }
            switch bytes[position] {
            case "\"" where !isBlock || (peek(1) == "\"" && peek(2) == "\""):
                textEnd = position
                position += isBlock ? 3 : 1
                ending = .quotes
                break scan
            case "{":
                textEnd = position
                position += 1
                ending = .brace
                break scan
            case "\n" where !isBlock, "\r" where !isBlock:
                textEnd = position
                break scan
            case "\r":
                rewritten += bytes[segment..<position]
                rewritten.append(0x0A)
                position += peek(1) == "\n" ? 2 : 1
                segment = position
            case "\\":
                rewritten += bytes[segment..<position]
                scanEscape(into: &rewritten)
                segment = position
            default:
                position &+= 1
            }
        }
        if rewritten.isEmpty { return (addString(source.text(segment..<textEnd)), ending) }
        rewritten += bytes[segment..<textEnd]
        return (addString(String(decoding: rewritten, as: UTF8.self)), ending)
    }

    private mutating func scanEscape(into text: inout [UInt8]) {
        let start = position
        switch peek(1) {
        case "n": text.append(0x0A)
        case "t": text.append(0x09)
        case "\"", "\\", "{": text.append(peek(1))
        case "u" where peek(2) == "{":
            position += 3
            var value: UInt32 = 0
            var digits = 0
            while isHexDigit(peek()), let digit = Character(Unicode.Scalar(peek())).hexDigitValue {
                value = min(value &* 16 &+ UInt32(digit), 0x0FFF_FFFF)
                digits += 1
                position += 1
            }
            if peek() == "}" { position += 1 }
            guard digits > 0, bytes[position - 1] == "}", let scalar = Unicode.Scalar(value) else {
                return faults.add(.badUnicodeEscape(at: source.span(start, position)))
            }
            text += Array(String(Character(scalar)).utf8)
            return
        default:
            position += 1
            if let scalar = scalar(at: position), scalar != "\n", scalar != "\r" { position += UTF8.width(scalar) }
            return faults.add(.unknownEscape(source.text(start..<position), at: source.span(start, position)))
        }
        position += 2
    }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

private func isHexDigit(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte >= 0x61 && byte <= 0x66) || (byte >= 0x41 && byte <= 0x46)
}

/// The powers of ten that doubles hold exactly.
private let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]
