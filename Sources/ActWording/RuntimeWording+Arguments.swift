// What is wrong with the arguments of a call, and how the call that was meant is written.

import ActMachine
import ActPlot
import ActRows
import ActSyntax

extension RuntimeWording {
    /// The call at hand, as it is written.
    private var writtenCall: (tree: SyntaxTree, id: ExpressionID, callee: ExpressionID, arguments: [Argument])? {
        guard let (tree, id) = place, case .call(let callee, let run) = tree[id] else { return nil }
        return (tree, id, callee, Array(tree[run]))
    }

    /// The texts of the arguments without a name, where all of them are short.
    private func positionalTexts(_ tree: SyntaxTree, _ arguments: [Argument]) -> [String]? {
        let texts = arguments.filter { $0.name == nil }.map { tree.text(of: $0.value) }
        return texts.allSatisfy { $0.count <= 40 && !$0.contains("\n") } ? texts : nil
    }

    func tooManyArguments(_ function: Function, given: Int) -> Diagnostic {
        // In `x.f(a)` the first argument is not one that was written.
        var hidden = 0
        var help: Message?
        if let call = writtenCall {
            if case .field = call.tree[call.callee], call.arguments.count(where: { $0.name == nil }) == given - 1 { hidden = 1 }
            help = looseAxesHelp(call.tree, call.callee, call.arguments, of: function.name)
        }
        if hidden == 1, help == nil { help = "the value before the point is the first of `\(function.signature)`" }
        let words = NameWording.tooManyArguments(
            given - hidden, of: hidden == 1 ? "`.\(function.name)`" : called(function.name).text,
            takes: function.parameters.count - hidden, signature: function.signature)
        return error(words.title, help: help ?? words.help)
    }

    /// `x.transpose(1, 0)`: the axes that were meant to be one list.
    private func looseAxesHelp(_ tree: SyntaxTree, _ callee: ExpressionID, _ arguments: [Argument], of function: String) -> Message? {
        guard function == "transpose", let texts = positionalTexts(tree, arguments), texts.count == arguments.count else { return nil }
        switch tree[callee] {
        case .field: return "the axes are given as a list: `\(tree.text(of: callee))((\(texts.joined(separator: ", "))))`"
        case .name where texts.count > 2:
            return "the axes are given as a list: `\(tree.text(of: callee))(\(texts[0]), (\(texts.dropFirst().joined(separator: ", "))))`"
        default: return nil
        }
    }

    func missingArgument(_ name: String, _ function: String) -> Diagnostic {
        let callee = called(function)
        let words = NameWording.missingArgument(name, of: callee.text, signature: callee.isHandedOver ? nil : signature(calleeName ?? function))
        return error(words.title, help: (callee.isHandedOver ? fixedArgumentsHelp(function) : pipedCallHelp) ?? words.help)
    }

    /// `xs |> map(f)`: the call whose last argument was meant to come through the pipe.
    private var pipedCallHelp: Message? {
        guard let call = writtenCall, let texts = positionalTexts(call.tree, call.arguments), let name = calleeName,
            case .function(let value)? = machine.currentOrigin?.code.module[name] ?? builtins.value(named: name),
            value.parameters.count(where: { $0.fallback == nil && !$0.isVariadic }) == texts.count + 1
        else { return nil }
        let before = call.tree.source.text(0..<Int(call.tree.span(of: call.id).start)).suffix(64)
        guard before.split(whereSeparator: \.isWhitespace).last?.hasSuffix("|>") == true else { return nil }
        let named = call.arguments.compactMap { argument in argument.name.map { "\(call.tree[$0])=\(call.tree.text(of: argument.value))" } }
        let written = (texts + ["v"] + named).joined(separator: ", ")
        return "`|>` hands its value to a function: write `|> (v -> \(call.tree.text(of: call.callee))(\(written)))`"
    }

    /// `vjp(f, x)` of a function that takes more than x: the call of a function of x alone.
    private func fixedArgumentsHelp(_ function: String) -> Message? {
        guard let call = writtenCall, let texts = positionalTexts(call.tree, call.arguments), texts.first == function, call.arguments.count == texts.count,
            case .function(let value)? = machine.currentOrigin?.code.module[function]
        else { return nil }
        let parameters = value.parameters.filter { $0.fallback == nil && !$0.isVariadic }.map(\.name)
        guard parameters.count > 1, ["vjp", "jvp", "hvp", "check_grad"].contains(call.tree.text(of: call.callee)) else { return nil }
        let others = parameters.dropFirst()
        let literal = "\(parameters[0]) -> \(function)(\(parameters.joined(separator: ", ")))"
        let written = ([literal] + texts.dropFirst()).joined(separator: ", ")
        return "write `\(call.tree.text(of: call.callee))(\(written))`, which holds \(others.map { "`\($0)`" }.joined(separator: " and ")) fixed"
    }

