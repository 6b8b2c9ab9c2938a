// Models as bytes: which field of which message holds what (onnx.proto of IR version 10, github.com/onnx/onnx).

import ActArray
import ActFiles

extension ONNXModel {
    /// No reader takes a message of more bytes.
    package static let mostBytes = Int(Int32.max)

    /// Hands the bytes of the file to `sink`, in order.
    /// - Throws: `ONNXExportError.tooLarge`; what the sink throws.
    package func write(into sink: ByteSink) throws {
        var message = try encoded()
        guard message.count <= ONNXModel.mostBytes else { throw ONNXExportError.tooLarge(bytes: message.count) }
        try message.send(to: sink)
    }

    private func encoded() throws -> ProtobufMessage {
        var message = ProtobufMessage()
        message.append(1, irVersion)
        message.append(2, producerName)
        message.append(3, producerVersion)
        message.append(7, try graph.encoded())
        for entry in ProtobufMessage.opsets(opsets) { message.append(8, entry) }
        for function in functions { message.append(25, try function.encoded()) }
        return message
    }
}

extension ONNXGraph {
    fileprivate func encoded() throws -> ProtobufMessage {
        var message = ProtobufMessage()
        for node in nodes { message.append(1, try node.encoded()) }
        message.append(2, name)
        for tensor in initializers {
            try Interrupt.check()
            message.append(5, tensor.encoded())
        }
        for input in inputs { message.append(11, input.encoded()) }
        for output in outputs { message.append(12, output.encoded()) }
        return message
    }
}

extension ONNXNode {
    /// - Parameter types: Of the attributes of the function in whose body the node stands.
    fileprivate func encoded(_ types: [String: Int64] = [:]) throws -> ProtobufMessage {
        var message = ProtobufMessage()
        // An input that is left out keeps its place.
        for input in inputs { message.append(1, Array(input.utf8)) }
        for output in outputs { message.append(2, Array(output.utf8)) }
        message.append(3, name)
        message.append(4, operation)
        for attribute in attributes { message.append(5, try attribute.encoded(types)) }
        message.append(7, domain)
        return message
    }
}

extension ONNXAttribute {
    /// `AttributeProto.AttributeType`; 0 for one that stands for another.
    fileprivate var type: Int64 {
        switch value {
        case .float: 1
        case .int: 2
        case .string: 3
        case .tensor: 4
        case .graph: 5
        case .floats: 6
        case .ints: 7
        case .strings: 8
        case .reference: 0
        }
    }

    fileprivate func encoded(_ types: [String: Int64] = [:]) throws -> ProtobufMessage {
        var message = ProtobufMessage(), type = type, reference = ""
        message.append(1, name)
        switch value {
        case .float(let value): message.append(2, value)
        case .int(let value): message.append(3, value)
        case .string(let bytes): message.append(4, bytes)
        case .tensor(let tensor): message.append(5, tensor.encoded())
        case .graph(let graph): message.append(6, try graph.encoded())
        case .floats(let values): for value in values { message.append(7, value) }
        case .ints(let values): for value in values { message.append(8, value) }
        case .strings(let texts): for bytes in texts { message.append(9, bytes) }
        case .reference(let name): (type, reference) = (types[name] ?? 0, name)
        }
        message.append(20, type)
        message.append(21, reference)
        return message
    }
}

extension ONNXTensor {
    fileprivate func encoded() -> ProtobufMessage {
        var message = ProtobufMessage()
        for size in shape { message.append(1, size) }
        message.append(2, Int64(type.rawValue))
        message.append(8, name)
        message.append(9, bytes)
        return message
    }
}

extension ONNXValueInfo {
    /// TypeProto.tensor_type: the type of the elements, and the sizes, each a number or a name.
    fileprivate func encoded() -> ProtobufMessage {
        var tensor = ProtobufMessage()
        tensor.append(1, Int64(type.rawValue))
        if let sizes = shape {
            var shape = ProtobufMessage()
            for size in sizes {
                var dimension = ProtobufMessage()
                switch size {
                case .known(let number): dimension.append(1, number)
                case .named(let name): dimension.append(2, name)
                case .unknown: break
                }
                shape.append(1, dimension)
            }
            tensor.append(2, shape)
        }
        var whole = ProtobufMessage(), message = ProtobufMessage()
        whole.append(1, tensor)
        message.append(1, name)
        message.append(2, whole)
        return message
    }
}

extension ONNXFunction {
    fileprivate func encoded() throws -> ProtobufMessage {
        var message = ProtobufMessage()
        message.append(1, name)
        for input in inputs { message.append(4, Array(input.utf8)) }
        for output in outputs { message.append(5, Array(output.utf8)) }
        for attribute in attributes { message.append(6, attribute) }
        let types = Dictionary(defaults.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
        for node in nodes { message.append(7, try node.encoded(types)) }
        for entry in ProtobufMessage.opsets(opsets) { message.append(9, entry) }
        message.append(10, domain)
        for attribute in defaults { message.append(11, try attribute.encoded()) }
        return message
    }
}

extension ProtobufMessage {
    /// In a fixed order.
    fileprivate static func opsets(_ versions: [String: Int64]) -> [ProtobufMessage] {
        versions.sorted { $0.key < $1.key }.map { domain, version in
            var entry = ProtobufMessage()
            entry.append(1, domain)
            entry.append(2, version)
            return entry
        }
    }
}
