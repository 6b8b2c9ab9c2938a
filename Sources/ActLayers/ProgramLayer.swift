// A layer of the program's own: its parameters and states, and what a maker made of them. The machine runs its function.

import ActArray
import ActMachine
import ActNetwork
import ActSyntax

struct ProgramLayer: Layer {
    let plan: LayerPlan
    var parameters: [NDArray]
    var state: [NDArray]

    var isOfProgram: Bool { true }
    var origin: AnyObject? { plan }
    var form: LayerForm { .program }
    var settings: LayerSettings { plan.settings }
    var type: ElementType? { plan.type }
    var parameterNames: [String] { plan.parameterNames }
    var trains: [Bool] { plan.trains }
    var stateNames: [String] { plan.stateNames }
    var nesting: Int32 { plan.nesting }
    var layerCount: Int { plan.layerCount }

    func thawed() throws -> any Layer { ProgramLayer(plan: try LayerPlan(thawing: plan), parameters: parameters, state: state) }

    var isOpen: Bool { true }

    func callAsFunction(_ x: Signal, _ pass: Pass) throws -> Signal { Signal(try call(Arguments([Value(x)]), pass)) }

    /// Where arrays alone go from layer to layer.
    func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        let value = try call(Arguments([Value(x)]), pass)
        guard let array = try value.asArray() else { throw misfit(Signal(value), nil, pass) }
        return array
    }

    func misfit(_ output: Signal, before next: any Layer, at position: Int, _ pass: Pass) -> any Error {
        pass.at(position - 1) { misfit(output, next, pass) }
    }

    private func misfit(_ output: Signal, _ next: (any Layer)?, _ pass: Pass) -> any Error {
        let fault: any Error
        do {
            fault = LayerRefusal.layerWithoutArray(text, try Value(output), next: next?.text, at: plan.maker.functionSpan)
        } catch {
            fault = error
        }
        return placed(fault, pass)
    }

    /// By itself: whatever its function takes and gives.
    func call(_ arguments: Arguments, _ pass: Pass) throws -> Value {
        let machine = plan.machine
        do {
            return try machine.inside(LayerRun(self, pass)) { () -> Value in
                let function = try plan.function(parameters, state.map(pass.latest))
                var arguments = arguments
                arguments.positional = try arguments.positional.map(typed)
                if function.parameters.contains(where: { $0.name == "training" }), !arguments.named.contains(where: { $0.name == "training" }) {
                    arguments.named.append(("training", .bool(pass.isTraining)))
                }
                return try machine.call(function, arguments)
            }
        } catch { throw placed(error, pass) }
    }

    /// An array in the layer's element type, as built-in layers take it.
    private func typed(_ value: Value) throws -> Value {
        guard let type, case .array(let array) = value, array.rank > 0, array.type != .bool, array.type != type else { return value }
        return .array(try array.converted(to: type))
    }

    /// An error in the layer's function, which also says which layer of a network it is.
    private func placed(_ error: Error, _ pass: Pass) -> Error {
        guard let position = pass.position, !(error is NetworkError) else { return error }
        let fault = Fault.wrap(error, plan.machine)
        // Layers inside of this one have the same position.
        guard fault.kind == .error, fault.layer != position else { return fault }
        return Fault(diagnostic: plan.machine.host.diagnostic(fault.diagnostic, inLayer: text, at: position), kind: fault.kind, layer: position)
    }
}

extension Layer {
    /// Of a layer of the program's own: the layers in its fields.
    package var layersInFields: [any Layer] { (bare as? ProgramLayer)?.plan.layers ?? [] }
}

/// A pass while a function of the program takes part in it: that of a layer, or a model of its own.
package final class LayerRun {
    let layer: ProgramLayer?
    let pass: Pass

    init(_ layer: ProgramLayer?, _ pass: Pass) {
        self.layer = layer
        self.pass = pass
    }

    /// A model of the program's own.
    package convenience init(_ pass: Pass) { self.init(nil, pass) }

    /// Takes what the function assigned to a field.
    func note(_ name: String, _ value: Value) throws {
        guard let layer else { return }
        switch layer.plan.states(named: name) {
        case let field? where field.isState: try gather(value, field, name, layer)
        case let field?:
            throw LayerRefusal.assignedField(name, isTrained: field.isTrained)
        case nil: return
        }
    }

    private func gather(_ value: Value, _ field: LayerPlan.Field, _ name: String, _ layer: ProgramLayer) throws {
        switch field {
        case .state(let index):
            let old = layer.state[index]
            guard value.isNumeric else { throw LayerRefusal.stateKind(name, .array, value) }
            let array = try value.point().detached()
            guard array.shape == old.shape else {
                throw LayerRefusal.stateShape(name, old.shape, array.shape)
            }
            let new = try array.converted(to: old.type)
            try new.evaluate()
            pass.gather(new, for: old)
        case .list(let fields):
            guard case .list(let list) = value, list.elements.count == fields.count else {
                throw LayerRefusal.stateKind(name, .list(fields.count), value)
            }
            for (element, field) in zip(list.elements, fields) { try gather(element, field, name, layer) }
        case .record(let fields):
            guard case .record(let record) = value, record.fields.count == fields.count else {
                throw LayerRefusal.stateKind(name, .record(fields.count), value)
            }
            for field in fields { try gather(record[field.name] ?? .none, field.value, "\(name).\(field.name)", layer) }
        default: return
        }
    }
}

extension LayerPlan.Field {
    /// Holds states alone.
    fileprivate var isState: Bool {
        switch self {
        case .state: true
        case .list(let fields): !fields.isEmpty && fields.allSatisfy(\.isState)
        case .record(let fields): !fields.isEmpty && fields.allSatisfy(\.value.isState)
        default: false
        }
    }
}
