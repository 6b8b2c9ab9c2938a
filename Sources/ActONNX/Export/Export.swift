// Networks and functions as ONNX models: what `save(net, "net.onnx")` writes.

import ActArray
import ActGrad
import ActNetwork

/// A model that was made of a network or a function. What its constants take counts as memory while it is there.
package final class ONNXExport {
    package let model: ONNXModel
    private let writer: GraphWriter

    /// A network of inputs of a shape, whose number of rows is left open.
    /// - Parameters:
    ///   - shape: Of one input, without the rows.
    ///   - names: What arrays are called that its functions use.
    ///   - numbers: The element type of the model, whatever that of the network is.
    /// - Throws: what the layers throw where they cannot take such inputs; `ONNXExportError`, `GraphError`, `ArrayError.noGraph`, `outOfMemory`.
    package init(_ network: Network, shape: [Int], names: [(name: String, array: NDArray)] = [], numbers: ElementType = .f32) throws {
        writer = GraphWriter(numbers: numbers)
        let x = writer.input("x", sizes: ONNXExport.sizes(shape))
        writer.list.nameResult()
        writer.call(names)
        model = writer.model(inputs: [x], output: try writer.write(network, x))
    }

    /// A function of arrays of these shapes, each with one axis more in front, whose size is left open.
    package init(
        _ arguments: [(name: String, shape: [Int])], names: [(name: String, array: NDArray)] = [], numbers: ElementType = .f32,
        _ function: ([NDArray]) throws -> NDArray
    ) throws {
        writer = GraphWriter(numbers: numbers)
        var inputs: [Tensor] = []
        for argument in arguments { inputs.append(writer.input(argument.name, sizes: ONNXExport.sizes(argument.shape))) }
        writer.list.nameResult()
        writer.call(names)
        let graph = try writer.take(inputs.map { ($0.name, $0.sizes) }, function)
        model = writer.model(inputs: inputs, output: try writer.write(graph, inputs))
    }

    private static func sizes(_ shape: [Int]) -> [GraphSize] { [GraphSize.rows] + shape.map { GraphSize(fixed: $0) } }
}
