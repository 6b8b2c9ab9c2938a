// Statements, blocks and what is made of blocks; how parsing goes on after a fault.

extension Parser {
    /// Statements up to `closer`, which is not consumed, and the depth of the deepest.
    mutating func parseStatements(until closer: Token.Kind) -> (run: Run<Statement>, depth: UInt32) {
        let base = statements.items.count
        let outerStart = statementStart
        var below: UInt32 = 0
        while true {
            while token.kind == .semicolon { advance() }
            if token.kind == closer || token.kind == .endOfInput || isStopped?(bytesMade) == true { break }
            let start = position
            let state = saveState()
            statementStart = start
            do {
                let expression = try parseStatement()
                below = max(below, depth(expression))
                try endStatement(expression)
            } catch {
                restore(state)
                recover(from: start)
            }
        }
        statementStart = outerStart
        return (statements.seal(from: base, into: &tree.statements), below)
    }

    private mutating func endStatement(_ expression: ExpressionID) throws(Failure) {
        let isSilenced = token.kind == .semicolon
        guard isSilenced || token.newlineBefore || token.kind == .endOfInput || (token.kind == .rightBrace && nesting > 0) else {
            throw failAfterExpression()
        }
        statements.items.append(Statement(expression: expression, isSilenced: isSilenced))
    }

    /// Goes to where the next statement can begin: after the brackets that the failed one has opened, at a line end, `;` or the `}`
    /// of the block around it.
    private mutating func recover(from start: Int) {
        let failed = position
        var index = start
        var openTemplates = 0
        scan: while tokens[index].kind != .endOfInput {
            let token = tokens[index]
            if index >= failed, index > start, openTemplates == 0 {
                if token.newlineBefore, index > failed || token.kind.startsValue || token.kind.isKeyword { break }
                if token.kind == .semicolon { break }
            }
            switch token.kind {
            case .leftParenthesis, .leftBracket, .leftBrace:
                if let partner = partner(of: index), partner > index { index = partner }
            case .rightBrace:
                if partner(of: index) != nil, openTemplates == 0 { break scan }
            case .templateHead: openTemplates += 1
            case .templateTail: openTemplates = max(0, openTemplates - 1)
            default: break
            }
            index += 1
        }
        move(to: max(index, start + (index == start && tokens[start].kind != .rightBrace ? 1 : 0)))
    }

    private mutating func parseStatement() throws(Failure) -> ExpressionID {
        switch token.kind {
        case .return: return try parseReturn()
        case .break, .continue: return try parseJump()
        case .unset: return try parseUnset()
        case .else: return try parseStrayElse()
        case .name:
            let next = tokens[position &+ 1]
            if next.kind == .leftParenthesis, !next.newlineBefore, let end = partner(of: position &+ 1),
                tokens[end &+ 1].kind == .assign, !tokens[end &+ 1].newlineBefore
            {
                return try parseDefinition()
            }
            // `layer` is a name like any other elsewhere.
            let after = next.kind == .name && !next.newlineBefore ? tokens[position &+ 2] : next
            if next.kind == .name, after.kind == .leftParenthesis, !after.newlineBefore, text(token) == "layer" {
                return try parseLayer()
            }
        default: break
        }
        let first = try parseExpression()
        let base = children.items.count
        if token.kind == .comma, !token.newlineBefore { try parseTargets(first) }
        switch token.kind {
        case .assign where !token.newlineBefore: return try parseAssignment(first, from: base)
        case let kind where kind.isUpdate && !token.newlineBefore: return try parseUpdate(first, from: base)
        default: break
        }
        if children.items.count > base { throw fail { .bareList(at: $0.span(from: $0.extent(first))) } }
        return first
    }

    /// `a, b = b, a`: collects what stands left of `=`.
    private mutating func parseTargets(_ first: ExpressionID) throws(Failure) {
        children.items.append(first)
        while token.kind == .comma, !token.newlineBefore {
            advance()
            if token.kind == .assign { break }
            children.items.append(try parseExpression())
        }
    }

