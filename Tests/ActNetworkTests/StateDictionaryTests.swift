// State dictionaries that PyTorch wrote (`make_state_dicts.py`), read into networks of act's own layers: the outputs are PyTorch's; and those that do not fit.

import ActArray
import ActGrad
import ActNetwork
import ActTestSupport
import Foundation
import Testing

@Suite struct StateDictionaryTests {
    private static func content(_ name: String) throws -> Safetensors.Content {
        let path = BuiltCommand.packageFolder + "/Tests/ActNetworkTests/Reference/states/\(name).safetensors"
        return try Safetensors.content(Array(Data(contentsOf: URL(fileURLWithPath: path))), path: name)
    }

    private static func layer(_ kind: String, _ settings: [String: Setting] = [:]) throws -> any Layer {
        try makeLayer(kind, settings)
    }

    private static func dense(_ inputs: Double, _ outputs: Double, _ activation: String = "identity", bias: Bool = true) throws -> any Layer {
        try layer(
            "Dense",
            [
                "inputs": .number(inputs), "outputs": .number(outputs), "activation": .function(activation == "identity" ? .identity : function(activation)),
                "bias": .flag(bias),
            ])
    }

    private static func recurrent(_ kind: String, _ inputs: Double, _ units: Double) throws -> any Layer {
        try layer(kind, ["inputs": .number(inputs), "units": .number(units)])
    }
    private static func norm(_ kind: String, _ features: Double) throws -> any Layer {
        try layer(kind, [kind == "LayerNorm" || kind == "BatchNorm" ? "features" : "channels": .number(features)])
    }

    private static func sizes(_ numbers: Double...) -> Setting { .list(numbers.map { .number($0) }) }

    /// The same models in act's layers, which hold other numbers until they are filled.
    private static func network(_ name: String) throws -> Network {
        switch name {
        case "mlp":
            return Network([
                try dense(3, 4, "relu"), try dense(4, 4, "tanh"), try dense(4, 4), try layer("PReLU", ["n": .number(4)]), try dense(4, 2, bias: false),
            ])
        case "conv":
            return Network([
                try layer("Conv2D", ["inputs": .number(2), "outputs": .number(4), "kernel": sizes(3, 5), "padding": sizes(1, 2), "groups": .number(2)]),
                try norm("BatchNorm", 4),
                FunctionLayer(try function("relu")), try layer("MaxPool2D"),
                try layer("ConvTranspose2D", ["inputs": .number(4), "outputs": .number(3), "kernel": .number(2), "stride": .number(2)]),
                try layer("GroupNorm", ["groups": .number(3), "channels": .number(3)]), try layer("Flatten"), try dense(108, 2),
            ])
        case "sequence":
            return Network([
                try layer("Conv1D", ["inputs": .number(2), "outputs": .number(4), "kernel": .number(3), "padding": .number(1)]), try norm("BatchNorm", 4),
                try layer("Conv1D", ["inputs": .number(4), "outputs": .number(4), "kernel": .number(1)]), try norm("BatchNorm", 4),
            ])
        case "rnn": return Network([try recurrent("RNN", 3, 4), try recurrent("RNN", 4, 4)])
        case "gru": return Network([try recurrent("GRU", 3, 4)])
        case "lstm": return Network([try recurrent("LSTM", 4, 4), try recurrent("LSTM", 4, 4), try recurrent("LSTM", 4, 4)])
        case "attention": return Network([try layer("Attention", ["size": .number(8), "heads": .number(2)])])
        case "block":
            let attends = Network([try norm("LayerNorm", 8), try layer("Attention", ["size": .number(8), "heads": .number(2)])])
            let feeds = Network([try norm("LayerNorm", 8), try dense(8, 16, "relu"), try dense(16, 8)])
            return Network([
                try layer("Embedding", ["count": .number(7), "size": .number(8)]), try layer("Residual", ["f": .network(attends)]),
                try layer("Residual", ["f": .network(feeds)]),
            ])
        default: return Network(try (0..<12).map { _ in try dense(3, 3, "tanh") })
        }
    }

