// From tokens to the syntax tree.
//
//     program     = { [statement] terminator }                         terminator = newline | ";" | end
//     block       = "{" program "}"
//     statement   = name parameters "=" values                         # a function
//                 | target { "," target } "=" values
//                 | target ("+=" | "-=" | "*=" | "/=" | "//=" | "%=" | "@=" | "^=" | "**=") expression
//                 | "return" [values] | "break" | "continue" | "unset" name
//                 | expression
//     target      = name { "[" items "]" | "." name }
//     values      = expression { "," expression }                      # two or more make a list
//     expression  = (name | parameters) "->" expression | operators
//     parameters  = "(" [ name ["=" expression] { "," … } [","] ] ")"
//     operators   = prefix* postfix { infix prefix* postfix }           # Token.Kind.precedence
//     prefix      = "-" | "+" | "not"
//     infix       = "|>" | ">>" | "or" | "and" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "//" | "%" | "@" | "^" | "**"
//     postfix     = primary { "(" [arguments] ")" | "[" items "]" | "." name | "'" }
//     arguments   = [name "="] expression { "," … } [","]
//     items       = item { "," item } [","]
//     item        = "..." | expression | [expression] ":" [expression] [":" [expression]]
//     primary     = number | string | "true" | "false" | "none" | name
//                 | "(" expression ")" | "(" [expression "," …] ")"
//                 | "[" [expression { "," … } [","]] "]" | "[" expression "for" names "in" expression ["if" expression] "]"
//                 | "{" [key ":" expression { "," … } [","]] "}"        key = name | string
//                 | block
//                 | "if" expression block { "else" "if" expression block } ["else" block]       # no newline ends it before `else`
//                 | "for" names "in" expression block | "while" expression block
//     names       = name { "," name }
//
// Helpers that only read are inlined: called, each would get a copy of the whole parser on the stack.
//
// What must stay true: no input makes it trap or recurse deeper than `nestingLimit`; operators, calls and `else if` chains are
// loops. Every loop consumes a token or ends. A statement reports at most one fault; parsing goes on at the next statement.

/// What parsing gives: a tree always, and what is wrong with the program.
package struct ParseResult: Sendable {
    package var tree: SyntaxTree
    /// In source order; empty when the program is right.
    package var diagnostics: [Diagnostic]
    /// Whether the first fault is that the text ends inside a bracket, block or `"""`, or where a value must follow, so that
    /// more text may make it right.
    package var isIncomplete: Bool
}

/// Asked now and then while something is made of a source, with the bytes that it has come to; once it says so, the rest is left out, and what
/// was made means nothing.
package typealias StopCheck = (_ bytes: Int) -> Bool

/// Parses a whole source. Time and memory are linear in its size.
package func parse(_ source: SourceText, isStopped: StopCheck? = nil) -> ParseResult {
    source.bytes.withUnsafeBufferPointer { bytes in
        var lexer = Lexer(source: source, bytes: bytes)
        lexer.run(isStopped: isStopped)
        var parser = Parser(lexer, isStopped: isStopped)
        parser.parseProgram()
        return parser.finish()
    }
}

struct Parser {
    /// How many brackets and function literals may stand inside each other; a block counts for three, other compounds for two, so
    /// that at this limit a release build needs less than 512 KB of stack.
    static let nestingLimit = 1000

    /// Thrown when a statement cannot go on. Its fault has been reported by then.
    struct Failure: Error {}

    let source: SourceText
    let isStopped: StopCheck?
    /// The bytes of tokens and tree when they were counted last.
    private(set) var bytesMade = 0
    private let bytesOfTokens: Int
    let tokens: [Token]
    let numbers: [Double]
    var names: NameTable
    var tree: SyntaxTree
    var faults: FaultList

    var position = 0
    /// `tokens[position]`
    var token: Token
    /// The index of the first token of the innermost statement.
    var statementStart = 0
    var nesting = 0
    /// Whether a newline ends a statement here: not inside `( [`, a record or a string.
    var newlineEnds = true
    var functionDepth = 0
    var loopDepth = 0
    /// Set when the head of a block could not be read: then its body may stand in the open, `else` and `break` included.
    var hasLostHead = false
    /// Set when nothing more is to be reported.
    var isAbandoned = false
    /// Set when what is parsed is what a help would have written.
    var isRemedy = false

