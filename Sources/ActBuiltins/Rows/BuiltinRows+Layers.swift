// What the blocks of layers are written with: weights that are drawn, states that passes gather.

import ActArray
import ActLayers
import ActMachine
import ActNetwork
import ActRows

extension BuiltinRows {
    static let ownLayers: [Builtin] = [
        Builtin(
            .networks, "weights", "an array of shape (inputs, outputs), drawn as the W of `Dense`",
            details:
                "`init` is one of \(Initializers.all.map(\.name).joined(separator: " ")); \"auto\" is glorot_uniform. In the block of a `layer` the element type is the layer's.",
            example: "shape(weights(4, 3))   # (4, 3)"
        ) { takes in
            let inputs = takes.whole("inputs", .within(1...0x1p31)), outputs = takes.whole("outputs", .within(1...0x1p31))
            let initializer = takes.text("init", default: "auto"), dtype = takes.elementTypeOrNone()
            return { call in
                let inputs = try call[inputs], outputs = try call[outputs], name = try call[initializer]
                let type = try call[dtype] ?? call.machine.layerType ?? .f32
                guard type != .bool else { throw call.fail(dtype, .words(["f32", "f64"])) }
                guard let row = name == "auto" ? Initializers.automatic(.glorot) : Initializers.named(name) else {
                    throw call.fail(initializer, .words(["auto"] + Initializers.all.map(\.name)))
                }
                return .array(try row(shape: [inputs, outputs], fanIn: inputs, fanOut: outputs, type: type, &call.machine.random))
            }
        },
        Builtin(
            .networks, "state", "in the block of a `layer`: a field that passes assign and training leaves alone",
            details:
                "The function of the layer may assign it, as in `center = 0.9 * center + 0.1 * x.mean(axis=0)`; `fit` keeps what each pass assigned, `forward(net, x)` hands it back. By a parameter `training`, `(x, training) -> …`, the function is told whether it trains, and assigns only then. It is saved, and takes no part in arithmetic and gradients.",
            example: "layer Counter() {\n    passes = state(0)\n    x -> { passes = passes + 1; x }\n}\nCounter().passes   # 0"
        ) { takes in
            let value = takes.value("value", role: .opaque)
            return { call in try call.machine.marked(call[value], call, value) }
        },
    ]
}

extension Machine {
    /// The same numbers as a state of the layer whose block runs.
    fileprivate func marked(_ value: Value, _ call: Call, _ argument: Input<Value>) throws -> Value {
        guard layerType != nil else { throw LayerRefusal.stateOutsideLayer }
        try Interrupt.check()
        switch value {
        case .number(let number): return try mark(NDArray.scalar(number, type: .f64))
        case .bool(let flag): return try mark(NDArray(bools: [flag], shape: []))
        case .array(let array): return try mark(array.detached().renewed())
        case .list(let list): return try .list(list.elements.map { try marked($0, call, argument) })
        case .record(let record): return try .record(record.fields.mapValues { try marked($0, call, argument) })
        default: throw call.fail(argument, .structure, value)
        }
    }

    private func mark(_ array: NDArray) throws -> Value {
        try markState(array)
        return .array(array)
    }
}