    @Test(arguments: ["mlp", "conv", "sequence", "rnn", "gru", "lstm", "attention", "block", "deep"]) func outputsArePyTorchs(_ name: String) throws {
        let data = Dictionary(try Self.content("outputs").arrays.map { ($0.name, $0.array) }, uniquingKeysWith: { first, _ in first })
        let x = try #require(data["\(name).x"]), y = try #require(data["\(name).y"])
        var network = try Self.network(name)
        try network.fill(from: try Self.content(name), path: name)
        let found = try network(x)
        #expect(found.shape == y.shape)
        #expect(try zip(found.toDoubles(), y.toDoubles()).allSatisfy { ($0 - $1).magnitude < 1e-10 })
    }

    // MARK: What does not fit

    private func misfits(_ network: Network, _ arrays: [(String, [Int])]) throws -> [StateMisfit] {
        var network = network
        let content = Safetensors.Content(arrays: try arrays.map { ($0.0, try NDArray.full(1, shape: $0.1, type: .f64)) }, metadata: [:])
        do { try network.fill(from: content, path: "p") } catch NetworkError.checkpoint("p", .stateDictionary(let misfits), _) { return misfits }
        return []
    }

    @Test func everythingThatDoesNotFitIsSaidAtOnce() throws {
        let network = Network([try Self.dense(3, 4), try Self.dense(4, 2)])
        let found = try misfits(network, [("a.weight", [4, 3]), ("a.bias", [4]), ("b.weight", [5, 4]), ("b.bias", [5]), ("c.weight", [2])])
        #expect(
            found == [
                .layer("1", wants: [.init(name: "weight", shape: [2, 4]), .init(name: "bias", shape: [2])]),
                .module("b", holds: [.init(name: "bias", shape: [5]), .init(name: "weight", shape: [5, 4])]),
                .module("c", holds: [.init(name: "weight", shape: [2])]),
            ])
        // A bias that is not there is not made up, and one that is there is not left out.
        #expect(try misfits(network, [("0.weight", [4, 3]), ("2.weight", [2, 4]), ("2.bias", [2])]).count == 2)
        #expect(try misfits(Network([try Self.dense(3, 4, bias: false)]), [("l.weight", [4, 3]), ("l.bias", [4])]).count == 2)
    }

    @Test func namesThatDoNotTellTheOrderAreRefused() throws {
        let network = Network([try Self.dense(3, 3), try Self.dense(3, 3)])
        func arrays(_ first: String, _ second: String) -> [(String, [Int])] { [first, second].flatMap { [("\($0).weight", [3, 3]), ("\($0).bias", [3])] } }
        #expect(try misfits(network, arrays("query", "key")) == [.unclear(["key", "query"], layers: ["0", "1"])])
        for names in [("fc1", "fc2"), ("layers.9.fc", "layers.10.fc"), ("0", "2"), ("model.1.a", "model.2.a")] {
            #expect(try misfits(network, arrays(names.0, names.1)) == [])
        }
        // Where shapes differ, names need not tell.
        #expect(
            try misfits(
                Network([try Self.dense(3, 4), try Self.dense(4, 3)]), [("z.weight", [4, 3]), ("z.bias", [4]), ("a.weight", [3, 4]), ("a.bias", [3])]) == [])
    }

    /// Numbers in names are numbers: layer 10 is not the second of twelve.
    @Test func modulesComeInTheOrderOfTheirNumbers() throws {
        var network = try Self.network("deep")
        let content = try Self.content("deep")
        try network.fill(from: content, path: "deep")
        let arrays = Dictionary(content.arrays.map { ($0.name, $0.array) }, uniquingKeysWith: { first, _ in first })
        for position in 0..<12 {
            let weight = try #require(arrays["\(2 * position).weight"]).transposed()
            #expect(try network.layers[position].parameters[0].toDoubles() == weight.toDoubles())
        }
    }
}
