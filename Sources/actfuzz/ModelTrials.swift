// ONNX models that nobody would write: sound ones with fields exchanged, taken out, put elsewhere, with numbers and names that lie, with lengths
// that do not hold, with graphs in graphs in graphs and functions that call themselves.
//
// What must stay true: a model depends on the seed, its number and the sound models alone.

import ActONNX

/// A message of Protocol Buffers as a tree, which mutations change.
struct WireField {
    enum Content {
        case number(UInt64)
        case four(Bytes), eight(Bytes)
        case bytes(Bytes)
        case message([WireField])
    }
    var number: Int
    var content: Content
    /// How much longer than it is the field says it is, and how wire types other than its own lie.
    var lengthError = 0
    var wireType: UInt8?

    // MARK: Reading

    /// Which fields of a kind of message are messages, and of which kind (onnx.proto).
    static let messages: [String: [Int: String]] = [
        "model": [7: "graph", 8: "opset", 14: "entry", 25: "function"],
        "graph": [1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value"],
        "node": [5: "attribute"], "attribute": [5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 14: "type"], "tensor": [13: "entry"],
        "value": [2: "type"],
        "type": [1: "tensorType", 4: "holder", 9: "holder"], "holder": [1: "type"], "tensorType": [2: "shape"], "shape": [1: "size"],
        "function": [7: "node", 9: "opset", 11: "attribute"],
    ]

    /// - Returns: `nil` for bytes that are not a message.
    static func fields(of bytes: ArraySlice<UInt8>, _ kind: String) -> [WireField]? {
        var position = bytes.startIndex, fields: [WireField] = []
        func varint() -> UInt64? {
            var result: UInt64 = 0, shift: UInt64 = 0
            while position < bytes.endIndex, shift < 64 {
                let byte = bytes[position]
                position += 1
                result |= UInt64(byte & 127) << shift
                if byte < 128 { return result }
                shift += 7
            }
            return nil
        }
        func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, count <= bytes.endIndex - position else { return nil }
            defer { position += count }
            return bytes[position..<position + count]
        }
        while position < bytes.endIndex {
            guard let tag = varint(), let number = Int(exactly: tag >> 3) else { return nil }
            let content: Content
            switch tag & 7 {
            case 0:
                guard let value = varint() else { return nil }
                content = .number(value)
            case 1:
                guard let value = take(8) else { return nil }
                content = .eight(Array(value))
            case 5:
                guard let value = take(4) else { return nil }
                content = .four(Array(value))
            case 2:
                guard let length = varint().flatMap({ Int(exactly: $0) }), let part = take(length) else { return nil }
                let inner = messages[kind]?[number].flatMap { WireField.fields(of: part, $0) }
                content = inner.map { .message($0) } ?? .bytes(Array(part))
            default: return nil
            }
            fields.append(WireField(number: number, content: content))
        }
        return fields
    }

    // MARK: Writing

    static func bytes(of fields: [WireField]) -> Bytes { fields.flatMap(\.bytes) }

    private static func varint(_ number: UInt64) -> Bytes {
        var number = number, bytes: Bytes = []
        while number > 127 {
            bytes.append(UInt8(number & 127) | 128)
            number >>= 7
        }
        return bytes + [UInt8(number)]
    }

    private var bytes: Bytes {
        func tagged(_ type: UInt8, _ content: Bytes) -> Bytes {
            WireField.varint(UInt64(truncatingIfNeeded: number) << 3 | UInt64(wireType ?? type)) + content
        }
        func lengthed(_ content: Bytes) -> Bytes { tagged(2, WireField.varint(UInt64(bitPattern: Int64(content.count &+ lengthError))) + content) }
        switch content {
        case .number(let number): return tagged(0, WireField.varint(number))
        case .eight(let bytes): return tagged(1, bytes)
        case .four(let bytes): return tagged(5, bytes)
        case .bytes(let bytes): return lengthed(bytes)
        case .message(let fields): return lengthed(WireField.bytes(of: fields))
        }
    }

    // MARK: Walking

    /// Calls `body` for every field, those of messages before the messages.
    static func forEach(_ fields: inout [WireField], _ kind: String, _ body: (inout WireField, _ kind: String) -> Void) {
        for index in fields.indices {
            if case .message(var inner) = fields[index].content {
                forEach(&inner, messages[kind]?[fields[index].number] ?? "", body)
                fields[index].content = .message(inner)
            }
            body(&fields[index], kind)
        }
    }

    /// Calls `body` for the fields of the message of a number, counted as they come, 0 being the whole.
    static func change(_ fields: inout [WireField], message wanted: Int, _ body: (inout [WireField]) -> Void) {
        var count = 0
        func walk(_ fields: inout [WireField]) {
            if count == wanted {
                count += 1
                return body(&fields)
            }
            count += 1
            for index in fields.indices where count <= wanted {
                if case .message(var inner) = fields[index].content {
                    walk(&inner)
                    fields[index].content = .message(inner)
                }
            }
        }
        walk(&fields)
    }
}

struct ModelTrials {
    private let models: [(fields: [WireField], input: String)]
    private let names: [Bytes]
    private let parts: [(kind: String, field: WireField)]

