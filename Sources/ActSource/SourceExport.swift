// Networks and functions as modules of Python: what `save(net, "net.py", framework="torch")` writes. The module reads its weights from a file of
// safetensors beside it, act's own, and compares with what act computed when it is run by itself.

import ActArray
import ActFiles
import ActGrad
import ActNetwork
import ActRandom

package struct SourceExport {
    /// The text of the module.
    package let text: String
    /// What the network's own file does not hold: arrays that functions use.
    package let constants: [(name: String, array: NDArray)]
    /// Inputs, by their names, and what act makes of them, `model.result`.
    package let check: [(name: String, array: NDArray)]

    /// How many rows the inputs have that are kept to compare with.
    private static let rows = 4

    /// A network of inputs of a shape, whose number of rows is left open.
    /// - Parameters:
    ///   - shape: Of one input, without the rows.
    ///   - names: What arrays are called that its functions use.
    ///   - stem: The name of the files without their suffixes.
    /// - Throws: what the layers throw where they cannot take such inputs; `SourceExportError`, `GraphError`, `ArrayError.noGraph`.
    package init(
        _ network: Network, shape: [Int], names: [(name: String, array: NDArray)] = [], _ framework: SourceFramework, stem: String
    ) throws {
        let writer = PythonWriter(framework, names: names)
        var sizes = SourceExport.sizes(shape)
        let model: [String]
        switch framework {
        case .torch:
            let layers = try writer.layers(network, &sizes, path: "model")
            model = ["model = nn.Sequential("] + layers.made.map { "    \($0)," } + [")", "model.eval()", ""] + layers.loads
        case .jax:
            let lines = try writer.statements(network, &sizes)
            model = ["def model(x):"] + (lines + ["return x"]).map { "    " + $0 }
        case .keras:
            let layers = try writer.layers(network, &sizes, path: "model")
            let whole = "(None, \(shape.map(String.init).joined(separator: ", "))\(shape.count > 0 ? ")" : ",)")"
            model =
                ["model = keras.Sequential(["] + layers.made.map { "    \($0)," } + ["])", "model.build(\(shape.isEmpty ? "(None,)" : whole))", ""]
                + layers.loads
        }
        let x = try SourceExport.input(of: network, shape), y = try network(x)
        check = [("x", x), ("model.result", y)]
        constants = writer.constants
        text = SourceExport.text(
            network.text, framework, stem: stem, ["x"], writer.definitions.map(\.lines), model, hasWeights: !network.parameters.isEmpty || !constants.isEmpty)
    }

    /// A function of arrays of these shapes, each with one axis more in front, whose size is left open.
    package init(
        _ name: String, _ arguments: [(name: String, shape: [Int])], names arrays: [(name: String, array: NDArray)] = [], _ framework: SourceFramework,
        stem: String, _ function: ([NDArray]) throws -> NDArray
    ) throws {
        let writer = PythonWriter(framework, names: arrays), names = arguments.map { PythonWriter.identifier($0.name) }
        let graph = try writer.take(arguments.map { ($0.name, SourceExport.sizes($0.shape)) }, function)
        let body = try writer.body(of: graph, names) { Python(PythonWriter.weight(writer.store($0))) }
        let model = ["def model(\(names.joined(separator: ", "))):"] + (body.lines + ["return \(body.result.text)"]).map { "    " + $0 }
        var random = RandomSource(seed: 0)
        let inputs = try arguments.map { try random.normal(shape: [SourceExport.rows] + $0.shape, type: .f32) }
        check = zip(arguments, inputs).map { ($0.name, $1) } + [("model.result", try function(inputs))]
        constants = writer.constants
        text = SourceExport.text(name, framework, stem: stem, arguments.map(\.name), writer.definitions.map(\.lines), model, hasWeights: !constants.isEmpty)
    }

    private static func sizes(_ shape: [Int]) -> [GraphSize] { [GraphSize(fixed: 0, open: 1)] + shape.map { GraphSize(fixed: $0) } }

    /// Numbers that the network takes: of an embedding whole ones.
    private static func input(of network: Network, _ shape: [Int]) throws -> NDArray {
        var random = RandomSource(seed: 0)
        let shape = [rows] + shape
        if case .embedding? = network.layers.first?.form, let table = network.layers.first?.array(named: "W") {
            return try NDArray.unary(.floor, random.uniform(shape: shape, type: .f32) * Double(table.shape[0]))
        }
        return try random.normal(shape: shape, type: .f32)
    }

    // MARK: The module

    private static func text(
        _ name: String, _ framework: SourceFramework, stem: String, _ inputs: [String], _ definitions: [[String]], _ model: [String], hasWeights: Bool
    ) -> String {
        let code = definitions.flatMap { $0 + ["", ""] } + model, whole = code.joined(separator: "\n")
        var lines = ["\"\"\"\(PythonWriter.comment(name))", "", "Written by act."]
        let comment = PythonWriter.comment(stem), file = { PythonWriter.quoted(stem + $0) }
        if hasWeights { lines[2] += " The weights are in \(comment).safetensors." }
        lines += ["Run by itself it compares with what act computed (\(comment).check.safetensors).", "\"\"\"", "import os", "", "import numpy as np"]
        switch framework {
        case .torch:
            lines.append("import torch")
            if whole.contains("F.") { lines.append("import torch.nn.functional as F") }
        case .jax: lines += ["import jax", "import jax.numpy as jnp"]
        case .keras: lines.append("import keras")
        }
        lines.append("from safetensors.numpy import load_file")
        if framework == .torch, whole.contains("nn.") { lines.append("from torch import nn") }
        if framework == .keras, whole.contains("ops.") { lines.insert("from keras import ops", at: lines.count - 1) }
        lines += ["", "here = os.path.dirname(os.path.abspath(__file__))"]
        if hasWeights {
            let held =
                switch framework {
                case .torch: "torch.from_numpy(array).float()"
                case .jax: "jnp.asarray(array, jnp.float32)"
                case .keras: "array"
                }
            lines.append("weights = {name: \(held) for name, array in load_file(os.path.join(here, \(file(".safetensors")))).items()}")
        }
        lines += ["", ""] + code + ["", "", "if __name__ == \"__main__\":", "    check = load_file(os.path.join(here, \(file(".check.safetensors"))))"]
        let arguments = inputs.map { framework == .torch ? "torch.from_numpy(check[\"\($0)\"])" : "check[\"\($0)\"]" }.joined(separator: ", ")
        let result =
            switch framework {
            case .torch: "model(\(arguments)).detach().numpy()"
            case .jax: "np.asarray(jax.jit(model)(\(arguments)))"
            case .keras: "keras.ops.convert_to_numpy(model(\(arguments)))"
            }
        lines += ["    result = \(result)", "    print(\"largest difference:\", np.abs(result.astype(\"f8\") - check[\"model.result\"]).max())"]
        return lines.joined(separator: "\n") + "\n"
    }
}
