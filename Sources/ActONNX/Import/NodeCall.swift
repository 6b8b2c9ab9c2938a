// One node at work: its inputs and attributes, checked and in the form that operators want.

import ActArray
import ActGrad
import ActNetwork

/// An operator of ONNX: how act computes it. Opsets in which it differs are told apart by `NodeCall.version`.
struct OperatorRow: Sendable {
    /// The element type of the first result, as far as it is known without running.
    enum Result: Sendable {
        case like(Int)
        case whole, truth, unknown
        /// What this attribute says; f32 where it is missing.
        case said(String)
    }

    let name: String
    let result: Result
    /// Inputs that hold what training gathers: statistics, not parameters.
    let states: Set<Int>
    /// Inputs that say how: a constant there is no parameter.
    let settings: Set<Int>
    let draws: Bool
    let run: @Sendable (NodeCall) throws -> [GraphValue]

    init(
        _ name: String, _ result: Result = .like(0), states: Set<Int> = [], settings: Set<Int> = [], draws: Bool = false,
        _ run: @escaping @Sendable (NodeCall) throws -> [GraphValue]
    ) {
        (self.name, self.result, self.states, self.settings, self.draws, self.run) = (name, result, states, settings, draws, run)
    }

    /// Of one array that keeps its element type.
    static func map(_ name: String, _ body: @escaping @Sendable (NodeCall, NDArray) throws -> NDArray) -> OperatorRow {
        OperatorRow(name) { call in [.array(try body(call, try call.x(0)), try call.type(0))] }
    }
}

struct NodeCall {
    let node: GraphNode
    let inputs: [GraphValue?]
    let run: GraphRun

    var version: Int { node.version }
    /// How many outputs are looked at.
    var outputs: Int { node.outputs.count }
    func wants(_ output: Int) -> Bool { output < node.outputs.count && !node.outputs[output].isEmpty }

    func fail(_ fault: ONNXNodeError.Fault) -> ONNXNodeError { ONNXNodeError(node: node.text, fault: fault) }
    func lacks(_ what: ONNXNodeError.Lacking) -> ONNXNodeError { fail(.lacking(what)) }

    // MARK: Inputs

