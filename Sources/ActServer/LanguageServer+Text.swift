// What the editor asks about a whole file: what is wrong with it, what to do about that, how it is built, coloured and laid out.

import ActBuiltins
import ActFiles
import ActLanguage
import ActMachine
import ActSyntax

/// The kinds of words that are coloured, by the protocol's names.
enum TokenType: Int, CaseIterable {
    // In the order of the legend.
    case keyword, function, variable, parameter, property, number, string, comment, `operator`, `class`
}

extension LanguageServer {
    // MARK: Faults

    func diagnostics(of document: Document) -> [JSON] {
        let problems = document.problems
        guard let source = problems.source ?? document.parts?.source else { return [] }
        return problems.diagnostics.map { diagnostic in
            let span = diagnostic.primarySpan.flatMap { Int($0.source) == source.id ? $0 : nil } ?? source.span(0, 0)
            var message = diagnostic.title
            for note in diagnostic.notes { message += "\nnote: \(note)" }
            if let help = diagnostic.help { message += "\nhelp: \(help)" }
            var fields: [(name: String, value: JSON)] = [
                ("range", document.range(shown(span, source), in: source)),
                ("severity", .whole(diagnostic.level == .error ? 1 : diagnostic.level == .warning ? 2 : 3)),
                ("code", .text(diagnostic.code.rawValue)), ("source", "act"), ("message", .text(message)),
            ]
            // What is of no use is shown faded.
            if diagnostic.code == .unusedAssignment || diagnostic.code == .lostValue { fields.append(("tags", [1])) }
            let labels = diagnostic.labels.filter { !$0.isPrimary && !$0.text.isEmpty && Int($0.span.source) == source.id }
            if !labels.isEmpty {
                let related = labels.map { label -> JSON in
                    ["location": ["uri": .text(document.uri), "range": document.range(label.span, in: source)], "message": .text(label.text)]
                }
                fields.append(("relatedInformation", .list(related)))
            }
            return .object(fields)
        }
    }

    /// A place at the end of a text is shown on its last character.
    private func shown(_ span: Span, _ source: SourceText) -> Span {
        guard span.start == span.end, span.start > 0, Int(span.start) == source.bytes.count else { return span }
        return source.span(Int(span.start) - 1, Int(span.end))
    }

    func actions(_ document: Document, _ parameters: JSON) throws -> JSON {
        let problems = document.problems
        guard let source = problems.source, let asked = parameters["range"] else { return [] }
        let start = document.offset(asked["start"], source), end = document.offset(asked["end"], source)
        let only = parameters["context"]?["only"]?.asList?.compactMap(\.asText)
        func isWanted(_ kind: String) -> Bool { only?.contains { kind == $0 || kind.hasPrefix($0 + ".") } ?? true }
        func edit(_ edits: [JSON]) -> JSON { ["changes": .object([(document.uri, .list(edits))])] }
        var actions: [JSON] = []
        for (diagnostic, told) in zip(problems.diagnostics, diagnostics(of: document)) where isWanted("quickfix") {
            guard let span = diagnostic.primarySpan, Int(span.start) <= end, Int(span.end) >= start else { continue }
            for word in diagnostic.alternatives {
                actions.append([
                    "title": .text("Write `\(word)`"), "kind": "quickfix", "diagnostics": [told],
                    "edit": edit([document.edit(Diagnostic.Edit(span, word), in: source)]),
                ])
            }
            if diagnostic.edits.isEmpty { continue }
            let replacement = diagnostic.edits.count == 1 ? diagnostic.edits[0].replacement : ""
            let title = diagnostic.isGuess || diagnostic.help == nil ? "Write `\(replacement)`" : capitalized(diagnostic.help ?? "")
            actions.append([
                "title": .text(title), "kind": "quickfix", "diagnostics": [told], "isPreferred": .flag(!diagnostic.isGuess),
                "edit": edit(diagnostic.edits.map { document.edit($0, in: source) }),
            ])
        }
        if isWanted("source.fixAll"), problems.diagnostics.contains(where: { !$0.edits.isEmpty && !$0.isGuess }) {
            let fixed = session.fixed(document.bytes, named: document.name).bytes
            if fixed != document.bytes {
                actions.append(["title": "Do everything that is certain", "kind": "source.fixAll", "edit": edit(changes(document, to: fixed))])
            }
        }
        return .list(actions)
    }

