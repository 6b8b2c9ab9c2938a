// What goes wrong with networks, in words.

import ActArray
import ActMachine
import ActNetwork
import ActSyntax

enum NetworkWording {
    static func words(for error: NetworkError) -> (title: Message, help: Message?) {
        switch error {
        case .input(let layer, let position, let needs, let shape): return input(position.map { "layer \($0), \(layer)," } ?? layer, needs, shape)
        case .inPart(let names, let layer, let position, let error):
            let owner = layer.map { layer in " of " + (position.map { "layer \($0), \(Message.cut(layer))" } ?? Message.cut(layer)) } ?? ""
            let (title, help) = words(for: error)
            return ("\(title.text), in the part `\(names.reversed().joined(separator: "."))`\(owner)", help)
        case .notAnArray(let layer, let position, let before, let found):
            let place = position.map { "layer \($0), \(layer)," } ?? layer
            return (
                "\(before ?? "what comes in") gives \(found), and \(place) takes an array",
                "join the parts with `concat` or `stack`, or take one with a function such as `r -> r.a`"
            )
        case .endsInNoArray(let layer, let found): return ("\(layer) gives \(found), and an array is needed here", nil)
        case .widths(let first, let last, let outputs, let inputs):
            return ("\(first) gives \(outputs) columns, \(last) takes \(inputs)", "the outputs of a layer are the inputs of the next")
        case .setting(let owner, let name, let fault):
            let isQuoted = if case .functionNotText = fault { true } else { false }
            return ("`\(name)` of `\(owner)` must be \(fault.words)", isQuoted ? "write its name without quotes" : nil)
        case .parameterShape(let layer, let name, let expected, let found):
            return ("`\(name)` of \(layer) has the shape \(describe(expected)), not \(found.isEmpty ? "that of a number" : describe(found))", nil)
        case .parameters(let fault): return (fault.words, nil)
        case .settingsDiffer(let difference):
            return (difference.words, "the result could keep only one of them; `parameters(net)` is the numbers alone, which go together with any")
        case .lossShapes(let loss, let prediction, let target): return lossShapes(loss, prediction, target)
        case .labelShapes(let loss, let scores, let labels): return labelShapes(loss, scores, labels)
        case .label(let loss, let label, let row, let classes): return badLabel(loss, label, row, classes)
        case .outside(let loss, let what, let value, let position): return outside(loss, what, value, position)
        case .notAClass(let metric, let prediction, let position):
            return (
                "`\(metric)`: the prediction \(Format.number(prediction)) at position \(position) is not the number of a class",
                metric == "accuracy"
                    ? "for probabilities of one class write `threshold=0.5`, for scores `threshold=0`; for several classes give rows of scores"
                    : "give class numbers, or rows of scores"
            )
        case .lossNotNumber(let shape): return ("the loss is an array of shape \(describe(shape)), not a number", "end it with `mean`")
        case .lengths(let inputs, let targets): return ("x has \(inputs) rows, y has \(targets)", "every row of x needs its target")
        case .noRows: return ("there are no rows to learn from", nil)
        case .notFinite(let what, let row):
            return ("\(what.words) is not finite in row \(row)", "`isfinite` finds such rows; take them out or fill them in")
        case .divergence(let loss, let epoch, let batch, let layer): return divergence(loss, epoch, batch, layer)
        case .brokenParameter(let name, let layer, let epoch):
            return (
                "`\(name)` of \(layer) is not finite after epoch \(epoch), although the loss was",
                "steps that are too large need a smaller learning rate or `clip_norm=1`; an infinite slope, as of `sqrt` at 0, needs another form"
            )
        case .partsDisagree:
            return ("a state of bools differs between the parts of a batch, and has no mean", "keep numbers in it, or train without `shards` in one process")
        case .allFrozen: return ("every parameter of the network is frozen: there is nothing to train", "`unfreeze(net)` lets them change again")
        case .noParameters: return ("the network has no parameters to train", nil)
        case .unsavable(let layer, let position):
            return ("layer \(position) is the function `\(layer)`, which has no name to be saved by", "define it as `name(x) = …` and use the name")
        case .unsavableSetting(let layer, let position, let name, let found):
            return (
                "layer \(position), \(layer), was made with \(found) as `\(name)`, which cannot be saved",
                "numbers, bools, texts, arrays, named functions, layers, networks, and lists and records of these are saved"
            )
        case .file(let path, let fault): return ("`\(path)`: \(fault.words)", nil)
        case .checkpoint(let path, let fault, let makers):
            let made: Message =
                makers.isEmpty ? "" : "; another \(alternatives(makers.map { "`layer \($0)(…)`" })) than the program's wrote it"
            return ("`\(path)` holds another network: \(fault.words)\(made)", nil)
        }
    }

