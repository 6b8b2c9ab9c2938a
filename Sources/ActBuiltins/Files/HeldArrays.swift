// What arrays are called that a function reads besides its arguments: models and modules for other programs keep the names of the program.

import ActArray
import ActLayers
import ActMachine
import ActNetwork

/// The arrays that a function reaches by variables, outermost first: `scale`, `parts.rate`, `net.0.W` of the network `net`, `0.W` of a network itself.
struct HeldArrays {
    /// More than programs have variables; of what comes after them, arrays have no names.
    private static let mostValues = 1 << 14

    private(set) var named: [(name: String, array: NDArray)] = []
    private var known: Set<ObjectIdentifier> = []
    /// What is still to be looked at. In the order in which it was met, so that an array has the shortest of its names.
    private var pending: [(path: String, value: Value)] = []

    /// - Throws: `Interrupted`.
    init(of function: Function) throws {
        add(.function(function), "")
        var next = 0
        while next < pending.count {
            try Interrupt.check()
            let (path, value) = pending[next]
            next += 1
            switch value {
            case .array(let array): note(path, array)
            case .list(let list): for (index, element) in list.elements.enumerated() { add(element, Self.join(path, "\(index)")) }
            case .record(let record): for field in record.fields { add(field.value, Self.join(path, field.key)) }
            case .function(let function): look(into: function, path)
            case .none, .bool, .number, .string, .figure, .gathering, .undefined: break
            }
        }
    }

    private mutating func add(_ value: Value, _ path: @autoclosure () -> String) {
        switch value {
        case .array, .list, .record, .function: if pending.count < Self.mostValues { pending.append((path(), value)) }
        case .none, .bool, .number, .string, .figure, .gathering, .undefined: break
        }
    }

    private static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private mutating func note(_ name: String, _ array: NDArray) {
        if known.insert(array.identity).inserted { named.append((name, array)) }
    }

    private mutating func look(into function: Function, _ path: String) {
        guard known.insert(ObjectIdentifier(function)).inserted else { return }
        if let own = function.network { return look(into: own.network, path, isLayer: own.isLayer) }
        for inner in function.functionsInside ?? [] { add(.function(inner), path) }
        guard let code = (function as? Closure)?.code else { return }
        let unit = code.unit
        for (symbol, value) in zip(code.definition?.captures ?? [], function.captures) { add(value, unit.tree[unit.resolution[symbol].name]) }
        look(into: code)
    }

    /// Variables that it reads are its module's, whatever it is called itself.
    private mutating func look(into code: Code) {
        for slot in code.prototype.globalSlots { add(code.module.slots[slot], code.module.names[slot]) }
        for template in code.functions { look(into: template.code) }
    }

    private mutating func look(into network: Network, _ path: String, isLayer: Bool) {
        let names = isLayer ? network.layers.flatMap { $0.parameterNames + $0.stateNames } : network.parameterNames + network.stateNames
        for (name, array) in zip(names, isLayer ? network.layers.flatMap { $0.parameters + $0.state } : network.parameters + network.states) {
            note(Self.join(path, name), array)
        }
        for layer in network.layers {
            for function in layer.settings.functions { if let object = function.object as? Function { add(.function(object), path) } }
            for part in layer.parts { look(into: part.network, path, isLayer: false) }
        }
    }
}