    private func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    /// The lines that differ between the file and another text, as one edit.
    private func changes(_ document: Document, to bytes: [UInt8]) -> [JSON] {
        guard let source = document.parts?.source, source.bytes != bytes else { return [] }
        let old = source.bytes.split(separator: 10, omittingEmptySubsequences: false), new = bytes.split(separator: 10, omittingEmptySubsequences: false)
        var first = 0, last = 0
        while first < min(old.count, new.count), old[first] == new[first] { first += 1 }
        while last < min(old.count, new.count) - first, old[old.count - 1 - last] == new[new.count - 1 - last] { last += 1 }
        func offset(_ lines: [ArraySlice<UInt8>], _ line: Int, _ bytes: [UInt8]) -> Int { line < lines.count ? lines[line].startIndex : bytes.count }
        let start = offset(old, first, source.bytes), end = offset(old, old.count - last, source.bytes)
        let text = bytes[offset(new, first, bytes)..<offset(new, new.count - last, bytes)]
        return [["range": document.range(start, end, in: source), "newText": .text(String(decoding: text, as: UTF8.self))]]
    }

    func formatting(_ document: Document) -> JSON {
        guard case .text(let text) = session.layout(of: document.bytes, named: document.name) else { return .null }
        return .list(changes(document, to: Array(text.utf8)))
    }

    // MARK: What it is built of

    func symbols(_ document: Document) -> JSON {
        guard let parts = document.parts else { return [] }
        let (source, tree, resolution) = (parts.source, parts.tree, parts.resolution)
        /// By function or program: what it defines, the first time.
        var children: [ScopeID: [(Definition, FunctionID?)]] = [:]
        let program = resolution.scope(at: -1)
        var seen: Set<SymbolID> = []
        for definition in resolution.definitions {
            let symbol = resolution[definition.symbol]
            switch definition.kind {
            case .function(let function):
                children[resolution.scope(of: function)] = children[resolution.scope(of: function)] ?? []
                let outer = resolution[resolution.scope(of: function)].parent ?? program
                children[outer, default: []].append((definition, function))
            case .value, .unpacked:
                if symbol.kind == .global, seen.insert(definition.symbol).inserted { children[symbol.scope, default: []].append((definition, nil)) }
            default: break
            }
        }
        func list(_ scope: ScopeID, _ depth: Int) -> [JSON] {
            (children[scope] ?? []).sorted { $0.0.span.start < $1.0.span.start }.map { definition, function in
                let whole = function.map { tree[$0].span } ?? definition.span
                let span = source.span(min(Int(whole.start), Int(definition.span.start)), max(Int(whole.end), Int(definition.span.end)))
                var fields: [(name: String, value: JSON)] = [
                    ("name", .text(tree[resolution[definition.symbol].name])), ("kind", .whole(function.map { tree[$0].makesLayers ? 5 : 12 } ?? 13)),
                    ("range", document.range(span, in: source)), ("selectionRange", document.range(definition.span, in: source)),
                ]
                if let function, depth < 20 {
                    let inner = list(resolution.scope(of: function), depth + 1)
                    if !inner.isEmpty { fields.append(("children", .list(inner))) }
                }
                return .object(fields)
            }
        }
        return .list(list(program, 0))
    }

    func folds(_ document: Document) -> JSON {
        guard let parts = document.parts else { return [] }
        let source = parts.source
        var folds: [JSON] = [], lines: Set<Int> = []
        func add(_ first: Int, _ last: Int, _ kind: String? = nil) {
            guard last > first, lines.insert(first).inserted else { return }
            folds.append(.object([("startLine", .whole(first - 1)), ("endLine", .whole(last - 1))] + (kind.map { [("kind", .text($0))] } ?? [])))
        }
        // Outer ones come after inner ones, and win.
        for id in parts.tree.expressionIDs.reversed() {
            switch parts.tree[id] {
            case .block, .array, .list, .record, .call:
                let span = parts.tree.span(of: id)
                // The line of the closing bracket stays.
                add(source.line(containing: Int(span.start)), source.line(containing: max(Int(span.start), Int(span.end) - 1)) - 1)
            default: break
            }
        }
        let trivia = Trivia(source)
        var first: Int?, last = 0
        for piece in trivia.pieces where piece.kind == .comment && trivia.beginsLine(piece.span.start) {
            let line = source.line(containing: Int(piece.span.start))
            if let start = first, line != last + 1 {
                add(start, last, "comment")
                first = line
            }
            first = first ?? line
            last = line
        }
        if let first { add(first, last, "comment") }
        return .list(folds)
    }

    // MARK: Colours

