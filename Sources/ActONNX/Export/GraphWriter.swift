// What all parts of an export share: nodes, constants, names, and the functions of the model that they call.
//
// What must stay true: a name stands for one value; numbers are of one element type, that of the model; sizes that hang on the open axis N are
// computed from the input's when the model runs.

import ActArray
import ActGrad

/// A value of the graph.
struct Tensor {
    let name: String
    /// Its shape, N being the size that is left open.
    let sizes: [GraphSize]
    let isBool: Bool

    var rank: Int { sizes.count }
    /// The type that arrays of it have in a trial.
    func type(_ numbers: ElementType) -> ElementType { isBool ? .bool : numbers }
}

final class GraphWriter {
    /// The operator set that models are written in.
    static let opset: Int64 = 20
    static let irVersion: Int64 = 10
    /// That of the functions of a model.
    static let domain = "act"

    let numbers: ElementType
    var list = NodeList()
    private(set) var initializers: [ONNXTensor] = []
    private(set) var functions: [ONNXFunction] = []
    /// Names of arrays that are known beforehand: parameters, and what functions read of the program.
    var names: [ObjectIdentifier: String] = [:]
    private var kept: [NDArray] = []
    /// Constants that are there, by what they hold.
    private var constants: [String: String] = [:]
    private var written: [ObjectIdentifier: String] = [:]
    private var held = Reservation()
    /// An input of the model with an axis of size N.
    private var open: (input: String, axis: Int)?
    private var openSize: String?

    init(numbers: ElementType) { self.numbers = numbers }

    /// - Parameter names: What arrays are called where they have no other name.
    func call(_ names: [(name: String, array: NDArray)]) {
        self.names = Dictionary(names.map { ($0.array.identity, $0.name) }, uniquingKeysWith: { first, _ in first })
        kept += names.map(\.array)
    }

    // MARK: Nodes

    /// A node with one result.
    @inline(never)
    func add(
        _ operation: String, _ inputs: [Tensor], _ attributes: [ONNXAttribute] = [], sizes: [GraphSize], isBool: Bool = false, domain: String = ""
    ) -> Tensor {
        Tensor(name: list.add(operation, inputs.map(\.name), attributes, domain: domain), sizes: sizes, isBool: isBool)
    }

    /// The same with the shape of its first input.
    func map(_ operation: String, _ inputs: [Tensor], _ attributes: [ONNXAttribute] = []) -> Tensor {
        add(operation, inputs, attributes, sizes: inputs[0].sizes)
    }

    /// An input of the model.
    func input(_ name: String, sizes: [GraphSize]) -> Tensor {
        let name = list.fresh(name)
        if open == nil, let axis = sizes.firstIndex(where: { $0 == GraphSize.rows }) { open = (name, axis) }
        return Tensor(name: name, sizes: sizes, isBool: false)
    }

    // MARK: Constants

    func type(isBool: Bool) -> ONNXElementType { isBool ? .bool : numbers == .f64 ? .double : .float }

    /// The same elements, once in the model.
    /// - Parameter name: How it is called, unless it has a name of its own.
    func constant(_ array: NDArray, named name: String? = nil) throws -> Tensor {
        let sizes = array.shape.map { GraphSize(fixed: $0) }, isBool = array.type == .bool
        if let known = written[array.identity] { return Tensor(name: known, sizes: sizes, isBool: isBool) }
        let bytes = try elements(array), own = name ?? names[array.identity]
        // Small ones without a name are told apart by what they hold.
        let content = own == nil && bytes.count <= 64 ? "\(isBool) \(array.shape) \(bytes)" : nil
        if let content, let known = constants[content] { return Tensor(name: known, sizes: sizes, isBool: isBool) }
        let result = store(own ?? "c", type(isBool: isBool), array.shape, bytes)
        if let content { constants[content] = result }
        if own != nil || bytes.count > 64 {
            written[array.identity] = result
            kept.append(array)
        }
        return Tensor(name: result, sizes: sizes, isBool: isBool)
    }

    func number(_ value: Double) throws -> Tensor { try constant(NDArray.scalar(value, type: numbers)) }

