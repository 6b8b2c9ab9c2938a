// The words of a program, as the lexer hands them to the parser.

struct Token {
    enum Kind: UInt8 {
        case endOfInput
        /// Carries a `NameID`, an index into `numbers`, a `StringID`.
        case name, number, string
        /// `"a {`, `} b {`, `} c"`: carry the `StringID` of their text. A `formatSpec` is the text between `:` and `}`.
        case templateHead, templateMiddle, templateTail, formatSpec

        case `if`, `else`, `for`, `in`, `while`, `break`, `continue`, `return`, and, or, not, `true`, `false`, none, unset

        /// Brackets carry the index of their partner, or `Token.noPartner`.
        case leftParenthesis, rightParenthesis, leftBracket, rightBracket, leftBrace, rightBrace
        case comma, semicolon, colon, dot, ellipsis, prime, arrow
        case assign, addAssign, subtractAssign, multiplyAssign, divideAssign, floorDivideAssign, remainderAssign, matmulAssign, powerAssign
        case pipe, compose
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
        case plus, minus, star, slash, doubleSlash, percent, at, caret
        /// Something act does not have, such as `&&` or `$`.
        case unknown
    }

    static let noPartner = UInt32.max

    var kind: Kind
    /// A line end stands between this token and the one before it.
    var newlineBefore: Bool
    var start: Int32
    var end: Int32
    var payload: UInt32

    var extent: SyntaxTree.Extent { SyntaxTree.Extent(start: start, end: end) }
}

extension Token.Kind {
    /// How tightly an infix operator binds, from 1; 0 for everything else. The order is that of Docs/language.md.
    var precedence: UInt8 {
        switch self {
        case .pipe: 1
        case .compose: 2
        case .or: 3
        case .and: 4
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: 6
        case .plus, .minus: 7
        case .star, .slash, .doubleSlash, .percent, .at: 8
        case .caret: 10
        default: 0
        }
    }

    /// How tightly a prefix operator binds, 0 for everything else.
    var prefixPrecedence: UInt8 {
        switch self {
        case .not: 5
        case .minus, .plus: 9
        default: 0
        }
    }

    var comparison: ComparisonOperator? {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        default: nil
        }
    }

    var binaryOperator: BinaryOperator? {
        switch self {
        case .plus, .addAssign: .add
        case .minus, .subtractAssign: .subtract
        case .star, .multiplyAssign: .multiply
        case .slash, .divideAssign: .divide
        case .doubleSlash, .floorDivideAssign: .floorDivide
        case .percent, .remainderAssign: .remainder
        case .at, .matmulAssign: .matmul
        case .caret, .powerAssign: .power
        default: nil
        }
    }

    var isUpdate: Bool { rawValue >= Token.Kind.addAssign.rawValue && rawValue <= Token.Kind.powerAssign.rawValue }

    var isKeyword: Bool { rawValue >= Token.Kind.if.rawValue && rawValue <= Token.Kind.unset.rawValue }

    /// Whether a value can begin with this token.
    var startsValue: Bool {
        switch self {
        case .name, .number, .string, .templateHead, .true, .false, .none, .leftParenthesis, .leftBracket, .leftBrace, .if, .for, .while:
            true
        default: false
        }
    }

    /// The keyword whose UTF-8 bytes, the first one lowest, make up `word`.
    init?(keyword word: UInt64) {
        switch word {
        case packed("if"): self = .if
        case packed("else"): self = .else
        case packed("for"): self = .for
        case packed("in"): self = .in
        case packed("while"): self = .while
        case packed("break"): self = .break
        case packed("continue"): self = .continue
        case packed("return"): self = .return
        case packed("and"): self = .and
        case packed("or"): self = .or
        case packed("not"): self = .not
        case packed("true"): self = .true
        case packed("false"): self = .false
        case packed("none"): self = .none
        case packed("unset"): self = .unset
        default: return nil
        }
    }
}

extension Token.Kind {
    init?(keyword name: String) {
        guard name.utf8.count <= 8 else { return nil }
        self.init(keyword: name.utf8.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
}

/// The words that cannot be names.
package let keywords = [
    "if", "else", "for", "in", "while", "break", "continue", "return", "and", "or", "not", "true", "false", "none", "unset",
]

/// Up to eight ASCII bytes as one integer, so that a keyword is told by one comparison.
@inline(__always)
private func packed(_ word: StaticString) -> UInt64 {
    var bits: UInt64 = 0
    for index in 0..<word.utf8CodeUnitCount { bits |= UInt64(word.utf8Start[index]) << UInt64(8 * index) }
    return bits
}