    /// - Parameter files: Sound models, by the names of their files.
    init(_ files: [(name: String, bytes: Bytes)]) {
        models = files.compactMap { file in
            guard let input = ModelTrials.sound[file.name] else { return nil }
            return WireField.fields(of: file.bytes[...], "model").map { ($0, input) }
        }
        var names: Set<Bytes> = [], parts: [(String, WireField)] = []
        for model in models {
            var model = model.fields
            WireField.forEach(&model, "model") { field, kind in
                if case .bytes(let bytes) = field.content, bytes.count < 40, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { names.insert(bytes) }
                if WireField.bytes(of: [field]).count < 4000 { parts.append((kind, field)) }
            }
        }
        self.names = names.sorted { String(decoding: $0, as: UTF8.self) < String(decoding: $1, as: UTF8.self) }
        self.parts = parts
    }

    private static let operators = ONNXOperators.names.map { Bytes($0.utf8) }
    private static let numbers: [UInt64] = [
        0, 1, 2, 3, 7, 9, 11, 16, 255, 1 << 15, 1 << 20, 1 << 31, (1 << 31) - 1, 1 << 32, 1 << 40, 1 << 62, (1 << 63) - 1, 1 << 63, .max, .max - 1,
    ]
    private static let texts = [
        "", "x", "y", "N", "/etc/passwd", "../secret", "m.onnx", "./m.onnx", "a/../../b", "\u{0}", "ä", "location", "offset", "length", "-1",
        "99999999999999999999",
        "add", "SAME_UPPER", "linear", "cubic", "reflect", "bidirectional", "bij,bjk->bik", "...", "act", "ai.onnx.ml", "to", "axis", "axes", "perm", "body",
        "value",
    ]
    /// What the sound models are called with.
    private static let sound = [
        "x.onnx": "randn(2, 2)", "y.onnx": "randn(2, 1, 3, 3), true", "u.onnx": "randn(2, 5, 3)", "v.onnx": "floor(6 * rand(2, 4))", "w.onnx": "randn(2, 3)",
    ]
    /// What else models are called with.
    private static let inputs = [
        "ones(2, 3)", "ones(2, 1, 8, 8)", "randn(3, 4)", "randn(2, 5, 3)", "range(6)", "zeros(0, 3)", "f32([[1.5, nan, inf]])", "3", "[true, false]",
        "ones(2, 3), ones(2, 3)", "randn(1, 3, 3, 3), true", "\"a\"", "",
    ]