    @inline(never)
    private mutating func parseAssignment(_ first: ExpressionID, from base: Int) throws(Failure) -> ExpressionID {
        let mark = token.extent
        let isUnpacking = children.items.count > base
        if isUnpacking { for target in children.items[base...] { try checkTarget(target) } } else { try checkTarget(first) }
        advance()
        if isUnpacking {
            let (targets, below) = sealChildren(from: base)
            let value = try parseValues()
            return add(.unpack(targets, value), from: extent(first).start, mark: mark, above: max(below, depth(value)))
        }
        let value = try parseValues()
        try checkAssigned(value)
        return add(.assign(first, value), from: extent(first).start, mark: mark, above: max(depth(first), depth(value)))
    }

    /// `f = x, y -> x + y` and `r = {a = 1}` would mean something, but nothing that anyone means.
    private mutating func checkAssigned(_ value: ExpressionID) throws(Failure) {
        switch tree[value] {
        case .list(let run) where source.bytes[Int(extent(value).start)] != UInt8(ascii: "("):
            let elements = tree[run]
            guard let last = elements.last, case .function = tree[last], source.bytes[Int(extent(last).start)] != UInt8(ascii: "("),
                elements.dropLast().allSatisfy({ if case .name = tree[$0] { true } else { false } })
            else { return }
            throw fail { [value] in
                let text = $0.tree.text(of: value)
                let arrow = text.firstRange(of: " -> ")
                let literal = arrow.map { "(\(text[..<$0.lowerBound]))\(text[$0.lowerBound...])" }
                let span = $0.span($0.extent(value))
                return Diagnostic(
                    .looseFunctionLiteral, "the parameters of a function literal need parentheses", at: span,
                    help: "write `\(literal ?? "(x, y) -> …")`", edits: literal.map { [.init(span, $0)] } ?? [])
            }
        case .block(let statements):
            guard tree[statements].count == 1, let only = tree[statements].first, case .assign(let target, _) = tree[only.expression], case .name = tree[target]
            else { return }
            throw fail { [value, target] in
                Diagnostic(.recordWithEquals, "a record is written with `:`", at: $0.span($0.extent(value)), help: "write `{\($0.tree.text(of: target)): …}`")
            }
        default: return
        }
    }

    @inline(never)
    private mutating func parseUpdate(_ target: ExpressionID, from base: Int) throws(Failure) -> ExpressionID {
        let mark = token
        if children.items.count > base { throw fail { .updateOfSeveral($0.text(mark), at: $0.span(mark)) } }
        try checkTarget(target)
        advance()
        let value = try parseValues()
        let update = mark.kind.binaryOperator.map { Expression.update($0, target, value) } ?? .invalid
        return add(update, from: extent(target).start, mark: mark.extent, above: max(depth(target), depth(value)))
    }

    /// Names, and paths of indices and fields that start at a name, can be assigned to.
    private mutating func checkTarget(_ target: ExpressionID) throws(Failure) {
        var id = target
        while true {
            switch tree[id] {
            case .name: return
            case .index(let base, _), .field(let base, _): id = base
            default: throw fail { [id] in $0.badTarget(target, part: id) }
            }
        }
    }

    /// One value, or several that make a list.
    mutating func parseValues() throws(Failure) -> ExpressionID {
        let first = try parseExpression()
        guard token.kind == .comma, !isAtLineEnd else { return first }
        let base = children.items.count
        children.items.append(first)
        while token.kind == .comma, !isAtLineEnd {
            advance()
            children.items.append(try parseExpression())
        }
        let (run, below) = sealChildren(from: base)
        let whole = SyntaxTree.Extent(start: extent(first).start, end: peek(-1).end)
        return add(.list(run), whole, mark: whole, above: below)
    }

