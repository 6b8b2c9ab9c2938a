// Models as files hold them: sound ones in every form that the format has, and those that are cut, damaged or made to do harm.

import ActArray
import ActNetwork
import ActONNX
import ActTestSupport
import Testing

/// Protocol Buffers by hand, for what no writer would write.
private struct Message {
    private(set) var bytes: [UInt8] = []

    static func varint(_ number: UInt64) -> [UInt8] {
        var rest = number, result: [UInt8] = []
        while rest > 127 {
            result.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return result + [UInt8(rest)]
    }

    func number(_ field: UInt64, _ value: UInt64) -> Message { appending(Self.varint(field << 3) + Self.varint(value)) }
    func bytes(_ field: UInt64, _ value: [UInt8]) -> Message { appending(Self.varint(field << 3 | 2) + Self.varint(UInt64(value.count)) + value) }
    func text(_ field: UInt64, _ value: String) -> Message { bytes(field, Array(value.utf8)) }
    func message(_ field: UInt64, _ value: Message) -> Message { bytes(field, value.bytes) }
    func float(_ field: UInt64, _ value: Float) -> Message {
        appending(Self.varint(field << 3 | 5) + withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init))
    }
    func raw(_ value: [UInt8]) -> Message { appending(value) }

    private func appending(_ more: [UInt8]) -> Message {
        var copy = self
        copy.bytes += more
        return copy
    }
}

@Suite struct ReaderTests {
    private func node(_ operation: String, _ inputs: [String], _ outputs: [String], domain: String = "") -> Message {
        let named = outputs.reduce(inputs.reduce(Message()) { $0.text(1, $1) }) { $0.text(2, $1) }.text(4, operation)
        return domain.isEmpty ? named : named.text(7, domain)
    }

    private func info(_ name: String, type: UInt64 = 1) -> Message {
        Message().text(1, name).message(2, Message().message(1, Message().number(1, type)))
    }

    private func model(_ graph: Message, functions: [Message] = [], format: UInt64 = 10, opset: UInt64 = 20) -> [UInt8] {
        let head = Message().number(1, format).message(8, version("", opset)).message(8, version("own", 1)).message(7, graph)
        return functions.reduce(head) { $0.message(25, $1) }.bytes
    }

    private func version(_ domain: String, _ number: UInt64) -> Message { Message().text(1, domain).number(2, number) }

    /// y = x + t, for a tensor t.
    private func sum(_ tensor: Message) -> [UInt8] {
        model(Message().message(1, node("Add", ["x", "t"], ["y"])).message(5, tensor).message(11, info("x")).message(12, info("y")))
    }

    private func fault(_ bytes: [UInt8], external: @escaping (String) throws -> [UInt8] = { _ in [] }) -> ONNXFault? {
        do {
            _ = try ModelReader.read(bytes, path: "m", external: external) { try ModelCompiler.network($0, path: "m") }
        } catch let error as ONNXError { return error.fault } catch {}
        return nil
    }

    private func value(_ bytes: [UInt8]) throws -> [Double] {
        let network = try load(bytes)
        return try network(NDArray([0], shape: [1], type: .f32)).toDoubles()
    }

    private func tensor(_ type: UInt64, _ count: UInt64 = 2) -> Message { Message().number(1, count).number(2, type).text(8, "t") }

    // MARK: Forms

    @Test func elementsStandInEveryFieldThatHoldsThem() throws {
        let floats = [Float(1.5), -2].flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
        #expect(try value(sum(tensor(1).bytes(9, floats))) == [1.5, -2])
        #expect(try value(sum(tensor(1).bytes(4, floats))) == [1.5, -2])
        #expect(try value(sum(tensor(1).float(4, 1.5).float(4, -2))) == [1.5, -2])
        // The same packed and one by one: 7 and -3 as a number of ten bytes.
        let minus = Message.varint(UInt64(bitPattern: -3))
        #expect(try value(sum(tensor(7).bytes(7, [7] + minus))) == [7, -3])
        #expect(try value(sum(tensor(7).number(7, 7).number(7, UInt64(bitPattern: -3)))) == [7, -3])
        #expect(try value(sum(tensor(6).bytes(5, [7] + minus))) == [7, -3])
        #expect(try value(sum(tensor(3).bytes(5, [7] + minus))) == [7, -3])
        // Halves by their bits: 1.5 is 0x3E00, bfloat16 -2 is 0xC000.
        #expect(try value(sum(tensor(10, 1).bytes(5, Message.varint(0x3E00)))) == [1.5])
        #expect(try value(sum(tensor(16, 1).bytes(9, [0x00, 0xC0]))) == [-2])
        #expect(try value(sum(tensor(11, 1).bytes(10, withUnsafeBytes(of: (0.1).bitPattern.littleEndian, Array.init)))) == [Double(Float(0.1))])
        #expect(try value(sum(tensor(12, 1).bytes(11, Message.varint(4_000_000_000)))) == [4_000_000_000])
        // uint4 in one byte, the first in its lower half; float8e4m3fn 0x38 is 1.
        #expect(try value(sum(tensor(21).bytes(9, [0x3F]))) == [15, 3])
        #expect(try value(sum(tensor(17, 1).bytes(9, [0x38]))) == [1])
    }

