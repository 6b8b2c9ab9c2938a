// What arguments and settings must be, in words that follow "must be".

import ActMachine
import ActRows

extension Expectation {
    /// Empty where anything goes.
    var words: String {
        switch self {
        case .kind(let kind): kind.words
        case .within(let bounds): bounds.words
        case .words(let words): alternatives(words.map(Default.text))

        // Numbers
        case .wholeFrom(let least): "a whole number, \(least) or more"
        case .atMost(let most): "at most \(grouped(most))"
        case .moreThan(let name): "more than `\(name)`"
        case .ascendingPair: "two finite numbers, the smaller one first"
        case .twoNumbers: "two numbers"
        case .pixels: "a number of pixels"
        case .bools: "bools"
        case .wholes(nil): "whole numbers"
        case .wholes(let most?): "at most \(most) whole numbers"
        case .wholesOrNone: "a whole number, none, or a list of them"
        case .probabilities: "probabilities: 0 or more, with the sum 1"

        // For each axis
        case .each(let one, 1?): one.words
        case .each(let one, let axes?): "\(one.words), or a list of \(axes)"
        case .each(let one, nil): "\(one.words), or a list of them"
        case .wholeOrOneEach: "one whole number, or one for each axis"
        case .differentAxes: "different axes"
        case .padWidths: "a number, a pair, or a pair for each axis"
        case .windowPadding(1?): "a whole number, 0 or more, \"same\", or a pair (before, after)"
        case .windowPadding: "a whole number, 0 or more, \"same\", or a list of one for each axis, each a number or a pair (before, after)"
        case .scoresAlongAxis: "scores along an axis"

        // Texts
        case .character: "one ASCII character such as \";\""
        case .mark: "a mark such as \"#\""
        case .nonEmptyText: "a string that is not empty"
        case .textOrTexts: "a string, or a list of strings, one a series"
        case .textsOrNumbers: "texts or numbers"
        case .columns: "names or positions of columns"

        // Values
        case .array: "an array"
        case .list: "a list"
        case .record: "a record"
        case .figure: "a figure"
        case .pair: "a pair (x, y)"
        case .wholeOrSequence: "a whole number, an array or a list"
        case .container: "an array, list, record or string"
        case .sequence: "a list, an array or a string"
        case .arrayElements: "numbers, bools, arrays or lists of them"
        case .textLike(let name): "a string, as `\(name)` is one"
        case .numberLike(let name): "a number or an array, as `\(name)` is an array"
        case .structure: "a number, an array, or a list or record of them"
        case .positions: "a position, a name, or a list of them"

        // Functions and networks
        case .functionOrName: "a function or its name"
        case .activation: "a function, such as relu"
        case .expression: "an expression, as in `why(x / y)`"
        case .metric: "accuracy, r2, or a function of predictions and targets"
        case .part: "a layer, a network or a function"
        case .parts: "layers, networks or functions"
        case .model: "a layer or a network; parameters of another kind need `model=(p, x) -> …`"
        case .parameters: "a number, an array, or a record, list or network of them"
        case .optimizer: "an optimiser such as Adam(0.001)"
        }
    }

    /// Whether it is a choice among strings, so that a wrong one is worth repeating.
    var isChoiceOfTexts: Bool {
        switch self {
        case .words, .character, .mark, .windowPadding, .kind(.elementType): true
        default: false
        }
    }
}

extension Parameter.Kind {
    fileprivate var words: String {
        switch self {
        case .value: ""
        case .number: "a number"
        case .whole: "a whole number"
        case .flag: "true or false"
        case .text: "a string"
        case .array: "an array or a number"
        case .shape: "a shape such as (2, 3)"
        case .axes: "a whole number, or a list of them"
        case .sizes: "a whole number, or a list of one for each axis"
        case .elementType: "\"f64\", \"f32\" or \"bool\""
        case .elements: "something with elements"
        case .function: "a function"
        case .network: "a layer or a network"
        }
    }
}

extension Bounds {
    fileprivate var words: String {
        if isLowOpen { return isHighOpen ? "a positive number" : "more than 0" }
        if high == .infinity { return "\(Format.number(low)) or more" }
        return "from \(Format.number(low)) to \(isHighOpen ? "below " : "")\(grouped(high))"
    }
}

/// `a`, `a or b`, `a, b or c`.
func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
}

/// A number as act writes it, with the digits of large whole ones in groups: `10,000`.
func grouped(_ number: Double) -> String {
    var digits = Array(Format.number(number))
    guard number >= 1e4, digits.allSatisfy(\.isNumber) else { return String(digits) }
    for position in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: position) }
    return String(digits)
}
