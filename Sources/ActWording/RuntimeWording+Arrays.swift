// What goes wrong in arrays and derivatives, in words.

import ActArray
import ActCompiler
import ActFormula
import ActGrad
import ActMachine
import ActONNX
import ActSource
import ActSyntax

extension RuntimeWording {
    func describe(_ failure: ArrayError, _ operands: (Value, Value)?) -> Diagnostic {
        let shape = ActMachine.describe as ([Int]) -> String
        switch failure {
        case .shapesDoNotBroadcast(let left, let right, let axis):
            let (m, n) = (size(left, axis), size(right, axis))
            return error(
                "shapes \(shape(left)) and \(shape(right)) do not fit\(forOperation)",
                help: "along axis \(axis) they have \(m) and \(n) elements; sizes must be equal, or one of them 1")
        case .shapesDoNotMultiply(let left, let right):
            let axis = right.count == 1 ? "the only axis" : "the second-last"
            return error(
                "shapes \(shape(left)) and \(shape(right)) do not fit\(forOperation)",
                help:
                    "the last axis on the left (\(left.last ?? 0)) must equal \(axis) on the right (\(right.count >= 2 ? right[right.count - 2] : right.last ?? 0))"
            )
        case .scalarOperand(let operation):
            return error("`\(operation)` multiplies arrays, not numbers", help: "to scale, write `*`")
        case .cannotReshape(let from, let to):
            return error(
                "\(shape(from)) cannot become \(shape(to))",
                help: "\(count(product(from), "element")) before, \(to.contains(-1) ? "no fitting number" : String(product(to))) after")
        case .cannotBroadcast(let from, let to): return error("\(shape(from)) cannot be stretched to \(shape(to))")
        case .negativeSize(let size): return error("a size cannot be negative: \(size)")
        case .axisOutOfRange(let axis, let rank):
            return error(
                "there is no axis \(axis) in \(rank == 0 ? "a number" : "an array of \(rank) \(rank == 1 ? "axis" : "axes")")",
                help: rank > 0 ? "axes go from 0 to \(rank - 1), or from -\(rank) to -1" : looseNumbersHelp.map { Message($0) })
        case .repeatedAxis(let axis): return error("axis \(axis) is named twice")
        case .indexOutOfRange(let index, let axis, let size):
            return error("index \(index) is out of range for axis \(axis) with \(count(size, "element"))", help: Message(rangeHelp(size)))
        case .tooManyIndices(let given, let rank):
            return error("\(given) \(given == 1 ? "index is" : "indices are") given for \(rank == 1 ? "one axis" : "\(rank) axes")")
        case .indexNotWhole(let number) where number == number.rounded(): return error("index \(Format.number(number)) is out of range: no array is that large")
        case .indexNotWhole(let number): return error("an index must be a whole number, not \(Format.number(number))", help: "`int(…)` cuts the fraction off")
        case .maskShape(let mask, let array):
            return error("a mask of shape \(shape(mask)) does not fit an array of shape \(shape(array))", help: mask.isEmpty ? wholeComparisonHelp : nil)
        case .cannotAssign(let value, let target):
            return error(
                "values of shape \(shape(value)) do not fit into a part of shape \(shape(target))",
                help: target.isEmpty && value.count == 1 ? "one element takes one number; a slice such as `a[0:\(value[0])]` takes \(value[0])" : nil)
        case .stepIsZero: return error("the step is 0", help: "a step is positive or negative")
        case .emptyReduction(let operation, let from):
            return error("`\(operation)` of nothing has no value: the array has shape \(shape(from))")
        case .shapesDiffer(let operation, let left, let right, let axis):
            return error("`\(operation)` needs shapes that agree\(axis.map { " except along axis \($0)" } ?? ""), not \(shape(left)) and \(shape(right))")
        case .notSquare(let operation, let from): return error("`\(operation)` takes square matrices, not shape \(shape(from))")
        case .singular(let operation): return error("`\(operation)`: the matrix is singular", help: "its rows depend on each other, so there is no inverse")
        case .rankMismatch(let operation, let ranks, let from):
            return error(
                "`\(operation)` takes \(arrays(of: ranks)), not \(from.isEmpty ? "a number" : "an array of shape \(shape(from))")",
                help: looseArraysHelp.map { Message($0) })
        case .badValue(let operation, let reason): return error("`\(operation)`: \(reason.words.text)")
        case .outOfMemory(let bytes, let limit):
            return error("\(Format.bytes(bytes)) more would not fit into the memory limit of \(Format.bytes(limit))", help: "`--max-memory` sets the limit")
        case .textTooLong(let bytes): return error("a string of \(Format.bytes(bytes)) is too long", help: "1 GB is the limit")
        case .tooLarge(let shape):
            return error(
                shape.contains(Int.max)
                    ? "so many elements are too large for any memory" : "an array of shape \(ActMachine.describe(shape)) is too large for any memory")
        case .interrupted: return error("interrupted")
        case .noGraph(let part): return describe(part)
        }
    }

