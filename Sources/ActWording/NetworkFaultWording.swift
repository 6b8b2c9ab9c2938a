// What layers take, what settings must be, and what is wrong with files of networks, in words.

import ActMachine
import ActNetwork
import ActSyntax

extension InputNeed {
    /// Follows "takes".
    var words: Message {
        let shape = ActMachine.describe as ([Int]) -> String
        switch self {
        case .ending(let sizes) where sizes.count == 1: return sizes[0] == 1 ? "1 column" : "\(sizes[0]) columns"
        case .ending(let sizes): return "inputs that end in the shape \(shape(sizes))"
        case .features(let count): return "rows of \(count) columns, or inputs of shape (rows, \(count), …)"
        case .channels(nil): return "images or sequences of shape (rows, channels, …)"
        case .channels(let count?): return "inputs of shape (rows, \(count), …)"
        case .channelCount(let count): return "\(count) channels"
        case .sequences(let size): return "sequences of shape (rows, time, \(size))"
        case .windowed(let axes, let channels):
            let sizes = axes == 1 ? ["length"] : ["depth", "height", "width"].suffix(axes)
            return "\(nouns(axes)) of shape (rows, \(channels.map(String.init) ?? "channels"), \(sizes.joined(separator: ", ")))"
        case .room(let sizes, let everyWindow):
            let least: Message =
                sizes.count == 1
                ? "sequences of length \(sizes[0]) at least" : "\(nouns(sizes.count)) of at least \(sizes.map(String.init).joined(separator: " by ")) pixels"
            return everyWindow ? "\(least), and a pixel in every window" : least
        case .pixelLeft(let axes): return "\(nouns(axes)) that leave a pixel at least"
        case .oneStep: return "sequences of one step at least"
        case .steps(let most): return "sequences of \(most) steps at most"
        case .severalRows: return "more than one row in training: they make the statistics"
        case .batch: return "a batch"
        case .wholes(let count, let found): return "whole numbers from 0 to \(count - 1), not \(Format.number(found))"
        case .oneArray(let count): return "one array, not \(count)"
        case .sameShape(let input, let result): return "a function that keeps the shape: x has the shape \(shape(input)), f(x) \(shape(result))"
        case .axisOfResults(let axis, let rank): return "an axis of its parts' results, which have \(rank) axes, not \(axis)"
        case .axisBesideRows: return "an axis other than that of the rows"
        case .fittingParts(let shapes): return "parts whose results fit, not of shapes \(shapes.map(shape).joined(separator: " and "))"
        }
    }

    private func nouns(_ axes: Int) -> String { axes == 1 ? "sequences" : axes == 2 ? "images" : "volumes" }
}

extension SettingFault {
    /// Follows "must be".
    var words: Message {
        switch self {
        case .mustBe(let expectation): "\(expectation.words)"
        case .functionNotText(let text): "a function, such as relu, not the string \"\(text)\""
        case .noPart: "one layer, network or function at least"
        case .divisor(let name, let number): "a number that divides \(name), \(number)"
        case .lessThan(let name, let number): "less than \(name), \(number)"
        case .positiveWhole: "a positive whole number"
        case .positiveWithNesterov: "more than 0 with `nesterov`, which looks ahead along it"
        case .rate(let rate, let epoch): "0 or more; at epoch \(Format.number(epoch)) it is \(Format.number(rate))"
        case .oneEachRow(let rows, let found): "\(rows) numbers, one a row, not an array of shape \(ActMachine.describe(found))"
        case .rowWeights: "finite numbers, 0 or more, not all of them 0"
        case .oneEachClass(let classes): "\(classes) finite numbers, 0 or more, one a class"
        case .leftOutWithShares: "left out where labels are rows of weights"
        case .everyLabel: "other than every label: none is left to count"
        }
    }
}

extension ParametersFault {
    var words: Message {
        switch self {
        case .notARecord(let kind): "the parameters of a layer are a record, not \(kind)"
        case .notLayers(let count): "the parameters of this network are a list of \(count) records, one a layer"
        case .missingPart(let name, let layer): "\(layer) needs the field `\(name)`"
        case .notAnArray(let name, let layer, let kind): "`\(name)` of \(layer) is an array, not \(kind)"
        case .missing(let name, let layer): "\(layer) needs the parameter `\(name)`"
        case .unknown(let name, let layer): "\(layer) has no parameter `\(name)`"
        case .notAList(let name, let layer, let count, let kind): "`\(name)` of \(layer) is a list of \(count), not \(kind)"
        case .fieldNotARecord(let name, let layer, let kind): "`\(name)` of \(layer) is a record, not \(kind)"
        case .otherStructure(let name, let layer, let kind): "`\(name)` of \(layer) can become a layer or network of the same structure, not \(kind)"
        case .setting(let name, let layer): "`\(name)` of \(layer) is a setting, which stays as it was made: make another layer"
        case .frozenPart(let name, let layer, isFrozen: true):
            "`\(name)` of \(layer) is frozen in its block: `unfreeze` the whole layer, or leave `freeze` out there"
        case .frozenPart(let name, let layer, isFrozen: false):
            "`\(name)` of \(layer) is not frozen in its block: write `freeze(…)` there, or `freeze` the whole layer"
        }
    }
}

