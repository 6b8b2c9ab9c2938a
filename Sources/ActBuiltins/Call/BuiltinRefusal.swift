// What a built-in function cannot do, for a reason that lies in no single argument, as data. The host says it in words.
//
// `@unchecked Sendable`: the values in them stay with the thread that runs their program, as those of `RuntimeError` do.

import ActFiles
import ActMachine
import ActPlot
import ActRows
import ActSyntax

/// Of functions of values.
package enum BuiltinRefusal: Error, @unchecked Sendable {
    // Structures and sequences
    case axisOfStructure(Value, String)
    case noNumbers(Value, String)
    case reductionOfSeveral(String)
    /// `unflatten`: how many numbers there are, and how many it takes.
    case numberCount(Int, needed: Int)
    case unequalSequences(Int, Int)
    case reduceOfNothing
    case scanWithoutPair(String)
    case axesCount(Int, arguments: Int)
    case unequalArguments(String, Int, Int)
    case nothingMapped(String)

    // Linear algebra
    case einsumWithoutAxes
    case einsumAxis(Value)
    /// One of a pair.
    case complexEigenvalues(real: Double, imaginary: Double)

    // Windows
    case poolWindows(String, [Int])
    case windowsRank(String, Int, needed: Int)
    case windowsSize(String, [Int], most: Int)
    case windowsShape(String, [Int], weights: [Int], isTransposed: Bool)
    case windowsBias(String, [Int], needed: [Int])
    case windowsAxes(String, argument: String, [Int])

    // Texts and help
    case noNumber(String)
    case noHelp(on: String, near: [String])
    case noArgument(Int, of: Function)

    // Random choices
    case tooManyDraws(Int, of: Int, isWeighted: Bool)
    case probabilityCount(Int, elements: Int)
    case drawnShapeOfList
    case noProbabilities

    // Several processes
    case spreadInDerivative
    /// A result of `spread` that no file holds, or a part of one.
    case unsendable(Value, path: String)

    // Derivatives
    /// What `with_derivative` was given for the function of that name.
    case slopeKind(Value, of: String)
}

/// Of losses, optimisers and `fit`.
package enum TrainingRefusal: Error, @unchecked Sendable {
    case rowCounts(inputs: Int, targets: Int)
    case untrained
    case lossOfSeveral(String, predictions: Int, targets: Int)
    case metricKind(String, Value)
    case unknownOptimizer
    case optimizerField(String, String, Value)
    case noOptimizerSetting(String, String, settings: [String])
    case negativeRate(Double, String)
    case rateKind(Value, epoch: Double)
    case epochBeforeFirst(Double, String)
    case optimizerHistory
    case optimizerSearch
    case optimizerSteps
    case notAnOptimizerRecord
    case momentsOfOthers
    case optimizerWithoutPair(String, Value)
    case optimizerChangesShape(String, [Int], Value)
}

/// Of figures and their options.
package enum FigureRefusal: Error, @unchecked Sendable {
    case binsWithoutName(Double)
    case labelsOfOneSeries
    case imageOfVector(Int, side: Int)
    case imageAxes([Int])
    case noOption(String, of: String, near: String?, others: [String])
    case optionKind(String, Value, expected: Expectation?)
    case namedValues(String)
    /// `r--` and its like; the options that say the same, if it is one.
    case formatOfLine(String, String, options: String?)
    case placesAfterFunction(String)
    case placesShape([Int])
    case noVectors
    case matrixRows(places: Int, rows: Int, columns: Int, String)
    case tooManyLines(Int)
    case notAHeight(Value, from: String)
    case gridArguments(String, Int)
    case picture(Rasterizer.Failure)
}

/// Of files and their formats.
package enum FileRefusal: Error, @unchecked Sendable {
    case notJSON(Value)
    case badJSON(JSONFault, line: Int, column: Int, path: String?)
    case table(Csv.Fault, path: String)
    case sameSeparatorAndDecimal
    case unequalColumns([(name: String, count: Int)])
    case optionOfTables(String, String)
    case encodingOfOther(String)
    case intoOfOther(String)
    case loadedPicture(String)
    case notUTF8(String)
    case pictureOf(Value, suffix: String, String)
    case figureAs(String)
    case archiveOf(Value, String)
    case unknownSuffix(String, String, String, known: [String], isLoading: Bool)
    case unsavablePart(Value, path: String)
    case notATensorFile(Value)
    case modelOf(Value, String)
    case modelGives(Value, String)
    case optionOfModels(String, String)
    case frameworkOfOther(String)
    case frameworkNeeded(String)
    /// The shape of the inputs must be said: of so many.
    case inputNeeded(String, count: Int, String)
}