    private func describe(_ part: NoGraph) -> Diagnostic {
        switch part {
        case .element:
            return error(
                "this depends on the value of an element, and a graph or formula holds for every value",
                help: "`where(condition, a, b)` chooses without looking at it; `if`, `while`, an index and a text look")
        case .draw: return error("a random draw has no graph and no formula", help: "draw before, and pass the numbers as an argument")
        case .ranks: return error("what other processes have has no graph and no formula", help: "add up before, and use the sum")
        case .output:
            return error(
                "what is written and shown has no graph and no formula", help: "leave it out of the function, and write the result where the function is called"
            )
        case .time: return error("the time has no graph and no formula", help: "measure before, and pass the number as an argument")
        case .file: return error("a file has no graph and no formula", help: "load before, and use what was loaded")
        }
    }

    /// `a[names == "x"]`: the comparison of whole values in the place of a mask.
    var wholeComparisonHelp: Message? {
        guard let (tree, id) = place, case .index(_, let items) = tree[id] else { return nil }
        for case .value(let item) in tree[items].map(\.kind) {
            guard case .comparison(let left, let links) = tree[item], let link = tree[links].first, tree[links].count == 1 else { continue }
            let (sequence, other) = (tree.text(of: left), tree.text(of: link.operand))
            let isShort = sequence.utf8.count + other.utf8.count <= 60
            let mask = isShort ? "[c \(link.comparison.symbol) \(other) for c in \(sequence)]" : "[c \(link.comparison.symbol) x for c in xs]"
            return "`\(link.comparison.symbol)` compares a list as a whole: write `\(mask)` for a mask"
        }
        return nil
    }

    private var forOperation: String {
        guard let (tree, id) = place else { return "" }
        switch tree[id] {
        case .binary(let operation, _, _), .update(let operation, _, _): return " for \(operation.symbol)"
        case .call(let callee, _):
            if case .name(let name) = tree[callee] { return " for \(tree[name])" }
            if case .field(_, let name) = tree[callee] { return " for \(tree[name])" }
            return ""
        case .comparison(_, let links): return tree[links].first.map { " for \($0.comparison.symbol)" } ?? ""
        default: return ""
        }
    }

    func size(_ shape: [Int], _ axis: Int) -> Int {
        let index = axis < 0 ? shape.count + axis : axis
        return shape.indices.contains(index) ? shape[index] : 1
    }

    /// The arrays of some ranks, as a choice.
    private func arrays(of ranks: ClosedRange<Int>) -> String {
        if ranks.upperBound >= Shapes.rankLimit { return "an array of \(ranks.lowerBound) \(ranks.lowerBound == 1 ? "axis" : "axes") or more" }
        let names = ranks.map { rank in
            switch rank {
            case 0: "a number"
            case 1: "a vector"
            case 2: "a matrix"
            default: "an array of \(rank) axes"
            }
        }
        return (names.count > 2 ? [names.dropLast().joined(separator: ", "), names[names.count - 1]] : names).joined(separator: " or ")
    }

