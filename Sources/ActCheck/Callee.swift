// What is called, as far as its parameters go, and what is wrong with the arguments of a call: what binding them would find when the program runs.

import ActBuiltins
import ActLayers
import ActMachine
import ActPlot
import ActRows
import ActSyntax
import ActWording

struct Callee {
    let name: String
    let parameters: [Parameter]
    /// Names that it takes besides, with whatever they stand for.
    var options: [String] = []
    /// An activation without its argument is one with settings.
    var isActivation = false
    /// `x -> …`, which says by itself what it takes.
    var isLiteral = false

    /// An argument: its name and the place of that, or the value's place.
    typealias Argument = (name: String?, span: Span)

    init(_ function: BuiltinFunction) {
        name = function.name
        parameters = function.form.parameters
        options = function.form.options.map(\.name)
        isActivation = function.row.activation != nil
    }

    /// A function of the program, or a maker of layers.
    /// - Parameter name: As the program calls it; by default what the function is called.
    init(_ function: FunctionID, named name: String? = nil, _ tree: SyntaxTree) {
        let node = tree[function]
        self.name = name ?? node.name.map { tree[$0] } ?? tree.source.text(node.span)
        isLiteral = name == nil && node.name == nil
        let own = tree[node.parameters].map { Parameter(name: tree[$0.name], fallback: $0.defaultValue.map { tree.text(of: $0) }) }
        parameters = node.makesLayers ? LayerMaker.parameters(own) : own
    }

    private var signature: String { isLiteral ? name : Signature.text(name, parameters) }

    /// Names that figures answer in words of their own.
    private static let placesOfFigures = ["x", "y"]

    private func unknownOption(_ name: String, at span: Span) -> Diagnostic? {
        let near = suggest(name, among: options + parameters.filter { !$0.isVariadic }.map(\.name))
        return RefusalWording.words(about: FigureRefusal.noOption(name, of: self.name, near: near.first, others: options)).map { words in
            Diagnostic(.cannot, words.title.text, at: span, help: words.help?.text, edits: near.count == 1 ? [.init(span, near[0])] : [])
        }
    }

    /// The first fault of a call.
    /// - Parameter place: The whole call.
    func fault(of arguments: [Argument], at place: Span) -> Diagnostic? {
        let text = "`\(name)`", positional = arguments.count { $0.name == nil }, variadic = parameters.firstIndex(where: \.isVariadic)
        if variadic == nil, positional > parameters.count {
            let words = NameWording.tooManyArguments(positional, of: text, takes: parameters.count, signature: signature)
            let extra = arguments.filter { $0.name == nil }[parameters.count...]
            return Diagnostic(
                .tooManyArguments, words.title.text, at: extra.dropFirst().reduce(extra.first?.span ?? place) { $0.union($1.span) }, help: words.help?.text)
        }
        var isGiven = [Bool](repeating: false, count: parameters.count)
        for index in 0..<min(positional, variadic ?? parameters.count) { isGiven[index] = true }
        for argument in arguments {
            guard let name = argument.name else { continue }
            guard let index = parameters.firstIndex(where: { $0.name == name && !$0.isVariadic }) else {
                if !options.isEmpty {
                    if FigureOption.rows.contains(where: { $0.name == name }) || Self.placesOfFigures.contains(name) { continue }
                    return unknownOption(name, at: argument.span)
                }
                let (words, near) = NameWording.unknownArgument(name, of: self.name, among: parameters.map(\.name), signature: signature)
                return Diagnostic(
                    .unknownArgument, words.title.text, at: argument.span, help: words.help?.text, edits: near.map { [.init(argument.span, $0)] } ?? [])
            }
            if isGiven[index] {
                let words = NameWording.argumentTwice(name, of: self.name)
                return Diagnostic(.argumentTwice, words.title.text, at: argument.span, help: words.help?.text)
            }
            isGiven[index] = true
        }
        if isActivation, positional == 0 { return nil }
        guard let missing = parameters.indices.first(where: { !isGiven[$0] && parameters[$0].fallback == nil && $0 != variadic }) else { return nil }
        let words = NameWording.missingArgument(parameters[missing].name, of: text, signature: signature)
        return Diagnostic(.missingArgument, words.title.text, at: place, help: words.help?.text)
    }
}