    /// Whole numbers, as ONNX wants axes, sizes and positions.
    func wholes(_ values: [Int], shape: [Int]? = nil) throws -> Tensor {
        let shape = shape ?? [values.count], content = "int64 \(shape) \(values)", sizes = shape.map { GraphSize(fixed: $0) }
        if values.count <= 64, let known = constants[content] { return Tensor(name: known, sizes: sizes, isBool: false) }
        try held.grow(by: values.count &* 8)
        let bytes = values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
        let name = store("c", .int64, shape, bytes)
        if values.count <= 64 { constants[content] = name }
        return Tensor(name: name, sizes: sizes, isBool: false)
    }

    func store(_ name: String, _ type: ONNXElementType, _ shape: [Int], _ bytes: [UInt8]) -> String {
        let name = list.fresh(name)
        initializers.append(ONNXTensor(name: name, type: type, shape: shape.map { Int64($0) }, bytes: bytes))
        return name
    }

    private func elements(_ array: NDArray) throws -> [UInt8] {
        let array = array.type == .bool ? array : try array.converted(to: numbers)
        try held.grow(by: array.count &* array.type.size)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(array.count &* array.type.size)
        try array.writeElements { bytes.append(contentsOf: $0) }
        return bytes
    }

    // MARK: Sizes

    /// Sizes as whole numbers in a row, which hang on N where one is open.
    func sizes(_ sizes: [GraphSize]) throws -> Tensor {
        if sizes.allSatisfy(\.isFixed) { return try wholes(sizes.map(\.fixed)) }
        let parts = try sizes.map { size -> Tensor in
            if size.isFixed { return try wholes([size.fixed]) }
            var part = try count()
            if size.open != 1 { part = map("Mul", [part, try wholes([size.open])]) }
            return size.fixed == 0 ? part : map("Add", [part, try wholes([size.fixed])])
        }
        return parts.count == 1 ? parts[0] : add("Concat", parts, [ONNXAttribute("axis", .int(0))], sizes: [GraphSize(fixed: parts.count)])
    }

    /// N, as one whole number in a row.
    private func count() throws -> Tensor {
        let one = [GraphSize(fixed: 1)]
        if let openSize { return Tensor(name: openSize, sizes: one, isBool: false) }
        guard let open else { return try wholes([0]) }
        let name = list.add(
            "Shape", [open.input], [ONNXAttribute("start", .int(Int64(open.axis))), ONNXAttribute("end", .int(Int64(open.axis + 1)))], hint: "N")
        openSize = name
        return Tensor(name: name, sizes: one, isBool: false)
    }

    func reshape(_ x: Tensor, _ sizes: [GraphSize]) throws -> Tensor {
        if x.sizes == sizes { return x }
        // One size may be said by what is left.
        let isZero = sizes.contains { $0 == GraphSize(fixed: 0) }
        let target = sizes.count { !$0.isFixed } == 1 && !isZero ? try wholes(sizes.map { $0.isFixed ? $0.fixed : -1 }) : try self.sizes(sizes)
        return add("Reshape", [x, target], isZero ? [ONNXAttribute("allowzero", .int(1))] : [], sizes: sizes, isBool: x.isBool)
    }

    func transpose(_ x: Tensor, _ order: [Int]) -> Tensor {
        if order == Array(0..<x.rank) { return x }
        return add("Transpose", [x], [ONNXAttribute("perm", .ints(order.map { Int64($0) }))], sizes: order.map { x.sizes[$0] }, isBool: x.isBool)
    }

    func reduce(_ operation: String, _ x: Tensor, axes: [Int], keeping: Bool = false) throws -> Tensor {
        let sizes: [GraphSize] = x.sizes.enumerated().compactMap { index, size in
            axes.contains(index) ? keeping ? GraphSize(fixed: 1) : nil : size
        }
        if axes.isEmpty { return x }
        return add(operation, [x, try wholes(axes)], [ONNXAttribute("keepdims", .int(keeping ? 1 : 0))], sizes: sizes)
    }

    func cast(_ x: Tensor, isBool: Bool) -> Tensor {
        if x.isBool == isBool { return x }
        return add("Cast", [x], [ONNXAttribute("to", .int(Int64(type(isBool: isBool).rawValue)))], sizes: x.sizes, isBool: isBool)
    }

    /// Positions as ONNX wants them.
    func positions(_ x: Tensor) -> Tensor {
        map("Cast", [x], [ONNXAttribute("to", .int(Int64(ONNXElementType.int64.rawValue)))])
    }