    /// By expression: the length of the longest path below it.
    var depths: [UInt32] = []
    // Lists grow here while their elements are parsed, then move to the tree in one piece.
    var pending: [Pending] = []
    var children = Scratch<ExpressionID>()
    var parts = Scratch<StringPart>()
    var fields = Scratch<Field>()
    var links = Scratch<ComparisonLink>()
    var arguments = Scratch<Argument>()
    var indexItems = Scratch<IndexItem>()
    var statements = Scratch<Statement>()
    var branches = Scratch<Branch>()
    var variables = Scratch<Variable>()

    init(_ lexer: Lexer, isStopped: StopCheck?) {
        source = lexer.source
        bytesOfTokens = lexer.bytesMade
        self.isStopped = isStopped
        tokens = lexer.tokens
        numbers = lexer.numbers
        names = lexer.names
        faults = lexer.faults
        faults.sortOpen()
        tree = SyntaxTree(source: lexer.source)
        tree.strings = lexer.strings
        tree.bytesOfTexts = lexer.bytesOfTexts
        let estimate = tokens.count * 3 / 4
        tree.expressions.reserveCapacity(estimate)
        tree.extents.reserveCapacity(estimate)
        tree.marks.reserveCapacity(estimate)
        depths.reserveCapacity(estimate)
        token = tokens.first ?? Token(kind: .endOfInput, newlineBefore: true, start: 0, end: 0, payload: 0)
    }

    mutating func parseProgram() {
        tree.program = parseStatements(until: .endOfInput).run
        tree.depth = Int(depths.max() ?? 0)
        tree.names = names.names
    }

    func finish() -> ParseResult {
        let (diagnostics, isIncomplete) = faults.sorted()
        return ParseResult(tree: tree, diagnostics: diagnostics, isIncomplete: isIncomplete)
    }

    // MARK: Tokens

    @inline(never)
    mutating func advance() {
        if position &+ 1 < tokens.count {
            position &+= 1
            token = tokens[position]
            if position & 0xfff == 0, isStopped?(countBytes()) == true { move(to: tokens.count - 1) }
        }
    }

    private mutating func countBytes() -> Int {
        bytesMade =
            bytesOfTokens &+ tree.footprint &+ depths.capacity &* MemoryLayout<UInt32>.stride &+ statements.items.capacity &* MemoryLayout<Statement>.stride
            &+ arguments.items.capacity &* MemoryLayout<Argument>.stride &+ fields.items.capacity &* MemoryLayout<Field>.stride
            &+ (children.items.capacity &+ branches.items.capacity &+ pending.capacity) &* MemoryLayout<Pending>.stride
        return bytesMade
    }

    mutating func move(to index: Int) {
        position = min(index, tokens.count - 1)
        token = tokens[position]
    }

    @inline(__always)
    func peek(_ offset: Int = 1) -> Token {
        tokens[max(0, min(position + offset, tokens.count - 1))]
    }

    /// The index of the bracket that belongs to the one at `index`, if there is one.
    @inline(__always)
    func partner(of index: Int) -> Int? {
        let payload = tokens[index].payload
        return payload == Token.noPartner ? nil : Int(payload)
    }

    /// Whether a newline before the current token ends the statement.
    @inline(__always)
    var isAtLineEnd: Bool { token.newlineBefore && newlineEnds }

    // MARK: Nodes

    @inline(never)
    mutating func add(
        _ expression: Expression, _ extent: SyntaxTree.Extent, mark: SyntaxTree.Extent, above depth: UInt32
    ) -> ExpressionID {
        let id = ExpressionID(index: UInt32(truncatingIfNeeded: tree.expressions.count))
        tree.expressions.append(expression)
        tree.extents.append(extent)
        tree.marks.append(mark)
        depths.append(depth &+ 1)
        return id
    }

    mutating func add(_ expression: Expression, from start: Int32, mark: SyntaxTree.Extent, above depth: UInt32 = 0) -> ExpressionID {
        add(expression, SyntaxTree.Extent(start: start, end: tokens[max(0, position &- 1)].end), mark: mark, above: depth)
    }

    /// Adds what the current token says by itself.
    @inline(__always)
    mutating func addLeaf(_ expression: Expression) -> ExpressionID {
        let id = add(expression, token.extent, mark: token.extent, above: 0)
        advance()
        return id
    }

    @inline(__always)
    func depth(_ id: ExpressionID) -> UInt32 { depths[Int(id.index)] }

    @inline(__always)
    func depth(_ id: ExpressionID?) -> UInt32 { id.map { depths[Int($0.index)] } ?? 0 }

    @inline(__always)
    func extent(_ id: ExpressionID) -> SyntaxTree.Extent { tree.extents[Int(id.index)] }

