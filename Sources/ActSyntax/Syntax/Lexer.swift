// From bytes to tokens, in one pass over the whole source.
//
// What must stay true: the token list ends with `endOfInput`; tokens stand in source order and do not overlap; every bracket
// knows its partner, so the parser can look past `(…)` and can recover without guessing. Faults inside a token (a bad escape, a
// string left open) and brackets left open are reported here, and what is handed on parses as if they had been right;
// characters that mean nothing become `unknown` tokens, for the parser knows better what was meant.

struct Lexer {
    struct Bracket {
        enum Kind { case parenthesis, bracket, brace, lineTemplate, blockTemplate }
        var kind: Kind
        /// The index of the token that opened it.
        var token: Int
    }

    let source: SourceText
    /// Those of `source`; the lexer never leaves the closure that gave them.
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0
    var tokens: [Token] = []
    var numbers: [Double] = []
    var strings: [String] = []
    var names = NameTable()
    var faults = FaultList()
    var brackets: [Bracket] = []
    /// How many of `brackets` are `lineTemplate`: an end of line ends them.
    var openLineTemplates = 0
    /// The comments, if somebody wants them.
    var comments: [Span]?
    private var isStopped: StopCheck?
    var newline = true
    /// The index of the first token of this line.
    var lineStart = 0

    init(source: SourceText, bytes: UnsafeBufferPointer<UInt8>) {
        self.source = source
        self.bytes = bytes
        tokens.reserveCapacity(bytes.count / 3 + 16)
    }

    /// The byte at an offset from the position, 0 past the end.
    @inline(__always)
    func peek(_ offset: Int = 0) -> UInt8 {
        position &+ offset < bytes.count ? bytes[position &+ offset] : 0
    }

