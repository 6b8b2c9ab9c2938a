// Data for networks, and the views inside of them.

import ActArray
import ActLayers
import ActMachine
import ActNetwork
import ActRows

extension BuiltinRows {
    static let flows: [Builtin] = [
        Builtin(
            .networks, "gradient_flow", "how the gradient fares on its way back: a record of layer, signal, gradient, parameters",
            details:
                "One element a layer: `signal` is the norm of what reaches its output, `gradient` that of its parameters' gradient, `parameters` that of the parameters themselves. Layers are in training mode, as in `fit`. `plot(gradient_flow(…), logy=true)` shows it vanish or explode.",
            example: "seed(1); g = gradient_flow(Dense(2, 4, relu) >> Dense(4, 1), ones(3, 2), ones(3, 1), mse)\nshape(g.signal)   # (2,)", role: .opaque
        ) { takes in
            let net = takes.network("net"), x = takes.array("x"), y = takes.array("y"), loss = takes.function("loss")
            return { call in
                let network = try call[net].network, loss = try call.loss(loss)
                let flow = try Flow.gradients(network, x: call[x], y: call[y], loss: loss.evaluate)
                return try table(
                    flow.map(\.layer), [("signal", flow.map(\.signal)), ("gradient", flow.map(\.gradient)), ("parameters", flow.map(\.parameters))])
            }
        },
        Builtin(
            .networks, "activation_flow", "what each layer makes of its input: a record of layer, mean, deviation, rms, dead, saturated",
            details:
                "One element a layer: `dead` is the share of units that are 0 for every row of x, `saturated` the share of outputs within a hundredth of the range of the limits of an activation that has two. `plot` draws it.",
            example: "seed(1); activation_flow(Dense(2, 4, tanh), 100 * randn(50, 2)).saturated > 0.5   # [true]", role: .opaque
        ) { takes in
            let net = takes.network("net"), x = takes.array("x")
            return { call in
                let network = try call[net].network
                let flow = try Flow.activations(network, call[x])
                return try table(
                    flow.map(\.layer),
                    [
                        ("mean", flow.map(\.mean)), ("deviation", flow.map(\.deviation)), ("rms", flow.map(\.rms)), ("dead", flow.map(\.dead)),
                        ("saturated", flow.map(\.saturated)),
                    ])
            }
        },
    ]

    private static func table(_ layers: [String], _ columns: [(name: String, values: [Double])]) throws -> Value {
        var fields: Fields = ["layer": try .list(layers.map { .string($0) })]
        for column in columns { fields[column.name] = .array(try NDArray(column.values, shape: [column.values.count])) }
        return try .record(fields)
    }

    static let data: [Builtin] = [
        Builtin(
            .networks, "digits", "1,797 handwritten digits that come with act: the pair (images, labels)",
            details:
                "Images are rows of 8 by 8 pixels from 0 to 1, f32; `x[0].reshape(8, 8)` is one. (Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, CC BY 4.0.)",
            example: "x, y = digits(); shape(x)   # (1797, 64)\ny[:5]   # [0, 1, 2, 3, 4]"
        ) { _ in
            { _ in
                let digits = try Digits.load()
                return try .list([.array(digits.images), .array(digits.labels)])
            }
        },
        Builtin(
            .networks, "batches", "the rows of x, and those of y with them, in parts: a list of arrays or of pairs",
            details: "For training loops of your own: `for xb, yb` is written `for pair in batches(x, y) { xb, yb = pair; … }`.",
            example: "len(batches(range(10), size=4))   # 3"
        ) { takes in
            let x = takes.vector("x"), y = takes.vectorOrNone("y"), size = takes.whole("size", default: 32, .within(1...)),
                shuffle = takes.flag("shuffle", default: true)
            return { call in
                let x = try call[x].contiguous(), y = try call[y]?.contiguous()
                let rows = x.shape[0], size = try call[size]
                if let y, y.shape[0] != rows { throw TrainingRefusal.rowCounts(inputs: rows, targets: y.shape[0]) }
                let order = try call[shuffle] ? call.machine.random.permutation(rows).toDoubles().map { Int($0) } : Array(0..<rows)
                return try .list(
                    stride(from: 0, to: rows, by: size).map { start in
                        let part = order[start..<min(rows, start &+ size)]
                        let first = Value.array(try Training.rows(x, part))
                        guard let y else { return first }
                        return try .list([first, .array(try Training.rows(y, part))])
                    })
            }
        },
        Builtin(
            .networks, "normalize", "x with mean 0 and deviation 1 along an axis; what does not vary becomes 0",
            example: "normalize([[1, 5], [3, 5]])   # [[-1,  0],\n# [ 1,  0]]"
        ) { takes in
            let x = takes.numbers("x"), axis = takes.axes(default: 0)
            return { call in try Value(call[x].standardized(axes: call[axis])) }
        },
    ]
}
