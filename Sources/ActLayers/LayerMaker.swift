// `layer NAME(PARAMETERS) { … }`: a maker of layers, as a function. A call runs the block; what that assigned becomes the fields of a layer.
//
// What must stay true: a layer keeps the maker that made it, whatever its name means later.

import ActArray
import ActCompiler
import ActMachine
import ActNetwork
import ActRows
import ActSyntax

package final class LayerMaker: NativeFunction {
    /// Runs the block. Its value is the function without parameters that the compiler made of the block's last expression.
    package let block: Closure

    init(_ block: Closure) { self.block = block }

    package var name: String { block.name }
    package var depth: Int32 { block.depth }
    package var parameters: [Parameter] { Self.parameters(block.parameters) }

    /// What a maker takes besides what is written: the element type.
    package static func parameters(_ written: [Parameter]) -> [Parameter] {
        written + (takesType(written) ? [] : [Parameter(name: "dtype", kind: .elementType, fallback: "\"f32\"", role: .steps)])
    }

    /// Whether the maker has a parameter `dtype` itself, which then gets the element type too.
    private static func takesType(_ written: [Parameter]) -> Bool { written.contains { $0.name == "dtype" } }

    package func call(_ arguments: Arguments, as function: Function, _ machine: Machine) throws -> Value {
        var arguments = arguments, type = machine.layerType ?? .f32
        if let index = arguments.named.firstIndex(where: { $0.name == "dtype" }) {
            type = try elementType(arguments.named[index].value)
            if !Self.takesType(block.parameters) { arguments.named.remove(at: index) }
        }
        let bound = try machine.bind(arguments, to: block)
        let outer = (machine.layerType, machine.layerRun, machine.stateMarks)
        (machine.layerType, machine.layerRun, machine.stateMarks) = (type, nil, StateMarks())
        defer { (machine.layerType, machine.layerRun, machine.stateMarks) = outer }
        guard case .function(let parts as Closure) = try machine.call(block, Arguments(bound)), parts.code.unit === block.code.unit,
            parts.code.prototype.isLayerParts
        else {
            throw LayerRefusal.returnFromLayer(name)
        }
        let held = SharedReservation()
        var values = try bound.map { value -> Setting? in if case .undefined = value { nil } else { try Setting(value, held, machine) } }
        if !Self.takesType(block.parameters) { values.append(type == .f32 ? nil : .text(type.name)) }
        let settings = LayerSettings(of: name, parameters, values)
        let plan = try LayerPlan(self, settings: settings, held, parts: parts, type: type, machine)
        return try NetworkFunction(plan.layer()).asValue()
    }

    private func elementType(_ value: Value) throws -> ElementType {
        let name: String? =
            switch value {
            case .string(let text): text.string
            case .function(let function): function.name
            default: nil
            }
        switch name {
        case "f32": return .f32
        case "f64": return .f64
        default: throw RuntimeError.badArgument(of: self.name, name: "dtype", index: parameters.count - 1, expected: .words(["f32", "f64"]), found: value)
        }
    }

    /// Where the function stands that the layers are.
    var functionSpan: Span? {
        let tree = block.code.unit.tree
        guard let node = block.code.definition?.node, case .block(let statements) = tree[node.body], let last = tree[statements].last else { return nil }
        return tree.span(of: last.expression)
    }
}

extension Function {
    /// The maker of layers that this function is.
    package var layerMaker: LayerMaker? { (self as? Native)?.body as? LayerMaker }
}

extension Setting {
    /// What a layer of the program's own is made with. A list that a value holds many times is written out each time.
    /// - Parameter held: Takes the bytes of lists and records, as long as the setting is there.
    /// - Throws: `ArrayError.outOfMemory`.
    package init(_ value: Value, _ held: SharedReservation, _ machine: Machine) throws {
        try Interrupt.check()
        switch value {
        case .number(let number): self = .number(number)
        case .bool(let flag): self = .flag(flag)
        case .string(let text): self = .text(text.string)
        case .array(let array) where !array.isTraced: self = .array(array, text: Setting.text(of: array, value))
        case .list(let list):
            try held.grow(by: Setting.footprint(list.elements.count))
            self = .list(try list.elements.map { try Setting($0, held, machine) })
        case .record(let record):
            try held.grow(by: Setting.footprint(record.fields.count))
            self = .record(try record.fields.map { ($0.key, try Setting($0.value, held, machine)) })
        case .function(let function):
            try held.grow(by: 256)
            if let network = function.network {
                self = network.isLayer ? .layer(network.network.layers[0]) : .network(network.network)
            } else {
                self = .function(NamedFunction(function, machine))
            }
        case .none, .undefined, .gathering: self = .none
        default: self = .other(value.kind)
        }
    }
}

extension Setting {
    /// The bytes of a list or record of so many settings: the objects around them, and around each.
    private static func footprint(_ count: Int) -> Int { 96 &+ count &* (MemoryLayout<(name: String, value: Setting)>.stride &+ 64) }

    private static func text(of array: NDArray, _ value: Value) -> String {
        guard array.count <= 8, let text = try? Format.repr(value) else { return "an array of shape \(describe(array.shape))" }
        return text.text
    }
}

extension Value {
    /// What a file says that a layer was made with.
    package init(_ setting: Setting) throws {
        switch setting {
        case .none, .other: self = .none
        case .number(let number): self = .number(number)
        case .flag(let flag): self = .bool(flag)
        case .text(let text): self = .string(text)
        case .array(let array, _): self = .array(array)
        case .list(let elements): self = try .list(elements.map { try Value($0) })
        case .record(let fields): self = try .record(.init(fields.map { ($0.name, try Value($0.value)) }))
        case .network(let network): self = try NetworkFunction(network).asValue()
        case .layer(let layer): self = try NetworkFunction(layer).asValue()
        case .function(let function): self = (function.object as? Function).map { .function($0) } ?? .none
        }
    }
}