    @inline(never)
    mutating func emit(_ kind: Token.Kind, from start: Int, payload: UInt32 = Token.noPartner) {
        tokens.append(
            Token(
                kind: kind, newlineBefore: newline, start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: position),
                payload: payload))
        newline = false
    }

    @inline(__always)
    mutating func emit(_ kind: Token.Kind, length: Int) {
        let start = position
        position &+= length
        emit(kind, from: start)
    }

    /// - Parameter isStopped: asked every few thousand bytes; once it says so, the rest of the text is left out.
    mutating func run(isStopped: StopCheck?) {
        self.isStopped = isStopped
        var nextQuestion = 0
        while position < bytes.count {
            if let isStopped, position >= nextQuestion {
                if isStopped(bytesMade) { break }
                nextQuestion = position &+ 4096
            }
            let byte = bytes[position]
            switch byte {
            case "a"..."z", "A"..."Z", "_": lexName()
            case " ", "\t", 0x0B, 0x0C: position &+= 1
            case "\n", "\r": lexNewline()
            case "#": skipComment()
            case "0"..."9": lexNumber()
            case "(": open(.parenthesis, .leftParenthesis)
            case "[": open(.bracket, .leftBracket)
            case "{": open(.brace, .leftBrace)
            case ")": close(.parenthesis, .rightParenthesis)
            case "]": close(.bracket, .rightBracket)
            case "}": closeBrace()
            case ",": emit(.comma, length: 1)
            case ";": emit(.semicolon, length: 1)
            case "\"": lexString()
            case "'": lexPrime()
            case 0x80...: lexUnicode()
            default: lexOperator(byte)
            }
        }
        reportOpenBrackets()
        newline = true
        emit(.endOfInput, from: position)
    }

    /// What has been made takes so many bytes.
    var bytesMade: Int {
        tokens.capacity &* MemoryLayout<Token>.stride &+ numbers.capacity &* MemoryLayout<Double>.stride &+ brackets.capacity &* MemoryLayout<Bracket>.stride
            &+ bytesOfTexts
    }

    /// Of strings and names. (All together they hold no more bytes than what has been read.)
    var bytesOfTexts: Int { (strings.capacity &+ 2 &* names.names.capacity) &* 64 &+ (strings.isEmpty && names.names.isEmpty ? 0 : position) }

    private mutating func lexNewline() {
        if openLineTemplates > 0 { abandonTemplate(at: position) }
        position &+= 1
        newline = true
        lineStart = tokens.count
    }

    private mutating func skipComment() {
        let start = position
        while position < bytes.count, bytes[position] != 0x0A, bytes[position] != 0x0D { position &+= 1 }
        comments?.append(source.span(start, position))
    }

    // MARK: Names

    private mutating func lexName() {
        let start = position
        var hash = NameTable.seed
        var word: UInt64 = 0
        var end = position
        while end < bytes.count {
            let byte = bytes[end]
            guard isNameByte(byte) else { break }
            hash = NameTable.combine(hash, byte)
            if end &- start < 8 { word |= UInt64(byte) << UInt64(8 &* (end &- start)) }
            end &+= 1
        }
        if end < bytes.count, bytes[end] >= 0x80, let scalar = scalar(at: end), isNamePart(scalar) {
            return lexUnicodeName(from: start)
        }
        position = end
        if end &- start > Self.longestName { return emitShortened(from: start) }
        if end &- start <= 8, let keyword = Token.Kind(keyword: word) { return emit(keyword, from: start) }
        let id = names.intern(ascii: UnsafeBufferPointer(rebasing: bytes[start..<end]), hash: hash)
        emit(.name, from: start, payload: id.index)
    }

    private mutating func lexUnicodeName(from start: Int) {
        position = start
        while let scalar = scalar(at: position), isNamePart(scalar) {
            position += UTF8.width(scalar)
            if position - start > Self.longestName, position & 0xfff < 4, isStopped?(bytesMade) == true { break }
        }
        if position - start > Self.longestName { return emitShortened(from: start) }
        let name = CompatibleNames.form(source.text(start..<position))
        if let keyword = Token.Kind(keyword: name) { return emit(keyword, from: start) }
        emit(.name, from: start, payload: names.intern(name).index)
    }

    /// Whoever compares names, looks for near ones or shows them takes as long as they are, and longer where marks are to be put in order.
    static let longestName = 4096

    /// A name that is too long, as if it ended sooner.
    private mutating func emitShortened(from start: Int) {
        faults.add(.longName(bytes: position - start, most: Self.longestName, at: source.span(start, position)))
        emit(.name, from: start, payload: names.intern("_").index)
    }

    private mutating func lexUnicode() {
        guard let scalar = scalar(at: position) else {
            position += 1
            return
        }
        if isLetter(scalar) { return lexUnicodeName(from: position) }
        if scalar.properties.isWhitespace {
            position += UTF8.width(scalar)
        } else {
            emit(.unknown, length: UTF8.width(scalar))
        }
    }

    func scalar(at offset: Int) -> Unicode.Scalar? {
        guard offset < bytes.count else { return nil }
        var iterator = bytes[offset..<min(offset + 4, bytes.count)].makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
        return scalar
    }

    // MARK: Brackets

    private mutating func open(_ kind: Bracket.Kind, _ token: Token.Kind) {
        brackets.append(Bracket(kind: kind, token: tokens.count))
        emit(token, length: 1)
    }

    private mutating func close(_ kind: Bracket.Kind, _ token: Token.Kind) {
        if let top = brackets.last, top.kind == kind { return closeTop(token) }
        // Look for the partner, but let a stray `)` not end a block or a string; a brace that was opened on this very line is
        // more likely to have been forgotten.
        var index = brackets.count
        while index > lowestCandidate {
            index -= 1
            let candidate = brackets[index]
            if candidate.kind == kind {
                abandonBrackets(above: index, closer: position)
                return closeTop(token)
            }
            switch candidate.kind {
            case .parenthesis, .bracket: continue
            case .brace where candidate.token >= lineStart: continue
            default: break
            }
            break
        }
        // No partner: if a bracket of the other kind is open on this line, one of the two is a slip.
        if let top = brackets.last, top.kind == .parenthesis || top.kind == .bracket, top.token >= lineStart {
            let opener = tokens[top.token]
            let closer = source.text(position..<position + 1)
            faults.addOpen(.mismatched(text(of: opener), closer, at: source.span(position, position + 1), opener: span(opener)))
            return closeTop(top.kind == .parenthesis ? .rightParenthesis : .rightBracket)
        }
        emit(token, length: 1)
    }

    private mutating func closeBrace() {
        // `}` ends a block, a record or the expression in a string, whatever else is open inside it.
        var index = brackets.count - 1
        while index >= lowestCandidate, brackets[index].kind == .parenthesis || brackets[index].kind == .bracket { index -= 1 }
        guard index >= lowestCandidate else { return emit(.rightBrace, length: 1) }
        abandonBrackets(above: index, closer: position)
        if brackets[index].kind == .brace {
            closeTop(.rightBrace)
        } else {
            position += 1
            continueTemplate(from: position - 1, isBlock: brackets[index].kind == .blockTemplate)
        }
    }

    /// Partners are looked for no deeper than programs nest, so that a million brackets take a million steps.
    private var lowestCandidate: Int { max(0, brackets.count - Parser.nestingLimit) }

    private mutating func closeTop(_ token: Token.Kind) {
        let partner = brackets.removeLast().token
        tokens[partner].payload = UInt32(truncatingIfNeeded: tokens.count)
        emit(token, length: 1)
        tokens[tokens.count - 1].payload = UInt32(truncatingIfNeeded: partner)
    }

    /// Reports the brackets above `index`, which the closing bracket at `closer` leaves open.
    private mutating func abandonBrackets(above index: Int, closer: Int) {
        while brackets.count > index + 1 {
            let token = tokens[brackets.removeLast().token]
            faults.addOpen(.unclosed(text(of: token), at: span(token), closer: source.span(closer, closer + 1)))
        }
    }

    /// Reports what the end of the text leaves open, once: the innermost bracket, for that is where text is missing.
    private mutating func reportOpenBrackets() {
        if openLineTemplates > 0 { abandonTemplate(at: position) }
        if let innermost = brackets.last {
            let token = tokens[innermost.token]
            let start = Int(token.start)
            let fault: Diagnostic =
                innermost.kind == .blockTemplate
                ? .unclosedString(at: source.span(start, start + 3), isBlock: true)
                : .unclosed(text(of: token), at: span(token), closer: nil)
            faults.addOpen(fault, isIncomplete: true)
        }
        newline = false
        while let bracket = brackets.popLast() {
            faults.markOpen(tokens[bracket.token].start)
            if bracket.kind == .blockTemplate { emit(.templateTail, from: position, payload: addString("")) }
        }
    }

    func text(of token: Token) -> String { source.text(Int(token.start)..<Int(token.end)) }

    func span(_ token: Token) -> Span { source.span(Int(token.start), Int(token.end)) }

    mutating func addString(_ text: String) -> UInt32 {
        strings.append(text)
        return UInt32(truncatingIfNeeded: strings.count - 1)
    }

    // MARK: Operators

    private mutating func lexOperator(_ byte: UInt8) {
        let next = peek(1)
        switch (byte, next) {
        case ("+", "="): emit(.addAssign, length: 2)
        case ("+", _): emit(.plus, length: 1)
        case ("-", ">"): emit(.arrow, length: 2)
        case ("-", "="): emit(.subtractAssign, length: 2)
        case ("-", _): emit(.minus, length: 1)
        case ("*", "*"): peek(2) == "=" ? emit(.powerAssign, length: 3) : emit(.caret, length: 2)
        case ("*", "="): emit(.multiplyAssign, length: 2)
        case ("*", _): emit(.star, length: 1)
        case ("/", "/"): peek(2) == "=" ? emit(.floorDivideAssign, length: 3) : emit(.doubleSlash, length: 2)
        case ("/", "="): emit(.divideAssign, length: 2)
        case ("/", "*"): emit(.unknown, length: 2)
        case ("/", _): emit(.slash, length: 1)
        case ("%", "="): emit(.remainderAssign, length: 2)
        case ("%", _): emit(.percent, length: 1)
        case ("@", "="): emit(.matmulAssign, length: 2)
        case ("@", _): emit(.at, length: 1)
        case ("^", "="): emit(.powerAssign, length: 2)
        case ("^", _): emit(.caret, length: 1)
        case ("=", "="): emit(peek(2) == "=" ? .unknown : .equal, length: peek(2) == "=" ? 3 : 2)
        case ("=", ">"), ("=", "<"): emit(.unknown, length: 2)
        case ("=", _): emit(.assign, length: 1)
        case ("!", "="): emit(peek(2) == "=" ? .unknown : .notEqual, length: peek(2) == "=" ? 3 : 2)
        case ("<", "="): emit(.lessOrEqual, length: 2)
        case ("<", ">"), ("<", "<"), ("<", "|"): emit(.unknown, length: 2)
        case ("<", _): emit(.less, length: 1)
        case (">", ">"): emit(.compose, length: 2)
        case (">", "="): emit(.greaterOrEqual, length: 2)
        case (">", _): emit(.greater, length: 1)
        case ("|", ">"): emit(.pipe, length: 2)
        case ("|", "|"), ("&", "&"), ("~", "="): emit(.unknown, length: 2)
        case (":", _):
            if let top = brackets.last, top.kind == .lineTemplate || top.kind == .blockTemplate { return lexFormatSpec() }
            next == "=" ? emit(.unknown, length: 2) : emit(.colon, length: 1)
        case (".", "0"..."9"): lexNumber()
        case (".", "."): peek(2) == "." ? emit(.ellipsis, length: 3) : emit(.unknown, length: 2)
        case (".", "*"), (".", "/"), (".", "^"), (".", "'"): emit(.unknown, length: 2)
        case (".", _): emit(.dot, length: 1)
        default: emit(.unknown, length: 1)
        }
    }

    /// `'` directly after what can have a derivative or a transpose; otherwise somebody's string.
    private mutating func lexPrime() {
        if let last = tokens.last, Int(last.end) == position {
            switch last.kind {
            case .name, .rightParenthesis, .rightBracket, .rightBrace, .prime: return emit(.prime, length: 1)
            default: break
            }
        }
        var end = position + 1
        while end < bytes.count, bytes[end] != "'", bytes[end] != "\n", bytes[end] != "\r" { end += 1 }
        guard end < bytes.count, bytes[end] == "'" else { return emit(.unknown, length: 1) }
        let start = position
        position = end + 1
        let text = source.text(start + 1..<end)
        faults.add(.singleQuotes(text, at: source.span(start, position)))
        emit(.string, from: start, payload: addString(text))
    }
}