    func has(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

    func value(_ index: Int) throws -> GraphValue {
        guard index < inputs.count, let value = inputs[index] else { throw fail(.missingInput(index)) }
        return value
    }

    func x(_ index: Int) throws -> NDArray {
        guard case .array(let array, _) = try value(index) else { throw fail(.kind(index)) }
        return array
    }

    /// An input that may be left out.
    func maybe(_ index: Int) throws -> NDArray? { has(index) ? try x(index) : nil }

    func type(_ index: Int) throws -> ONNXElementType {
        guard case .array(_, let type) = try value(index) else { throw fail(.kind(index)) }
        return type
    }

    func list(_ index: Int) throws -> ([GraphValue], ONNXElementType) {
        guard case .list(let elements, let type) = try value(index) else { throw fail(.kind(index)) }
        return (elements, type)
    }

    /// All inputs, arrays.
    func all() throws -> [NDArray] { try inputs.indices.map(x) }

    /// What models say where they mean "as far as it goes" is more than any size, and stays far enough from the ends of a word for sums and products.
    private static let far = 1 << 40, farAttribute = 1 << 31
    private func bounded(_ whole: Int, _ most: Int) -> Int { max(-most, min(whole, most)) }

    /// Whole numbers that are looked at: sizes, axes, positions.
    func wholes(_ index: Int) throws -> [Int] {
        try x(index).detached().toDoubles().map { number in
            guard let whole = Int(exactly: number) else { throw fail(.notWhole(index, number)) }
            return bounded(whole, NodeCall.far)
        }
    }

    /// Whole numbers that say how long something becomes: there more than any size is not as far as it goes, but too much.
    /// - Throws: `ArrayError.tooLarge`.
    func sizes(_ index: Int) throws -> [Int] { try checked(wholes(index)) { $0.magnitude < NodeCall.far } }

    func size(_ index: Int) throws -> Int {
        guard let first = try sizes(index).first else { throw fail(.shape(try x(index).shape, input: index)) }
        return first
    }

    /// The same of an attribute.
    func sizes(_ name: String) throws -> [Int]? { try ints(name).map { try checked($0) { $0.magnitude < NodeCall.farAttribute } } }

    private func checked(_ sizes: [Int], _ isPossible: (Int) -> Bool) throws -> [Int] {
        guard sizes.allSatisfy(isPossible) else { throw ArrayError.tooLarge(shape: sizes) }
        return sizes
    }

    func whole(_ index: Int) throws -> Int {
        guard let first = try wholes(index).first else { throw fail(.shape(try x(index).shape, input: index)) }
        return first
    }

    func number(_ index: Int) throws -> Double {
        guard let first = try x(index).detached().toDoubles().first else { throw fail(.shape(try x(index).shape, input: index)) }
        return first
    }

    @inline(never)
    func axis(_ axis: Int, rank: Int) throws -> Int {
        guard axis >= -rank, axis < rank else { throw fail(.badAttribute("axis")) }
        return axis < 0 ? axis + rank : axis
    }

    // MARK: Attributes

    @inline(never)
    func has(_ name: String) -> Bool { node.attributes[name] != nil }

    @inline(never)
    func int(_ name: String, _ fallback: Int) throws -> Int {
        guard let value = node.attributes[name] else { return fallback }
        guard case .int(let whole) = value else { throw fail(.badAttribute(name)) }
        return bounded(Int(whole), NodeCall.farAttribute)
    }

    func int(_ name: String) throws -> Int {
        guard has(name) else { throw fail(.missingAttribute(name)) }
        return try int(name, 0)
    }

    func flag(_ name: String, _ fallback: Bool) throws -> Bool { try int(name, fallback ? 1 : 0) != 0 }

    func float(_ name: String, _ fallback: Double) throws -> Double {
        guard let value = node.attributes[name] else { return fallback }
        // The nearest f32 stands in the file: of 0.1 the decimal that was meant.
        guard case .float(let float) = value else { throw fail(.badAttribute(name)) }
        return Double(float)
    }

    func ints(_ name: String) throws -> [Int]? {
        guard let value = node.attributes[name] else { return nil }
        guard case .ints(let wholes) = value else { throw fail(.badAttribute(name)) }
        return wholes.map { bounded(Int($0), NodeCall.farAttribute) }
    }

    func floats(_ name: String) throws -> [Double]? {
        guard let value = node.attributes[name] else { return nil }
        guard case .floats(let floats) = value else { throw fail(.badAttribute(name)) }
        return floats.map { Double($0) }
    }

    func text(_ name: String, _ fallback: String) throws -> String {
        guard let value = node.attributes[name] else { return fallback }
        guard case .string(let bytes) = value else { throw fail(.badAttribute(name)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    func texts(_ name: String) throws -> [String]? {
        guard let value = node.attributes[name] else { return nil }
        guard case .strings(let texts) = value else { throw fail(.badAttribute(name)) }
        return texts.map { String(decoding: $0, as: UTF8.self) }
    }

    func elementType(_ name: String) throws -> ONNXElementType? {
        guard has(name) else { return nil }
        guard let type = Int32(exactly: try int(name)).flatMap(ONNXElementType.init) else { throw fail(.badAttribute(name)) }
        return type
    }

    /// Numbers that were an attribute in old opsets and are an input since: `nil` where neither is there.
    func wholes(_ name: String, orInput index: Int) throws -> [Int]? {
        if has(index) { return try wholes(index) }
        return try ints(name)
    }

    // MARK: Results

    /// An array as one of a type: whole numbers wrap where the type has few bits, and are checked where it has more than 53.
    func fitted(_ array: NDArray, _ type: ONNXElementType) throws -> GraphValue {
        guard let limits = type.limits else { return .array(try type.storage.map { try array.converted(to: $0) } ?? array, type) }
        var array = try array.converted(to: .f64)
        if let bits = type.bits, bits < 53 {
            let span = Double(1 << bits), low = limits.lowerBound
            // Most are where they should be; then nothing is computed.
            if try !array.isTraced && array.detached().toDoubles().contains(where: { !limits.contains($0) }) {
                array = try NDArray.binary(.mod, array - low, span) + low
            }
        } else if !array.isTraced, let bad = try array.toDoubles().first(where: { !($0.magnitude <= 0x1p53 || $0.magnitude == ONNXElementType.farthest) }) {
            throw fail(.inexact(bad))
        }
        return .array(array, type)
    }

    /// One array, of the type of an input.
    func result(_ array: NDArray, like index: Int = 0) throws -> [GraphValue] { [try fitted(array, try type(index))] }
    func truth(_ array: NDArray) -> [GraphValue] { [.array(array, .bool)] }
    func whole(_ array: NDArray) throws -> [GraphValue] { [.array(try array.converted(to: .f64), .int64)] }

    /// Rounded and cut as a conversion to a type does it.
    func cast(_ array: NDArray, from source: ONNXElementType, to type: ONNXElementType, saturates: Bool = true) throws -> GraphValue {
        guard let storage = type.storage else { throw lacks(.type(type)) }
        if type == .bool { return .array(try array.converted(to: .bool), .bool) }
        if let narrow = type.narrow {
            guard source != type else { return .array(array, type) }
            let cuts = saturates && type != .float16 && type != .bfloat16
            return .array(try array.mapped("Cast", to: .f32, slope: 1) { narrow.rounded($0, saturates: cuts) }, type)
        }
        guard type.isWhole else { return .array(try array.converted(to: storage), type) }
        guard source.isFloat else { return try fitted(array.converted(to: .f64), type) }
        let wide = try array.converted(to: .f64)
        if !wide.isTraced, let bad = try wide.toDoubles().first(where: { !$0.isFinite }) { throw fail(.inexact(bad)) }
        return try fitted(NDArray.unary(.trunc, wide), type)
    }

    /// One of act's activation functions.
    func activation(_ name: String, _ x: NDArray, _ parameters: [Operand] = []) throws -> NDArray {
        guard let row = Activations.named(name) else { throw lacks(.activation(name)) }
        return try row.apply(x, parameters)
    }
}

extension NDArray {
    /// In an element type that arithmetic keeps: bools as numbers.
    var numeric: NDArray { get throws { type == .bool ? try converted(to: .f64) : self } }
}
