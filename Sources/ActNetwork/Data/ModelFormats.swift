// Models in the formats of other programs, as `load` and `save` see them. What reads and writes such a format stands beside the built-ins, not below
// them: both are built at once, and the built-ins do without it.

import ActArray
import ActFiles

/// What is written for another program.
package enum ExportedModel {
    /// A network of inputs of a shape: that of one input, without the rows, whose number is left open.
    case network(Network, shape: [Int])
    /// A function of arrays of these shapes, each with one axis more in front, whose size is left open.
    case function(String, [(name: String, shape: [Int])], ([NDArray]) throws -> NDArray)
}

/// Files that are a model.
package protocol ModelFormat: Sendable {
    /// The network that the model in a file is.
    /// - Parameter external: The bytes of a file beside the model, by its path there.
    func network(_ bytes: [UInt8], path: String, external: @escaping (String) throws -> [UInt8]) throws -> Network
    /// A layer of such a network, of the settings that a file of act holds; `nil` where layers of this kind are not the format's.
    func layer(ofKind kind: String, _ settings: [String: Setting], path: String) throws -> (any Layer)?
    /// Makes the model, and gives what hands its bytes to a sink.
    /// - Parameters:
    ///   - names: What arrays are called that its functions use.
    ///   - numbers: The element type of the model, whatever that of the network is.
    func export(_ model: ExportedModel, names: [(name: String, array: NDArray)], numbers: ElementType) throws -> (ByteSink) throws -> Void
}

/// Modules of Python.
package protocol SourceFormat: Sendable {
    /// What users call it.
    var name: String { get }
    /// - Parameter stem: The name of the files without their suffixes.
    func export(_ model: ExportedModel, names: [(name: String, array: NDArray)], stem: String) throws -> ExportedSource
}

package struct ExportedSource {
    package let text: String
    /// Arrays that its functions hold, which are beside the weights in the file.
    package let constants: [(name: String, array: NDArray)]
    /// Inputs and what the model gives for them: the module compares.
    package let check: [(name: String, array: NDArray)]

    package init(text: String, constants: [(name: String, array: NDArray)], check: [(name: String, array: NDArray)]) {
        (self.text, self.constants, self.check) = (text, constants, check)
    }
}

package struct ModelFormats: Sendable {
    package let onnx: any ModelFormat
    package let frameworks: [any SourceFormat]

    package init(onnx: any ModelFormat, frameworks: [any SourceFormat]) { (self.onnx, self.frameworks) = (onnx, frameworks) }
}
