// Network files: round trips and files that are wrong.

import ActArray
import ActGrad
import ActNetwork
import ActRandom
import ActTestSupport
import Testing

@Suite struct FileTests {
    private func network() throws -> Network {
        Network([
            try makeLayer("Conv2D", ["inputs": .number(1), "outputs": .number(2), "activation": .function(function("relu")), "dtype": .text("f32")]),
            try makeLayer("MaxPool2D", [:]), try makeLayer("Flatten", [:]), try dense(18, 4, "tanh"), try makeLayer("BatchNorm", ["features": .number(4)]),
            try makeLayer("Residual", ["f": .network(Network([try dense(4, 4), FunctionLayer(try function("gelu"))]))]),
            try makeLayer("PReLU", ["n": .number(4)]), try makeLayer("Dropout", ["rate": .number(0.25)]),
        ])
    }

    /// A program without functions of its own.
    private struct Activations: ProgramNames {
        func function(named name: String) -> NamedFunction? { ActGrad.Activations.named(name).map { NamedFunction($0) } }
        func layer(named name: String, _ settings: [String: Setting]) -> (any Layer)? { nil }
    }

    private func read(_ bytes: [UInt8]) throws -> Network? {
        try Network.read(Safetensors.content(bytes, path: "n"), path: "n", program: Activations())?.network
    }

    @Test func roundTrip() throws {
        var network = try network()
        network.states = [try NDArray([1, 2, 3, 4], shape: [4]), try NDArray([5, 6, 7, 8], shape: [4])]
        let bytes = try written { try network.write(into: $0) }
        let copy = try #require(try read(bytes))
        #expect(copy.text == network.text)
        #expect(copy.parameterNames == ["0.W", "0.b", "3.W", "3.b", "4.gamma", "4.beta", "5.f.0.W", "5.f.0.b", "6.alpha"])
        #expect(try copy.parameters.map { try $0.toDoubles() } == network.parameters.map { try $0.toDoubles() })
        #expect(copy.parameters.map(\.type) == network.parameters.map(\.type))
        #expect(try copy.states.map { try $0.toDoubles() } == [[1, 2, 3, 4], [5, 6, 7, 8]])
        var random = RandomSource(seed: 2)
        let x = try random.normal(shape: [3, 1, 8, 8])
        #expect(try copy(x).toDoubles() == network(x).toDoubles())
        #expect(try written { try copy.write(into: $0) } == bytes)
    }

    @Test func whatHasNoNameCannotBeSaved() throws {
        let network = Network([try dense(2, 2), FunctionLayer(NamedFunction(name: "x -> x", isNamed: false) { $0 })])
        #expect(throws: NetworkError.unsavable(layer: "x -> x", position: 1)) { try written { try network.write(into: $0) } }
    }

    @Test func anotherArchitecture() throws {
        let content = try Safetensors.content(written { try Network([try dense(2, 3)]).write(into: $0) }, path: "n")
        func fault(_ network: Network) throws -> CheckpointFault? {
            var network = network
            do { try network.fill(from: content, path: "n") } catch NetworkError.checkpoint(_, let fault, _) { return fault }
            return nil
        }
        #expect(try fault(Network([try dense(3, 2)])) == .shape("0.W", there: [2, 3], here: [3, 2]))
        #expect(try fault(Network([try dense(2, 3), try dense(3, 1)])) == .missing("1.W"))
        #expect(try fault(Network([FunctionLayer(try function("relu"))])) == .extra("0.W"))
    }