    private typealias Words = (title: Message, help: Message?)

    private static func input(_ place: String, _ needs: InputNeed, _ shape: [Int]?) -> Words {
        guard let shape else { return ("\(place) takes \(needs.words)", nil) }
        if shape.isEmpty { return ("\(place) takes \(needs.words), not a number", "one row is an array: `net([…])`; several are a matrix") }
        return ("\(place) takes \(needs.words), not an array of shape \(describe(shape))", inputHelp(needs, shape))
    }

    private static func lossShapes(_ loss: String, _ prediction: [Int], _ target: [Int]) -> Words {
        let shapes: Message = "`\(loss)` needs equal shapes, not \(describe(prediction)) and \(describe(target))"
        if prediction.count == 3, target == [prediction[0], prediction[2]] {
            return (shapes, "with `sequences=false` a recurrent layer gives the state after the last step alone")
        }
        if prediction == target + [1] { return (shapes, "make the target a column with `y[:, none]`") }
        if prediction.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue })
            == target.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue })
        {
            return (shapes, "`reshape` makes them equal")
        }
        return (shapes, "a loss never stretches: the prediction comes first, then the target")
    }

    private static func labelShapes(_ loss: String, _ scores: [Int], _ labels: [Int]) -> Words {
        return (
            "`\(loss)`: scores of shape \(describe(scores)) and labels of shape \(describe(labels)) do not fit",
            scores.count < 2
                ? "scores are rows, one number a class; a row by itself has one label"
                : "labels are \(describe(Array(scores.dropLast()))) class numbers, or rows of shape \(describe(scores))"
        )
    }

    private static func badLabel(_ loss: String, _ label: Double, _ row: Int, _ classes: Int?) -> Words {
        guard let classes else { return ("`\(loss)`: target \(Format.number(label)) in row \(row) is neither -1 nor 1", nil) }
        return (
            "`\(loss)`: label \(Format.number(label)) in row \(row) is not one of the classes 0 to \(classes - 1)",
            label == Double(classes) ? "classes count from 0" : nil
        )
    }

    private static func outside(_ loss: String, _ what: NetworkError.Share, _ value: Double, _ position: Int) -> Words {
        return (
            "`\(loss)`: the \(what == .probability ? "probability" : "target") \(Format.number(value)) at position \(position) is not between 0 and 1",
            what == .probability
                ? "scores that are not probabilities go into `bce_logits`" : value == -1 ? "targets are 0 and 1 here; -1 and 1 are those of `hinge`" : nil
        )
    }

    private static func divergence(_ loss: Double, _ epoch: Int, _ batch: Int, _ layer: String?) -> Words {
        let place = layer.map { "; the first to show it is \($0)" } ?? "; the layers' outputs are finite, the loss itself is not"
        return (
            "the loss became \(Format.number(loss)) in epoch \(epoch), batch \(batch)\(place)",
            "a smaller learning rate, `clip_norm=1` or inputs with standard deviation 1 usually help"
        )
    }

    private static func inputHelp(_ needs: InputNeed, _ shape: [Int]) -> Message? {
        guard case .ending(let sizes) = needs, sizes.count == 1, let columns = sizes.first, shape.count > 2 else { return nil }
        let size = shape.dropFirst().reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        return size == columns ? "put `Flatten()` in front, or write `x.reshape(\(shape[0]), \(columns))`" : nil
    }
}
