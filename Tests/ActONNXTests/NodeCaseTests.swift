// A hundred of onnx's own cases of single operators, as `Tests/Interchange/onnx_cases.py --sample` keeps them: models as bytes, inputs, outputs, tolerances.

import ActArray
import ActNetwork
import ActONNX
import ActTestSupport
import Foundation
import Testing

@Suite struct NodeCaseTests {
    private struct Case: Decodable {
        let name: String
        let inputs, outputs: Int
        let rtol, atol: Double
    }

    @Test func outputsAreThoseOfONNX() throws {
        let bytes = try referenceBytes("cases.safetensors"), content = try Safetensors.content(bytes, path: "cases")
        let arrays = Dictionary(content.arrays.map { ($0.name, $0.array) }, uniquingKeysWith: { first, _ in first })
        #expect(content.metadata.count == 100)
        for (number, text) in content.metadata {
            let own = try JSONDecoder().decode(Case.self, from: Data(text.utf8))
            let model = try #require(arrays["\(number).model"]).toDoubles().map { UInt8($0) }
            let inputs = try (0..<own.inputs).map { Signal.array(try #require(arrays["\(number).in.\($0)"])) }
            let outputs = try (0..<own.outputs).map { try #require(arrays["\(number).out.\($0)"]) }
            do {
                let network = try load(model, own.name), found = try network(inputs.count == 1 ? inputs[0] : .list(inputs), Pass())
                let results = outputs.count == 1 ? [found] : try #require(found.parts(named: []))
                for (result, expected) in zip(results, outputs) {
                    let result = try #require(try result.array)
                    #expect(result.shape == expected.shape, "\(own.name)")
                    let pairs = try zip(result.toDoubles(), expected.toDoubles())
                    #expect(pairs.allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN || ($0 - $1).magnitude <= own.atol + own.rtol * $1.magnitude }, "\(own.name)")
                }
            } catch { Issue.record("\(own.name): \(error)") }
        }
    }
}

func referenceBytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: BuiltCommand.packageFolder + "/Tests/ActONNXTests/Reference/" + name)))
}

/// The network of a model that has no files beside it.
func load(_ bytes: [UInt8], _ path: String = "m.onnx") throws -> Network {
    try ModelReader.read(bytes, path: path, external: { _ in throw TestFailure("nothing lies beside it") }) { try ModelCompiler.network($0, path: path) }
}
