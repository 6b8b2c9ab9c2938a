// A plain function in a network that holds a layer of its own: the layer would not be trained.

import ActMachine
import ActNetwork
import ActSyntax

extension Machine {
    /// Warns of a function of the program that would hide a layer from training.
    func warnOfLayersInside(_ function: Function) throws {
        // In the block of a layer functions get its fields anew.
        guard layerType == nil, layerRun == nil else { return }
        for part in (function as? Composition)?.parts ?? [function] {
            guard let closure = part as? Closure, let name = closure.nameOfLayer else { continue }
            try warn(.hiddenLayer(name, in: closure.name))
        }
    }
}

extension Closure {
    /// The name of a layer with parameters that it captured or finds among the globals.
    fileprivate var nameOfLayer: String? {
        func holds(_ value: Value?) -> Bool {
            guard case .function(let function)? = value, let network = function.network else { return false }
            return !network.network.parameters.isEmpty
        }
        let unit = code.unit
        for (symbol, value) in zip(code.definition?.captures ?? [], captures) where holds(value) { return unit.tree[unit.resolution[symbol].name] }
        guard let body = code.definition?.node.body else { return nil }
        return unit.resolution.globalsRead(by: body, in: unit.tree).sorted().first { holds(code.module[$0]) }
    }
}