// Bytes are matched against characters as they are written.

@inline(__always)
func ~= (pattern: Unicode.Scalar, byte: UInt8) -> Bool { UInt32(byte) == pattern.value }

@inline(__always)
func ~= (pattern: ClosedRange<Unicode.Scalar>, byte: UInt8) -> Bool {
    UInt32(byte) >= pattern.lowerBound.value && UInt32(byte) <= pattern.upperBound.value
}

@inline(__always)
func == (byte: UInt8, scalar: Unicode.Scalar) -> Bool { UInt32(byte) == scalar.value }

@inline(__always)
func != (byte: UInt8, scalar: Unicode.Scalar) -> Bool { UInt32(byte) != scalar.value }

@inline(__always)
func isNameByte(_ byte: UInt8) -> Bool {
    (byte >= 0x61 && byte <= 0x7A) || (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x30 && byte <= 0x39) || byte == 0x5F
}

/// A letter outside ASCII.
func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber: true
    default: false
    }
}

/// What may follow the first letter: letters, digits (subscript ones too), `_`, and the marks that a decomposed letter is made of.
package func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return isNameByte(UInt8(truncatingIfNeeded: scalar.value)) }
    if isLetter(scalar) { return true }
    switch scalar.properties.generalCategory {
    case .decimalNumber, .nonspacingMark, .spacingMark: return true
    default: return (0x2080...0x2089).contains(scalar.value)
    }
}
