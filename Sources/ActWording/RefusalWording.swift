// What the machine and the built-in functions cannot do, in words.

import ActBuiltins
import ActFiles
import ActLayers
import ActMachine
import ActNetwork
import ActONNX
import ActRanks
import ActSyntax

package enum RefusalWording {
    package typealias Words = (title: Message, help: Message?)

    /// `nil` for errors of other kinds.
    package static func words(about error: Error) -> Words? {
        switch error {
        case let error as MachineRefusal: words(for: error)
        case let error as BuiltinRefusal: words(for: error)
        case let error as LayerRefusal: words(for: error)
        case let error as TrainingRefusal: words(for: error)
        case let error as FigureRefusal: words(for: error)
        case let error as FileRefusal: words(for: error)
        case let error as FileError: ("`\(error.path)`: \(error.fault.words)", nil)
        case let error as RanksError: RanksWording.words(for: error)
        case let error as NetworkError: NetworkWording.words(for: error)
        case let error as ONNXError: ONNXWording.words(for: error)
        case let error as ONNXNodeError: ONNXWording.words(for: error)
        case let error as ONNXInputError: ONNXWording.words(for: error)
        default: nil
        }
    }

    // MARK: The machine

    private static func words(for refusal: MachineRefusal) -> Words {
        switch refusal {
        case .formatTooLong(let bytes): ("a format of \(bytes) bytes is too long", formatHelp)
        case .badFormat(let text, let error): ("the format `\(text)` is wrong: \(error.words)", formatHelp)
        case .formatOfFraction(let x): ("the format `d` is for whole numbers, not \(Format.number(x))", "use `.0f` to round, or `f`, `g`")
        case .formatOfWholeWithPrecision: ("the format `d` takes no precision", "use `f` for digits after the point")
        case .formatOfText(let kind, let text):
            ("the format `\(kind.rawValue)` is for numbers, not for \(Format.quoted(String(text.prefix(40))))", "convert it with `number(…)`")
        case .signOfText: ("signs and commas in a format are for numbers, not for text", nil)
        case .derivativeOrder(let order): ("a derivative of order \(order) is more than act takes", "64 is the highest order")
        case .notAPoint(let value, let name): ("`\(name)` needs a number or an array, not \(value.kind)", nil)
        case .notAPointOfOne(let value, let name):
            ("`\(name)` is taken at numbers and arrays, alone or in a list, a record or a network, not at \(value.kind)", nil)
        case .nothingToDifferentiate(let wanted, let name):
            switch wanted {
            case .gradient: ("there is no number to take the gradient of `\(name)` in", nil)
            case .derivatives: ("there is no number to take the derivatives of `\(name)` in", nil)
            case .direction: ("there is no number in `x` for `\(name)` to take the derivative in", nil)
            }
        case .noGradient(let name, let value, let caller):
            ("`\(name)` has no gradient: its value is \(value.kind)", "\(caller ?? "a gradient") needs a function whose value is a number")
        case .noDerivative(let name, let value):
            ("`\(name)` has no derivative here: its value is \(value.kind)", "a derivative needs a function whose value is a number or an array")
        case .noGraph(let name, let value):
            ("`\(name)` has no graph and no formula: its value is \(value.kind)", "they are of functions whose value is a number or an array")
        case .notAPair(let value, let name):
            ("`\(name)` gives \(value.kind), not a pair of a number and something else", "`aux=true` is for functions such as `x -> (loss, rest)`")
        case .notSpreadable(let value): ("`...` in a record takes a record, not \(value.kind)", "write `{...p, b: 1}` for `p` with another `b`")
        case .notStackable(let value): ("\(value.kind) cannot be stacked", "what is stacked is made of numbers, bools and arrays")
        case .nothingToGoAlong(let place, let value): ("\(words(for: place)) is \(value.kind), in which there is no array to go along", nil)
        case .numberToGoAlong(let place): ("\(words(for: place)) holds a number, which has no axis to go along", nil)
        case .unequalAlong(let place, let first, let other, let axis):
            ("the arrays of \(words(for: place)) have sizes \(first) and \(other) along axis \(axis)", "all of them are gone through together")
        case .tooManyCallsToExplain: ("this takes too many calls to be explained", "ask about a smaller part of it")
        case .importsItself(let path): ("`\(path)` imports itself", "move what both files need to a third one")
        case .graphOfNoFunction(let name): ("a graph is taken of a function, and `\(name)` is not one", nil)
        }
    }

    private static func words(for place: MachineRefusal.ArgumentPlace) -> String {
        switch place {
        case .named(let name, let function): "`\(name)` of `\(function)`"
        case .numbered(let index, let function): "argument \(index) of `\(function)`"
        }
    }

    private static let formatHelp: Message = "for example \"8.3f\", \"e\", \"%\" or \">10\""

    private static let einsumHelp: Message = "as in `einsum(\"ij,jk->ik\", a, b)`, or `einsum(a, (0, 1), b, (1, 2), (0, 2))`"

    // MARK: Built-in functions

    private static func words(for refusal: BuiltinRefusal) -> Words {
        switch refusal {
        case .axisOfStructure(let value, let name):
            ("`axis` of `\(name)` is for an array; in \(value.kind) all numbers count", "`map(x -> \(name)(x, axis=…), …)` reduces each array by itself")
        case .noNumbers(let value, let name): ("`\(name)` of \(value.kind) needs numbers in it", nil)
        case .reductionOfSeveral(let name): ("`\(name)` goes with one array, not with several arguments", "`stack` the arrays first to reduce them")
        case .numberCount(let found, let needed): ("there are \(found) numbers in `v`, but \(needed) in `like`", nil)
        case .unequalSequences(let first, let other):
            ("`map` goes along \(first) and \(other) elements together", "sequences that are gone through together must be equally long")
        case .reduceOfNothing: ("reduce of nothing needs a start", "pass one: `reduce(f, xs, 0)`")
        case .scanWithoutPair(let name): ("`\(name)`, which `scan` calls, must give the pair (carry, y)", "as in `(carry, x) -> (carry + x, carry)`")
        case .axesCount(let axes, let arguments): ("`axes` of `vmap` names \(axes) axes, but \(arguments) arguments are given", nil)
        case .unequalArguments(let name, let first, let other):
            (
                "the arguments of `\(name)` have \(first) and \(other) elements to go along",
                "for an argument that all share write `none` in `axes=`, as in `vmap(f, axes=(0, none))`"
            )
        case .nothingMapped(let name): ("`\(name)` has no argument to go along: `axes` says `none` for each", nil)
        case .einsumWithoutAxes: ("`einsum` takes letters first, or an operand and the list of its axes", einsumHelp)
        case .einsumAxis(let value): ("an axis of `einsum` must be a whole number from 0 to 51, or \"...\", not \(value.kind)", einsumHelp)
        case .complexEigenvalues(let x, let y):
            (
                "`eig`: the matrix has the complex eigenvalues \(Format.number(x)) ± \(Format.number(y))i",
                "`eig(a, complex=true)` gives real and imaginary parts"
            )
        case .poolWindows(let name, let shape):
            ("`\(name)`: the windows do not fit on x of shape \(ActMachine.describe(shape))", "`padding` makes room; every window needs an element")
        case .windowsRank(let name, let rank, let needed): ("`\(name)`: W has \(rank) axes, x has \(needed)", nil)
        case .windowsSize(let name, let shape, let most):
            ("`\(name)`: W has the shape \(ActMachine.describe(shape)), and needs windows of 1 to \(most) along each axis", nil)
        case .windowsShape(let name, let x, let weights, let isTransposed):
            (
                "`\(name)`: x of shape \(ActMachine.describe(x)) and W of shape \(ActMachine.describe(weights)) do not fit with these windows",
                isTransposed
                    ? "W has the shape (channels, outputs/groups, kernel …)"
                    : "W has the shape (outputs, channels/groups, kernel …), and the windows must have room on x"
            )
        case .windowsBias(let name, let found, let needed):
            ("`\(name)`: b has the shape \(ActMachine.describe(found)), and needs \(ActMachine.describe(needed))", nil)
        case .windowsAxes(let name, let argument, let shape):
            ("`\(name)`: \(argument) has the shape \(ActMachine.describe(shape)), and needs the axes (rows, channels, …), 3 to 5 in all", nil)
        case .noNumber(let text): ("\(Format.quoted(String(text.prefix(40)))) does not spell a number", "a number is written like 2.5 or 1e-3")
        case .noHelp(let name, let near):
            ("there is no help on `\(name)`", near.isEmpty ? nil : "did you mean \(near.map { "`\($0)`" }.joined(separator: " or "))?")
        case .noArgument(let index, let function):
            (
                "`\(function.name)` has no argument \(index)",
                "its signature is `\(function.signature)`; at a point the gradient is `grad(f)(\(index))`, the derivative `f'(\(index))`"
            )
        case .tooManyDraws(let draws, let count, let isWeighted):
            (
                "\(draws) elements cannot be drawn from \(isWeighted ? "the likely ones among " : "")\(count) without drawing one twice",
                "leave out `replace=false`"
            )
        case .probabilityCount(let found, let elements): ("`p` has \(found) probabilities for \(elements) elements", nil)
        case .drawnShapeOfList: ("elements of a list are drawn in a row: `size` is one number", nil)
        case .noProbabilities: ("`logits` give no probabilities: they hold nan, inf, or nothing but -inf", nil)
        case .spreadInDerivative: ("no derivative goes through `spread`", "take derivatives inside the function that is spread, or write `map`")
        case .unsendable(let value, let path):
            (
                "`spread` gives every process every result, and \(path.isEmpty ? value.kind : "\(value.kind) at `\(path)`") cannot be sent",
                "results are what `save` can write: numbers, strings, arrays, networks and functions with a name, and lists and records of them"
            )
        case .slopeKind(let value, let name): ("the derivative that `with_derivative` has of `\(name)` is \(value.kind), not a number or an array", nil)
        }
    }

    /// How one array is taken out of what a layer gives.
    private static func partHelp(_ value: Value) -> Message {
        let part =
            switch value {
            case .record(let record): record.fields.keys.first.map { ".\($0)" } ?? ""
            default: "[0]"
            }
        return "take one part by a function, `x -> net(x)\(part)`, as in `save(x -> net(x)\(part), \"net.onnx\", input=(3,))`"
    }

    private static func words(for refusal: LayerRefusal) -> Words {
        switch refusal {
        case .stateOutsideLayer:
            ("`state` is for the block of a `layer`", "as in `layer Name(n) { mean = state(zeros(n)); x -> x - mean }`")
        case .returnFromLayer(let name):
            ("the block of the layer `\(name)` was left by `return`", "the last line of the block is the function that the layer is")
        case .layerWithoutFunction(let name, let value, _):
            ("the block of the layer `\(name)` ends in \(value.kind), not in a function", "its last line is the function that the layer is, as in `x -> x @ W`")
        case .nearlyTraining(let layer, let parameter, _):
            ("the function of the layer `\(layer)` has a parameter `\(parameter)`", "did you mean `training`?")
        case .layerWithoutArray(let layer, let value, nil, _):
            ("the layer `\(layer)` gives \(value.kind), where an array is needed", partHelp(value))
        case .layerWithoutArray(let layer, let value, let next?, _):
            (
                "the layer `\(layer)` gives \(value.kind), and the next one, \(next), takes an array",
                "join the parts with `concat` or `stack`, or call the layer by itself"
            )
        case .assignedField(let name, let isTrained):
            (
                "`\(name)` is \(isTrained ? "trained: a pass does not assign it" : "a setting of the layer, which stays as it is")",
                "use another name here; what a pass may assign is made in the block by `state(…)`"
            )
        case .stateKind(let name, let kind, let value):
            switch kind {
            case .array: ("the state `\(name)` is an array, and would become \(value.kind)", nil)
            case .list(let count): ("the state `\(name)` is a list of \(count), and would become \(value.kind)", nil)
            case .record(let count): ("the state `\(name)` is a record of \(count), and would become \(value.kind)", nil)
            }
        case .stateShape(let name, let old, let new):
            (
                "the state `\(name)` has the shape \(ActMachine.describe(old)), and would get the shape \(ActMachine.describe(new))",
                "a state keeps its shape: give it that in the block"
            )
        case .makerAsPart(let name, let takesArguments): ("`\(name)` makes a layer when it is called", "write `\(name)(\(takesArguments ? "…" : ""))`")
        case .emptyPart: ("this part of the network has no layers", nil)
        case .notAPart(let value): ("a part of a network can become a layer or an activation, not \(value.kind)", "join the parts anew with `>>`")
        }
    }

    private static func words(for refusal: TrainingRefusal) -> Words {
        switch refusal {
        case .rowCounts(let inputs, let targets): ("x has \(inputs) rows, y has \(targets)", "every row of x needs its target")
        case .untrained: ("this network was not trained by `fit`", nil)
        case .lossOfSeveral(let name, let predictions, let targets):
            (
                "`\(name)` compares one array with one, not \(predictions) with \(targets)",
                "give a function of them, such as `(p, t) -> mse(p[0], t[0]) + mse(p[1], t[1])`"
            )
        case .metricKind(let name, let value): ("the metric `\(name)` gives \(value.kind), not a number", nil)
        case .unknownOptimizer:
            ("`optimizer` is made by one of \(Optimizers.all.map(\.name).joined(separator: ", "))", "as in `optimizer=Adam(0.001)`")
        case .optimizerField(let field, let optimizer, let value): ("`\(field)` of `\(optimizer)` must be a number, not \(value.kind)", nil)
        case .noOptimizerSetting(let name, let optimizer, let settings):
            (
                "`\(optimizer)` has no setting `\(name)`",
                suggest(name, among: settings).first.map { "did you mean `\($0)`?" } ?? "its settings are \(settings.joined(separator: ", "))"
            )
        case .negativeRate(let rate, let optimizer): ("`lr` of `\(optimizer)` must be 0 or more, not \(Format.number(rate))", nil)
        case .rateKind(let value, let epoch): ("the learning rate at epoch \(Format.number(epoch)) is \(value.kind), not a number", nil)
        case .epochBeforeFirst(let epoch, let name): ("`\(name)` counts epochs from 0: there is none at \(Format.number(epoch))", nil)
        case .optimizerSearch: ("`line_search` of `LBFGS` must be true or false", nil)
        case .optimizerHistory: ("`history` of `LBFGS` must be a whole number, 1 or more", nil)
        case .optimizerSteps: ("`steps` of the optimiser must be a whole number", nil)
        case .notAnOptimizerRecord: ("`update` takes the record that an optimiser such as `Adam(0.001)` makes", nil)
        case .momentsOfOthers: ("the optimiser holds the moments of other parameters", "start with a fresh one, such as `Adam(0.001)`")
        case .optimizerWithoutPair(let name, let value):
            ("the optimiser `\(name)` gives \(value.kind), not the pair (parameters, state)", "as in `(p, g, state) -> (p - 0.1 * g, none)`")
        case .optimizerChangesShape(let name, let shape, let value):
            ("the optimiser `\(name)` changes the shape of a parameter: \(ActMachine.describe(shape)) becomes \(value.kind)", nil)
        }
    }

    private static func words(for refusal: FigureRefusal) -> Words {
        switch refusal {
        case .binsWithoutName(let number):
            ("`hist` takes arrays, and \(Format.number(number)) is a number", "the number of bins has a name: `bins=\(Format.number(number))`")
        case .labelsOfOneSeries: ("`labels` names series, and there is only one", "the texts below the bars come first: `bar(names, heights)`")
        case .imageAxes(let shape):
            ("`image` takes an array of the axes (rows, columns) or (rows, columns, channels), not one of shape \(ActMachine.describe(shape))", nil)
        case .imageOfVector(let count, let side):
            ("`image` takes rows and columns, not a vector of \(count) numbers", "give it its shape: `x.reshape(\(side), \(side))`")
        case .noOption(let name, let row, let near, let others):
            ("`\(row)` has no option `\(name)`", near.map { "did you mean `\($0)`?" } ?? "options are \(others.joined(separator: " "))")
        case .optionKind(let name, let value, let expected): ("`\(name)` cannot be \(value.kind)", expected.map { "it takes \($0.words)" })
        case .namedValues(let name): ("`\(name)` takes its values without names", "write `\(name)(x, y)`")
        case .formatOfLine(let name, let text, let options):
            (
                "`\(name)` takes arrays, numbers and functions, not the string \"\(text)\"",
                options.map { "write `\($0)`" } ?? "give looks by name: `color=\"red\"`, `style=\"--\"`, `marker=\"o\"`, `label=\"…\"`"
            )
        case .placesAfterFunction(let name): ("the x values come before the functions", "write `\(name)(x, f)`")
        case .placesShape(let shape):
            ("the x values form an array of shape \(ActMachine.describe(shape))", "x is a vector; a matrix alone is drawn column by column")
        case .noVectors: ("the record has no vector to draw", "a record of vectors is drawn as one line each")
        case .matrixRows(let places, let rows, let columns, let name):
            (
                "x has \(places) elements, the matrix \(rows) rows of \(columns)",
                "a matrix gives one line for each column: write `.T` after it, or `\(name)(x, y1, y2)`"
            )
        case .tooManyLines(let count):
            ("a matrix of \(count) columns would give as many lines", "transpose it if its rows are meant: `a'`; or see `heatmap`")
        case .notAHeight(let value, let name): ("`\(name)` gives \(value.kind) for a number, not a number", nil)
        case .gridArguments(let name, let count): ("`\(name)` takes z, or x, y and z, not \(count) arguments", nil)
        case .picture(let failure): ("\(failure.words)", "a .svg file needs no library")
        }
    }

    // MARK: Files

    private static func words(for refusal: FileRefusal) -> Words {
        switch refusal {
        case .notJSON(let value): ("\(value.kind) cannot be written as JSON", "JSON holds numbers, bools, strings, none, arrays, lists and records")
        // What act cannot hold is JSON all the same.
        case .badJSON(.inexactNumber, let line, let column, let path):
            (
                "\(path.map { "`\($0)`: " } ?? "")a whole number in this JSON cannot be held exactly (line \(line), column \(column))",
                "whole numbers are exact up to 2^53 = 9007199254740992; one that only names something is written as text, in quotes"
            )
        case .badJSON(.numberTooLarge, let line, let column, let path):
            ("\(path.map { "`\($0)`: " } ?? "")a number in this JSON is too large (line \(line), column \(column))", "the largest is about 1.8e308")
        case .badJSON(.tooDeep(let most), let line, let column, let path):
            ("\(path.map { "`\($0)`: " } ?? "")this JSON is nested more than \(most) levels deep (line \(line), column \(column))", nil)
        case .badJSON(let fault, let line, let column, let path):
            ("\(path.map { "`\($0)`: it" } ?? "this") is not JSON: \(words(for: fault).text) (line \(line), column \(column))", nil)
        case .table(let fault, let path):
            ("`\(path)`: \(words(for: fault).text)", help(for: fault))
        case .sameSeparatorAndDecimal: ("`separator` and `decimal` are the same character", nil)
        case .unequalColumns(let columns):
            ("the columns of a table are equally long", "here they have \(columns.map { "\($0.count) (`\($0.name)`)" }.joined(separator: ", ")) values")
        case .optionOfTables(let name, let path): ("`\(name)` goes with .csv and .tsv files, not with `\(path)`", nil)
        case .encodingOfOther(let path): ("`encoding` goes with .csv and .tsv files, and .txt, not with `\(path)`", nil)
        case .intoOfOther(let path): ("`into` goes with .safetensors files, not with `\(path)`", nil)
        case .loadedPicture(let path): ("`load` does not read pictures such as `\(path)`", "pictures as arrays can be stored as .npy")
        case .notUTF8(let path): ("`\(path)` is not text in UTF-8", encodingHelp)
        case .pictureOf(let value, let suffix, let path): ("a \(suffix) file holds a figure, not \(value.kind)", "draw it first: `save(plot(y), \"\(path)\")`")
        case .figureAs(let suffix): ("a figure is saved as .svg, .png or .pdf, not as \(suffix)", nil)
        case .archiveOf(let value, let path):
            ("a .npz file holds a record of arrays, not \(value.kind)", "`save({a: x}, \"\(path)\")`, or use .npy for one array")
        case .unknownSuffix(let suffix, let path, let function, let known, let isLoading): unknownSuffix(suffix, path, function, known, isLoading)
        case .unsavablePart(.function, let path): ("`\(path)` is a function without a name, which no file holds", "give it one: `f(x) = …`")
        case .unsavablePart(let value, let path): ("`\(path)` is \(value.kind), which no file holds", nil)
        case .modelOf(let value, let path): ("`\(path)` holds a network or a function, not \(value.kind)", nil)
        case .modelGives(let value, let name): ("a model gives an array; `\(name)` gives \(value.kind)", nil)
        case .optionOfModels(let name, let path): ("`\(name)` goes with files for other programs (.onnx, .py), not with `\(path)`", nil)
        case .frameworkOfOther(let path): ("`framework` goes with .py files, not with `\(path)`", nil)
        case .frameworkNeeded(let path):
            ("it is not said for which framework `\(path)` is written", "`framework=\"torch\"`, `\"jax\"` or `\"keras\"`")
        case .inputNeeded(let name, let count, let path):
            count == 1
                ? ("what shape the inputs of `\(name)` have is not known", "say that of one input, without the rows: `save(…, \"\(path)\", input=(1, 28, 28))`")
                : (
                    "what shapes the \(count) inputs of `\(name)` have is not known",
                    "say them in a list, each without the rows: `save(…, \"\(path)\", input=[(3,), (4, 4)])`"
                )
        case .notATensorFile(let value):
            ("a .safetensors file holds a network, or a record or list of arrays, networks, numbers and texts, not \(value.kind)", nil)
        }
    }

    private static func unknownSuffix(_ suffix: String, _ path: String, _ function: String, _ known: [String], _ isLoading: Bool) -> Words {
        let others: Message =
            "known suffixes are \(known.joined(separator: " "))\(isLoading ? " and -ubyte (IDX), each but .safetensors and .onnx with .gz too" : "")"
        return (
            suffix.isEmpty ? "`\(path)` has no suffix that says what it holds" : "`\(function)` does not know files that end in \(suffix)",
            suggest(suffix, among: known).first.map { "did you mean \($0)?" } ?? others
        )
    }

    static let encodingHelp: Message = "name its encoding: `encoding=\"latin-1\"`, `\"windows-1252\"`, `\"cp949\"` …"

    private static func words(for fault: JSONFault) -> Message {
        switch fault {
        case .tooDeep(let most): "it is nested more than \(most) levels deep"
        case .valueMissing: "a value is missing at the end"
        case .valueExpected: "a value must stand here"
        case .textAfterValue: "nothing may follow the value"
        case .nameExpected: "a name in quotes must stand here"
        case .colonExpected: "`:` must follow the name"
        case .repeatedName(let name): "the name \"\(name.prefix(40))\" stands twice"
        case .commaExpected(let close): "`,` or `\(close)` must stand here"
        case .digitExpected: "a digit must stand here"
        case .digitAfterPoint: "a digit must follow the point"
        case .digitInExponent: "a digit must stand in the exponent"
        case .unreadableNumber: "this number cannot be read"
        case .numberTooLarge: "this number is too large"
        case .inexactNumber: "this whole number cannot be held exactly"
        case .openString: "a string does not end"
        case .stringNotUTF8: "a string is not UTF-8"
        case .controlCharacter: "a string holds a line end or a control character"
        case .unknownEscape: "JSON does not know this escape"
        case .hexadecimalExpected: "four hexadecimal digits must follow `\\u`"
        case .halfSurrogate: "half of a pair of surrogates is not a character"
        }
    }

    private static func words(for fault: Csv.Fault) -> Message {
        switch fault {
        case .fieldCount(let count, let row, let first, _):
            "row \(row + 1) has \(count) \(count == 1 ? "field" : "fields"), the first row \(first)"
        case .notANumber(let text, let row, let column): "row \(row + 1), column \(column + 1): `\(text)` is not a number, and there is no header"
        case .inexact(let text, let row, let column): "row \(row + 1), column \(column + 1): \(text) cannot be held exactly in an f64"
        case .noColumn(let position, let count): "it has no column \(position): there are \(count)"
        case .noColumnNamed(let name): "it has no column `\(name)`"
        case .openQuote(let row): "row \(row + 1): a quote is not closed"
        case .textAfterQuote(let row, let column): "row \(row + 1), column \(column + 1): text follows a closing quote"
        case .notUTF8(let row, let column): "row \(row + 1), column \(column + 1) is not text in UTF-8"
        }
    }

    private static func help(for fault: Csv.Fault) -> Message? {
        switch fault {
        case .notUTF8: encodingHelp
        case .inexact: "a column that is to stay as it is written is named by `text=`"
        case .notANumber(let text, _, _):
            "`missing=\(Format.quoted(text))` reads it as nan, `header=false` reads such columns as texts, `header=true` takes names from the first row"
        case .fieldCount(_, _, _, true): "`comment=\"#\"` passes over such lines"
        default: nil
        }
    }
}
