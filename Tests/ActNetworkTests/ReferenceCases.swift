// Reading what Tools/reference/torch_networks.py wrote: numbers that PyTorch computed in float64.

import ActArray
import ActGrad
import ActNetwork
import ActRandom
import ActTestSupport

struct ReferenceCase: Sendable, CustomStringConvertible {
    struct Numbers: Sendable {
        let shape: [Int]
        let values: [Double]
    }

    let name: String
    let settings: [String: String]
    var arrays: [(name: String, numbers: Numbers)] = []
    private let line: Int

    var description: String { "\(name) \(settings.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")) (line \(line))" }

    func array(_ name: String) throws -> NDArray {
        guard let found = arrays.first(where: { $0.name == name })?.numbers else { throw TestFailure("\(self) has no \(name)") }
        return try NDArray(found.values, shape: found.shape)
    }

    func number(_ name: String) -> Double? { settings[name].flatMap(Double.init) }

    static func all(in file: String) throws -> [ReferenceCase] {
        var cases: [ReferenceCase] = []
        let text = try ScriptFile.text(of: BuiltCommand.packageFolder + "/Tests/ActNetworkTests/Reference/\(file).txt")
        for (number, line) in text.split(separator: "\n").enumerated() {
            let words = line.split(separator: " ")
            if words.first == "case", words.count > 1 {
                let settings = words.dropFirst(2).map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
                cases.append(
                    ReferenceCase(name: String(words[1]), settings: Dictionary(uniqueKeysWithValues: settings.map { ($0[0], $0[1]) }), line: number + 1))
            } else if words.first == "array", words.count > 2 {
                let shape = words[2] == "()" ? [] : words[2].split(separator: ",").compactMap { Int($0) }
                cases[cases.count - 1].arrays.append((String(words[1]), Numbers(shape: shape, values: words.dropFirst(3).compactMap { Double($0) })))
            }
        }
        return cases
    }

    private init(name: String, settings: [String: String], line: Int) {
        self.name = name
        self.settings = settings
        self.line = line
    }
}

/// The largest distance between two arrays, relative to the larger of 1 and the size of the numbers; infinite when the shapes differ.
func distance(_ a: NDArray, _ b: NDArray) throws -> Double {
    guard a.shape == b.shape else { return .infinity }
    var worst = 0.0
    for (x, y) in zip(try a.toDoubles(), try b.toDoubles()) {
        let error = abs(x - y) / max(1, abs(y))
        if !(error <= worst) { worst = error }
    }
    return worst
}

/// A layer as a program would make it, in f64.
func makeLayer(_ kind: String, _ settings: [String: Setting], seed: UInt64 = 1) throws -> any Layer {
    guard let row = LayerRows.named(kind) else { throw TestFailure("there is no layer \(kind)") }
    var random = RandomSource(seed: seed)
    let all =
        !row.parameters.contains { $0.name == "dtype" }
        ? settings.filter { $0.key != "dtype" } : settings.merging(["dtype": .text("f64")]) { given, _ in given }
    return try row.make(all, &random)
}

func function(_ name: String) throws -> NamedFunction {
    guard let row = Activations.named(name) else { throw TestFailure("there is no activation \(name)") }
    return NamedFunction(row)
}

func dense(_ inputs: Int, _ outputs: Int, _ activation: String = "identity", seed: UInt64 = 1) throws -> any Layer {
    try makeLayer("Dense", ["inputs": .number(Double(inputs)), "outputs": .number(Double(outputs)), "activation": .function(function(activation))], seed: seed)
}
