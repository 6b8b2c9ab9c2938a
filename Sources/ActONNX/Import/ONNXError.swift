// What can go wrong with an ONNX model, as data: the wording is ActLanguage's.

import ActArray

/// Of a file.
package struct ONNXError: Error {
    /// As messages name the file.
    package let path: String
    package let fault: ONNXFault

    package init(_ path: String, _ fault: ONNXFault) { (self.path, self.fault) = (path, fault) }
}

package enum ONNXFault: Sendable {
    // The bytes
    case protobuf(ProtobufFault)
    /// Messages inside one another, deeper than any model has them.
    case tooDeep(Int)
    /// No graph is in it: another file, or an empty one.
    case noGraph
    case negativeSize(of: String)
    /// A tensor whose elements are not as many as its shape says.
    case tensorSize(String, shape: [Int64], type: ONNXElementType, bytes: Int)
    /// More elements than any file holds.
    case tensorTooLarge(String, shape: [Int64])
    case unknownType(String, Int64)
    /// A number among 32-bit ones that its type does not hold.
    case elementOutOfRange(String, Int64)

    /// Initializers of which only some elements are there.
    case sparse

    // Files beside the model
    /// Where a tensor's elements lie leads out of the model's folder.
    case outside(String, location: String)
    case noLocation(String)
    /// Where they lie there is said by what is not such a number, or by one that does not fit the tensor.
    case badPlace(String, key: String, value: String)
    case shortExternal(String, location: String, needs: Int, found: Int)

    // The graph
    case noOpset(domain: String)
    /// Versions of a domain's operators begin at 1, and those after the newest that is known may mean something else.
    case unknownOpset(domain: String, version: Int64, newest: Int64)
    /// Of the messages themselves (`ir_version`).
    case newerFormat(version: Int64, newest: Int64)
    /// Everything that act lacks, in order of how often it is met.
    case lacking(operators: [Lacking], types: [Lacking])
    /// Nothing before the node makes what it reads, and neither is it an input or a constant; without a node it is what the graph gives.
    case unknownValue(String, reader: String?)
    case madeTwice(String)
    case noInputs
    case noOutputs
    /// A model's function that calls itself, or more than this many calls inside one another.
    case recursiveFunction(String)
    case tooManyNodes(Int)
    /// The saved form of a graph does not describe one.
    case unreadableGraph

    package struct Lacking: Equatable, Sendable {
        package let name: String
        package let count: Int

        package init(name: String, count: Int) { (self.name, self.count) = (name, count) }
    }
}

/// What is wrong with one node, in loading or running.
package struct ONNXNodeError: Error {
    /// `Conv "conv1"`, or the operator alone.
    package let node: String
    package let fault: Fault

    /// What array operations say.
    package var inner: (any Error)? { if case .inner(let error) = fault { error } else { nil } }

    /// What act does not have, of operators that it has.
    package enum Lacking: Sendable {
        case type(ONNXElementType)
        case activation(String)
        case windows(axes: Int)
        case sampling(mode: String, axes: Int)
        /// The first form of `Scan` went over several sequences at once.
        case batchOfScans
    }

    package enum Fault {
        case missingInput(Int)
        case missingAttribute(String)
        case badAttribute(String)
        /// An input is a list or nothing where an array is needed, or the other way round.
        case kind(Int)
        case notWhole(Int, Double)
        case shape([Int], input: Int)
        /// More than 53 bits.
        case inexact(Double)
        case lacking(Lacking)
        case inner(any Error)
    }
}

/// What a loaded model got that it cannot take.
package enum ONNXInputError: Error {
    case count(expected: [String], found: Int)
    case notAnArray(String, kind: String)
    case rank(String, expected: Int, found: [Int])
    case notWhole(String, Double)
    case outOfRange(String, Double, ONNXElementType)
}