    private func product(_ shape: [Int]) -> Int { shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue } }

    /// Where something ran, if that can be shown beside the place that led to it.
    private func showing(_ site: Site, _ diagnostic: Diagnostic, _ here: String) -> Diagnostic {
        guard let ran = Engine.current.sites.find(site) else { return diagnostic }
        var diagnostic = diagnostic
        let span = ran.code.unit.tree.span(of: ran.code.origins[ran.instruction])
        diagnostic.labels = [Diagnostic.Label(span, isPrimary: true)]
        if let place, case let taken = place.tree.span(of: place.expression), span != taken, span.source == taken.source {
            diagnostic.labels.append(Diagnostic.Label(taken, "\(here)"))
        }
        return diagnostic
    }

    func describe(_ failure: FormulaPart) -> Diagnostic {
        let what: Message = failure.name.map { "`\($0)` cannot be part of a formula of numbers" } ?? "an array of numbers cannot be part of a formula"
        return showing(
            failure.site, error(what, help: "a formula is made of arithmetic, functions of single numbers and `where`"), "the formula is asked for here")
    }

    func describe(_ failure: FormulaError) -> Diagnostic {
        switch failure {
        case .tooLong: error("this formula is too long to be read", help: "ask for the formulas of its parts")
        case .style(let style, let name): error("`\(name)` has its formula as text, not in the style \"\(style)\"")
        case .alongAxis(let name): error("`\(name)` is not a function of single numbers", help: "`formula(\(name))` and `formula(\(name)')` say what it states")
        case .ownSlope: error("the derivative is what the program says it is: there is nothing to derive", help: "`formula(f')` shows it")
        }
    }

    func describe(_ failure: GraphError) -> Diagnostic {
        switch failure {
        case .dependsOnValues(let site): showing(site, describe(NoGraph.element), "the graph is taken here")
        case .dependsOnSize(let site):
            showing(
                site, error("this depends on the number of rows, which is left open in the graph", help: "let every row be computed by itself"),
                "the graph is taken here")
        }
    }

    func describe(_ failure: SourceExportError) -> Diagnostic {
        switch failure {
        case .noForm(let operation, let framework, let site):
            showing(
                site,
                error(
                    "`\(operation)` has no form in \(framework.rawValue)",
                    help: "a module is made of arithmetic, activation functions, layers, products, reductions and shapes"), "the module is written here")
        }
    }

    func describe(_ failure: ONNXExportError) -> Diagnostic {
        switch failure {
        case .noForm(let operation, let site):
            showing(
                site,
                error(
                    "`\(operation)` has no form in ONNX", help: "a model is made of arithmetic, activation functions, layers, products, reductions and shapes"),
                "the model is written here")
        case .tooLarge(let bytes):
            error("the model would have \(bytes) bytes: ONNX files have no more than \(ONNXModel.mostBytes)", help: "save the weights as .safetensors")
        }
    }

    func describe(_ failure: DerivativeError) -> Diagnostic {
        switch failure {
        case .notDifferentiable(let operation, let site):
            return showing(site, error("`\(operation)` has no derivative"), "the derivative is taken here")
        case .gradientOfArray(let shape, let caller):
            let reduce: Message = "reduce the value with `sum` or `mean`"
            return error(
                "\(caller ?? "a gradient") needs a function whose value is a number, not an array of shape \(ActMachine.describe(shape))",
                help: caller == "grad" || caller == "value_and_grad"
                    ? "`f'` is the elementwise derivative, `jacobian(f)` the full one; or \(reduce.text)" : reduce)
        case .independent(let through):
            let reason: Message =
                through.map { "it goes through `\($0)`, whose slope is 0 everywhere" }
                ?? "it is a constant, or the way to it leads through `number`, text, a comparison or a condition"
            return error(
                "the loss does not depend on the parameters, so that nothing would be learned", help: "\(reason.text): let the loss be made of the predictions")
        case .notNumbers(let type): return error("a derivative is taken at numbers, not at \(type == .bool ? "bools" : type.name)")
        case .slopeShape(let function, let slope, let expected):
            return error(
                "the derivative that `with_derivative` has of `\(function)` is of shape \(ActMachine.describe(slope)), not \(ActMachine.describe(expected))",
                help: "it is shaped as the argument where the function acts elementwise or its value is a number, else as the value and the argument together")
        case .notElementwise: return error("kinks are looked for in functions that act elementwise")
        case .parameterCount(let row, let takes, let given): return error("`\(row)` takes \(count(takes, "parameter")), not \(given)")
        case .parameter(let row, let name, let fault):
            switch fault {
            case .missing: return error("`\(row)`: `\(name)` must be given")
            case .notWhole: return error("`\(row)`: `\(name)` must be a whole number")
            case .axes(let names): return error("`\(row)`: `\(name)` must have the axes (\(names.joined(separator: ", ")))")
            }
        }
    }
}
