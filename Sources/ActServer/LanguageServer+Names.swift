// What the editor asks about a name: what it is, what else it could be, where it comes from, where it is used, and another one for it.

import ActBuiltins
import ActFiles
import ActLanguage
import ActMachine
import ActSyntax

extension LanguageServer {
    /// The symbol at a position, and where its name stands there.
    private func symbol(_ document: Document, _ parameters: JSON) -> (symbol: SymbolID, span: Span, tree: SyntaxTree, resolution: Resolution)? {
        guard let parts = document.parts else { return nil }
        let offset = document.offset(parameters["position"])
        guard let symbol = parts.resolution.symbol(at: offset, in: parts.tree) else { return nil }
        let span = parts.resolution.occurrences(of: symbol, in: parts.tree).first { Int($0.start) <= offset && offset <= Int($0.end) }
        return span.map { (symbol, $0, parts.tree, parts.resolution) }
    }

    private func isBuiltin(_ symbol: SymbolID, _ tree: SyntaxTree, _ resolution: Resolution) -> Bool {
        resolution[symbol].kind == .global && !resolution.isSet(symbol) && session.builtins.value(named: tree[resolution[symbol].name]) != nil
    }

    // MARK: Hover

    func hover(_ document: Document, _ parameters: JSON) throws -> JSON {
        guard let (symbol, span, tree, resolution) = symbol(document, parameters) else { return keywordHover(document, parameters) }
        let name = tree[resolution[symbol].name]
        func answer(_ text: String) -> JSON {
            ["contents": ["kind": "markdown", "value": .text(text)], "range": document.range(span, in: tree.source)]
        }
        if isBuiltin(symbol, tree, resolution) { return session.markdown(on: name).map(answer) ?? .null }
        let definitions = resolution.definitions(of: symbol)
        for definition in definitions {
            if case .function(let function) = definition.kind {
                return answer(session.markdown(onFunction: function, at: definition.span, in: tree))
            }
        }
        // The last value that is known above.
        let ends = Set(definitions.map { Int($0.span.end) })
        let known = document.kinds?.last { ends.contains($0.offset) && $0.offset <= Int(span.end) } ?? document.kinds?.first { ends.contains($0.offset) }
        let what =
            switch resolution[symbol].kind {
            case .parameter: "a parameter"
            case .element: "an element"
            case .local: "a variable of the function"
            case .global: definitions.isEmpty ? "not defined in this file" : "a variable"
            }
        return answer("```act\n\(name)\(known.map { ": \($0.kind)" } ?? "")\n```\n\(what)")
    }

    private func keywordHover(_ document: Document, _ parameters: JSON) -> JSON {
        guard let source = document.parts?.source else { return .null }
        let offset = document.offset(parameters["position"])
        guard let word = session.helpTopic(in: source.text(0..<source.bytes.count), at: offset), keywords.contains(word), let text = session.markdown(on: word)
        else { return .null }
        return ["contents": ["kind": "markdown", "value": .text(text)]]
    }

    // MARK: Completion

    func completion(_ document: Document, _ parameters: JSON) throws -> JSON {
        guard let source = document.parts?.source else { return [] }
        let offset = document.offset(parameters["position"])
        let (start, known) = session.completions(of: source.text(0..<source.bytes.count), at: offset)
        let own = ownCandidates(document, from: start, to: offset), candidates = own + known.filter { !own.contains($0) }
        let range = document.range(start, offset, in: source)
        let isSign = start < source.bytes.count && source.bytes[start] == UInt8(ascii: "\\")
        let items = candidates.map { candidate -> JSON in
            var fields: [(name: String, value: JSON)] = [
                ("label", .text(candidate)), ("kind", .whole(kind(of: candidate))), ("textEdit", ["range": range, "newText": .text(candidate)]),
            ]
            // Editors compare with what is written.
            if isSign { fields.append(("filterText", .text(source.text(start..<offset)))) }
            if let signature = session.signature(of: candidate) { fields.append(("detail", .text(signature))) }
            return .object(fields)
        }
        return ["isIncomplete": false, "items": .list(items)]
    }