    /// Every truncation and many changed bytes: an error or a network, never a trap.
    @Test func damagedFiles() throws {
        let bytes = try written { try Network([try dense(2, 2, "relu"), try dense(2, 1)]).write(into: $0) }
        for count in 0..<bytes.count { #expect(throws: NetworkError.self) { try read(Array(bytes.prefix(count))) } }
        var random = RandomSource(seed: 4)
        for _ in 0..<3000 {
            var damaged = bytes
            for _ in 0..<3 { damaged[try random.integer(0, bytes.count)] = UInt8(try random.integer(0, 256)) }
            _ = try? read(damaged)
        }
    }

    /// As numpy and safetensors 0.4 write them: types that act widens, and names out of order.
    @Test func foreignTypes() throws {
        let header =
            #"{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"i":{"dtype":"I64","shape":[1],"data_offsets":[4,12]},"b":{"dtype":"BF16","shape":[],"data_offsets":[12,14]}}"#
        let data: [UInt8] = [0x00, 0x3c, 0x00, 0xc5, 7, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x40]
        func file(_ header: String, _ data: [UInt8]) -> [UInt8] {
            withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
        }
        let content = try Safetensors.content(file(header, data), path: "n")
        #expect(content.arrays.map(\.name) == ["h", "i", "b"])
        #expect(try content.arrays.map { try $0.array.toDoubles() } == [[1, -5], [7], [3]])
        for wrong in [
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,4],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", "[1]", "{\"a\":1}",
        ] {
            #expect(throws: NetworkError.self) { try Safetensors.content(file(wrong, data), path: "n") }
        }
    }

    private func safetensors(_ header: String, data: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + [UInt8](repeating: 0, count: data)
    }

    private func names(_ header: String, data: Int = 16) throws -> [String] {
        try Safetensors.content(safetensors(header, data: data), path: "n").arrays.map(\.name)
    }

    private func fault(_ header: String, data: Int = 16) throws -> NetworkFileFault? {
        do { _ = try names(header, data: data) } catch NetworkError.file(_, let fault) { return fault }
        return nil
    }

    private func entry(_ name: String, _ start: Int, _ end: Int) -> String {
        #""\#(name)":{"dtype":"F32","shape":[\#((end - start) / 4)],"data_offsets":[\#(start),\#(end)]}"#
    }

    /// The rules of the format, each broken in turn; the published reader refuses the same (Tests/Interchange/check.py asks it).
    @Test func malformedSafetensors() throws {
        func header(_ entries: String...) -> String { "{" + entries.joined(separator: ",") + "}" }
        #expect(try names(header(entry("b", 8, 16), entry("a", 0, 8))) == ["a", "b"])
        #expect(try names(header(entry("b", 0, 0), entry("a", 0, 16), entry("c", 16, 16))) == ["b", "a", "c"])
        #expect(try names(header(entry("a", 0, 16)) + "   ") == ["a"])
        #expect(try names("{}", data: 0) == [])
        #expect(try fault(header(entry("a", 0, 8), entry("b", 8, 12))) == .bytesAtEnd(4))
        #expect(try fault("{}", data: 1) == .bytesAtEnd(1))
        #expect(try fault(header(entry("a", 0, 8), entry("b", 12, 16))) == .bytesBefore("b", 4))
        #expect(try fault(header(entry("a", 4, 16))) == .bytesBefore("a", 4))
        #expect(try fault(header(entry("a", 0, 8), entry("b", 4, 16))) == .overlapping("b"))
        #expect(try fault(header(entry("a", 0, 16), entry("b", 0, 16))) == .overlapping("b"))
        #expect(try fault(header(entry("a", 0, 16), entry("b", 8, 8))) == .overlapping("b"))
        #expect(try fault(header(entry("a", 0, 8), entry("a", 8, 16))) == .arrayTwice("a"))
        #expect(try fault(header(entry("a", 0, 20))) == .arrayCut("a"))
        let good = #"{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#
        #expect(try names(good) == ["a"])
        let changes = [
            (
                "[2,2]",
                ["[2.0,2]", "[2e0,2]", "[-2,-2]", "[2,true]", "[\"2\",2]", "[2,2,null]", "4", "[18446744073709551616,0]", "[2,3]", "[02,2]", "[+2,2]", "{}"]
            ),
            ("[0,16]", ["[0.0,16]", "[0,16.0]", "[0,1.6e1]", "[-0,16]", "[16,0]", "[0]", "[0,16,16]", "[0,16,]", "16", "[null,16]", "[00,16]"]),
            ("\"F32\"", ["\"F33\"", "\"f32\"", "32", "null", "[\"F32\"]"]), ("\"dtype\"", ["\"Dtype\"", "\"shape\"", "dtype"]),
            ("\"shape\"", ["\"size\"", "\"dtype\""]),
            ("{\"a\"", [" {\"a\"", "[{\"a\"", "{a", "{,\"a\"", "{'a'", "\u{FEFF}{\"a\"", "{\"a\n\""]), ("}}", ["}", "}},", "}}x", "}}}", "},}", "}}\0"]),
        ]
        for (old, news) in changes {
            for new in news {
                let pieces = good.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
                #expect(try fault(pieces.joined(separator: new)) != nil, "\(new)")
            }
        }
        for metadata in ["1", "null", "[]", "\"a\"", #"{"a":1}"#, #"{"a":null}"#, #"{"a":{}}"#, #"{"a":["b"]}"#, #"{"a":"b","a":"c"}"#] {
            #expect(try fault("{\"__metadata__\":" + metadata + "," + good.dropFirst()) != nil, "\(metadata)")
        }
        #expect(try names(#"{"__metadata__":{"a":"b","c":""},"# + good.dropFirst()) == ["a"])
        #expect(throws: ArrayError.self) { try written { try Safetensors.write([("__metadata__", try NDArray([1], shape: [1]))], into: $0) } }
    }

    @Test func digits() throws {
        let (x, y) = try Digits.load()
        // Counts of the labels and the sum of all pixels, from the original files with NumPy.
        #expect(try (0..<10).map { label in try y.toDoubles().count { $0 == Double(label) } } == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
        #expect(try x.toDoubles().reduce(0, +) * 16 == 561718)
        #expect(try x.toDoubles().prefix(8).map { $0 * 16 } == [0, 0, 5, 13, 9, 1, 0, 0])
    }
}
