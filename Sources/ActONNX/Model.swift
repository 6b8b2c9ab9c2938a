// An ONNX model as plain values: what the messages of onnx.proto (github.com/onnx/onnx, IR version 10) hold, as far as act writes and reads them. The
// names are those of ONNX, so that whoever knows the format finds everything; field numbers stand with the writer and the reader of the bytes alone.

/// A model: a graph, the functions that it calls, and which version of each set of operators it speaks (`ModelProto`).
package struct ONNXModel: Sendable {
    package var irVersion: Int64
    package var producerName: String
    package var producerVersion: String
    /// Versions of operator sets by domain; the domain of ONNX's own operators is the empty text.
    package var opsets: [String: Int64]
    package var graph: ONNXGraph
    package var functions: [ONNXFunction]

    package init(
        irVersion: Int64, producerName: String = "", producerVersion: String = "", opsets: [String: Int64], graph: ONNXGraph, functions: [ONNXFunction] = []
    ) {
        self.irVersion = irVersion
        self.producerName = producerName
        self.producerVersion = producerVersion
        self.opsets = opsets
        self.graph = graph
        self.functions = functions
    }
}

/// Nodes in an order in which each only reads what came before (`GraphProto`).
package struct ONNXGraph: Sendable {
    package var name: String
    package var nodes: [ONNXNode]
    package var inputs: [ONNXValueInfo]
    package var outputs: [ONNXValueInfo]
    /// Constants by name: parameters, mostly.
    package var initializers: [ONNXTensor]

    package init(name: String, nodes: [ONNXNode] = [], inputs: [ONNXValueInfo] = [], outputs: [ONNXValueInfo] = [], initializers: [ONNXTensor] = []) {
        self.name = name
        self.nodes = nodes
        self.inputs = inputs
        self.outputs = outputs
        self.initializers = initializers
    }
}

/// One use of an operator or of a function of the model (`NodeProto`). An empty name among the inputs is an optional input that is left out.
package struct ONNXNode: Sendable {
    package var name: String
    package var domain: String
    package var operation: String
    package var inputs: [String]
    package var outputs: [String]
    package var attributes: [ONNXAttribute]

    package init(name: String = "", domain: String = "", _ operation: String, inputs: [String], outputs: [String], attributes: [ONNXAttribute] = []) {
        self.name = name
        self.domain = domain
        self.operation = operation
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
    }
}

/// A named setting of a node (`AttributeProto`).
package struct ONNXAttribute: Sendable {
    package enum Value: Sendable {
        case float(Float), int(Int64), string([UInt8]), tensor(ONNXTensor), graph(ONNXGraph)
        case floats([Float]), ints([Int64]), strings([[UInt8]])
        /// In the body of a function: the attribute of this name that the caller gives.
        case reference(String)
    }

    package var name: String
    package var value: Value

    package init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}

/// The name, type and shape of an input or output (`ValueInfoProto` of a tensor).
package struct ONNXValueInfo: Sendable {
    /// A size that is known, one that has a name ("N", the batch), or one of which nothing is said.
    package enum Size: Equatable, Sendable { case known(Int64), named(String), unknown }
    /// What holds tensors of the type: one, a sequence of any number, or one that may be missing.
    package enum Holder: Sendable { case tensor, sequence, optional }

    package var name: String
    package var type: ONNXElementType
    /// None where not even the number of axes is known.
    package var shape: [Size]?
    package var holder: Holder

    package init(name: String, type: ONNXElementType, shape: [Size]?, holder: Holder = .tensor) {
        self.name = name
        self.type = type
        self.shape = shape
        self.holder = holder
    }
}

/// Types of elements, with ONNX's numbers (`TensorProto.DataType`).
package enum ONNXElementType: Int32, Sendable, CaseIterable {
    case undefined = 0
    case float = 1, uint8, int8, uint16, int16, int32, int64, string, bool, float16, double, uint32, uint64, complex64, complex128, bfloat16
    case float8e4m3fn, float8e4m3fnuz, float8e5m2, float8e5m2fnuz, uint4, int4, float4e2m1, float8e8m0, uint2, int2
}

/// An array with its elements (`TensorProto`), their bytes in the order of the machine, little end first.
package struct ONNXTensor: Sendable {
    package var name: String
    package var type: ONNXElementType
    package var shape: [Int64]
    package var bytes: [UInt8]

    package init(name: String, type: ONNXElementType, shape: [Int64], bytes: [UInt8]) {
        self.name = name
        self.type = type
        self.shape = shape
        self.bytes = bytes
    }
}

/// An operator that the model defines itself, by nodes (`FunctionProto`): what it is called with takes the places of its inputs and attributes.
package struct ONNXFunction: Sendable {
    package var name: String
    package var domain: String
    package var inputs: [String]
    package var outputs: [String]
    /// Attributes that a caller must give, and those that have a value where it gives none.
    package var attributes: [String]
    package var defaults: [ONNXAttribute]
    package var nodes: [ONNXNode]
    package var opsets: [String: Int64]

    package init(
        name: String, domain: String, inputs: [String], outputs: [String], attributes: [String] = [], defaults: [ONNXAttribute] = [], nodes: [ONNXNode],
        opsets: [String: Int64]
    ) {
        self.name = name
        self.domain = domain
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
        self.defaults = defaults
        self.nodes = nodes
        self.opsets = opsets
    }
}