    // MARK: Functions

    /// Makes a function of the model, unless it is there.
    func define(_ name: String, inputs: [String], defaults: [ONNXAttribute] = [], _ body: (inout NodeList) throws -> String) rethrows {
        if functions.contains(where: { $0.name == name }) { return }
        var list = NodeList()
        let inputs = inputs.map { list.fresh($0) }, output = try body(&list), result = list.result(output)
        functions.append(
            ONNXFunction(
                name: name, domain: GraphWriter.domain, inputs: inputs, outputs: [result], defaults: defaults, nodes: list.nodes,
                opsets: ["": GraphWriter.opset]))
    }

    // MARK: The whole

    func model(inputs: [Tensor], output: Tensor) -> ONNXModel {
        let name = list.result(output.name)
        list.keep(only: name)
        let read = Set(list.nodes.flatMap(\.inputs))
        func info(_ tensor: Tensor, _ name: String) -> ONNXValueInfo {
            ONNXValueInfo(
                name: name, type: type(isBool: tensor.isBool),
                shape: tensor.sizes.map { size in
                    size.isFixed ? .known(Int64(size.fixed)) : size == GraphSize.rows ? .named("N") : .unknown
                })
        }
        var opsets = ["": GraphWriter.opset]
        if !functions.isEmpty { opsets[GraphWriter.domain] = 1 }
        return ONNXModel(
            irVersion: GraphWriter.irVersion, producerName: "act", opsets: opsets,
            graph: ONNXGraph(
                name: "act", nodes: list.nodes, inputs: inputs.map { info($0, $0.name) }, outputs: [info(output, name)],
                initializers: initializers.filter { read.contains($0.name) }),
            functions: functions)
    }
}

/// The nodes of a graph, or of a function's body, in order, and the names that are taken.
struct NodeList {
    private(set) var nodes: [ONNXNode] = []
    private var counts: [String: Int] = [:]
    /// Before the names of what is made: `3/` for what the fourth layer is made of.
    var prefix = ""
    private var resultName: String?

    /// Keeps the name of the result for it, whatever comes before.
    mutating func nameResult() { resultName = fresh("y") }

    /// A name that is not taken: the one asked for, or with a number behind it.
    mutating func fresh(_ name: String) -> String {
        let taken = counts[name, default: 0]
        counts[name] = taken + 1
        return taken == 0 && name != "c" ? name : fresh("\(name)_\(taken)")
    }

    @inline(never)
    mutating func add(_ operation: String, _ inputs: [String], _ attributes: [ONNXAttribute] = [], domain: String = "", hint: String? = nil) -> String {
        add(operation, inputs, attributes, domain: domain, hints: [hint ?? prefix + operation.lowercased()])[0]
    }

    /// Calls a value `y`: what a graph or a function gives.
    /// - Returns: The name that it has then.
    mutating func result(_ value: String) -> String {
        // What is given as it came, and a constant, stay what they are called.
        let name = resultName ?? fresh("y")
        guard nodes.contains(where: { $0.outputs.contains(value) }) else {
            nodes.append(ONNXNode(name: name, "Identity", inputs: [value], outputs: [name]))
            return name
        }
        for index in nodes.indices {
            nodes[index].inputs = nodes[index].inputs.map { $0 == value ? name : $0 }
            nodes[index].outputs = nodes[index].outputs.map { $0 == value ? name : $0 }
            if nodes[index].name == value { nodes[index].name = name }
        }
        return name
    }

    /// Leaves out what the result does not need.
    mutating func keep(only result: String) {
        var read: Set = [result]
        nodes = nodes.reversed().filter { node in
            guard node.outputs.contains(where: read.contains) else { return false }
            read.formUnion(node.inputs)
            return true
        }.reversed()
    }

    /// With several results; an empty name is one that nobody reads.
    @inline(never)
    mutating func add(_ operation: String, _ inputs: [String], _ attributes: [ONNXAttribute] = [], domain: String = "", hints: [String]) -> [String] {
        let outputs = hints.map { $0.isEmpty ? "" : fresh($0) }
        nodes.append(
            ONNXNode(name: outputs.first { !$0.isEmpty } ?? "", domain: domain, operation, inputs: inputs, outputs: outputs, attributes: attributes))
        return outputs
    }
}
