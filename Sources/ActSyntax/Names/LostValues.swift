// Values that are computed and lost: expressions without effect that are neither shown nor the value of their block. A line that begins with
// `+ 0.1 * kl` does not go on the line before, and `xs.append(v)` changes nothing.
//
// What must stay true: what may have an effect (a call of anything but a built-in that only computes) never counts. At the outermost level
// values are shown, or discarded on purpose by `;`.

extension SyntaxTree {
    /// - Parameter isPure: Whether an expression that is called is a built-in that only computes.
    /// - Returns: A warning for each, in source order.
    package func lostValues(isPure: (ExpressionID) -> Bool) -> [Diagnostic] {
        var isLost = [Bool](repeating: false, count: expressions.count)
        var found: [ExpressionID] = []
        // Parents come after their children.
        for index in expressions.indices.reversed() {
            let id = ExpressionID(index: UInt32(index)), lost = isLost[index]
            func lose(_ part: ExpressionID) { isLost[Int(part.index)] = true }
            switch self[id] {
            case .block(let statements):
                for statement in self[statements].dropLast() { lose(statement.expression) }
                guard let last = self[statements].last?.expression else { continue }
                if lost { lose(last) }
                // As a value nobody writes `+`.
                if !lost, self[statements].count > 1, case .unary(.plus, _) = first(of: last), beginsLine(last) { found.append(last) }
            case .conditional(let branches, let otherwise) where lost:
                for branch in self[branches] { lose(branch.body) }
                if let otherwise { lose(otherwise) }
            case .whileLoop(_, let body): lose(body)
            case .forLoop(let loop): lose(self[loop].body)
            default: if lost, onlyComputes(id, isPure) { found.append(id) }
            }
        }
        return found.reversed().prefix(Diagnostic.most).map { lostValue($0, isLost: isLost[Int($0.index)]) }.shortened(of: found.count)
    }

    private func onlyComputes(_ id: ExpressionID, _ isPure: (ExpressionID) -> Bool) -> Bool {
        switch self[id] {
        case .number, .string, .bool, .name, .unary, .binary, .comparison, .index, .field, .prime, .function, .compose: true
        // Such as `print(a), print(b)`.
        case .list(let parts), .array(let parts): self[parts].allSatisfy { onlyComputes($0, isPure) }
        case .record(let fields): self[fields].allSatisfy { onlyComputes($0.value, isPure) }
        // `x > 0 or error("…")`
        case .and(_, let last), .or(_, let last): onlyComputes(last, isPure)
        case .call(let callee, _), .pipe(_, let callee): isPure(callee)
        // `none` says that there is nothing to do.
        case .none, .interpolation, .comprehension, .block, .conditional, .forLoop, .whileLoop, .breakLoop, .continueLoop, .returnValue, .assign, .unpack,
            .update,
            .define, .unset, .invalid:
            false
        }
    }

    private func beginsLine(_ id: ExpressionID) -> Bool {
        let start = Int(span(of: id).start)
        return source.text(source.lineRange(source.line(containing: start)).lowerBound..<start).allSatisfy(\.isWhitespace)
    }

    private func lostValue(_ id: ExpressionID, isLost: Bool) -> Diagnostic {
        let span = span(of: id)
        if case .unary(let sign, _) = first(of: id), sign != .not {
            let sign = sign == .plus ? "+" : "-"
            return Diagnostic(
                .lostValue, isLost ? "this line does not go on the one before: its value is lost" : "this line does not go on the one before", at: span,
                help: "end the line before with `\(sign)`, or put all of it in parentheses")
        }
        return Diagnostic(.lostValue, "this value is computed and lost", at: span, help: remedy(id))
    }

    /// What stands leftmost in sums and products.
    private func first(of id: ExpressionID) -> Expression {
        var first = self[id]
        while case .binary(_, let left, _) = first { first = self[left] }
        return first
    }

    private func remedy(_ id: ExpressionID) -> String {
        switch self[id] {
        case .comparison(let left, let links) where links.count == 1 && self[links].first?.comparison == .equal:
            if case .name = self[left] { return "`=` assigns" }
        case .call(let callee, _):
            if case .field(let base, let name) = self[callee], case .name(let variable) = self[base] {
                return "values never change in place: write `\(self[variable]) = \(self[variable]).\(self[name])(…)`"
            }
        case .name(let name): return "`show(\(self[name]))` shows it"
        default: break
        }
        return "`show(…)` shows it, `name = …` keeps it"
    }
}