extension SettingDifference {
    var words: Message {
        // Of a layer by itself there is nothing to say.
        let place = place.map(String.init).joined(separator: ".")
        let layer: Message = place.isEmpty ? "the layers" : "layer \(place)"
        return switch name {
        case let name?: "`\(name)` of \(layer) is \(first) on one side and \(second) on the other"
        case nil: "\(layer) \(place.isEmpty ? "are" : "is") \(first) on one side and \(second) on the other"
        }
    }
}

extension TrainingData {
    var words: String {
        switch self {
        case .x: "x"
        case .y: "y"
        case .validationX: "the validation x"
        case .validationY: "the validation y"
        }
    }
}

extension NetworkFileFault {
    var words: Message {
        switch self {
        case .shortFile(let bytes): "it is not a safetensors file: it has \(bytes) \(bytes == 1 ? "byte" : "bytes")"
        case .isNotSafetensors: "it is not a safetensors file"
        case .headerCut: "it ends too early, in its header"
        case .headerNotJSON: "it is not a safetensors file: its header is not JSON"
        case .arrayTwice(let name): "its header names `\(name)` twice"
        case .metadataNotTexts(nil): "its metadata must be strings by name"
        case .metadataNotTexts(let name?): "its metadata must be strings by name, and `\(name)` is not a string"
        case .metadataTwice(let name): "its metadata name `\(name)` twice"
        case .undescribed(let name): "its header does not describe `\(name)`"
        case .arrayCut(let name): "it ends too early: `\(name)` is not whole"
        case .unknownType(let type, let name): "`\(name)` has elements of type \(type), which act does not read"
        case .wrongSize(let name, let shape, let bytes): "`\(name)` of shape \(ActMachine.describe(shape)) does not fill its \(bytes) bytes"
        case .overlapping(let name): "`\(name)` begins inside another array"
        case .bytesBefore(let name, let count): "\(count == 1 ? "1 byte before `\(name)` belongs" : "\(count) bytes before `\(name)` belong") to no array"
        case .bytesAtEnd(let count): "\(count == 1 ? "1 byte at its end belongs" : "\(count) bytes at its end belong") to no array"
        case .unreadableLayers: "the description of its layers is not readable"
        case .unreadableStructure: "the description of its structure is not readable"
        case .missingArray(let name): "it has no `\(name)`"
        case .unknownMaker(let name): "it has a layer that `layer \(name)(…)` made, and there is no such maker: define or import it first"
        case .unknownKind(let name): "it has a layer of the kind `\(name)`, which this act does not know"
        case .unknownFunction(let name): "its layers use the function `\(name)`, which is not defined"
        }
    }
}

extension CheckpointFault {
    var words: Message {
        switch self {
        case .extra(let name): "it has `\(name)`, which this one does not have"
        case .missing(let name): "it has no `\(name)`"
        case .shape(let name, let there, let here): "`\(name)` has the shape \(ActMachine.describe(there)) there, \(ActMachine.describe(here)) here"
        case .stateDictionary(let misfits): Message(misfits.map(\.words).joined(separator: "; "))
        }
    }
}

extension StateMisfit {
    fileprivate var words: String {
        switch self {
        case .layer(let path, let wants): "nothing in it is for the layer `\(path)`, which takes \(list(wants))"
        case .module(let path, let holds): "no layer takes \(path.isEmpty ? "" : "`\(path)` with ")\(list(holds))"
        case .unclear(let modules, let layers):
            "\(modules.map { "`\($0)`" }.joined(separator: ", ")) have the same shapes, and their names do not say which of the layers \(layers.joined(separator: ", ")) each is"
        }
    }

    private func list(_ entries: [Entry]) -> String {
        let shown = entries.prefix(12).map { "`\($0.name)` \(ActMachine.describe($0.shape))" }
        return shown.joined(separator: ", ") + (entries.count > shown.count ? " …" : "")
    }
}