    @inline(never)
    private mutating func parseDefinition() throws(Failure) -> ExpressionID {
        let name = token
        advance()
        let (parameters, below) = try parseParameters()
        let mark = token.extent
        advance()
        let body = try parseBody(isLiteral: false)
        let whole = SyntaxTree.Extent(start: name.start, end: extent(body).end)
        let id = addFunction(
            name: NameID(index: name.payload), nameSpan: span(name), parameters: parameters, body: body, whole)
        return add(.define(id), whole, mark: mark, above: max(below, depth(body)))
    }

    /// `layer name(parameters) { … }`
    @inline(never)
    private mutating func parseLayer() throws(Failure) -> ExpressionID {
        let keyword = token
        advance()
        let name = token
        advance()
        let (parameters, below) = try parseParameters()
        guard token.kind == .leftBrace, !token.newlineBefore else { throw fail { .layerWithoutBlock($0.text(name), at: $0.span($0.token)) } }
        let body = try parseLayerBlock()
        let whole = SyntaxTree.Extent(start: keyword.start, end: extent(body).end)
        let id = addFunction(
            name: NameID(index: name.payload), nameSpan: span(name), parameters: parameters, body: body, whole)
        tree.functions[Int(id.index)].makesLayers = true
        return add(.define(id), whole, mark: keyword.extent, above: max(below, depth(body)))
    }

    private mutating func parseLayerBlock() throws(Failure) -> ExpressionID {
        let outerLoops = loopDepth
        functionDepth += 1
        loopDepth = 0
        defer {
            functionDepth -= 1
            loopDepth = outerLoops
        }
        return try parseBlock()
    }

    private mutating func parseReturn() throws(Failure) -> ExpressionID {
        let keyword = token
        if functionDepth == 0, !hasLostHead { _ = fail { .returnOutsideFunction(at: $0.span(keyword)) } }
        advance()
        if token.newlineBefore || token.kind == .semicolon || token.kind == .rightBrace || token.kind == .endOfInput {
            return add(.returnValue(nil), keyword.extent, mark: keyword.extent, above: 0)
        }
        let value = try parseValues()
        return add(.returnValue(value), from: keyword.start, mark: keyword.extent, above: depth(value))
    }

    private mutating func parseJump() throws(Failure) -> ExpressionID {
        if loopDepth == 0, !hasLostHead { _ = fail { .jumpOutsideLoop($0.text($0.token), isInFunction: $0.functionDepth > 0, at: $0.span($0.token)) } }
        return addLeaf(token.kind == .break ? .breakLoop : .continueLoop)
    }

    private mutating func parseUnset() throws(Failure) -> ExpressionID {
        let keyword = token
        advance()
        guard token.kind == .name, !token.newlineBefore else { throw fail { .unsetWithoutName(at: $0.span(keyword)) } }
        let name = token
        advance()
        return add(.unset(NameID(index: name.payload)), from: keyword.start, mark: name.extent)
    }

    // MARK: Blocks

    /// A block; the current token is `{`.
    mutating func parseBlock() throws(Failure) -> ExpressionID {
        try enter(counting: 3)
        let outer = newlineEnds
        newlineEnds = true
        let open = token
        advance()
        let (run, below) = parseStatements(until: .rightBrace)
        newlineEnds = outer
        leave(counting: 3)
        // At the end of the input the lexer has reported the open brace.
        if token.kind == .rightBrace { advance() }
        let whole = SyntaxTree.Extent(start: open.start, end: peek(-1).end)
        return add(.block(run), whole, mark: whole, above: below)
    }

    /// The block after the head of `if`, `else`, `for`, `while`.
    private mutating func parseBodyBlock(of keyword: Token) throws(Failure) -> ExpressionID {
        guard token.kind == .leftBrace, !isAtLineEnd else {
            let failure = failAtBlock(of: keyword)
            hasLostHead = true
            throw failure
        }
        return try parseBlock()
    }

    private mutating func parseLoopBody(of keyword: Token) throws(Failure) -> ExpressionID {
        loopDepth += 1
        defer { loopDepth -= 1 }
        return try parseBodyBlock(of: keyword)
    }

