// Help: what a name is, from the rows of the built-in functions and of the activations, so that it cannot differ from what they do.

import ActFormula
import ActGrad
import ActMachine
import ActPlot
import ActSyntax
import ActText

extension Session {
    /// What there is to say about a name: a built-in function, a variable, a keyword, a command. `nil` if it is none of these.
    /// - Parameter style: How an activation function is drawn, at most 64 × 14; `nil` where it is not.
    package func help(_ name: String, _ style: TerminalStyle? = TerminalStyle()) -> String? {
        // Looking a name up takes as long as it is, and no name is as long as a book.
        guard name.utf8.count <= 1 << 16 else { return nil }
        let name = CompatibleNames.form(name)
        if let value = module[name], !isBuiltin(value, name) { return help(variable: name, value) }
        if let row = builtins.rows.first(where: { $0.name == name || $0.aliases.contains(name) }) { return help(row, style) }
        if case .number(let number)? = builtins.value(named: name) { return "\(name) = \(Format.number(number))\n" }
        if let row = KeywordHelp.rows.first(where: { $0.words.contains(name) }) { return "\(row.form)\n  \(row.summary)\n" }
        if let row = SessionCommand.rows.first(where: { ":" + $0.name == name }) { return "\(row.usage)\n  \(row.summary)\n" }
        return nil
    }

    /// What `?text` answers: help on a name or a topic, else what is near it; of nothing, the tour.
    package func explanation(of text: String, _ style: TerminalStyle? = TerminalStyle()) -> String {
        if text.isEmpty { return tour }
        let own = help(text, style)
        guard let guide = Guide.named(text), module[text] == nil else { return own ?? search(text) }
        // `plot` is a function, and what the topic `plots` is about.
        return (own.map { $0 + "\n" } ?? "") + help(guide, width: (style ?? TerminalStyle()).columns)
    }

    /// What help on a name draws.
    func picture(explaining name: String) -> Figure? {
        guard name.utf8.count <= 1 << 10 else { return nil }
        let name = CompatibleNames.form(name)
        if let value = module[name], !isBuiltin(value, name) { return nil }
        return builtins.rows.first { $0.name == name || $0.aliases.contains(name) }?.activation.flatMap(Session.figure)
    }

    /// The topics, a line each.
    package var tour: String {
        let width = Guide.rows.map { $0.name.count }.max() ?? 0
        let lines = Guide.rows.map { "  ?\($0.name.padded(to: width))  \($0.summary)\n" }.joined()
        return "Topics:\n" + lines + "`?name` explains a function, `?word` finds what is about a word, `?all` lists every name, `:help` the commands.\n"
    }

    /// Help on a topic, as on a page of 80 columns.
    func help(onTopic name: String) -> String? { Guide.named(name).map { help($0, width: 80) } }

    private func help(_ guide: Guide, width: Int) -> String {
        var result = guide.summary.prefix(1).uppercased() + guide.summary.dropFirst() + "\n"
        if !guide.example.isEmpty { result += "\n" + indented(guide.example) }
        if !guide.text.isEmpty { result += "\n" + indented(guide.text) }
        for topic in guide.topics {
            let names = builtins.rows.filter { $0.topic == topic }.map(\.name)
            if !names.isEmpty { result += "\n\(topic.rawValue)\n" + wrapped(names, indent: 2, width: width) }
        }
        if guide.name == "all" { result += "\n" + overview(width: width) }
        return result
    }

    /// The built-in functions by topic.
    package func overview(width: Int) -> String {
        var result = ""
        for topic in Topic.allCases {
            let names = builtins.rows.filter { $0.topic == topic }.map(\.name)
            guard !names.isEmpty else { continue }
            result += "\(topic.rawValue)\n" + wrapped(names, indent: 2, width: width)
        }
        result += "keywords\n" + wrapped(keywords + ["layer"], indent: 2, width: width)
        return result + "`?name` explains one, `?word` finds those that are about a word.\n"
    }

    // MARK: Kinds of names

    private func isBuiltin(_ value: Value, _ name: String) -> Bool {
        switch (value, builtins.value(named: name)) {
        case (.function(let a), .function(let b)?): a === b
        case (.number(let a), .number(let b)?): a == b || a.isNaN && b.isNaN
        default: false
        }
    }