    /// What the file itself says may stand there: fields behind a point, names of arguments in a call.
    private func ownCandidates(_ document: Document, from start: Int, to offset: Int) -> [String] {
        guard let parts = document.parts, start <= offset else { return [] }
        let source = parts.source, word = source.text(start..<offset), line = source.lineRange(source.line(containing: offset))
        let before = source.text(line.lowerBound..<max(line.lowerBound, start))
        let own = OwnCandidates(tree: parts.tree, resolution: parts.resolution, offset: offset)
        guard before.hasSuffix(".") else {
            let name = session.call(in: source.text(0..<source.bytes.count), at: offset)?.name
            return name.map { own.arguments(of: $0).filter { $0.hasPrefix(word) } } ?? []
        }
        let path = before.dropLast().reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }.reversed()
        return own.fields(of: String(path).split(separator: ".", omittingEmptySubsequences: false).map(String.init)).filter { $0.hasPrefix(word) }.sorted()
    }

    /// The protocol's number of what a candidate is.
    private func kind(of candidate: String) -> Int {
        if candidate.hasSuffix("=") { return 5 }
        if keywords.contains(candidate) { return 14 }
        switch session.builtins.value(named: candidate) {
        case .function?: return 3
        case .some: return 21
        case nil: return 6
        }
    }

    /// A candidate with what there is to say about it.
    func resolve(_ item: JSON) -> JSON {
        guard case .object(let fields) = item, let text = item["label"]?.asText.flatMap({ session.markdown(on: $0) }) else { return item }
        return .object(fields.filter { $0.name != "documentation" } + [("documentation", ["kind": "markdown", "value": .text(text)])])
    }

    // MARK: Signatures

    func signatureHelp(_ document: Document, _ parameters: JSON) throws -> JSON {
        guard let parts = document.parts else { return .null }
        let source = parts.source, offset = document.offset(parameters["position"])
        guard let call = session.call(in: source.text(0..<source.bytes.count), at: offset) else { return .null }
        var names: [String], label: String, summary = ""
        let own = parts.resolution.symbols(visibleAt: offset).first { parts.tree[parts.resolution[$0].name] == call.name }
        let found = own.flatMap { symbol in
            parts.resolution.definitions(of: symbol).lazy.compactMap { definition -> (FunctionID, Span)? in
                switch definition.kind {
                case .function(let function): return (function, definition.span)
                case .value(let value): if case .function(let function) = parts.tree[value] { return (function, definition.span) } else { return nil }
                default: return nil
                }
            }.first
        }
        if let (function, name) = found {
            names = parts.tree[parts.tree[function].parameters].map { variable in
                parts.tree[variable.name] + (variable.defaultValue.map { "=" + parts.tree.text(of: $0) } ?? "")
            }
            label = "\(call.name)(\(names.joined(separator: ", ")))"
            summary = session.comments(above: name, in: source).joined(separator: "\n")
        } else if case .function(let builtin)? = session.builtins.value(named: call.name) {
            names = builtin.parameters.map(\.text)
            label = builtin.signature
            summary = builtin.builtin?.summary ?? ""
        } else {
            return .null
        }
        var active = call.position
        if let argument = call.argument, let index = names.firstIndex(where: { $0.prefix { $0 != "=" && $0 != "…" } == argument }) { active = index }
        if names.last?.hasSuffix("…") == true { active = min(active, names.count - 1) }
        // Editors mark the part of the label that a pair of numbers cuts out, in UTF-16.
        var end = call.name.utf16.count + 1
        let places = names.map { name -> JSON in
            defer { end += name.utf16.count + 2 }
            return ["label": [.whole(end), .whole(end + name.utf16.count)]]
        }
        let signature: JSON = ["label": .text(label), "documentation": .text(summary), "parameters": .list(places)]
        return ["signatures": [signature], "activeSignature": 0, "activeParameter": .whole(active)]
    }

    // MARK: Places

    private func location(_ document: Document, _ span: Span, _ source: SourceText) -> JSON {
        ["uri": .text(document.uri), "range": document.range(span, in: source)]
    }

    func definition(_ document: Document, _ parameters: JSON) throws -> JSON {
        guard let (symbol, _, tree, resolution) = symbol(document, parameters) else { return .null }
        let found = resolution.definitions(of: symbol).filter(\.isWhole)
        // A function's definitions before assignments of its name.
        let functions = found.filter { if case .function = $0.kind { true } else { false } }
        return .list((functions.isEmpty ? found.prefix(1) : functions[...]).map { location(document, $0.span, tree.source) })
    }

    func references(_ document: Document, _ parameters: JSON) throws -> JSON {
        guard let (symbol, _, tree, resolution) = symbol(document, parameters) else { return .null }
        var spans = resolution.occurrences(of: symbol, in: tree)
        if parameters["context"]?["includeDeclaration"]?.asFlag == false {
            let defined = Set(resolution.definitions(of: symbol).filter(\.isWhole).map(\.span))
            spans.removeAll(where: defined.contains)
        }
        return .list(spans.map { location(document, $0, tree.source) })
    }

    func highlights(_ document: Document, _ parameters: JSON) throws -> JSON {
        guard let (symbol, _, tree, resolution) = symbol(document, parameters) else { return .null }
        let written = Set(resolution.definitions(of: symbol).map(\.span))
        return .list(
            resolution.occurrences(of: symbol, in: tree).map { ["range": document.range($0, in: tree.source), "kind": written.contains($0) ? 3 : 2] })
    }

    // MARK: Renaming

    func prepareRename(_ document: Document, _ parameters: JSON) throws -> JSON {
        guard let (symbol, span, tree, resolution) = symbol(document, parameters), !resolution.definitions(of: symbol).isEmpty else { return .null }
        return ["range": document.range(span, in: tree.source), "placeholder": .text(tree[resolution[symbol].name])]
    }

    func rename(_ document: Document, _ parameters: JSON) throws -> JSON {
        guard let name = parameters["newName"]?.asText else { throw Fault.invalidParameters("`newName` is missing") }
        guard let parts = document.parts, parts.isRight else { throw Fault.failed("a file with syntax errors cannot be changed safely") }
        guard let (symbol, _, tree, resolution) = symbol(document, parameters) else { throw Fault.failed("there is no name here") }
        guard !resolution.definitions(of: symbol).isEmpty else { throw Fault.failed("`\(tree[resolution[symbol].name])` is not defined in this file") }
        guard Self.isName(name) else { throw Fault.invalidParameters("`\(name)` is not a name") }
        let edits = resolution.occurrences(of: symbol, in: tree).map { Diagnostic.Edit($0, name) }
        guard isSame(tree, resolution, after: edits) else {
            throw Fault.failed("`\(name)` means something else where the name is used")
        }
        return ["changes": .object([(document.uri, .list(edits.map { document.edit($0, in: tree.source) }))])]
    }

    private static func isName(_ text: String) -> Bool {
        guard let source = try? SourceText(id: -1, name: "", text: text) else { return false }
        let parsed = parse(source), tree = parsed.tree
        guard parsed.diagnostics.isEmpty, tree[tree.program].count == 1, let id = tree[tree.program].first?.expression, case .name = tree[id] else {
            return false
        }
        return tree.span(of: id) == source.span(0, source.bytes.count)
    }

    /// Whether a program means the same after a renaming: each name still stands for the variable that it stood for.
    private func isSame(_ tree: SyntaxTree, _ resolution: Resolution, after edits: [Diagnostic.Edit]) -> Bool {
        DeepStack.run {
            guard let source = try? SourceText(id: -1, name: "", text: tree.source.applying(edits)) else { return false }
            let parsed = parse(source)
            guard parsed.diagnostics.isEmpty, parsed.tree.expressionIDs.count == tree.expressionIDs.count else { return false }
            let other = Resolution(parsed.tree)
            guard other.definitions.count == resolution.definitions.count else { return false }
            let defined = Set(resolution.definitions.map(\.symbol))
            var pairs: [SymbolID: SymbolID] = [:], back: [SymbolID: SymbolID] = [:]
            func agree(_ one: SymbolID?, _ two: SymbolID?) -> Bool {
                guard let one, let two else { return one == nil && two == nil }
                // Names that are not defined here mean what they are called.
                if !defined.contains(one), tree[resolution[one].name] != parsed.tree[other[two].name] { return false }
                if let known = pairs[one] { return known == two }
                if back[two] != nil { return false }
                (pairs[one], back[two]) = (two, one)
                return true
            }
            return tree.expressionIDs.allSatisfy { agree(resolution.symbol(of: $0), other.symbol(of: $0)) }
                && zip(resolution.definitions, other.definitions).allSatisfy { agree($0.symbol, $1.symbol) }
        }
    }
}
