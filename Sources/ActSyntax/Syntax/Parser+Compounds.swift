// What stands in brackets or begins with a keyword, and function literals.

extension Parser {
    /// A primary that is more than one token.
    @inline(never)
    mutating func parseCompound() throws(Failure) -> ExpressionID {
        switch token.kind {
        case .leftParenthesis: try parseParentheses()
        case .leftBracket: try parseArray()
        case .leftBrace: isAtRecord ? try parseRecord() : try parseBlock()
        case .templateHead: try parseTemplate()
        case .if: try parseConditional()
        case .for: try parseFor()
        case .while: try parseWhile()
        default: throw failAtValue()
        }
    }

    // MARK: Brackets

    @inline(never)
    private mutating func parseParentheses() throws(Failure) -> ExpressionID {
        try enter()
        let open = token
        let outer = newlineEnds
        newlineEnds = false
        advance()
        let base = children.items.count
        var isList = token.kind == .rightParenthesis
        var single = ExpressionID(index: 0)
        while token.kind != .rightParenthesis {
            single = try parseExpression()
            if token.kind == .for, !isList {
                let id = try parseComprehension(single, open)
                newlineEnds = outer
                leave()
                return id
            }
            guard token.kind == .comma else {
                if isList { children.items.append(single) }
                break
            }
            isList = true
            children.items.append(single)
            advance()
        }
        guard token.kind == .rightParenthesis else { throw failInside(open) }
        newlineEnds = outer
        leave()
        let whole = SyntaxTree.Extent(start: open.start, end: token.end)
        advance()
        if !isList {
            tree.extents[Int(single.index)] = whole
            return single
        }
        let (run, below) = sealChildren(from: base)
        return add(.list(run), whole, mark: whole, above: below)
    }

    @inline(never)
    private mutating func parseArray() throws(Failure) -> ExpressionID {
        try enter()
        let open = token
        let outer = newlineEnds
        newlineEnds = false
        advance()
        let base = children.items.count
        while token.kind != .rightBracket {
            let element = try parseExpression()
            if token.kind == .for, children.items.count == base {
                let id = try parseComprehension(element, open)
                newlineEnds = outer
                leave()
                return id
            }
            children.items.append(element)
            if token.kind == .comma { advance() } else { break }
        }
        guard token.kind == .rightBracket else { throw failInside(open) }
        newlineEnds = outer
        leave()
        let whole = SyntaxTree.Extent(start: open.start, end: token.end)
        advance()
        let (run, below) = sealChildren(from: base)
        return add(.array(run), whole, mark: whole, above: below)
    }

    @inline(never)
    private mutating func parseComprehension(_ element: ExpressionID, _ open: Token) throws(Failure) -> ExpressionID {
        try enter()
        let run = try parseLoopVariables()
        let iterable = try parseExpression()
        var condition: ExpressionID?
        if token.kind == .if {
            advance()
            condition = try parseExpression()
        }
        if token.kind == .for || token.kind == .if { throw fail { .nestedComprehension($0.text($0.token), at: $0.span($0.token)) } }
        let isList = open.kind == .leftParenthesis
        guard token.kind == (isList ? .rightParenthesis : .rightBracket) else { throw failInside(open) }
        leave()
        let whole = SyntaxTree.Extent(start: open.start, end: token.end)
        advance()
        tree.comprehensions.append(ComprehensionNode(element: element, variables: run, iterable: iterable, condition: condition, isList: isList))
        let id = ComprehensionID(index: UInt32(truncatingIfNeeded: tree.comprehensions.count - 1))
        let below = max(depth(element), depth(iterable), depth(condition))
        return add(.comprehension(id), whole, mark: whole, above: below)
    }

    /// Whether the `{` here opens a record: before a name or string and `:`, before `...`, or `}`.
    @inline(__always)
    private var isAtRecord: Bool {
        switch peek().kind {
        case .rightBrace, .ellipsis: true
        case .name, .string: peek(2).kind == .colon
        // No block begins so; read it as the record that was meant.
        case let kind: kind.isKeyword && peek(2).kind == .colon
        }
    }

    @inline(never)
    private mutating func parseRecord() throws(Failure) -> ExpressionID {
        try enter(counting: 2)
        let open = token
        let outer = newlineEnds
        newlineEnds = false
        advance()
        let base = fields.items.count
        var below: UInt32 = 0
        while token.kind != .rightBrace {
            let key = token
            if key.kind == .ellipsis {
                advance()
                let value = try parseExpression()
                below = max(below, depth(value))
                fields.items.append(Field(name: nil, nameSpan: span(key), value: value))
                if token.kind == .comma { advance() } else { break }
                continue
            }
            let name: NameID
            switch key.kind {
            case .name: name = NameID(index: key.payload)
            case .string: name = names.intern(tree.strings[Int(key.payload)])
            default: throw failAtKey(open)
            }
            advance()
            guard token.kind == .colon else { throw failAfterKey(key, open) }
            advance()
            let value = try parseExpression()
            below = max(below, depth(value))
            fields.items.append(Field(name: name, nameSpan: span(key), value: value))
            if token.kind == .comma { advance() } else { break }
        }
        guard token.kind == .rightBrace else { throw failInside(open) }
        try checkDistinct("key", fields.items[base...].compactMap { field in field.name.map { ($0, field.nameSpan) } })
        newlineEnds = outer
        leave(counting: 2)
        let whole = SyntaxTree.Extent(start: open.start, end: token.end)
        advance()
        return add(.record(fields.seal(from: base, into: &tree.fields)), whole, mark: whole, above: below)
    }

