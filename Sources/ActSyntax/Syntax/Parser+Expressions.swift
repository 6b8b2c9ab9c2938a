// Expressions: operators by precedence, calls, indices, fields and primes.
//
// What must stay true: operators wait on the explicit stack `pending`, never on the call stack, so that a chain or a row of
// prefixes of any length parses; `pending` is as long after `parseOperators` as before.

extension Parser {
    /// An operator that waits for its right operand.
    struct Pending {
        var kind: Token.Kind
        var precedence: UInt8
        var isPrefix: Bool
        var mark: SyntaxTree.Extent
        /// The left operand, unless it is a prefix.
        var left: ExpressionID
        /// For a comparison: where the links of its chain begin.
        var linkBase: Int
    }

    mutating func parseExpression() throws(Failure) -> ExpressionID {
        if token.kind == .name, tokens[position &+ 1].kind == .arrow { return try parseFunctionLiteral() }
        if token.kind == .leftParenthesis, let end = partner(of: position), tokens[end &+ 1].kind == .arrow {
            return try parseFunctionLiteral()
        }
        return try parseOperators()
    }

    private mutating func parseOperators() throws(Failure) -> ExpressionID {
        let base = pending.count
        while true {
            while token.kind.prefixPrecedence > 0 { try pushPrefix(above: base) }
            var operand = try parsePostfix()
            let kind = token.kind
            var precedence = kind.precedence
            if isAtLineEnd, kind != .pipe, kind != .compose { precedence = 0 }

            // `^` groups to the right, all else to the left; comparisons of one chain stay together.
            while pending.count > base, let top = pending.last {
                guard top.precedence > precedence || (top.precedence == precedence && kind != .caret) else { break }
                if top.precedence == precedence, let comparison = top.kind.comparison {
                    links.items.append(ComparisonLink(comparison: comparison, operand: operand, operatorSpan: span(top.mark)))
                    pending[pending.count - 1].kind = kind
                    pending[pending.count - 1].mark = token.extent
                    break
                }
                pending.removeLast()
                // A row of a million powers is put together at its end.
                if isStopped?(bytesMade) == true { continue }
                operand = combine(top, operand)
            }
            guard precedence > 0 else { return operand }
            let isLink = pending.count > base && pending[pending.count - 1].precedence == precedence && kind.comparison != nil
            if !isLink {
                pending.append(
                    Pending(
                        kind: kind, precedence: precedence, isPrefix: false, mark: token.extent, left: operand,
                        linkBase: links.items.count))
            }
            advance()
        }
    }

    @inline(never)
    private mutating func pushPrefix(above base: Int) throws(Failure) {
        let precedence = token.kind.prefixPrecedence
        if token.kind == .not, pending.count > base, let top = pending.last, top.precedence > precedence {
            throw fail { .looseNot(after: $0.source.text($0.span(top.mark)), at: $0.span($0.token)) }
        }
        pending.append(
            Pending(
                kind: token.kind, precedence: precedence, isPrefix: true, mark: token.extent, left: ExpressionID(index: 0),
                linkBase: 0))
        advance()
    }

    private mutating func combine(_ pending: Pending, _ right: ExpressionID) -> ExpressionID {
        if pending.isPrefix {
            let operation: UnaryOperator = pending.kind == .not ? .not : pending.kind == .minus ? .negate : .plus
            let whole = SyntaxTree.Extent(start: pending.mark.start, end: extent(right).end)
            return add(.unary(operation, right), whole, mark: pending.mark, above: depth(right))
        }
        let left = pending.left
        let whole = SyntaxTree.Extent(start: extent(left).start, end: extent(right).end)
        var below = max(depth(left), depth(right))
        if let comparison = pending.kind.comparison {
            links.items.append(ComparisonLink(comparison: comparison, operand: right, operatorSpan: span(pending.mark)))
            for link in links.items[pending.linkBase...] { below = max(below, depth(link.operand)) }
            let run = links.seal(from: pending.linkBase, into: &tree.links)
            return add(.comparison(left, run), whole, mark: pending.mark, above: below)
        }
        let expression: Expression =
            switch pending.kind {
            case .pipe: .pipe(left, right)
            case .compose: .compose(left, right)
            case .or: .or(left, right)
            case .and: .and(left, right)
            default: pending.kind.binaryOperator.map { .binary($0, left, right) } ?? .invalid
            }
        return add(expression, whole, mark: pending.mark, above: below)
    }

    // MARK: Calls, indices, fields, primes

    private mutating func parsePostfix() throws(Failure) -> ExpressionID {
        var leaf: Expression?
        let kind = token.kind
        switch kind {
        case .name: leaf = .name(NameID(index: token.payload))
        case .number: leaf = .number(numbers[Int(token.payload)])
        case .string: leaf = .string(StringID(index: token.payload))
        case .true: leaf = .bool(true)
        case .false: leaf = .bool(false)
        case .none: leaf = Expression.none
        default: break
        }
        var base = if let leaf { addLeaf(leaf) } else { try parseCompound() }
        if kind == .number, token.kind == .leftParenthesis, !isAtLineEnd { throw failAtCall(of: base) }
        while true {
            switch token.kind {
            case .leftParenthesis where !isAtLineEnd: base = try parseCall(base)
            case .leftBracket where !isAtLineEnd: base = try parseIndex(base)
            case .dot where !isAtLineEnd: base = try parseField(base)
            case .prime: base = parsePrime(base)
            default: return base
            }
        }
    }