    /// The list begun at `base`, and the depth of its deepest expression.
    mutating func sealChildren(from base: Int) -> (run: Run<ExpressionID>, depth: UInt32) {
        var deepest: UInt32 = 0
        for id in children.items[base...] { deepest = max(deepest, depth(id)) }
        return (children.seal(from: base, into: &tree.children), deepest)
    }

    /// Call at the start of everything that nests, and `leave()` at its end.
    @inline(__always)
    mutating func enter(counting weight: Int = 1) throws(Failure) {
        nesting += weight
        if nesting > Self.nestingLimit { throw failTooDeep() }
    }

    @inline(__always)
    mutating func leave(counting weight: Int = 1) { nesting -= weight }

    /// Gives up: deeper than this, one fault would be followed by one for each level.
    @inline(never)
    private mutating func failTooDeep() -> Failure {
        let failure = fail(.tooDeep(at: span(token)))
        isAbandoned = true
        move(to: tokens.count - 1)
        return failure
    }

    /// No two of a list's names may be equal.
    @inline(never)
    mutating func checkDistinct(_ what: String, _ list: some Collection<(NameID, Span)>) throws(Failure) {
        guard list.count > 1 else { return }
        var known: [NameID: Span] = [:]
        for (name, span) in list {
            if let first = known.updateValue(span, forKey: name) {
                throw fail(.repeated(what, names.names[Int(name.index)], at: span, first: first))
            }
        }
    }

    // MARK: Recovery

    /// What a failed piece of syntax leaves half done.
    struct State {
        var nesting: Int
        var newlineEnds: Bool
        var heights: (Int, Int, Int, Int, Int, Int, Int, Int, Int, Int)
    }

    @inline(__always)
    func saveState() -> State {
        State(
            nesting: nesting, newlineEnds: newlineEnds,
            heights: (
                pending.count, children.items.count, parts.items.count, fields.items.count, links.items.count, arguments.items.count,
                indexItems.items.count, statements.items.count, branches.items.count, variables.items.count
            ))
    }

    @inline(never)
    mutating func restore(_ state: State) {
        nesting = state.nesting
        newlineEnds = state.newlineEnds
        pending.removeLast(pending.count - state.heights.0)
        children.items.removeLast(children.items.count - state.heights.1)
        parts.items.removeLast(parts.items.count - state.heights.2)
        fields.items.removeLast(fields.items.count - state.heights.3)
        links.items.removeLast(links.items.count - state.heights.4)
        arguments.items.removeLast(arguments.items.count - state.heights.5)
        indexItems.items.removeLast(indexItems.items.count - state.heights.6)
        statements.items.removeLast(statements.items.count - state.heights.7)
        branches.items.removeLast(branches.items.count - state.heights.8)
        variables.items.removeLast(variables.items.count - state.heights.9)
    }

    // MARK: Faults

    @inline(__always)
    func span(_ token: Token) -> Span { source.span(Int(token.start), Int(token.end)) }

    @inline(__always)
    func span(_ extent: SyntaxTree.Extent) -> Span { source.span(Int(extent.start), Int(extent.end)) }

    @inline(never)
    func text(_ token: Token) -> String { source.text(Int(token.start)..<Int(token.end)) }

    /// Reports a fault, unless a bracket or string left open before the current token explains it.
    @inline(never)
    mutating func report(_ diagnostic: Diagnostic, isIncomplete: Bool = false) {
        if isAbandoned || faults.hasOpen(from: tokens[statementStart].start, to: token.end) { return }
        faults.add(diagnostic, isIncomplete: isIncomplete)
    }

    /// Reports a fault and gives the error to throw.
    @inline(never)
    mutating func fail(_ diagnostic: Diagnostic, isIncomplete: Bool = false) -> Failure {
        report(diagnostic, isIncomplete: isIncomplete)
        return Failure()
    }

    /// The same for functions that recurse: a diagnostic is large, and made here it takes none of their stack.
    @inline(never)
    mutating func fail(_ diagnostic: (Parser) -> Diagnostic) -> Failure { fail(diagnostic(self)) }
}

/// A stack on which lists of one kind of element grow.
struct Scratch<Element> {
    var items: [Element] = []

    /// Moves the elements from `base` on to the end of `target`.
    @inline(__always)
    mutating func seal(from base: Int, into target: inout [Element]) -> Run<Element> {
        let run = Run<Element>(start: UInt32(truncatingIfNeeded: target.count), count: UInt32(truncatingIfNeeded: items.count - base))
        target.append(contentsOf: items[base...])
        items.removeLast(items.count - base)
        return run
    }
}
