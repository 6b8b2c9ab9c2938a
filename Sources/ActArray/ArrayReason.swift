/// Why an operation on arrays cannot be done, where it is a matter of one value: the data of `ArrayError.badValue`. The wording is ActLanguage's.
package enum ArrayReason: Equatable, Sendable {
    // Shapes and axes
    case rankLimit(Int)
    case severalEllipses
    /// An array that should be one number.
    case notOneNumber(count: Int)
    case nothingToJoin
    case unevenParts(axis: Int, size: Int, parts: Int)
    case widthCount(Int, rank: Int)
    case noEdge(axis: Int)
    case axisCount(Int, rank: Int)
    case axisTwice
    case tooManyAxes(Int)
    case notOfSizeOne(axis: Int, size: Int)
    /// An axis that is to be halved; `nil` is the last.
    case oddSize(Int, axis: Int?)
    case sizeCount(Int, axes: Int)
    case sizeBelowOne(Int)
    case argumentShape(Int, [Int])

    // Kinds of elements
    case elements(ElementType)
    case notBools
    case boolsAdded
    case boolIndices
    case boolsDrawn
    case notWhole(Double)
    case fractionalPosition
    /// A class outside of 0 ..< count.
    case notAClass(Int, count: Int)
    case negative(Int)
    case negativeID(Double)
    case notBetween0And1(Double)

    // Numbers, one by one
    case infiniteRange
    case emptyInterval(Int, Int)
    case binCount(Int)
    case infiniteElements(Double)
    case badRange(Double, Double)
    case badEdges
    case tooLargeK(Int, axis: Int, size: Int)

    // Vectors and matrices
    case vectorNeeded(String)
    case notAscending(String)
    case twoVectorsNeeded
    case notFinite
    case notPositiveDefinite
    case wideMatrix
    case matrixNormOrder
    case normAxes
    case normOrder
    case noConvergence

    // Contractions
    case noOperands
    case longSubscripts
    case operandCount(named: Int, given: Int)
    case operandRank(Int, operand: Int, subscripts: String, named: Int)
    case resultLacksEllipsis
    /// A label is a letter, or `nil` for an axis of `...`.
    case unknownLabel(Character?)
    case labelTwice(Character?)
    case notALetter(Character)
    case labelSizes(Character?, Int, operand: Int, before: Int)
    case labelSizesInOne(Character?, Int, Int)

    // Attention and sampling
    case noHeads
    case attendedShape(String, [Int])
    case unevenHeads(String, size: Int, heads: Int)
    case noKeys
    case sampledShape([Int])
    case gridShape([Int], axes: Int, image: [Int])
    case tooManySampledAxes
    case noPixels

    // Files
    case archiveTooLarge
    case metadataName

    // The graph
    case notElementwise
    case twoNumbers
    case noPosition
    case operandMissing
    case givenElements
    case notComposed
    case writesAtComputed
    case tooManyOperations
    case noResult
}