    @inline(never)
    private mutating func parsePrime(_ base: ExpressionID) -> ExpressionID {
        var mark = token.extent
        var order: UInt32 = 0
        while token.kind == .prime {
            order &+= 1
            mark.end = token.end
            advance()
        }
        return add(.prime(base, order: order), from: extent(base).start, mark: mark, above: depth(base))
    }

    @inline(never)
    private mutating func parseField(_ base: ExpressionID) throws(Failure) -> ExpressionID {
        advance()
        guard token.kind == .name, !isAtLineEnd else { throw fail { $0.missingField(of: base) } }
        let name = token
        advance()
        return add(.field(base, NameID(index: name.payload)), from: extent(base).start, mark: name.extent, above: depth(base))
    }

    @inline(never)
    private mutating func parseCall(_ callee: ExpressionID) throws(Failure) -> ExpressionID {
        try enter()
        let open = token
        let outer = newlineEnds
        newlineEnds = false
        let base = arguments.items.count
        var below = depth(callee)
        advance()
        while token.kind != .rightParenthesis {
            var name: Token?
            if token.kind == .name, tokens[position &+ 1].kind == .assign {
                name = token
                advance()
                advance()
            }
            let value = try parseExpression()
            below = max(below, depth(value))
            try addArgument(name: name, value: value, from: base)
            if token.kind == .comma { advance() } else { break }
        }
        guard token.kind == .rightParenthesis else { throw failInside(open) }
        if arguments.items.count > base + 1, arguments.items.last?.name != nil {
            let named = arguments.items[base...].lazy.filter { $0.name != nil }
            try checkDistinct("argument", named.map { ($0.name ?? NameID(index: 0), $0.nameSpan) })
        }
        newlineEnds = outer
        leave()
        let mark = SyntaxTree.Extent(start: open.start, end: token.end)
        advance()
        let run = arguments.seal(from: base, into: &tree.arguments)
        return add(.call(callee, run), from: extent(callee).start, mark: mark, above: below)
    }

    private mutating func addArgument(name: Token?, value: ExpressionID, from base: Int) throws(Failure) {
        if let name {
            arguments.items.append(Argument(name: NameID(index: name.payload), nameSpan: span(name), value: value))
        } else {
            if arguments.items.count > base, let last = arguments.items.last, last.name != nil {
                throw fail { .positionalAfterNamed(at: $0.span($0.extent(value)), named: last.nameSpan) }
            }
            arguments.items.append(Argument(name: nil, nameSpan: span(extent(value)), value: value))
        }
    }

    @inline(never)
    private mutating func parseIndex(_ base: ExpressionID) throws(Failure) -> ExpressionID {
        try enter()
        let open = token
        let outer = newlineEnds
        newlineEnds = false
        let first = indexItems.items.count
        var below = depth(base)
        advance()
        if token.kind == .rightBracket { throw fail { .emptyIndex(at: $0.span(open).union($0.span($0.token))) } }
        while token.kind != .rightBracket {
            let item = try parseIndexItem(&below)
            indexItems.items.append(item)
            if token.kind == .comma { advance() } else { break }
        }
        guard token.kind == .rightBracket else { throw failInside(open) }
        newlineEnds = outer
        leave()
        let mark = SyntaxTree.Extent(start: open.start, end: token.end)
        advance()
        let run = indexItems.seal(from: first, into: &tree.indexItems)
        return add(.index(base, run), from: extent(base).start, mark: mark, above: below)
    }

    @inline(never)
    private mutating func parseIndexItem(_ below: inout UInt32) throws(Failure) -> IndexItem {
        let start = token
        if token.kind == .ellipsis {
            advance()
            return IndexItem(kind: .ellipsis, span: span(start))
        }
        let lower = token.kind == .colon ? nil : try parseExpression()
        guard token.kind == .colon else {
            // `lower` is there, for the token was no colon.
            let value = lower ?? ExpressionID(index: 0)
            below = max(below, depth(value))
            return IndexItem(kind: .value(value), span: span(extent(value)))
        }
        advance()
        let upper = try parseSliceBound()
        var step: ExpressionID?
        if token.kind == .colon {
            advance()
            step = try parseSliceBound()
        }
        below = max(below, depth(lower), depth(upper), depth(step))
        let whole = source.span(Int(lower.map { extent($0).start } ?? start.start), Int(tokens[position - 1].end))
        return IndexItem(kind: .slice(lower: lower, upper: upper, step: step), span: whole)
    }

    private mutating func parseSliceBound() throws(Failure) -> ExpressionID? {
        switch token.kind {
        case .colon, .comma, .rightBracket: nil
        default: try parseExpression()
        }
    }
}
