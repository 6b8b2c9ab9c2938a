// Training by hand: one step of an optimiser, a pass that hands back what it gathered, parameters that stay.

import ActArray
import ActGrad
import ActLayers
import ActMachine
import ActNetwork
import ActRows
import ActSyntax

extension BuiltinRows {
    static let descent: [Builtin] = [
        Builtin(
            .networks, "update", "one step: the pair of the new parameters and the optimiser as it is after it",
            details: """
                The parameters are a number, an array, a record, a list, a layer or a network; the gradient has their structure, as `grad` gives it. \
                The optimiser that comes back holds its moments: hand it to the next step. \
                `lr` may be a function of the number of steps done. Frozen layers stay as they are. \
                An optimiser may be a function (p, g, state) -> (p, state) of the lists of parameters and gradients, its state `none` at first. \
                Derivatives go through a step: in the parameters, the gradient, and the settings and moments of the optimiser (but not of LBFGS).
                """,
            example: "opt = SGD(0.5)\nw, opt = update(opt, [1, 2], [2, 2])\nw   # [0, 1]"
        ) { takes in
            let optimizer = takes.value("optimizer"), parameters = takes.value("parameters"), gradient = takes.value("gradient")
            return { call in try call.update(optimizer, parameters, gradient) }
        },
        Builtin(
            .networks, LBFGS.name, "an optimiser for `fit` and `update`: steps that learn the curvature from the last gradients, of all rows at once",
            details: """
                For smooth losses of few parameters. `fit` takes one step an epoch, over all rows, and looks how far to go: `lr` is the first length \
                that it tries, of 25 at most. `update` knows no loss to look at, so that its steps \
                have the length `lr`, as with `line_search=false`; where they are too long the loss grows.
                """,
            example:
                "f = v -> sum((v - [1, 2])^2 * [1, 10])\np, opt = [5, 5], LBFGS()\nfor i in range(10) { p, opt = update(opt, p, grad(f)(p)) }\nallclose(p, [1, 2])   # true"
        ) { takes in
            let lr = takes.value("lr", default: .number(1), "1", role: .followed), history = takes.whole("history", default: 100, .within(1...0x1p20)),
                search = takes.flag("line_search", default: true)
            return { call in
                let record = try Record([
                    "optimizer": .string(LBFGS.name), "lr": call[lr], "history": .number(Double(call[history])), "line_search": .bool(call[search]),
                ])
                _ = try call.descent(record)
                return .record(record)
            }
        },
        Builtin(
            .networks, "forward", "a pass that hands back what it gathered: the pair of the output and the network with its new statistics and states",
            example: "y, n = forward(BatchNorm(1, momentum=0.5), [[1], [3]], training=true)\nn.mean   # [1]"
        ) { takes in
            let net = takes.network("net"), x = takes.value("x"), training = takes.flag("training", default: false)
            return { call in
                let function = try call[net]
                var network = function.network
                try network.separateStates()
                let fresh = NetworkFunction(network, like: function)
                let (output, states) = try fresh.passed(call[x], isTraining: call[training], call.machine)
                return try .list([output, NetworkFunction.with(states: states, fresh).asValue()])
            }
        },
        Builtin(
            .networks, "freeze", "the layer or network with parameters that `fit` and `update` leave alone",
            details: "Statistics are still gathered, and `grad` still gives its gradient. `unfreeze` undoes it; `net[0] = freeze(net[0])` freezes one layer.",
            example: "net = freeze(Dense(2, 3)) >> Dense(3, 1)\nnet   # freeze(Dense(2, 3)) >> Dense(3, 1)"
        ) { takes in
            let net = takes.network("net")
            return { call in
                let function = try call[net]
                return try NetworkFunction(function.network.frozen(), like: function).asValue()
            }
        },
        Builtin(
            .networks, "unfreeze", "the layer or network with all of its parameters trained again", example: "unfreeze(freeze(Dense(2, 3)))   # Dense(2, 3)"
        ) { takes in
            let net = takes.network("net")
            return { call in
                let function = try call[net]
                return try NetworkFunction(function.network.thawed(), like: function).asValue()
            }
        },
    ]
}
