// What goes wrong while a program runs, in words: the one place where errors get their text. The place and the operands come from the
// expression that was running; shapes and values from the error or the operands.

import ActArray
import ActBuiltins
import ActFiles
import ActFormula
import ActGrad
import ActLayers
import ActMachine
import ActNetwork
import ActONNX
import ActPlot
import ActRows
import ActSource
import ActSyntax

package struct RuntimeWording {
    let machine: Machine
    let builtins: NameTable
    /// Of the error that is being described.
    private let code: Diagnostic.Code

    /// Of what is not running: where it stands.
    let given: (tree: SyntaxTree, expression: ExpressionID)?

    package init(_ machine: Machine, _ builtins: NameTable, about error: Error? = nil, at place: (tree: SyntaxTree, expression: ExpressionID)? = nil) {
        self.machine = machine
        self.builtins = builtins
        given = place
        code = error.map(Diagnostic.Code.init) ?? .cannot
    }

    /// - Parameter operands: of a binary operator, when they are known.
    package func diagnostic(for error: Error, _ operands: (Value, Value)?) -> Diagnostic {
        var diagnostic: Diagnostic
        switch error {
        case let fault as Fault: return fault.diagnostic
        case let error as RuntimeError: diagnostic = describe(error)
        case let error as ArrayError: diagnostic = describe(error, operands)
        case let error as DerivativeError: diagnostic = describe(error)
        case let error as GraphError: diagnostic = describe(error)
        case let error as SourceExportError: diagnostic = describe(error)
        case let error as ONNXExportError: diagnostic = describe(error)
        case let error as FormulaPart: diagnostic = describe(error)
        case let error as FormulaError: diagnostic = describe(error)
        case let error as ONNXNodeError where error.inner != nil:
            diagnostic = self.diagnostic(for: error.inner ?? error, nil)
            diagnostic.notes.append(ONNXWording.place(of: error))
        case FigureError.unknownColor(let color):
            let near = suggest(color, among: Color.rows.map(\.name))
            diagnostic = self.error(
                "`\(color)` is not a colour",
                help: near.first.map { "did you mean `\"\($0)\"`?" } ?? "one of \(Color.rows.map(\.name).joined(separator: " ")), or `\"#rrggbb\"`")
        case let error as FigureError: diagnostic = self.error(error.words, help: figureHelp(error))
        default:
            let (title, help) = RefusalWording.words(about: error) ?? ("\(error)", nil)
            diagnostic = self.error(title, help: help)
            if let span = (error as? LayerRefusal)?.span { diagnostic.labels = [Diagnostic.Label(span, isPrimary: true)] }
        }
        if diagnostic.labels.isEmpty { diagnostic.labels = labels(for: error, operands) }
        diagnostic.callChain = callChain()
        return diagnostic
    }

    /// What an operand is, said beneath it.
    func note(_ value: Value, isLeft: Bool, _ error: Error) -> String {
        guard case .array(let array) = value, array.rank > 0 else { return value.kind }
        let shape = ActMachine.describe(array.shape)
        guard case ArrayError.shapesDoNotMultiply = error else { return shape }
        if array.rank == 1 { return "\(shape): \(count(array.shape[0], "element"))" }
        return isLeft ? "\(shape): \(count(array.shape[array.rank - 1], "column"))" : "\(shape): \(count(array.shape[array.rank - 2], "row"))"
    }

    func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// What to write instead of an assignment to an attribute.
    private func settingHelp(_ name: String) -> String {
        switch ArrayAttribute(rawValue: name) {
        case .shape: "write `x = reshape(x, …)`"
        case .dtype: "write `x = f32(x)` or `x = f64(x)`"
        case .transpose: "write `x = …'` with the transpose of what is meant"
        case .size, .ndim, nil: "fields belong to records, as in `r = {\(name): 1}`"
        }
    }

    // MARK: Errors of the language

    @inline(never)
    func error(_ title: Message, help: Message? = nil, notes: [String] = [], edits: [Diagnostic.Edit] = []) -> Diagnostic {
        Diagnostic(code, title.text, notes: notes, help: help?.text, edits: edits)
    }

    func describe(_ failure: RuntimeError) -> Diagnostic {
        switch failure {
        case .unknownName(let name): return unknownName(name)
        case .localWithoutValue:
            return error(
                "\(variable) has no value yet", help: "the function assigns it elsewhere, so it is the function's own; give it a value before this line")
        case .capturedWithoutValue:
            return error("\(variable) had no value when the function was made", help: "give it a value above the function")
        case .noField(let name, let value): return noField(name, value)
        case .operands(let symbol, let left, let right): return operandsDoNotFit(symbol, left, right)
        case .operand(let symbol, let value): return operandDoesNotFit(symbol, value)
        case .notCallable(let value): return notCallable(value)
        case .notIterable(let value):
            return error("\(value.kind) cannot be looped over", help: value.number != nil ? "did you mean `range(…)`?" : nil)
        case .notDifferentiable(let value):
            return error("`'` is the derivative of a function or the transpose of an array, not of \(value.kind)")
        case .cannotIndex(let value): return error("\(value.kind) cannot be indexed like this")
        case .cannotChange(let value):
            return error("\(value.kind) cannot be changed in place", help: "build a new one, as in `\"j\" + s[1:]`")
        case .cannotStore(let value): return error("an array holds numbers or bools: \(value.kind) cannot be put into it")
        case .badKey(let key, let base): return badKey(key, base)
        case .maskOfList(let mask, let count): return error("a mask of \(self.count(mask, "bool")) does not fit a list of \(self.count(count, "element"))")
        case .cannotCompare(let symbol, let left, let right): return error("`\(symbol)` cannot order \(left.kind) and \(right.kind)")
        case .notACondition(let value): return notACondition(value)
        case .unpackCount(let expected, let found): return unpackCount(expected, found)
        case .structuresDiffer(let how): return error("the structures differ: \(difference(how))")
        case .gradientMisfit(let misfit):
            return error("the gradient does not fit the parameters: \(difference(misfit))", help: "`grad(f)(p)` has the structure of p")
        case .leafOfStructure(let symbol, let left, let right): return error("`\(symbol)`, which goes leaf by leaf, meets \(left.kind) and \(right.kind)")
        case .raggedRows(let first, let index, let other): return ragged(first, index, other)
        case .positionOutOfRange(let index, let size, let kind): return positionOutOfRange(index, size, kind)
        case .positionNotWhole(let number) where number == number.rounded():
            return error("index \(Format.number(number)) is out of range: nothing is that long")
        case .positionNotWhole(let number): return error("an index must be a whole number, not \(Format.number(number))")
        case .missingArgument(let name, let function): return missingArgument(name, function)
        case .tooManyArguments(let function, let given): return tooManyArguments(function, given: given)
        case .unknownArgument(let name, let function):
            let (words, near) = NameWording.unknownArgument(
                name, of: function.name, among: function.parameters.map(\.name), signature: function.signature)
            return error(words.title, help: words.help, edits: near.map { replacingArgumentName(name, by: $0) } ?? [])
        case .argumentTwice(let name, let function): return error(NameWording.argumentTwice(name, of: function).title)
        case .badArgument(let function, let name, _, let expected, let found):
            return badArgument(function, name, expected, found)
        case .recursionTooDeep:
            return error("calls are nested too deeply", help: "does the recursion end? act takes \(grouped(Double(Machine.maximumFrames))) calls within calls")
        case .tooManyLayers:
            return error(
                "the composition has too many parts",
                help: "\(grouped(Double(maximumNesting))) functions or layers are the limit; those inside layers count each time")
        case .tooDeep:
            return error("values are nested too deeply", help: "\(grouped(Double(maximumNesting))) levels of lists, records or functions are the limit")
        case .timeLimit(let seconds): return error("the time limit of \(Format.number(seconds)) s is reached")
        case .forbidden(let path): return error("`\(path)` is outside of what the sandbox allows", help: "start act with `--allow DIR` to open a folder")
        case .user(let message): return error(message.isEmpty ? "the program called `error` without a message" : Message(message))
        case .assertion(let condition): return error("assertion failed\(condition.map { ": \($0)" } ?? "")")
        case .exit: return error("exit")
        }
    }

    private func operandDoesNotFit(_ symbol: String, _ value: Value) -> Diagnostic {
        if symbol == "not" || symbol == "and" || symbol == "or" {
            if case .array(let array) = value, array.rank > 0 {
                return error("`\(symbol)` takes bools, not an array of numbers", help: "compare it first, as in `x != 0`")
            }
            return error("`\(symbol)` takes a bool, not \(value.kind)", help: value.isNumeric ? "compare it first, as in `x != 0`" : nil)
        }
        return error("`\(symbol)` does not work on \(value.kind)")
    }

    private func notCallable(_ value: Value) -> Diagnostic {
        if case .undefined = value { return error("there is nothing to call here") }
        if let (name, isOwn) = calledName, builtins.value(named: name) != nil {
            return error(
                "`\(name)` is \(value.kind) here and cannot be called",
                help: isOwn ? "it hides the built-in: give it another name" : "it hides the built-in: `unset \(name)` brings that back")
        }
        return error("\(value.kind) cannot be called", help: value.isNumeric ? "to multiply, write `*`; to index, write `[…]`" : nil)
    }

    private func badKey(_ key: Value, _ base: Value) -> Diagnostic {
        if case .record = base { return error("a record is indexed by a name, not by \(key.kind)") }
        var help: Message = "an index is a whole number, a slice, a mask or an array of whole numbers"
        if case .string = base { help = "an index of a string is a whole number or a slice; `[s[i] for i in places]` takes characters from several places" }
        if case .function = base { help = "an index of a network is a whole number or a slice" }
        if case .list = base, key.typeName == "array" { help = "a list is read by a mask or by positions along one axis, and changed at one index" }
        // A list compared as a whole is one bool.
        if case .bool = key, let mask = wholeComparisonHelp { help = mask }
        return error("\(base.kind) cannot be indexed by \(key.kind)", help: key.typeName == "string" ? "names index records" : help)
    }

    private func unpackCount(_ expected: Int, _ found: Int) -> Diagnostic {
        // A value that has no parts counts as one.
        if expected == 1, found == 1, !isInLoop {
            return error(
                "one variable with a comma takes the element of a list", help: "write `a = 3` for the value itself, `a, = (3,)` for a list of one element")
        }
        return error(
            "there \(expected == 1 ? "is 1 variable" : "are \(expected) variables"), but \(count(found, "value"))",
            help: isInLoop
                ? "each element must have as many parts as there are variables; of a record they are its names, `r[name]` the values"
                : "the left and the right side of `=` must have equally many")
    }

    private func positionOutOfRange(_ index: Int, _ size: Int, _ kind: String) -> Diagnostic {
        if kind == "layer" {
            return error("index \(index) is out of range: this is one layer, not a network of several", help: "`net[0]` is the layer itself")
        }
        let part = kind == "string" ? "character" : kind == "network" ? "layer" : "element"
        return error("index \(index) is out of range for a \(kind) of \(count(size, part))", help: Message(rangeHelp(size)))
    }

    private func unknownName(_ name: String) -> Diagnostic {
        let field = fieldAfterName
        let variables = machine.currentOrigin.map { $0.code.module.variables.map(\.name) } ?? []
        let words = NameWording.unknown(name, field: field, isCalled: textAfterName?.first == "(", among: variables + builtins.names + locals)
        let length = words.takesField ? field.map { 1 + $0.utf8.count } ?? 0 : 0
        return error(
            words.title, help: words.help, edits: words.replacement.map { replacingName(by: $0, and: length) } ?? [])
    }

    private func noField(_ name: String, _ value: Value) -> Diagnostic {
        switch value {
        case .record(let record):
            let near = suggest(name, among: record.fields.keys)
            return error(
                "the record has no field `\(name)`",
                help: near.first.map { "did you mean `\($0)`?" } ?? foreignHint(unknownField: name, on: "record").map { Message($0) }
                    ?? (record.fields.isEmpty ? "it is empty" : "it has \(record.fields.keys.prefix(8).map { "`\($0)`" }.joined(separator: ", "))"),
                edits: near.count == 1 ? replacingField(by: near[0]) : [])
        default:
            if let (tree, id) = place, tree.isUpdate(id) { return error("`.\(name)` of \(value.kind) cannot be set", help: Message(settingHelp(name))) }
            if case .function = value {
            } else if builtins.value(named: name) != nil {
                return error("`\(name)` is a function: call it", help: "`.\(name)()`")
            }
            let near = suggest(name, among: ArrayAttribute.names + builtins.names)
            return error(
                "\(value.kind) has no `.\(name)`",
                help: foreignHint(unknownField: name, on: value.typeName).map { Message($0) } ?? near.first.map { "did you mean `.\($0)`?" }
                    ?? ownFields(of: value))
        }
    }

    /// What a layer has, and where a network has it.
    private func ownFields(of value: Value) -> Message? {
        guard case .function(let function) = value, let network = function.network else { return nil }
        let names = network.fieldNames.prefix(8).map { "`\($0)`" }.joined(separator: ", ")
        if value.typeName == "network" { return "the fields are those of its layers, as in `net[0].W`; `parameters(net)` has them all" }
        return names.isEmpty ? "it has no fields" : "it has \(names)"
    }

    private func operandsDoNotFit(_ symbol: String, _ left: Value, _ right: Value) -> Diagnostic {
        var help: String?
        if symbol == "+", case .string = left { help = "to join text, write \"{…}\" with the value inside, or `+ repr(…)`" }
        if symbol == "+", case .string = right { help = "to join text, write \"{…}\" with the value inside" }
        if symbol == "%", case .string = left { help = "a string takes values in braces: `\"{x:.2f}\"`, `\"{n:d}\"`" }
        if symbol == "*", case .string = left, right.number != nil { help = "write `repeat(text, n)`" }
        if symbol == "*", case .string = right, left.number != nil { help = "write `repeat(text, n)`" }
        for case .record(let record) in [left, right] where left.isNumeric || right.isNumeric {
            if let name = record.fields.first(where: { $0.value.isNumeric })?.key { help = "a record holds arrays: write one of them, as in `.\(name)`" }
        }
        if case .function(let function) = left, !(right.kind == "a function") {
            help = "call it first, as in `\(function.name.contains(" ") ? "(\(function.name))" : function.name)(x)`"
        }
        if symbol == ">>" { help = "`>>` composes functions: `f >> g`" }
        if case .none = left { help = "the left side has no value: a block or function that ends in a statement gives none" }
        if case .none = right { help = "the right side has no value: a block or function that ends in a statement gives none" }
        return error("`\(symbol)` does not work on \(left.kind) and \(right.kind)", help: help.map { Message($0) })
    }

    private func notACondition(_ value: Value) -> Diagnostic {
        switch value {
        case .array(let array) where array.rank > 0:
            return error(
                "a condition is one bool, not \(value.kind)",
                help: array.type == .bool
                    ? "`any(…)` or `all(…)` make it one; `where(condition, a, b)` chooses element by element"
                    : "compare it, then use `any`, `all` or `where(condition, a, b)`")
        case .number, .array: return error("a condition is a bool, not a number", help: "compare it with 0: `x != 0`")
        default: return error("a condition is a bool, not \(value.kind)", help: value.typeName == "none" ? "compare with `== none`" : nil)
        }
    }

    private func ragged(_ first: [Int], _ index: Int, _ other: [Int]) -> Diagnostic {
        if first.isEmpty || other.isEmpty {
            return error(
                "element 0 has shape \(ActMachine.describe(first)) and element \(index) has shape \(ActMachine.describe(other))",
                help: raggedHelp)
        }
        if first.count == 1, other.count == 1 {
            return error(
                "row 0 has \(count(first[0], "element")) and row \(index) has \(other[0])",
                help: raggedHelp)
        }
        return error(
            "element 0 has shape \(ActMachine.describe(first)) and element \(index) has shape \(ActMachine.describe(other))",
            help: raggedHelp)
    }

    /// Where a list is made instead, by the form that stands there.
    private var raggedHelp: Message {
        guard let (tree, id) = place else { return "the elements of an array have one shape; `(…)` makes a list of any" }
        switch tree[id] {
        case .comprehension, .array:
            let text = tree.text(of: id), isShort = text.utf8.count <= 60 && !text.contains(where: \.isNewline)
            var list = "(…)"
            if isShort { list = "(\(text.dropFirst().dropLast()))" } else if case .comprehension = tree[id] { list = "(f(x) for x in xs)" }
            return "the elements of an array have one shape; in parentheses it makes a list of any: `\(list)`"
        case .call: return "the results of one shape make an array; a list of any is made by `(f(x) for x in xs)`"
        default: return "the elements of an array have one shape; `(…)` makes a list of any"
        }
    }

    func signature(_ name: String) -> String? {
        guard let module = machine.currentOrigin?.code.module, case .function(let function)? = module[name] else { return nil }
        return function.signature
    }

    func rangeHelp(_ size: Int) -> String { size == 0 ? "it is empty" : "indices go from 0 to \(size - 1), or from -\(size) to -1 counted from the end" }

    // MARK: Other places

    package static func diagnostic(forSource error: Error, named name: String) -> Diagnostic {
        switch error {
        case SourceError.invalidUTF8(let name, let offset, let line):
            Diagnostic(.invalidUTF8, "`\(name)` is not text in UTF-8: byte \(offset) on line \(line) is wrong", help: "save the file as UTF-8")
        case SourceError.tooLarge(let name, let size): Diagnostic(.sourceTooLarge, "`\(name)` is too large: \(size) bytes")
        case ArrayError.outOfMemory(_, let limit):
            Diagnostic(.outOfMemory, "`\(name)` is too large a program for the memory limit of \(Format.bytes(limit))", help: "`--max-memory` sets the limit")
        default: Diagnostic(.unreadableFile, "`\(name)`: \(message(about: error))")
        }
    }

    package static let noWatchdog = Diagnostic(
        .timeLimit, "the time cannot be limited: the system has no thread left to watch the clock", help: "end other processes, or run without `--max-time`")

    package static func timeLimit(_ seconds: Double, _ interrupted: Diagnostic) -> Diagnostic {
        var diagnostic = interrupted
        diagnostic.code = .timeLimit
        diagnostic.title = "the time limit of \(Format.number(seconds)) s is reached"
        diagnostic.help = "`--max-time` sets the limit"
        return diagnostic
    }
}

/// What is wrong, in one line, where there is no program to point at.
package func message(about error: Error) -> String {
    switch error {
    case let fault as Fault: fault.diagnostic.title
    case let error as FileError: error.fault.words
    case let error as FigureError: error.words.text
    case RuntimeError.forbidden: "outside of what the sandbox allows"
    case ArrayError.interrupted: "interrupted"
    case ArrayError.outOfMemory(let bytes, let limit): "\(Format.bytes(bytes)) more would not fit into the memory limit of \(Format.bytes(limit))"
    default: RefusalWording.words(about: error)?.title.text ?? "\(error)"
    }
}