    func tokens(_ document: Document) -> JSON {
        guard let parts = document.parts else { return ["data": []] }
        let (source, tree, resolution) = (parts.source, parts.tree, parts.resolution)
        let names = nameTypes(tree, resolution, upTo: source.bytes.count)
        var data: [JSON] = [], line = 0, column = 0
        let pieces = Trivia(source).pieces
        data.reserveCapacity(5 * pieces.count)
        // The line that the last piece is on: the next one is not far.
        var number = 1, range = source.lineRange(1)
        for piece in pieces {
            guard let (type, modifiers) = names[Int(piece.span.start)] ?? type(of: piece, source).map({ ($0, 0) }) else { continue }
            // No token goes over a line end.
            var start = Int(piece.span.start)
            while start < Int(piece.span.end) {
                while number < source.lineCount, case let next = source.lineRange(number + 1), next.lowerBound <= start { (number, range) = (number + 1, next) }
                let end = min(range.upperBound, Int(piece.span.end))
                let first = document.columns(from: range.lowerBound, to: start, in: source), length = document.columns(start..<max(start, end), in: source)
                if length > 0 {
                    let delta = number - 1 - line
                    data.append(.whole(delta))
                    data.append(.whole(delta == 0 ? first - column : first))
                    data.append(.whole(length))
                    data.append(.whole(type.rawValue))
                    data.append(.whole(modifiers))
                    (line, column) = (number - 1, first)
                }
                let next = number < source.lineCount ? source.lineRange(number + 1).lowerBound : Int(piece.span.end)
                start = max(next, start + 1)
            }
        }
        return ["data": .list(data)]
    }

    /// By the offset at which a name begins: what it is; the first bit of the number says that it is defined there, the second that it is built in.
    private func nameTypes(_ tree: SyntaxTree, _ resolution: Resolution, upTo end: Int) -> [(TokenType, Int)?] {
        var found = [(TokenType, Int)?](repeating: nil, count: end + 1)
        var functions = [TokenType?](repeating: nil, count: resolution.symbols.count), isSet = [Bool](repeating: false, count: functions.count)
        var known = [(TokenType, Int)?](repeating: nil, count: functions.count)
        func note(_ start: Int32, _ type: (TokenType, Int)?) { if found.indices.contains(Int(start)) { found[Int(start)] = type } }
        for definition in resolution.definitions {
            let index = Int(definition.symbol.index)
            if definition.isWhole { isSet[index] = true }
            if case .function(let function) = definition.kind { functions[index] = tree[function].makesLayers ? .class : .function }
        }
        func type(_ symbol: SymbolID) -> (TokenType, Int) {
            let index = Int(symbol.index)
            if let type = known[index] { return type }
            let type = foundType(symbol)
            known[index] = type
            return type
        }
        func foundType(_ symbol: SymbolID) -> (TokenType, Int) {
            if let type = functions[Int(symbol.index)] { return (type, 0) }
            if resolution[symbol].kind == .parameter { return (.parameter, 0) }
            if isSet[Int(symbol.index)] || resolution[symbol].kind != .global { return (.variable, 0) }
            switch session.builtins.value(named: tree[resolution[symbol].name]) {
            case .function?: return (.function, 2)
            case .some: return (.variable, 2)
            case nil: return (.variable, 0)
            }
        }
        for id in tree.expressionIDs {
            switch tree[id] {
            case .field(_, _):
                let called = resolution.symbol(of: id).map(type)
                note(tree.operatorSpan(of: id).start, called?.1 == 2 ? called : (.property, 0))
            case .record(let fields): for field in tree[fields] { note(field.nameSpan.start, (.property, 0)) }
            case .call(_, let arguments): for argument in tree[arguments] where argument.name != nil { note(argument.nameSpan.start, (.parameter, 0)) }
            default: if let symbol = resolution.symbol(of: id) { note(tree.nameSpan(of: id).start, type(symbol)) }
            }
        }
        for definition in resolution.definitions { note(definition.span.start, (type(definition.symbol).0, definition.isWhole ? 1 : 0)) }
        return found
    }

    private func type(of piece: Trivia.Piece, _ source: SourceText) -> TokenType? {
        switch piece.kind {
        case .comment: return .comment
        case .keyword: return .keyword
        case .name: return .variable
        case .number: return .number
        case .text, .format: return .string
        case .sign:
            let start = Int(piece.span.start)
            return source.bytes.indices.contains(start) && Self.brackets.contains(source.bytes[start]) ? nil : .operator
        }
    }

    /// Signs that have no colour.
    private static let brackets = Array("([{}]),;.:".utf8)

    // MARK: Shapes

    func hints(_ document: Document, _ range: JSON?) -> JSON {
        guard let source = document.parts?.source, let kinds = document.kinds else { return [] }
        let start = document.offset(range?["start"]), end = range == nil ? source.bytes.count : document.offset(range?["end"])
        return .list(
            kinds.filter { start <= $0.offset && $0.offset <= end }.map { offset, kind in
                ["position": document.position(offset, in: source), "label": .text(": \(kind)"), "kind": 1]
            })
    }
}