    @Test func fieldsThatAreNotKnownArePassedOver() throws {
        let strange = tensor(1, 1).float(4, 3).number(900, 1).text(901, "new").float(902, 1).raw(Message.varint(903 << 3 | 1) + [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(try value(sum(strange)) == [3])
    }

    // MARK: Faults

    @Test func everyCutIsAnError() throws {
        for name in ["network.onnx", "functions.onnx"] {
            let bytes = try referenceBytes(name)
            for count in 0..<bytes.count {
                do {
                    // What is left may be a model: all but the last message.
                    _ = try load(Array(bytes[..<count]))
                } catch is ONNXError {} catch { Issue.record("\(name), \(count) bytes: \(error)") }
            }
        }
    }

    @Test func everyFlippedByteIsAnErrorOrANetwork() throws {
        let bytes = try referenceBytes("network.onnx"), x = try NDArray.full(0.5, shape: [1, 1, 6, 6], type: .f32)
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= [1, 0x80, 0xFF][position % 3]
            // Whatever comes of it: it does not end the process.
            if let network = try? load(damaged) { _ = try? network(.array(x), Pass()) }
        }
    }

    @Test func damage() throws {
        func protobuf(_ bytes: [UInt8]) -> ProtobufFault? { if case .protobuf(let fault)? = fault(bytes) { fault } else { nil } }
        // A field of 2⁴⁰ bytes, a number of eleven bytes, groups, field 0.
        #expect(protobuf([0x3A] + Message.varint(1 << 40) + [1]) == .endsEarly(at: 1))
        #expect(protobuf([0x08] + [UInt8](repeating: 0xFF, count: 10) + [1]) == .longNumber(at: 1))
        #expect(protobuf([0x0B]) == .badTag(at: 0))
        #expect(protobuf([0x00, 1]) == .badTag(at: 0))
        // A graph that is a number, a name that is not text.
        #expect(protobuf(Message().number(7, 1).bytes) == .otherType(field: 7, at: 0))
        #expect(protobuf(Message().bytes(2, [0xFF, 0xFE]).bytes) == .notUTF8(field: 2, at: 0))
        guard case .noGraph? = fault([]), case .noGraph? = fault(Message().number(1, 8).bytes) else {
            Issue.record("an empty file")
            return
        }
    }

    @Test func tensorsThatDoNotHoldWhatTheyPromise() throws {
        func isWrong(_ tensor: Message) -> Bool {
            switch fault(sum(tensor)) {
            case .tensorSize?, .tensorTooLarge?: true
            default: false
            }
        }
        #expect(isWrong(tensor(1, 3).float(4, 1)))
        #expect(isWrong(tensor(1, 1 << 40)))
        #expect(isWrong(tensor(1, 1 << 62).number(1, 1 << 62)))
        guard case .negativeSize? = fault(sum(tensor(1, UInt64(bitPattern: -2)))) else {
            Issue.record("a negative size")
            return
        }
        guard case .elementOutOfRange? = fault(sum(tensor(3, 1).number(5, 1000))) else {
            Issue.record("1000 as int8")
            return
        }
        guard case .unknownType(_, 99)? = fault(sum(tensor(99, 1))) else {
            Issue.record("type 99")
            return
        }
        // 2⁵³ + 1 is not an f64.
        #expect(throws: (any Error).self) { try load(sum(tensor(7, 1).number(7, (1 << 53) + 1))) }
    }

    @Test func graphsInsideOneAnotherAreBounded() {
        var graph = Message()
        for _ in 0..<2000 { graph = Message().message(1, Message().text(4, "If").message(5, Message().text(1, "then_branch").message(6, graph).number(20, 5))) }
        guard case .tooDeep? = fault(model(graph)) else {
            Issue.record("2000 graphs inside one another")
            return
        }
        var type = Message()
        for _ in 0..<2000 { type = Message().message(4, Message().message(1, type)) }
        guard case .tooDeep? = fault(model(Message().message(11, Message().text(1, "x").message(2, type)))) else {
            Issue.record("2000 types inside one another")
            return
        }
    }

    @Test func everythingThatIsLackingIsSaidAtOnce() {
        let graph = [node("Magic", ["x"], ["a"]), node("Magic", ["a"], ["b"]), node("Other", ["b"], ["y"], domain: "far"), node("Relu", ["y"], ["z"])].reduce(
            Message()
        ) { $0.message(1, $1) }
        guard case .lacking(let operators, let types)? = fault(model(graph.message(11, info("x", type: 8)).message(12, info("z", type: 14)))) else {
            Issue.record("nothing lacks")
            return
        }
        #expect(operators == [.init(name: "Magic", count: 2), .init(name: "far.Other", count: 1)])
        #expect(types == [.init(name: "complex64", count: 1), .init(name: "string", count: 1)])
    }

    /// As onnxruntime does, which takes what is released by then and no other.
    @Test func versionsThatAreNotKnown() {
        let graph = Message().message(1, node("Relu", ["x"], ["y"])).message(11, info("x")).message(12, info("y"))
        #expect(fault(model(graph, format: 14, opset: 28)) == nil)
        #expect(fault(model(graph, format: 3, opset: 1)) == nil)
        for opset in [UInt64(29), 999, 0, .max] {
            guard case .unknownOpset("", _, 28)? = fault(model(graph, opset: opset)) else {
                Issue.record("version \(opset)")
                continue
            }
        }
        guard case .newerFormat(15, 14)? = fault(model(graph, format: 15)) else {
            Issue.record("a newer format")
            return
        }
        // Of other operators than ONNX's own, and of a function's body.
        guard case .unknownOpset("ai.onnx.ml", 6, 5)? = fault(model(graph) + Message().message(8, version("ai.onnx.ml", 6)).bytes) else {
            Issue.record("ai.onnx.ml")
            return
        }
        let function = Message().text(1, "f").text(10, "own").text(4, "v").text(5, "w").message(7, node("Relu", ["v"], ["w"])).message(9, version("", 29))
        guard case .unknownOpset("", 29, 28)? = fault(model(graph, functions: [function])) else {
            Issue.record("a function")
            return
        }
        // Those of a domain of one's own are one's own.
        #expect(fault(model(graph) + Message().message(8, version("own", 999)).bytes) == nil)
    }

    @Test func graphsThatDoNotRunInTheirOrder() {
        let circle = Message().message(1, node("Add", ["x", "b"], ["a"])).message(1, node("Relu", ["a"], ["b"])).message(11, info("x")).message(12, info("b"))
        guard case .unknownValue("b", _)? = fault(model(circle)) else {
            Issue.record("a circle")
            return
        }
        let twice = Message().message(1, node("Relu", ["x"], ["a"])).message(1, node("Relu", ["x"], ["a"])).message(11, info("x")).message(12, info("a"))
        guard case .madeTwice("a")? = fault(model(twice)) else {
            Issue.record("made twice")
            return
        }
        guard case .noOutputs? = fault(model(Message().message(11, info("x")))) else {
            Issue.record("no outputs")
            return
        }
    }

    @Test func functionsThatCallThemselvesOrMultiply() {
        func function(_ name: String, calls: [String]) -> Message {
            let body = calls.enumerated().reduce(Message().text(1, name).text(10, "own").text(4, "v").text(5, "w")) { made, call in
                made.message(7, node(call.element, ["v"], [call.offset == calls.count - 1 ? "w" : "t\(call.offset)"], domain: "own"))
            }
            return body.message(9, Message().text(1, "own").number(2, 1))
        }
        let graph = Message().message(1, node("f0", ["x"], ["y"], domain: "own")).message(11, info("x")).message(12, info("y"))
        guard case .recursiveFunction? = fault(model(graph, functions: [function("f0", calls: ["f0"])])) else {
            Issue.record("a function that calls itself")
            return
        }
        // 2⁴⁰ nodes in forty functions.
        let doubling = (0..<40).map { function("f\($0)", calls: $0 < 39 ? ["f\($0 + 1)", "f\($0 + 1)"] : ["f39"]) }
        switch fault(model(graph, functions: doubling)) {
        case .tooManyNodes?, .recursiveFunction?: break
        default: Issue.record("functions that multiply")
        }
    }

    /// By the ends of 64 bits models say "as far as it goes".
    @Test(arguments: [(0, Int64.max, 1), (-1, .min, -1), (.max, .min + 1, -2), (.min, .max - 1, 2)] as [(Int64, Int64, Int64)])
    func endsOfTheRange(_ start: Int64, _ end: Int64, _ step: Int64) throws {
        func whole(_ name: String, _ number: Int64) -> ONNXTensor {
            ONNXTensor(name: name, type: .int64, shape: [1], bytes: withUnsafeBytes(of: number.littleEndian, Array.init))
        }
        func info(_ name: String) -> ONNXValueInfo { ONNXValueInfo(name: name, type: .float, shape: [.known(3)]) }
        // Once as they are, once joined from constants.
        for operation in ["Identity", "Constant"] {
            let ends =
                operation == "Identity"
                ? ONNXNode("Identity", inputs: ["e"], outputs: ["end"])
                : ONNXNode("Constant", inputs: [], outputs: ["end"], attributes: [ONNXAttribute("value_ints", .ints([end]))])
            let graph = ONNXGraph(
                name: "g", nodes: [ends, ONNXNode("Slice", inputs: ["x", "s", "end", "a", "t"], outputs: ["y"])], inputs: [info("x")], outputs: [info("y")],
                initializers: [whole("s", start), whole("e", end), whole("a", 0), whole("t", step)])
            let network = try ModelCompiler.network(ONNXModel(irVersion: 10, opsets: ["": 20], graph: graph), path: "m")
            let given = [1.0, 2, 3], expected = step < 0 ? given.reversed() : given
            #expect(try network(NDArray(given, shape: [3], type: .f32)).toDoubles() == stride(from: 0, to: 3, by: Int(step.magnitude)).map { expected[$0] })
        }
    }

    // MARK: Files beside it

    @Test func elementsInOtherFiles() throws {
        func entry(_ key: String, _ value: String) -> Message { Message().text(1, key).text(2, value) }
        func placed(_ location: String, offset: String = "0") -> [UInt8] {
            sum(tensor(1, 1).message(13, entry("location", location)).message(13, entry("offset", offset)).number(14, 1))
        }
        let three = withUnsafeBytes(of: Float(3).bitPattern.littleEndian, Array.init)
        func read(_ bytes: [UInt8]) throws -> [Double] {
            let network = try ModelReader.read(bytes, path: "m", external: { $0 == "w/w.bin" ? [9, 9, 9, 9] + three : [] }) {
                try ModelCompiler.network($0, path: "m")
            }
            return try network(NDArray([0], shape: [1], type: .f32)).toDoubles()
        }
        #expect(try read(placed("w/w.bin", offset: "4")) == [3])
        for location in ["/etc/passwd", "../w.bin", "w/../../w.bin", "w//w.bin", ".."] {
            guard case .outside("t", location)? = fault(placed(location)) else {
                Issue.record("\(location)")
                return
            }
        }
        for offset in ["-1", "x", "", "9223372036854775808"] {
            guard case .badPlace("t", "offset", offset)? = fault(placed("w.bin", offset: offset), external: { _ in [0, 0, 0, 0, 0, 0] }) else {
                Issue.record("offset \(offset)")
                return
            }
        }
        for offset in ["5", "99", "9223372036854775807"] {
            guard case .shortExternal? = fault(placed("w.bin", offset: offset), external: { _ in [0, 0, 0, 0, 0, 0] }) else {
                Issue.record("offset \(offset)")
                return
            }
        }
        guard case .noLocation? = fault(sum(tensor(1, 1).number(14, 1))) else {
            Issue.record("no location")
            return
        }
    }
}