    func trial(_ random: inout Random) -> Trial {
        guard !models.isEmpty else { return Trial(program: []) }
        var (model, input) = models[random.below(models.count)]
        for _ in 0...(random.chance(60) ? 0 : random.below(4)) { mutate(&model, &random) }
        var bytes = WireField.bytes(of: model)
        if bytes.count > 1 << 20 { bytes.removeLast(bytes.count - 1 << 20) }
        switch random.below(40) {
        case 0: bytes.removeLast(random.below(bytes.count + 1))
        case 1: for _ in 0...random.below(4) where !bytes.isEmpty { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
        default: break
        }
        if random.chance(15) { input = random.pick(Self.inputs, or: "") }
        let after =
            switch random.below(8) {
            case 0: "summary(m)"
            case 1: "save(m, \"again.onnx\"); load(\"again.onnx\")(\(input))"
            case 2: "fit(m, \(input), 0, mse, epochs=1, progress=false)"
            case 3: "grad(m -> sum(m(\(input))))(m)"
            default: "m(\(input))"
            }
        return Trial(program: Bytes("m = load(\"m.onnx\")\n\(after)\n".utf8), file: ("m.onnx", bytes), seconds: 0.3)
    }

    private func text(_ random: inout Random) -> Bytes {
        switch random.below(10) {
        case ..<4: random.pick(names, or: [])
        case ..<6: random.pick(Self.operators, or: [])
        case 6: Bytes(repeating: UInt8(ascii: "a"), count: 1 << random.below(14))
        default: Bytes(random.pick(Self.texts, or: "").utf8)
        }
    }

    private func mutate(_ model: inout [WireField], _ random: inout Random) {
        var count = 0, messages = 1
        WireField.forEach(&model, "model") { field, _ in
            count += 1
            if case .message = field.content { messages += 1 }
        }
        switch random.below(20) {
        case 0...8: change(&model, field: random.below(count), &random)
        // Fields of one message in another order, twice, or missing.
        case 9...12:
            WireField.change(&model, message: random.below(messages)) { fields in
                guard !fields.isEmpty else { return }
                let index = random.below(fields.count)
                switch random.below(4) {
                case 0: fields.remove(at: index)
                case 1: fields.swapAt(index, random.below(fields.count))
                case 2: fields.insert(fields[index], at: random.below(fields.count))
                default: fields += Array(repeating: fields[index], count: 1 << random.below(10))
                }
            }
        // A part of any model where one of its kind may stand, or anywhere.
        case 13...15:
            guard let (_, part) = parts.isEmpty ? nil : parts[random.below(parts.count)] else { return }
            WireField.change(&model, message: random.below(messages)) { $0.insert(part, at: random.below($0.count + 1)) }
        case 16: nest(&model, message: random.below(messages), &random)
        case 17: recurse(&model, &random)
        case 18: displace(&model, &random)
        default:
            WireField.change(&model, message: random.below(messages)) { fields in
                fields.append(WireField(number: random.below(30), content: .bytes(text(&random))))
            }
        }
    }

    /// The whole graph in an attribute of a node of itself, again and again.
    private func nest(_ model: inout [WireField], message: Int, _ random: inout Random) {
        guard let graph = model.first(where: { $0.number == 7 }), case .message(let fields) = graph.content else { return }
        var inner = fields
        for _ in 0..<(1 << random.below(9)) {
            let attribute = [
                WireField(number: 1, content: .bytes(Bytes("body".utf8))), WireField(number: 6, content: .message(inner)),
                WireField(number: 20, content: .number(5)),
            ]
            let node = [
                WireField(number: 4, content: .bytes(Bytes((random.chance(50) ? "Loop" : "If").utf8))), WireField(number: 5, content: .message(attribute)),
            ]
            inner = [WireField(number: 1, content: .message(node))]
            if WireField.bytes(of: inner).count > 1 << 19 { break }
        }
        WireField.change(&model, message: message) { $0.append(WireField(number: 7, content: .message(inner))) }
    }

    /// A function that calls itself, or another that calls it.
    private func recurse(_ model: inout [WireField], _ random: inout Random) {
        func node(_ name: String) -> WireField {
            WireField(
                number: 7,
                content: .message([
                    WireField(number: 1, content: .bytes(Bytes("v".utf8))), WireField(number: 2, content: .bytes(Bytes("r".utf8))),
                    WireField(number: 4, content: .bytes(Bytes(name.utf8))), WireField(number: 7, content: .bytes(Bytes("o".utf8))),
                ]))
        }
        func function(_ name: String, calling others: [String]) -> WireField {
            WireField(
                number: 25,
                content: .message(
                    [
                        WireField(number: 1, content: .bytes(Bytes(name.utf8))), WireField(number: 4, content: .bytes(Bytes("v".utf8))),
                        WireField(number: 5, content: .bytes(Bytes("r".utf8))), WireField(number: 10, content: .bytes(Bytes("o".utf8))),
                    ] + others.map(node)))
        }
        switch random.below(3) {
        case 0: model.append(function("f", calling: ["f"]))
        case 1: model += [function("f", calling: ["g"]), function("g", calling: ["f"])]
        // Each calls the next twice: two to the power of their number in all.
        default: model += (0..<40).map { function($0 == 0 ? "f" : "f\($0)", calling: ["f\($0 + 1)", "f\($0 + 1)"]) }
        }
    }

    /// Elements that lie elsewhere.
    private func displace(_ model: inout [WireField], _ random: inout Random) {
        func entry(_ key: String, _ value: Bytes) -> WireField {
            WireField(
                number: 13, content: .message([WireField(number: 1, content: .bytes(Bytes(key.utf8))), WireField(number: 2, content: .bytes(value))]))
        }
        let place = [
            entry("location", text(&random)), entry("offset", text(&random)), entry("length", text(&random)), WireField(number: 14, content: .number(1)),
        ]
        var seen = 0, tensors = 0
        WireField.forEach(&model, "model") { field, kind in if WireField.messages[kind]?[field.number] == "tensor" { tensors += 1 } }
        let wanted = random.below(tensors)
        WireField.forEach(&model, "model") { field, kind in
            guard WireField.messages[kind]?[field.number] == "tensor", case .message(let fields) = field.content else { return }
            if seen == wanted { field.content = .message(fields.filter { $0.number != 9 } + place) }
            seen += 1
        }
    }

    /// Another content of one field.
    private func change(_ model: inout [WireField], field wanted: Int, _ random: inout Random) {
        var position = 0
        WireField.forEach(&model, "model") { field, kind in
            defer { position += 1 }
            guard position == wanted else { return }
            switch random.below(12) {
            case 0: field.number = random.below(27)
            case 1: field.lengthError = random.pick([-1, 1, 7, -field.number, 1 << 20, 1 << 40, Int.max >> 1], or: 1)
            case 2: field.wireType = UInt8(random.below(8))
            default:
                switch field.content {
                case .number: field.content = .number(random.pick(Self.numbers, or: 0))
                case .four: field.content = .four(random.pick([[0, 0, 128, 127], [0, 0, 192, 127], [255, 255, 127, 127], [1, 0, 0, 0]], or: [0, 0, 0, 0]))
                case .eight(let bytes): field.content = .eight(bytes.reversed())
                case .bytes:
                    // The name of an operator becomes that of another more often than anything else.
                    let isOperator = kind == "node" && field.number == 4
                    field.content = .bytes(isOperator && random.chance(80) ? random.pick(Self.operators, or: []) : text(&random))
                case .message(let fields): field.content = random.chance(50) ? .message([]) : .message(fields.reversed())
                }
            }
        }
    }
}
