// Why operations on arrays cannot be done, in words that follow "`operation`: ".

import ActArray
import ActMachine
import ActSyntax

extension ArrayReason {
    var words: Message {
        let shape = ActMachine.describe as ([Int]) -> String
        func label(_ letter: Character?) -> String { letter.map { "`\($0)`" } ?? "an axis of `...`" }
        switch self {
        // Shapes and axes
        case .rankLimit(let most): return "an array has at most \(most) axes"
        case .severalEllipses: return "an index holds at most one ..."
        case .notOneNumber(let count): return "an array of \(count) elements is not one number"
        case .nothingToJoin: return "there are no arrays to join"
        case .unevenParts(let axis, let size, let parts): return "axis \(axis) of size \(size) does not divide into \(parts) equal parts"
        case .widthCount(let count, let rank): return "\(count) widths are given but the array has \(rank) axes"
        case .noEdge(let axis): return "axis \(axis) is empty: there is no edge to repeat"
        case .axisCount(let count, let rank): return "\(count) axes are named but the array has \(rank)"
        case .axisTwice: return "an axis is named twice"
        case .tooManyAxes(let count): return "\(count) axes are too many"
        case .notOfSizeOne(let axis, let size): return "axis \(axis) has size \(size), not 1"
        case .oddSize(let size, nil): return "the last axis has odd size \(size)"
        case .oddSize(let size, let axis?): return "axis \(axis) has odd size \(size)"
        case .sizeCount(let count, let axes): return "\(count) sizes are given for \(axes) axes"
        case .sizeBelowOne(let size): return "sizes are 1 or more, not \(size)"
        case .argumentShape(let number, let needed): return "argument \(number) must have the shape \(shape(needed))"

        // Kinds of elements
        case .elements(let type): return "the elements are \(type.name)"
        case .notBools: return "the elements are not bools"
        case .boolsAdded: return "bools cannot be added in place"
        case .boolIndices: return "the indices are bools, not whole numbers"
        case .boolsDrawn: return "bools have no normal distribution"
        case .notWhole(let number): return "\(Format.number(number)) is not a whole number below 2^53"
        case .fractionalPosition: return "a position must be whole"
        case .notAClass(let label, _) where label < 0: return "label \(label) is negative: classes count from 0"
        case .notAClass(let label, let count): return "label \(label) is not one of 0 to \(count - 1)"
        case .negative(let number): return "\(number) is negative"
        case .negativeID(let id): return "ids count from 0, and \(Format.number(id)) is negative"
        case .notBetween0And1(let number): return "\(Format.number(number)) is not between 0 and 1"

        // Numbers, one by one
        case .infiniteRange: return "start, stop and step must be finite"
        case .emptyInterval(let low, let high): return "there is no whole number from \(low) to below \(high) that a draw could give"
        case .binCount(let bins): return "the number of bins is \(bins), not 1 or more"
        case .infiniteElements(let bad): return "the elements contain \(Format.number(bad)): give a range"
        case .badRange(let low, let high): return "the range \(Format.number(low)) to \(Format.number(high)) is not one of finite, ascending numbers"
        case .badEdges: return "the edges must be a vector of two or more ascending numbers"
        case .tooLargeK(let k, let axis, let size): return "k is \(k), but axis \(axis) has size \(size)"

        // Vectors and matrices
        case .vectorNeeded(let name): return "\(name) must be a vector of one or more numbers"
        case .notAscending(let name): return "\(name) must ascend"
        case .twoVectorsNeeded: return "it takes two vectors of one or more numbers"
        case .notFinite: return "the matrix holds nan or infinite elements"
        case .notPositiveDefinite: return "the matrix is not positive definite"
        case .wideMatrix: return "a derivative needs as many rows as columns, or more"
        case .matrixNormOrder: return "the order of a matrix norm is 1, -1, inf or -inf, or left out"
        case .normAxes: return "a norm with an order needs one axis or two"
        case .normOrder: return "the order is not a number"
        case .noConvergence: return "the eigenvalues do not converge"

        // Contractions
        case .noOperands: return "there are no operands"
        case .longSubscripts: return "the subscripts are longer than any array has axes"
        case .operandCount(let named, let given):
            return "the subscripts are of \(named) operand\(named == 1 ? "" : "s"), but \(given) \(given == 1 ? "is" : "are") given"
        case .operandRank(let rank, let number, let subscripts, let named):
            return "operand \(number) has \(rank) ax\(rank == 1 ? "is" : "es"), but its subscripts `\(subscripts)` name \(named)"
        case .resultLacksEllipsis: return "the result needs `...` for the axes that the operands have there"
        case .unknownLabel(let letter): return "\(label(letter)) of the result is in no operand"
        case .labelTwice(let letter): return "\(label(letter)) stands twice in the result"
        case .notALetter(let character): return "`\(character)` in the subscripts is not a letter; axes are written as in \"ij,jk->ik\""
        case .labelSizes(let letter, let size, let operand, let before): return "\(label(letter)) has size \(size) in operand \(operand), \(before) before"
        case .labelSizesInOne(let letter, let first, let other): return "\(label(letter)) has sizes \(first) and \(other) in one operand"

        // Attention and sampling
        case .noHeads: return "there must be at least one head"
        case .attendedShape(let name, let found): return "`\(name)` has the shape \(shape(found)), and needs the axes (…, time, size)"
        case .unevenHeads(let name, let size, let heads): return "the last axis of `\(name)`, of size \(size), does not divide into \(heads) heads"
        case .noKeys: return "there are no keys to attend to"
        case .sampledShape(let found): return "x has the shape \(shape(found)), and needs the axes (rows, channels, …)"
        case .gridShape(let found, let axes, let image):
            return "the grid has the shape \(shape(found)), and needs the axes (\(image[0]), …, \(axes)) for x of shape \(shape(image))"
        case .tooManySampledAxes: return "x has more than eight axes to look along"
        case .noPixels: return "the images have no pixels"

        // Files
        case .archiveTooLarge: return "a .npz file holds less than 4 GiB and 65,535 arrays"
        case .metadataName: return "in a .safetensors file `__metadata__` cannot be the name of an array"

        // The graph
        case .notElementwise: return "it is not elementwise"
        case .twoNumbers: return "both operands are numbers"
        case .noPosition: return "only min and max have a position"
        case .operandMissing: return "an operand is missing"
        case .givenElements: return "elements that were given are not computed"
        case .notComposed: return "it is not composed of primitives"
        case .writesAtComputed: return "elements at computed positions are written to"
        case .tooManyOperations: return "too many operations wait"
        case .noResult: return "the formula needs the result, which is not given"
        }
    }
}