    private func help(variable name: String, _ value: Value) -> String {
        guard case .function(let function) = value else { return "\(name): \(Session.kind(of: value))\n" }
        var result = function.signature + "\n"
        if let closure = function as? Closure ?? function.layerMaker?.block, !closure.code.prototype.text.isEmpty {
            for line in closure.code.prototype.comment { result += "  \(line)\n" }
            result += closure.code.prototype.text.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)\n" }.joined()
        }
        if builtins.value(named: name) != nil { result += "  hides the built-in of that name; `unset \(name)` brings it back\n" }
        return result
    }

    private func help(_ row: Builtin, _ style: TerminalStyle?) -> String {
        var result = "\(row.signature)\n  \(row.summary)\n"
        if !row.details.isEmpty { result += "\n" + indented(row.details) }
        if let activation = row.activation {
            let facts = facts(activation), width = facts.map { displayWidth($0.0) }.max() ?? 0
            result += "\n" + facts.map { "  \($0.0.padded(to: width))  \($0.1)\n" }.joined()
        }
        if !row.aliases.isEmpty { result += "\n  also called \(row.aliases.joined(separator: ", "))\n" }
        if !row.example.isEmpty { result += "\n" + indented(row.example) }
        if var style, let figure = row.activation.flatMap(Session.figure) {
            style.columns = min(style.columns, 64)
            style.rows = min(style.rows, 14)
            result += "\n" + render(figure, style) + "\n"
        }
        return result
    }

    /// Formula, derivative, range, kinks, parameters.
    private func facts(_ row: ActivationRow) -> [(String, String)] {
        var facts: [(String, String)] = [("value", row.formulas.value), ("derivative", row.formulas.derivative), ("range", row.range)]
        for kink in row.kinks(row.defaults) where kink.x.isFinite {
            let slopes = "slope \(Format.number(kink.left)) before, \(Format.number(kink.right)) after, \(Format.number(kink.chosen)) there"
            if let (low, high) = row.jump(at: kink) {
                facts.append(("jump", "at \(Format.number(kink.x)): from \(Format.number(low)) to \(Format.number(high)); \(slopes)"))
            } else {
                facts.append(("kink", "at \(Format.number(kink.x)): \(slopes)"))
            }
        }
        for parameter in row.parameters { facts.append((parameter.name, parameter.summary)) }
        if !row.note.isEmpty { facts.append(("note", row.note)) }
        return facts
    }

    /// An activation and its derivative around zero.
    private static func figure(_ row: ActivationRow) -> Figure? {
        let x = (0...200).map { Double($0) / 20 - 5 }
        let y = x.map { row($0) ?? .nan }
        guard y.contains(where: \.isFinite) else { return nil }
        let slope = x.map { row.derivative($0) ?? .nan }
        var series: [(name: String?, y: [Double])] = [(row.name, y)]
        if slope.contains(where: \.isFinite) { series.append((row.name + "'", slope)) }
        return try? Figure.lines(x: x, series)
    }

    // MARK: Markdown, for editors

    /// The help on a name of the language as Markdown, without a picture.
    package func markdown(on name: String) -> String? {
        guard name.utf8.count <= 1 << 10 else { return nil }
        let name = CompatibleNames.form(name)
        func code(_ text: String) -> String { "```act\n\(text)\n```\n" }
        if let row = builtins.rows.first(where: { $0.name == name || $0.aliases.contains(name) }) {
            var result = code(row.signature) + row.summary + "\n"
            if !row.details.isEmpty { result += "\n\(row.details)\n" }
            if let activation = row.activation { result += "\n" + facts(activation).map { "- \($0.0): `\($0.1)`\n" }.joined() }
            if !row.aliases.isEmpty { result += "\nalso called \(row.aliases.map { "`\($0)`" }.joined(separator: ", "))\n" }
            return row.example.isEmpty ? result : result + "\n" + code(row.example)
        }
        if case .number(let number)? = builtins.value(named: name) { return code("\(name) = \(Format.number(number))") }
        return KeywordHelp.rows.first { $0.words.contains(name) }.map { code($0.form) + $0.summary + "\n" }
    }

    /// What a program says of a function of its own: the comment above it and how it is called; all of it if it is short.
    package func markdown(onFunction function: FunctionID, at name: Span, in tree: SyntaxTree) -> String {
        let node = tree[function], source = tree.source, whole = source.text(node.span.union(name))
        let parameters = tree[node.parameters].map { tree[$0.name] + ($0.defaultValue.map { "=" + tree.text(of: $0) } ?? "") }
        let isShort = whole.utf8.count <= 300 && whole.split(separator: "\n").count <= 6
        let text = isShort ? whole : "\(source.text(name))(\(parameters.joined(separator: ", ")))"
        return "```act\n\(text)\n```\n" + comments(above: name, in: source).joined(separator: "  \n")
    }

    /// The lines of the comment right above the definition of a name.
    package func comments(above name: Span, in source: SourceText) -> [String] {
        var comments: [String] = [], line = source.line(containing: Int(name.start)) - 1
        while line > 0, comments.count < 50, source.line(at: line).trimmingSpaces().hasPrefix("#") {
            comments.append(String(source.line(at: line).trimmingSpaces().drop { $0 == "#" }).trimmingSpaces())
            line -= 1
        }
        return comments.reversed()
    }

    // MARK: Searching

    private func search(_ text: String) -> String {
        let word = text.lowercased()
        let near = suggest(text, among: builtins.names + module.variables.map(\.name) + keywords)
        let found = builtins.rows.filter { row in
            row.name.lowercased().contains(word) || row.summary.lowercased().contains(word) || row.details.lowercased().contains(word)
        }
        let nearest = near.isEmpty ? "" : "Did you mean \(near.map { "`\($0)`" }.joined(separator: " or "))?"
        let guides = Guide.rows.filter { $0.summary.lowercased().contains(word) || $0.example.lowercased().contains(word) }.map { "`?\($0.name)`" }
        let topics = guides.isEmpty ? "" : "Topics: \(guides.joined(separator: " "))\n"
        guard !found.isEmpty else {
            let more = near.isEmpty && guides.isEmpty ? "`?` alone lists the topics, `?all` every name.\n" : ""
            return "There is nothing called `\(text)`." + (near.isEmpty ? "\n" : " \(nearest)\n") + topics + more
        }
        let width = found.prefix(20).map { $0.name.count }.max() ?? 0
        var result = "There is nothing called `\(text)`; about it are:\n"
        for row in found.prefix(20) { result += "  \(row.name.padded(to: width))  \(row.summary)\n" }
        if found.count > 20 { result += "  … and \(found.count - 20) more\n" }
        return result + topics + (nearest.isEmpty ? "" : nearest + "\n")
    }

    // MARK: Text

    private func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "\n" : "  \($0)\n" }.joined()
    }

    private func wrapped(_ words: [String], indent: Int, width: Int) -> String {
        var result = ""
        var line = ""
        for word in words {
            if !line.isEmpty, indent + displayWidth(line) + 1 + displayWidth(word) > max(width, 40) {
                result += String(repeating: " ", count: indent) + line + "\n"
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? result : result + String(repeating: " ", count: indent) + line + "\n"
    }
}

/// What the words and signs of the language that are not functions do.
private enum KeywordHelp {
    static let rows: [(words: [String], form: String, summary: String)] = [
        (["if", "else"], "if c { … } else if d { … } else { … }", "runs the first block whose condition is true; has its value"),
        (["for", "in"], "for x in values { … }", "runs the block once for each element. `[f(x) for x in values if c]` collects"),
        (["while"], "while c { … }", "runs the block as long as the condition is true"),
        (["break", "continue"], "break, continue", "end the innermost loop, or go on with its next turn"),
        (["return"], "return value", "leaves a function with a value; without it the last expression is the value"),
        (["and", "or", "not"], "a and b, a or b, not a", "on bools, without looking at `b` where `a` decides; elementwise on arrays of bools"),
        (["true", "false"], "true, false", "the two bools; in arithmetic 1 and 0"),
        (["none"], "none", "the value of what has none. As an index it makes a new axis: `x[:, none]`"),
        (
            ["layer"], "layer NAME(parameters) { …; x -> … }",
            """
            defines a maker of layers: arrays and layers assigned in the block are trained, the last line is the function. With a parameter `training`, \
            `(x, training) -> …`, that is told whether it trains; `state(v)` is what it may assign then
            """
        ),
        (
            ["training"], "(x, training) -> …",
            """
            the parameter by which the function of a `layer` is told whether it trains: true in `fit` and `net(x, training=true)`, else false. Layers \
            that it calls are told too
            """
        ),
        (
            ["list", "lists"], "(1, \"a\", relu), (v,), (f(x) for x in xs)",
            "a list of any values: `s[0]`, `s[1:]`, `s[mask]`, `len(s)`, `append(s, v)`, `concat((s, t))`; `[…]` makes an array where it can"
        ),
        (
            ["record", "records"], "{a: 1, b: [2, 3]}",
            "values by name: `r.a`, `r[\"a\"]`, `r.c = 4`, `{...r, b: 1}`; `keys(r)` are the names, `map(f, r)` goes through the values"
        ),
        (["unset"], "unset name", "removes a variable; a built-in of that name comes back"),
        (["'", "''"], "f'", "the derivative of `f` in its first argument, to any order: `sigmoid'(0)`, `f''`. Of an array, its transpose"),
        (["@"], "a @ b", "the matrix product: the last axis of `a` meets the second-last of `b`"),
        (["|>"], "x |> f", "calls the function on the right with the value on the left: `[1, 2] |> sum`"),
        ([">>"], "f >> g", "composition: first `f`, then `g`. Of layers, a network: `Dense(2, 8) >> tanh >> Dense(8, 1)`"),
        (["->"], "x -> e, (x, y=2) -> e", "a function literal"),
        (["^", "**"], "a ^ b", "a power; `2^3^2` is `2^(3^2)`, `-2^2` is `-(2^2)`"),
        (["+", "-", "*", "/"], "a + b, a - b, a * b, a / b", "elementwise with broadcasting; on records, lists and networks leaf by leaf; `+` joins texts"),
        (["//", "%"], "a // b, a % b", "the quotient rounded down, and what is left of it, with the sign of `b`"),
        (
            ["==", "!=", "<", "<=", ">", ">="], "a == b, a < b < c",
            """
            elementwise, give bools; comparisons chain. Of texts, lists and records `==` compares whole values; functions, layers and networks are equal \
            to themselves alone, and `parameters(a) == parameters(b)` compares what they learned
            """
        ),
        (["="], "name = value; f(x) = e; a, b = pair", "assigns: a copy, nothing aliases"),
        (["+=", "-=", "*=", "/=", "//=", "%=", "@=", "^="], "x += v", "updates a variable, an element or a field: `a[0] += 1`, `r.name *= 2`"),
        (
            ["[]", "[", "]"], "[1, 2], a[i, lo:hi:step], [e for x in xs if c]",
            "makes an array, or a list where one element is not a number; after a value, indexes it"
        ),
        (["()", "(", ")"], "(a + b) * c, (1, \"a\"), f(x, name=v)", "groups, makes a list, calls"),
        (["{}", "{", "}"], "{a: 1, b: 2}, { s; e }", "a record; or a block, whose value is that of its last expression"),
        (
            [":"], "a[lo:hi:step], {key: value}, \"{x:.2f}\"",
            "a range of positions; between a key and its value; before a format. At the start of a line, a command (`:help`)"
        ),
        (["..."], "a[..., 0], {...r, b: 1}", "all axes that are not named; all fields of a record"),
        ([".", ".name"], "r.name, x.f(y)", "a field of a record; or the call `f(x, y)`: `x.mean()`, `x.reshape(2, 3)`"),
        ([";"], "a = 1; b = 2", "ends a statement; at the end of a line, its value is not shown"),
        (["#"], "# words", "a comment, to the end of the line"),
        (["\"", "\"\"\""], "\"text {x:.2f}\"", "a text; `{…}` in it are values. Three quotes span lines"),
        (["\\"], "\"\\n\", \\sigma", "an escape in a text. At a prompt `\\sigma` and Tab make `σ`"),
        (["!"], "!command", "at the prompt, runs a command of the system; as an operator it is written `not`"),
    ]
}

extension ActivationRow {
    /// The values just beside a kink, where the function itself jumps there.
    func jump(at kink: Kink) -> (before: Double, after: Double)? {
        let distance = max(abs(kink.x), 1) * 1e-9
        guard let before = self(kink.x - distance), let after = self(kink.x + distance), abs(after - before) > 1e-6 else { return nil }
        // What the distance added is rounded away.
        return ((before * 1e6).rounded() / 1e6, (after * 1e6).rounded() / 1e6)
    }
}
