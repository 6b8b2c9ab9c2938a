// The syntax tree: what a program says, as flat arrays that refer to each other by index.
//
// What must stay true: `Expression` is a trivial value (no references), children have smaller indices than their parents,
// and a list of children is a `Run` of one side array. So trees of any depth are built, walked and freed without
// recursion being forced on anyone. A tree whose parse reported errors is for looking at, not for compiling.

package struct ExpressionID: Hashable, Sendable {
    package var index: UInt32
    package init(index: UInt32) { self.index = index }
}
/// An interned name; equal names (compared in NFKC) of one tree have equal ids.
package struct NameID: Hashable, Sendable { package var index: UInt32 }
package struct StringID: Hashable, Sendable { package var index: UInt32 }
package struct FormatID: Hashable, Sendable { package var index: UInt32 }
package struct FunctionID: Hashable, Sendable { package var index: UInt32 }
package struct LoopID: Hashable, Sendable { package var index: UInt32 }
package struct ComprehensionID: Hashable, Sendable { package var index: UInt32 }

/// A run of consecutive elements of the tree's side array for `Element`; `tree[run]` gives them.
package struct Run<Element>: Sendable {
    package var start: UInt32
    package var count: UInt32
    @inlinable package var isEmpty: Bool { count == 0 }
    @inlinable package var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// A node of the tree. Everything is an expression; those marked "statement" stand in statement position only.
package enum Expression: Sendable {
    case number(Double)
    case string(StringID)
    /// `"a {x:.2f} b"`
    case interpolation(Run<StringPart>)
    case bool(Bool)
    case none
    case name(NameID)
    /// `[a, b]`
    case array(Run<ExpressionID>)
    /// `(a, b)`, `(a,)`, `()`, and `a, b` where no bracket is needed
    case list(Run<ExpressionID>)
    /// `{a: 1}`; keys are distinct
    case record(Run<Field>)
    /// `[e for a in xs if c]`
    case comprehension(ComprehensionID)

    case unary(UnaryOperator, ExpressionID)
    case binary(BinaryOperator, ExpressionID, ExpressionID)
    case and(ExpressionID, ExpressionID)
    case or(ExpressionID, ExpressionID)
    /// `a < b`, `a < b <= c`: the first operand and at least one link
    case comparison(ExpressionID, Run<ComparisonLink>)
    /// `value |> function`
    case pipe(ExpressionID, ExpressionID)
    /// `first >> second`
    case compose(ExpressionID, ExpressionID)

    case call(ExpressionID, Run<Argument>)
    /// `base[…]`, at least one item
    case index(ExpressionID, Run<IndexItem>)
    /// `base.name`; `base.name(…)` is a `call` whose callee is this
    case field(ExpressionID, NameID)
    /// `base'`, `base''`: the order is at least 1
    case prime(ExpressionID, order: UInt32)
    /// `x -> e`
    case function(FunctionID)

    case block(Run<Statement>)
    /// `if … else if … else …`; `otherwise` is a block
    case conditional(Run<Branch>, otherwise: ExpressionID?)
    case forLoop(LoopID)
    /// `while condition body`
    case whileLoop(ExpressionID, ExpressionID)

    /// statement; always inside a loop of the same function
    case breakLoop
    /// statement; always inside a loop of the same function
    case continueLoop
    /// statement; always inside a function
    case returnValue(ExpressionID?)
    /// statement `target = value`; the target is a `name`, or an `index` or `field` path that starts at a name
    case assign(ExpressionID, ExpressionID)
    /// statement `a, b = value`; at least one target, each as for `assign`
    case unpack(Run<ExpressionID>, ExpressionID)
    /// statement `target += value`
    case update(BinaryOperator, ExpressionID, ExpressionID)
    /// statement `f(x) = e`, `layer f(x) { … }`
    case define(FunctionID)
    /// statement `unset name`
    case unset(NameID)
    /// stands where a syntax error was
    case invalid
}

package enum UnaryOperator: UInt8, Sendable { case negate, plus, not }

package enum BinaryOperator: UInt8, Sendable {
    case add, subtract, multiply, divide, floorDivide, remainder, matmul, power

    /// As programs write it.
    package var symbol: String {
        switch self {
        case .add: "+"
        case .subtract: "-"
        case .multiply: "*"
        case .divide: "/"
        case .floorDivide: "//"
        case .remainder: "%"
        case .matmul: "@"
        case .power: "^"
        }
    }
}

package enum ComparisonOperator: UInt8, Sendable { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }

package struct ComparisonLink: Sendable {
    package var comparison: ComparisonOperator
    package var operand: ExpressionID
    package var operatorSpan: Span
}

/// A piece of an interpolated string.
package enum StringPart: Sendable {
    case text(StringID)
    case value(ExpressionID, FormatID?)
}

/// A field of a record, or `...p`: all fields of the record that `value` is.
package struct Field: Sendable {
    /// `nil` for `...`.
    package var name: NameID?
    /// The name's place, or that of `...`.
    package var nameSpan: Span
    package var value: ExpressionID
}

/// An argument of a call; named arguments follow all positional ones and their names are distinct.
package struct Argument: Sendable {
    package var name: NameID?
    /// The name's place, or the value's.
    package var nameSpan: Span
    package var value: ExpressionID
}

/// One axis of `a[…]`. A new axis is the value `none`.
package struct IndexItem: Sendable {
    package enum Kind: Sendable {
        case value(ExpressionID)
        case slice(lower: ExpressionID?, upper: ExpressionID?, step: ExpressionID?)
        case ellipsis
    }
    package var kind: Kind
    package var span: Span
}

package struct Statement: Sendable {
    package var expression: ExpressionID
    /// Ended with `;`, so its value is not shown. It is still the value of the block it ends.
    package var isSilenced: Bool
}

/// `if condition body` or `else if condition body`; the body is a block.
package struct Branch: Sendable {
    package var condition: ExpressionID
    package var body: ExpressionID
}

/// A parameter, or a variable of a loop or comprehension.
package struct Variable: Sendable {
    package var name: NameID
    package var span: Span
    /// Only parameters have one; all parameters after the first with a default have one too.
    package var defaultValue: ExpressionID?
}

package struct FunctionNode: Sendable {
    /// nil for a literal
    package var name: NameID?
    /// The name, or the whole literal.
    package var nameSpan: Span
    /// Names are distinct.
    package var parameters: Run<Variable>
    package var body: ExpressionID
    package var span: Span
    /// `layer NAME(…) { … }`: it makes layers; the body is a block.
    package var makesLayers = false
}

/// `for a, b in iterable body`; with two or more variables each element is unpacked.
package struct LoopNode: Sendable {
    package var variables: Run<Variable>
    package var iterable: ExpressionID
    package var body: ExpressionID
}

package struct ComprehensionNode: Sendable {
    package var element: ExpressionID
    package var variables: Run<Variable>
    package var iterable: ExpressionID
    package var condition: ExpressionID?
    /// In parentheses: a list whatever the elements are.
    package var isList: Bool
}

package struct SyntaxTree: Sendable {
    package let source: SourceText
    /// The statements of the outermost level.
    package internal(set) var program = Run<Statement>(start: 0, count: 0)
    /// The length of the longest path from a statement to a leaf. Brackets add at most `Parser.nestingLimit` levels, but a
    /// chain such as `1 + 1 + 1 + …` is as deep as it is long: who recurses over a tree asks this first.
    package internal(set) var depth = 0

    package internal(set) var expressions: [Expression] = []
    /// Parallel to `expressions`: the whole, and its operator.
    var extents: [Extent] = []
    var marks: [Extent] = []

    package internal(set) var names: [String] = []
    package internal(set) var strings: [String] = []
    package internal(set) var formats: [FormatSpec] = []
    package internal(set) var functions: [FunctionNode] = []
    package internal(set) var loops: [LoopNode] = []
    package internal(set) var comprehensions: [ComprehensionNode] = []

    @usableFromInline var children: [ExpressionID] = []
    @usableFromInline var parts: [StringPart] = []
    @usableFromInline var fields: [Field] = []
    @usableFromInline var links: [ComparisonLink] = []
    @usableFromInline var arguments: [Argument] = []
    @usableFromInline var indexItems: [IndexItem] = []
    @usableFromInline var statements: [Statement] = []
    @usableFromInline var branches: [Branch] = []
    package internal(set) var variables: [Variable] = []

    /// What strings and names take.
    var bytesOfTexts = 0

    /// One that says nothing.
    package init(source: SourceText) { self.source = source }

    /// A range of UTF-8 offsets in `source`.
    struct Extent { var start, end: Int32 }
}

extension SyntaxTree {
    /// The bytes that it takes, without its source.
    package var footprint: Int {
        func bytes<Element>(_ list: [Element]) -> Int { list.capacity &* MemoryLayout<Element>.stride }
        let nodes = bytes(expressions) &+ bytes(extents) &+ bytes(marks) &+ bytes(children) &+ bytes(statements) &+ bytes(arguments) &+ bytes(indexItems)
        let others = bytes(parts) &+ bytes(fields) &+ bytes(links) &+ bytes(branches) &+ bytes(variables) &+ bytes(formats)
        return nodes &+ others &+ bytes(functions) &+ bytes(loops) &+ bytes(comprehensions) &+ bytesOfTexts
    }

    @inlinable package subscript(id: ExpressionID) -> Expression { expressions[Int(id.index)] }
    @inlinable package subscript(id: NameID) -> String { names[Int(id.index)] }
    @inlinable package subscript(id: StringID) -> String { strings[Int(id.index)] }
    @inlinable package subscript(id: FormatID) -> FormatSpec { formats[Int(id.index)] }
    @inlinable package subscript(id: FunctionID) -> FunctionNode { functions[Int(id.index)] }
    @inlinable package subscript(id: LoopID) -> LoopNode { loops[Int(id.index)] }
    @inlinable package subscript(id: ComprehensionID) -> ComprehensionNode { comprehensions[Int(id.index)] }

    @inlinable package subscript(run: Run<ExpressionID>) -> ArraySlice<ExpressionID> { children[run.range] }
    @inlinable package subscript(run: Run<StringPart>) -> ArraySlice<StringPart> { parts[run.range] }
    @inlinable package subscript(run: Run<Field>) -> ArraySlice<Field> { fields[run.range] }
    @inlinable package subscript(run: Run<ComparisonLink>) -> ArraySlice<ComparisonLink> { links[run.range] }
    @inlinable package subscript(run: Run<Argument>) -> ArraySlice<Argument> { arguments[run.range] }
    @inlinable package subscript(run: Run<IndexItem>) -> ArraySlice<IndexItem> { indexItems[run.range] }
    @inlinable package subscript(run: Run<Statement>) -> ArraySlice<Statement> { statements[run.range] }
    @inlinable package subscript(run: Run<Branch>) -> ArraySlice<Branch> { branches[run.range] }
    @inlinable package subscript(run: Run<Variable>) -> ArraySlice<Variable> { variables[run.range] }

    /// Every expression, children before their parents.
    package var expressionIDs: [ExpressionID] { expressions.indices.map { ExpressionID(index: UInt32(truncatingIfNeeded: $0)) } }

    /// The whole of an expression, with the parentheses around it.
    package func span(of id: ExpressionID) -> Span { span(extents[Int(id.index)]) }

    /// The place to point at when the operation itself is at fault: the operator of `unary`, `binary`, `and`, `or`, `pipe`,
    /// `compose`, `assign`, `unpack`, `update`; the name of `field` and `unset`; the brackets of `call` and `index`; the
    /// primes of `prime`; the keyword of `conditional` and the loops; otherwise the whole. (A comparison's operators are in its links.)
    package func operatorSpan(of id: ExpressionID) -> Span { span(marks[Int(id.index)]) }

    /// The source text of an expression, as plots name their series.
    package func text(of id: ExpressionID) -> String { source.text(span(of: id)) }

    /// A function without parameters whose value is that of an expression.
    package func function(computing id: ExpressionID) -> FunctionNode {
        FunctionNode(name: nil, nameSpan: span(of: id), parameters: Run(start: 0, count: 0), body: id, span: span(of: id))
    }

    private func span(_ extent: Extent) -> Span {
        Span(source: Int32(truncatingIfNeeded: source.id), start: extent.start, end: extent.end)
    }
}