    func badArgument(_ function: String, _ name: String, _ expected: Expectation, _ found: Value) -> Diagnostic {
        var shown = found.number.map(Format.number) ?? found.kind
        var help: String?
        switch found {
        case .string(let text) where text.string.utf8.count <= 120 && text.string.count <= 30 && expected != .kind(.text):
            help = foreignHint(argument: text.string, named: name, in: .builtins)
            // Where strings are right, it is this one that is wrong.
            if expected.isChoiceOfTexts { shown = "\"\(text.string)\"" }
        case .function(let value) where expected == .kind(.elementType):
            help = foreignHint(argument: value.name, named: name, in: .builtins)
            shown = "`\(value.name)`"
        case .number where expected == .kind(.flag): help = looseNumbersHelp
        case .array where name == "axis", .list where name == "axis": help = looseArraysHelp
        case .list(let list) where isTexts(list): help = textsHelp(function)
        default: break
        }
        if name == "f", ["map", "filter", "reduce", "scan"].contains(function) { help = "the function comes first: `\(function)(f, xs)`" }
        return error("`\(name)` of `\(function)` must be \(expected.words), not \(shown)", help: help.map { Message($0) })
    }

    private func isTexts(_ list: List) -> Bool {
        !list.elements.isEmpty && list.elements.allSatisfy { if case .string = $0 { true } else { false } }
    }

    /// `isnan(table.fare)` of a column that a table has as texts, `argsort(names)`.
    private func textsHelp(_ function: String) -> String? {
        if function == "argsort" { return "texts are put in order by `sort(s)`, their places are `argsort(unique(s, inverse=true)[1])`" }
        guard let call = writtenCall, let first = call.arguments.first, case .field = call.tree[first.value] else { return "it is a list of texts" }
        return "it is a list of texts: a column with a field that is no number stays texts; `load(path, missing=\"?\")` reads such fields as nan"
    }

    /// A call by name of several arguments, none of which has one: what it calls, and their texts, or dots where those are long.
    private var callOfSeveral: (name: String, texts: String)? {
        guard let call = writtenCall, case .name(let name) = call.tree[call.callee], call.arguments.count > 1,
            call.arguments.allSatisfy({ $0.name == nil })
        else { return nil }
        let texts = call.arguments.map { call.tree.text(of: $0.value) }.joined(separator: ", ")
        return (call.tree[name], texts.count <= 40 ? texts : "a, b, …")
    }

    /// `mean(1, 2)`: the numbers that were meant to be one array.
    var looseNumbersHelp: String? { callOfSeveral.map { "several numbers are given as an array: `\($0.name)([\($0.texts)])`" } }

    /// `concat(a, b)`: the arrays that were meant to be one list.
    var looseArraysHelp: String? {
        guard let (name, texts) = callOfSeveral, ["concat", "stack"].contains(name) else { return nil }
        return "several arrays are given as a list: `\(name)((\(texts)))`"
    }

    /// `plot(a, b, labels=…)` of two curves, `scatter(x, y, color=groups)`.
    func figureHelp(_ failure: FigureError) -> Message? {
        guard let call = writtenCall, let texts = positionalTexts(call.tree, call.arguments), let first = texts.first else { return nil }
        let callee = call.tree.text(of: call.callee)
        func written(_ option: String) -> String? {
            let text = call.arguments.first { $0.name.map { call.tree[$0] } == option }.map { call.tree.text(of: $0.value) }
            return text.flatMap { $0.count <= 40 && !$0.contains("\n") ? $0 : nil }
        }
        switch failure {
        case .tooMany("labels", let count, let series) where callee == "plot" && count == texts.count && series == count - 1:
            return "the first array is x: write `plot(range(len(\(first))), \(texts.joined(separator: ", ")), labels=\(written("labels") ?? "…"))`"
        case .optionType("color", _) where callee == "scatter" && texts.count == 2:
            guard let groups = written("color") else { return nil }
            let parts = [0, 1].map { "scatter(\(texts[0])[\(groups) == \($0)], \(texts[1])[\(groups) == \($0)], label=\"\($0)\")" }
            return "each group is drawn by itself: `\(parts.joined(separator: " + "))`"
        default: return nil
        }
    }
}
