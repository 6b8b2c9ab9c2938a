// Layers that are parts of a graph: what they learn and gather, where a graph is cut, operators as they were in old opsets.

import ActArray
import ActNetwork
import ActONNX
import Testing

@Suite struct GraphLayerTests {
    private func graph(
        _ nodes: [ONNXNode], opset: Int64 = 20, constants: [ONNXTensor] = [], inputs: [ONNXValueInfo] = [ONNXValueInfo(name: "x", type: .float, shape: nil)]
    ) throws -> Network {
        let output = try #require(nodes.last?.outputs.first)
        let graph = ONNXGraph(
            name: "g", nodes: nodes, inputs: inputs, outputs: [ONNXValueInfo(name: output, type: .undefined, shape: nil)], initializers: constants)
        return try ModelCompiler.network(ONNXModel(irVersion: 8, opsets: ["": opset], graph: graph), path: "m")
    }

    private func tensor(_ name: String, _ numbers: [Float], _ shape: [Int64]? = nil) -> ONNXTensor {
        let bytes = numbers.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
        return ONNXTensor(name: name, type: .float, shape: shape ?? [Int64(numbers.count)], bytes: bytes)
    }

    private func wholes(_ name: String, _ numbers: [Int64]) -> ONNXTensor {
        ONNXTensor(name: name, type: .int64, shape: [Int64(numbers.count)], bytes: numbers.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) })
    }

    private func matrix(_ rows: [[Double]]) throws -> NDArray { try NDArray(rows.flatMap(\.self), shape: [rows.count, rows[0].count]).converted(to: .f32) }

    @Test func trainingGathersStatistics() throws {
        let constants = [tensor("s", [2, 1]), tensor("b", [0, 3]), tensor("m", [10, 20]), tensor("v", [4, 9])]
        let network = try graph([ONNXNode("BatchNormalization", inputs: ["x", "s", "b", "m", "v"], outputs: ["y"])], constants: constants)
        #expect(network.parameterNames == ["0.s", "0.b"] && network.stateNames == ["0.m", "0.v"])
        let x = try matrix([[1, 0], [3, 4]]), training = Pass(isTraining: true)
        // By the batch: mean 2 and 2, variance 1 and 4.
        let y = try network(x, training).toDoubles()
        #expect(zip(y, [-2, 2, 2, 4]).allSatisfy { ($0 - $1).magnitude < 1e-4 })
        // A tenth of the batch's and nine tenths of what was (ONNX: running · momentum + current · (1 − momentum), momentum 0.9, the variance of the
        // population).
        let states = try training.takeStates(of: network.states).map { try $0.toDoubles() }
        #expect(zip(states.flatMap(\.self), [9.2, 18.2, 3.7, 8.5]).allSatisfy { ($0 - $1).magnitude < 1e-5 })
        // Outside of it by what was gathered.
        #expect(try zip(network(x).toDoubles(), [-9, -20 / 3.0 + 3, -7, -16 / 3.0 + 3]).allSatisfy { ($0 - $1).magnitude < 1e-3 })
    }

    /// A tensor among the attributes of a node is kept with the layer.
    @Test func tensorsOfAttributesAreSettings() throws {
        let nodes = [
            ONNXNode("Shape", inputs: ["x"], outputs: ["s"]),
            ONNXNode("ConstantOfShape", inputs: ["s"], outputs: ["c"], attributes: [ONNXAttribute("value", .tensor(tensor("", [2.5])))]),
            ONNXNode("Add", inputs: ["x", "c"], outputs: ["y"]),
        ]
        let network = try graph(nodes), x = try matrix([[1, 2], [3, 4]]), settings = network.layers[0].settings.said
        let again = try GraphLayer(Dictionary(uniqueKeysWithValues: settings.compactMap { name, value in value.map { (name, $0) } }), path: "m")
        #expect(try network(x).toDoubles() == [3.5, 4.5, 5.5, 6.5] && Network([again])(x).toDoubles() == [3.5, 4.5, 5.5, 6.5])
    }

    @Test func aGraphIsCutWhereOneArrayGoesOn() throws {
        let chain = [
            ONNXNode("Relu", inputs: ["x"], outputs: ["a"]), ONNXNode("Tanh", inputs: ["a"], outputs: ["b"]),
            ONNXNode("Add", inputs: ["a", "b"], outputs: ["c"]),
            ONNXNode("Exp", inputs: ["c"], outputs: ["d"]),
        ]
        #expect(try graph(chain).text == "Relu >> Tanh, Add >> Exp")
        // What two nodes share keeps them together, and is learned once.
        let shared = [
            ONNXNode("MatMul", inputs: ["x", "W"], outputs: ["a"]), ONNXNode("Relu", inputs: ["a"], outputs: ["b"]),
            ONNXNode("MatMul", inputs: ["b", "W"], outputs: ["c"]),
        ]
        let network = try graph(shared, constants: [tensor("W", [1, 2, 3, 4], [2, 2])])
        #expect(network.text == "MatMul, Relu, MatMul" && network.parameterNames == ["0.W"])
        // Numbers without axes and settings are not parameters; what hangs on constants alone is computed once.
        let settings = try graph(
            [
                ONNXNode("Mul", inputs: ["x", "two"], outputs: ["a"]), ONNXNode("Resize", inputs: ["a", "", "scales"], outputs: ["b"]),
                ONNXNode("Neg", inputs: ["two"], outputs: ["minus"]),
                ONNXNode("Add", inputs: ["b", "minus"], outputs: ["c"]),
            ], constants: [tensor("two", [2], []), tensor("scales", [1, 2])])
        #expect(settings.parameterNames == [] && settings.text == "Mul >> Resize >> Add")
        #expect(try settings(matrix([[1, 2]])).toDoubles() == [0, 0, 2, 2])
    }

    /// Sizes that no array has are no sizes that are as large as one may be.
    @Test(arguments: [1 << 40, 1 << 62, -1 << 62] as [Int64]) func sizesBeyondAllArraysAreErrors(_ size: Int64) throws {
        for name in ["Expand", "Tile", "Reshape", "Pad"] {
            let sizes = name == "Pad" ? [0, 0, 0, size] : [size]
            let node = ONNXNode(name, inputs: ["x", "sizes"], outputs: ["y"])
            #expect(throws: (any Error).self, "\(name) \(size)") {
                _ = try graph([node], opset: 13, constants: [wholes("sizes", sizes)])(matrix([[1]])).shape
            }
        }
        #expect(throws: (any Error).self) {
            _ = try graph(
                [ONNXNode("Shape", inputs: ["x"], outputs: ["s"]), ONNXNode("ConstantOfShape", inputs: ["sizes"], outputs: ["y"])],
                opset: 13, constants: [wholes("sizes", [size])])(matrix([[1]])).shape
        }
    }

    /// Operators whose attributes became inputs, or whose meaning changed.
    @Test func oldOpsets() throws {
        func value(_ node: ONNXNode, _ opset: Int64, _ x: [[Double]], _ constants: [ONNXTensor] = []) throws -> [Double] {
            try graph([node], opset: opset, constants: constants)(matrix(x)).toDoubles()
        }
        func node(_ name: String, _ attributes: [ONNXAttribute], _ more: [String] = []) -> ONNXNode {
            ONNXNode(name, inputs: ["x"] + more, outputs: ["y"], attributes: attributes)
        }
        // Before opset 13 all axes from `axis` on go together: of (1, 2) with axis 0 two numbers, either way; of (2, 1) with axis 0 both rows.
        #expect(try value(node("Softmax", [ONNXAttribute("axis", .int(0))]), 11, [[0], [0]]) == [0.5, 0.5])
        #expect(try value(node("Softmax", [ONNXAttribute("axis", .int(0))]), 11, [[0, 0]]) == [0.5, 0.5])
        #expect(try value(node("Softmax", [ONNXAttribute("axis", .int(0))]), 13, [[0, 0]]) == [1, 1])
        #expect(try value(node("Clip", [ONNXAttribute("min", .float(0)), ONNXAttribute("max", .float(1))]), 6, [[-1, 0.5, 2]]) == [0, 0.5, 1])
        #expect(try value(node("ReduceSum", [ONNXAttribute("axes", .ints([1])), ONNXAttribute("keepdims", .int(0))]), 11, [[1, 2], [3, 4]]) == [3, 7])
        #expect(try value(node("ReduceSum", [ONNXAttribute("keepdims", .int(0))], ["axes"]), 13, [[1, 2], [3, 4]], [wholes("axes", [1])]) == [3, 7])
        #expect(
            try value(
                node("Slice", [ONNXAttribute("starts", .ints([1])), ONNXAttribute("ends", .ints([9])), ONNXAttribute("axes", .ints([1]))]), 9, [[1, 2, 3]]) == [
                    2, 3,
                ])
        #expect(try value(node("Pad", [ONNXAttribute("pads", .ints([0, 1, 0, 0])), ONNXAttribute("value", .float(7))]), 2, [[1]]) == [7, 1])
        #expect(try value(node("Squeeze", [ONNXAttribute("axes", .ints([0]))]), 11, [[1, 2]]) == [1, 2])
        #expect(try value(node("Upsample", [ONNXAttribute("scales", .floats([1, 2]))]), 7, [[1, 2]]) == [1, 1, 2, 2])
        #expect(try value(node("Dropout", [ONNXAttribute("ratio", .float(0.5))]), 7, [[1, 2]]) == [1, 2])
        // A second operand that stretches from an axis on.
        let added = node("Add", [ONNXAttribute("broadcast", .int(1)), ONNXAttribute("axis", .int(0))], ["b"])
        #expect(try value(added, 6, [[1, 2], [3, 4]], [tensor("b", [10, 20])]) == [11, 12, 23, 24])
    }

    /// Whole numbers divide toward zero, wrap where their type has few bits, and are refused beyond 53.
    @Test func wholeNumbers() throws {
        func value(_ operation: String, _ type: ONNXElementType, _ a: Double, _ b: Double) throws -> Double {
            let inputs = ["a", "b"].map { ONNXValueInfo(name: $0, type: type, shape: nil) }
            let network = try graph([ONNXNode(operation, inputs: ["a", "b"], outputs: ["y"])], inputs: inputs)
            let result = try network(.list([.array(NDArray([a], shape: [1])), .array(NDArray([b], shape: [1]))]), Pass()).array
            return try #require(result).toDoubles()[0]
        }
        #expect(try value("Div", .int32, -7, 2) == -3)
        #expect(try value("Mod", .int32, -7, 2) == 1)
        #expect(try value("Add", .uint8, 250, 10) == 4)
        #expect(try value("Sub", .uint8, 3, 4) == 255)
        #expect(try value("Add", .int8, 127, 1) == -128)
        #expect(try value("Mul", .int32, 65536, 65536) == 0)
        #expect(throws: ONNXNodeError.self) { try value("Mul", .int64, 0x1p40, 0x1p40) }
        #expect(throws: ONNXInputError.self) { try value("Add", .uint8, 256, 0) }
        #expect(throws: ONNXInputError.self) { try value("Add", .int64, 0.5, 0) }
    }
}