    /// The condition of `if` or `while`. After a fault in it parsing goes on with its block.
    private mutating func parseCondition(of keyword: Token) throws(Failure) -> ExpressionID {
        let start = position
        let state = saveState()
        do {
            let condition = try parseExpression()
            if token.kind == .assign { throw fail { $0.assignmentInCondition(condition) } }
            return condition
        } catch {
            restore(state)
            return try skipToBlock(from: start)
        }
    }

    /// After a fault in a head that begins at `start`: goes to the `{` of its block.
    private mutating func skipToBlock(from start: Int) throws(Failure) -> ExpressionID {
        var index = start
        while tokens[index].kind != .endOfInput, index == start || !tokens[index].newlineBefore {
            switch tokens[index].kind {
            case .leftParenthesis, .leftBracket:
                if let partner = partner(of: index), partner > index { index = partner }
            case .leftBrace where index >= position && partner(of: index) != nil:
                move(to: index)
                return add(.invalid, token.extent, mark: token.extent, above: 0)
            case .semicolon, .rightBrace:
                hasLostHead = true
                throw Failure()
            default: break
            }
            index += 1
        }
        hasLostHead = true
        throw Failure()
    }

    @inline(never)
    mutating func parseConditional() throws(Failure) -> ExpressionID {
        let keyword = token
        let base = branches.items.count
        var below: UInt32 = 0
        var otherwise: ExpressionID?
        advance()
        while true {
            let condition = try parseCondition(of: keyword)
            let body = try parseBodyBlock(of: keyword)
            below = max(below, depth(condition), depth(body))
            branches.items.append(Branch(condition: condition, body: body))
            guard token.kind == .else else { break }
            let elseKeyword = token
            advance()
            if token.kind == .if {
                advance()
                continue
            }
            let body2 = try parseBodyBlock(of: elseKeyword)
            below = max(below, depth(body2))
            otherwise = body2
            break
        }
        let run = branches.seal(from: base, into: &tree.branches)
        return add(.conditional(run, otherwise: otherwise), from: keyword.start, mark: keyword.extent, above: below)
    }

    @inline(never)
    mutating func parseWhile() throws(Failure) -> ExpressionID {
        let keyword = token
        advance()
        let condition = try parseCondition(of: keyword)
        let body = try parseLoopBody(of: keyword)
        let below = max(depth(condition), depth(body))
        return add(.whileLoop(condition, body), from: keyword.start, mark: keyword.extent, above: below)
    }

    @inline(never)
    mutating func parseFor() throws(Failure) -> ExpressionID {
        let keyword = token
        let start = position
        let state = saveState()
        var names = Run<Variable>(start: 0, count: 0)
        let iterable: ExpressionID
        do {
            names = try parseLoopVariables()
            iterable = try parseExpression()
        } catch {
            restore(state)
            iterable = try skipToBlock(from: start)
        }
        let body = try parseLoopBody(of: keyword)
        tree.loops.append(LoopNode(variables: names, iterable: iterable, body: body))
        let id = LoopID(index: UInt32(truncatingIfNeeded: tree.loops.count - 1))
        return add(.forLoop(id), from: keyword.start, mark: keyword.extent, above: max(depth(iterable), depth(body)))
    }

    /// `for a, b in`
    mutating func parseLoopVariables() throws(Failure) -> Run<Variable> {
        let base = variables.items.count
        advance()
        repeat {
            if token.kind == .comma { advance() }
            guard token.kind == .name else { throw failAtLoopVariable() }
            let id = NameID(index: token.payload)
            variables.items.append(Variable(name: id, span: span(token), defaultValue: nil))
            advance()
        } while token.kind == .comma
        guard token.kind == .in else { throw failAtLoopVariable() }
        try checkDistinct("variable", variables.items[base...].lazy.map { ($0.name, $0.span) })
        advance()
        return variables.seal(from: base, into: &tree.variables)
    }

    func span(from extent: SyntaxTree.Extent) -> Span { source.span(Int(extent.start), Int(peek(-1).end)) }
}