    @inline(never)
    private mutating func parseTemplate() throws(Failure) -> ExpressionID {
        try enter(counting: 2)
        let head = token
        let outer = newlineEnds
        newlineEnds = false
        let base = parts.items.count
        var below: UInt32 = 0
        while token.kind != .templateTail {
            // At the head or a middle.
            addText(StringID(index: token.payload))
            advance()
            if token.kind == .templateMiddle || token.kind == .templateTail || token.kind == .formatSpec {
                throw fail { .emptyInterpolation(at: $0.source.span(Int($0.peek(-1).end) - 1, Int($0.token.start) + 1)) }
            }
            let value = try parseExpression()
            below = max(below, depth(value))
            var format: FormatID?
            if token.kind == .formatSpec { format = parseFormatSpec() }
            parts.items.append(.value(value, format))
            guard token.kind == .templateMiddle || token.kind == .templateTail else { throw failInside(head) }
        }
        addText(StringID(index: token.payload))
        newlineEnds = outer
        leave(counting: 2)
        advance()
        let whole = SyntaxTree.Extent(start: head.start, end: peek(-1).end)
        return add(.interpolation(parts.seal(from: base, into: &tree.parts)), whole, mark: whole, above: below)
    }

    private mutating func addText(_ id: StringID) {
        if !tree.strings[Int(id.index)].isEmpty { parts.items.append(.text(id)) }
    }

    private mutating func parseFormatSpec() -> FormatID? {
        let spec = token
        advance()
        do {
            let format = try FormatSpec(parsing: source.text(Int(spec.start) + 1..<Int(spec.end)))
            tree.formats.append(format)
            return FormatID(index: UInt32(truncatingIfNeeded: tree.formats.count - 1))
        } catch {
            report(.badFormat(error, spec: span(spec), in: source))
            return nil
        }
    }

    // MARK: Functions

    @inline(never)
    mutating func parseFunctionLiteral() throws(Failure) -> ExpressionID {
        try enter(counting: 2)
        let start = token
        let outer = newlineEnds
        let parameters: Run<Variable>
        var below: UInt32 = 0
        if token.kind == .name {
            variables.items.append(Variable(name: NameID(index: token.payload), span: span(token), defaultValue: nil))
            parameters = variables.seal(from: variables.items.count - 1, into: &tree.variables)
            advance()
        } else {
            (parameters, below) = try parseParameters()
        }
        let mark = token.extent
        advance()
        newlineEnds = outer
        let body = try parseBody(isLiteral: true)
        leave(counting: 2)
        let whole = SyntaxTree.Extent(start: start.start, end: extent(body).end)
        let id = addFunction(name: nil, nameSpan: span(whole), parameters: parameters, body: body, whole)
        return add(.function(id), whole, mark: mark, above: max(below, depth(body)))
    }

    mutating func addFunction(
        name: NameID?, nameSpan: Span, parameters: Run<Variable>, body: ExpressionID, _ whole: SyntaxTree.Extent
    ) -> FunctionID {
        tree.functions.append(FunctionNode(name: name, nameSpan: nameSpan, parameters: parameters, body: body, span: span(whole)))
        return FunctionID(index: UInt32(truncatingIfNeeded: tree.functions.count - 1))
    }

    /// The body of a function, in which `return` is at home and the loops around the function are out of reach.
    mutating func parseBody(isLiteral: Bool) throws(Failure) -> ExpressionID {
        let outerLoops = loopDepth
        functionDepth += 1
        loopDepth = 0
        defer {
            functionDepth -= 1
            loopDepth = outerLoops
        }
        return isLiteral ? try parseExpression() : try parseValues()
    }

    /// `(a, b=1)`, and the depth of the deepest default.
    @inline(never)
    mutating func parseParameters() throws(Failure) -> (Run<Variable>, UInt32) {
        try enter()
        let open = token
        let outer = newlineEnds
        newlineEnds = false
        let base = variables.items.count
        var below: UInt32 = 0
        advance()
        while token.kind != .rightParenthesis {
            let name = token
            guard name.kind == .name else { throw failAtParameter() }
            advance()
            var defaultValue: ExpressionID?
            if token.kind == .assign {
                advance()
                let value = try parseExpression()
                below = max(below, depth(value))
                defaultValue = value
            }
            let id = NameID(index: name.payload)
            if defaultValue == nil, variables.items.count > base, let last = variables.items.last, last.defaultValue != nil {
                throw fail { .missingDefault($0.text(name), at: $0.span(name), after: last.span) }
            }
            variables.items.append(Variable(name: id, span: span(name), defaultValue: defaultValue))
            if token.kind == .comma { advance() } else { break }
        }
        guard token.kind == .rightParenthesis else { throw failInParameters(open) }
        try checkDistinct("parameter", variables.items[base...].lazy.map { ($0.name, $0.span) })
        newlineEnds = outer
        leave()
        advance()
        return (variables.seal(from: base, into: &tree.variables), below)
    }
}
