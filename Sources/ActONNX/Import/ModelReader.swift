// The messages of onnx.proto, read into plain values. The numbers of the fields stand here alone.
//
// What must stay true: models come from anywhere. Everything is counted before it is kept, graphs inside graphs are bounded, and fields that are not
// known are passed over.

import ActArray
import ActFiles

package final class ModelReader {
    /// Graphs stand in attributes of nodes of graphs: no model in use nests them deeper than a few times.
    private static let deepest = 32
    /// What a message becomes is larger than the message: so many bytes for each, besides its own.
    private static let messageFootprint = 400

    private let path: String
    private let external: (String) throws -> [UInt8]
    private var held = Reservation()
    private var files: [String: [UInt8]] = [:]

    /// - Parameter external: The bytes of a file beside the model, by its path there. It throws `FileDoor.Forbidden` for what lies elsewhere.
    private init(path: String, external: @escaping (String) throws -> [UInt8]) { (self.path, self.external) = (path, external) }

    /// What `body` makes of a model in the bytes of a file.
    /// - Throws: `ONNXError`; `ArrayError.outOfMemory`, `interrupted`; what `external` and `body` throw.
    package static func read<Result>(
        _ bytes: [UInt8], path: String, external: @escaping (String) throws -> [UInt8], _ body: (ONNXModel) throws -> Result
    ) throws -> Result {
        let reader = ModelReader(path: path, external: external)
        defer { withExtendedLifetime(reader) {} }
        let model: ONNXModel
        do {
            model = try bytes.withUnsafeBytes { try reader.model(ProtobufReader($0)) }
        } catch let fault as ProtobufFault { throw ONNXError(path, .protobuf(fault)) }
        reader.files = [:]
        return try body(model)
    }

    private func fail(_ fault: ONNXFault) -> ONNXError { ONNXError(path, fault) }

    private func count(_ field: ProtobufReader.Field) throws {
        try Interrupt.check()
        // A packed number takes one byte at least and becomes eight.
        try held.grow(by: ModelReader.messageFootprint &+ field.size &* 8)
    }

    private func model(_ message: ProtobufReader) throws -> ONNXModel {
        var message = message
        var model = ONNXModel(irVersion: 0, opsets: [:], graph: ONNXGraph(name: "")), hasGraph = false
        while let field = try message.next() {
            switch field.number {
            case 1: model.irVersion = try field.whole
            case 2: model.producerName = try field.text
            case 3: model.producerVersion = try field.text
            case 7:
                model.graph = try graph(field.message, 0)
                hasGraph = true
            case 8: try opset(field.message, into: &model.opsets)
            case 25: model.functions.append(try function(field.message))
            default: break
            }
        }
        guard hasGraph else { throw fail(.noGraph) }
        return model
    }

    private func opset(_ message: ProtobufReader, into opsets: inout [String: Int64]) throws {
        var message = message, domain = "", version: Int64 = 1
        while let field = try message.next() {
            switch field.number {
            case 1: domain = try field.text
            case 2: version = try field.whole
            default: break
            }
        }
        opsets[domain == "ai.onnx" ? "" : domain] = version
    }

    private func graph(_ message: ProtobufReader, _ depth: Int) throws -> ONNXGraph {
        guard depth < ModelReader.deepest else { throw fail(.tooDeep(ModelReader.deepest)) }
        var message = message, graph = ONNXGraph(name: "")
        while let field = try message.next() {
            switch field.number {
            case 1: graph.nodes.append(try node(field, depth))
            case 2: graph.name = try field.text
            case 5: graph.initializers.append(try tensor(field))
            case 11: graph.inputs.append(try valueInfo(field))
            case 12: graph.outputs.append(try valueInfo(field))
            case 15: throw fail(.sparse)
            default: break
            }
        }
        return graph
    }

    private func node(_ field: ProtobufReader.Field, _ depth: Int) throws -> ONNXNode {
        try count(field)
        var message = try field.message, node = ONNXNode("", inputs: [], outputs: []), overload = ""
        while let field = try message.next() {
            switch field.number {
            case 1: node.inputs.append(try field.text)
            case 2: node.outputs.append(try field.text)
            case 3: node.name = try field.text
            case 4: node.operation = try field.text
            case 5: if let attribute = try attribute(field, depth) { node.attributes.append(attribute) }
            case 7: node.domain = try field.text
            case 8: overload = try field.text
            default: break
            }
        }
        if node.domain == "ai.onnx" { node.domain = "" }
        node.operation = Self.key(node.operation, overload)
        return node
    }

    /// A function's name with which of several of that name it is.
    private static func key(_ name: String, _ overload: String) -> String { overload.isEmpty ? name : "\(name):\(overload)" }

    private func function(_ message: ProtobufReader) throws -> ONNXFunction {
        var message = message, function = ONNXFunction(name: "", domain: "", inputs: [], outputs: [], nodes: [], opsets: [:]), overload = ""
        while let field = try message.next() {
            switch field.number {
            case 1: function.name = try field.text
            case 4: function.inputs.append(try field.text)
            case 5: function.outputs.append(try field.text)
            case 6: function.attributes.append(try field.text)
            case 7: function.nodes.append(try node(field, 0))
            case 9: try opset(field.message, into: &function.opsets)
            case 10: function.domain = try field.text
            case 11: if let attribute = try attribute(field, 0) { function.defaults.append(attribute) }
            case 13: overload = try field.text
            default: break
            }
        }
        if function.domain == "ai.onnx" { function.domain = "" }
        function.name = Self.key(function.name, overload)
        return function
    }

    // MARK: Attributes

    /// `nil` for what no operator that act knows has: lists of tensors and graphs, sparse tensors, types.
    private func attribute(_ field: ProtobufReader.Field, _ depth: Int) throws -> ONNXAttribute? {
        try count(field)
        var message = try field.message, name = "", type: Int64 = 0, reference = ""
        var float: Float = 0, whole: Int64 = 0, bytes: [UInt8] = [], floats: [Float] = [], wholes: [Int64] = [], texts: [[UInt8]] = []
        var tensor: ONNXTensor?, graph: ONNXGraph?, met: Int64 = 0
        while let field = try message.next() {
            switch field.number {
            case 1: name = try field.text
            case 2: (float, met) = (try field.float, 1)
            case 3: (whole, met) = (try field.whole, 2)
            case 4: (bytes, met) = (Array(try field.raw), 3)
            case 5: (tensor, met) = (try self.tensor(field), 4)
            case 6: (graph, met) = (try self.graph(field.message, depth + 1), 5)
            case 7:
                try field.floats(into: &floats)
                met = 6
            case 8:
                try field.wholes(into: &wholes)
                met = 7
            case 9:
                texts.append(Array(try field.raw))
                met = 8
            case 20: type = try field.whole
            case 21: reference = try field.text
            default: break
            }
        }
        if !reference.isEmpty { return ONNXAttribute(name, .reference(reference)) }
        // Files older than the field `type` say it by what is there.
        switch type == 0 ? met : type {
        case 1: return ONNXAttribute(name, .float(float))
        case 2: return ONNXAttribute(name, .int(whole))
        case 3: return ONNXAttribute(name, .string(bytes))
        case 4: return tensor.map { ONNXAttribute(name, .tensor($0)) }
        case 5: return graph.map { ONNXAttribute(name, .graph($0)) }
        case 6: return ONNXAttribute(name, .floats(floats))
        case 7: return ONNXAttribute(name, .ints(wholes))
        case 8: return ONNXAttribute(name, .strings(texts))
        default: return nil
        }
    }

    // MARK: Types

    private func valueInfo(_ field: ProtobufReader.Field) throws -> ONNXValueInfo {
        try count(field)
        var message = try field.message, info = ONNXValueInfo(name: "", type: .undefined, shape: nil)
        while let field = try message.next() {
            switch field.number {
            case 1: info.name = try field.text
            case 2: try type(field.message, &info, 0)
            default: break
            }
        }
        return info
    }

    private func type(_ message: ProtobufReader, _ info: inout ONNXValueInfo, _ depth: Int) throws {
        guard depth < ModelReader.deepest else { throw fail(.tooDeep(ModelReader.deepest)) }
        var message = message
        while let field = try message.next() {
            switch field.number {
            case 1: try tensorType(field.message, &info)
            case 4, 9:
                // A sequence, or what may be missing: of the type that it holds.
                var inner = try field.message
                while let field = try inner.next() { if field.number == 1 { try type(field.message, &info, depth + 1) } }
                info.shape = nil
                if info.holder != .sequence { info.holder = field.number == 4 ? .sequence : .optional }
            default: break
            }
        }
    }

    private func tensorType(_ message: ProtobufReader, _ info: inout ONNXValueInfo) throws {
        var message = message
        while let field = try message.next() {
            switch field.number {
            case 1: info.type = try elementType(field.whole, info.name)
            case 2:
                var shape = try field.message, sizes: [ONNXValueInfo.Size] = []
                while let field = try shape.next() {
                    guard field.number == 1 else { continue }
                    try count(field)
                    sizes.append(try size(field.message))
                }
                info.shape = sizes
            default: break
            }
        }
    }

    private func size(_ message: ProtobufReader) throws -> ONNXValueInfo.Size {
        var message = message, size = ONNXValueInfo.Size.unknown
        while let field = try message.next() {
            switch field.number {
            case 1: size = .known(try field.whole)
            case 2: size = .named(try field.text)
            default: break
            }
        }
        return size
    }

    private func elementType(_ code: Int64, _ name: String) throws -> ONNXElementType {
        guard let type = Int32(exactly: code).flatMap(ONNXElementType.init) else { throw fail(.unknownType(name, code)) }
        return type
    }

    // MARK: Tensors

    private func tensor(_ field: ProtobufReader.Field) throws -> ONNXTensor {
        try count(field)
        var message = try field.message, tensor = ONNXTensor(name: "", type: .undefined, shape: [], bytes: [])
        var code: Int64 = 0, isExternal = false, place: [String: String] = [:]
        var floats: [Float] = [], doubles: [Double] = [], small: [Int64] = [], large: [Int64] = [], raw: [UInt8]?
        while let field = try message.next() {
            switch field.number {
            case 1: try field.wholes(into: &tensor.shape)
            case 2: code = try field.whole
            case 4: try field.floats(into: &floats)
            case 5: try field.wholes(into: &small)
            case 7, 11: try field.wholes(into: &large)
            case 8: tensor.name = try field.text
            case 9: raw = Array(try field.raw)
            case 10: try field.doubles(into: &doubles)
            case 13: try entry(field.message, into: &place)
            case 14: isExternal = try field.whole == 1
            default: break
            }
        }
        tensor.type = try elementType(code, tensor.name)
        guard tensor.shape.allSatisfy({ $0 >= 0 }) else { throw fail(.negativeSize(of: tensor.name)) }
        let needed = try bytesNeeded(tensor)
        if isExternal {
            tensor.bytes = try outside(tensor, place, needed)
        } else if let raw {
            tensor.bytes = raw
        } else {
            try append(floats.map(\.bitPattern), to: &tensor)
            try append(doubles.map(\.bitPattern), to: &tensor)
            try append(large, to: &tensor)
            try appendSmall(small, to: &tensor)
        }
        guard tensor.type == .string || tensor.bytes.count == needed else {
            throw fail(.tensorSize(tensor.name, shape: tensor.shape, type: tensor.type, bytes: tensor.bytes.count))
        }
        return tensor
    }

    private func bytesNeeded(_ tensor: ONNXTensor) throws -> Int {
        guard let bits = tensor.type.bits else { return 0 }
        var count = 1
        for size in tensor.shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(size))
            guard !overflow, product < 1 << 48 else { throw fail(.tensorTooLarge(tensor.name, shape: tensor.shape)) }
            count = product
        }
        return (count * bits + 7) / 8
    }

    private func append<T: FixedWidthInteger>(_ numbers: [T], to tensor: inout ONNXTensor) throws {
        // Numbers of 32 bits may stand among those of 64, as those of uint32 do.
        for number in numbers {
            if T.self == Int64.self, tensor.type == .uint32 {
                withUnsafeBytes(of: UInt32(truncatingIfNeeded: number).littleEndian) { tensor.bytes.append(contentsOf: $0) }
            } else {
                withUnsafeBytes(of: number.littleEndian) { tensor.bytes.append(contentsOf: $0) }
            }
        }
    }

    /// Numbers of at most 32 bits, which all stand among those of 32; the 16-bit floats by their bits, 4-bit and 2-bit ones by their bytes.
    private func appendSmall(_ numbers: [Int64], to tensor: inout ONNXTensor) throws {
        let size = max(1, (tensor.type.bits ?? 32) / 8)
        for number in numbers {
            guard number >= Int64(Int32.min), number <= Int64(UInt32.max), size >= 4 || number.magnitude < 1 << (UInt64(size) * 8) else {
                throw fail(.elementOutOfRange(tensor.name, number))
            }
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: number).littleEndian) { tensor.bytes.append(contentsOf: $0.prefix(size)) }
        }
    }

    private func entry(_ message: ProtobufReader, into entries: inout [String: String]) throws {
        var message = message, key = "", value = ""
        while let field = try message.next() {
            switch field.number {
            case 1: key = try field.text
            case 2: value = try field.text
            default: break
            }
        }
        entries[key] = value
    }

    /// The elements of a tensor that lie in a file beside the model.
    private func outside(_ tensor: ONNXTensor, _ place: [String: String], _ needed: Int) throws -> [UInt8] {
        guard let location = place["location"], !location.isEmpty else { throw fail(.noLocation(tensor.name)) }
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0 == ".." }) else { throw fail(.outside(tensor.name, location: location)) }
        let bytes: [UInt8]
        if let known = files[location] {
            bytes = known
        } else {
            do { bytes = try external(location) } catch is FileDoor.Forbidden { throw fail(.outside(tensor.name, location: location)) }
            try held.grow(by: bytes.count)
            files[location] = bytes
        }
        func number(_ key: String, otherwise: Int) throws -> Int {
            guard let text = place[key] else { return otherwise }
            guard let number = Int(text), number >= 0 else { throw fail(.badPlace(tensor.name, key: key, value: text)) }
            return number
        }
        let start = try number("offset", otherwise: 0), length = try number("length", otherwise: needed)
        guard length >= needed else { throw fail(.badPlace(tensor.name, key: "length", value: "\(length)")) }
        guard bytes.count - start >= length else {
            throw fail(.shortExternal(tensor.name, location: location, needs: length, found: max(0, bytes.count - start)))
        }
        try held.grow(by: needed)
        return Array(bytes[start..<start + needed])
    }
}
