// A plain function in a network that holds a layer of its own: the layer would not be trained.

import ActArray
import ActCompiler
import ActMachine
import ActNetwork
import ActSyntax

extension Machine {
    /// Warns of a function of the program that would hide a layer from training.
    package func warnOfLayersInside(_ function: Function) throws {
        // In the block of a layer functions get its fields anew.
        guard layerType == nil, layerRun == nil else { return }
        for part in (function as? Composition)?.parts ?? [function] {
            guard let closure = part as? Closure, let name = try closure.nameOfLayer else { continue }
            try warn(.hiddenLayer(name, in: closure.name))
        }
    }
}

extension Closure {
    /// The name of what holds a layer that would be trained, captured or found among the globals: the layer, or a list or record of it.
    fileprivate var nameOfLayer: String? {
        get throws {
            let unit = code.unit
            for (symbol, value) in zip(code.definition?.captures ?? [], captures) where try value.isTrained { return unit.tree[unit.resolution[symbol].name] }
            guard let body = code.definition?.node.body else { return nil }
            return try unit.resolution.globalsRead(by: body, in: unit.tree).sorted().first { try code.module[$0]?.isTrained ?? false }
        }
    }
}

extension Value {
    /// Whether there is a layer in it that training would change.
    fileprivate var isTrained: Bool {
        get throws {
            try Interrupt.check()
            return switch self {
            case .function(let function): function.network?.network.trains.contains(true) ?? false
            case .list(let list): try list.elements.contains { try $0.isTrained }
            case .record(let record): try record.fields.values.contains { try $0.isTrained }
            default: false
            }
        }
    }
}
