// Trains a network in act, watches it from Swift, and asks it about images that Swift holds.

import ActKit
import Synchronization

var options = Interpreter.Options()
options.seed = 0
let act = try Interpreter(options)

// A Swift function that programs call, on the thread that runs them.
let seen = Mutex<[Double]>([])
act.register("note", parameters: ["value"], summary: "hands a number to the surrounding program") { arguments in
    guard case .number(let value) = arguments[0] else { throw ActError("`note` takes a number") }
    seen.withLock { $0.append(value) }
    return .none
}

try act.run(
    """
    x, y = digits()
    net = Dense(64, 32, relu) >> Dense(32, 10)
    for round in range(3) {
        net = fit(net, x[:1500], y[:1500], cross_entropy, Adam(3e-3), epochs=5, progress=false)
        note(accuracy(net(x[1500:]), y[1500:]))
    }
    """, name: "digits.act")
print("accuracy after each round:", seen.withLock { $0 })

// A network is a function: arrays in, arrays out.
guard case .function(let net)? = act["net"], case .array(let x)? = act["x"] else { throw ActError("the network is lost") }
let first = try NumericArray(Array(x.elements().prefix(64)), shape: [1, 64])
guard case .array(let scores) = try net(.array(first)) else { throw ActError("a network gives an array") }
print("the first image is a", try scores.elements().enumerated().max { $0.element < $1.element }?.offset ?? -1)

// Figures become SVG.
let figure = try act.run("plot(gelu, gelu')").figures[0]
print("a figure of", figure.svg.utf8.count, "bytes")
