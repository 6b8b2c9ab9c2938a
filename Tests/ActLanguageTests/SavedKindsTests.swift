// What `save` writes to .safetensors comes back as the same kind of value, with the same parts, numbers and settings, however it is nested.

import ActLanguage
import ActRandom
import Foundation
import Testing

/// Expressions of every kind of value that such a file holds, by themselves or nested in each other.
private struct Generator {
    private var random = RandomSource(seed: 7)
    private static let layers = [
        "Dense(2, 3)", "Dense(2, 2, leaky_relu(slope=0.2), bias=false)", "BatchNorm(3)", "Dropout(0.25)", "Flatten()", "Residual(Dense(2, 2) >> tanh)",
        "Residual(freeze(Dense(2, 2)))", "Branch(Dense(2, 2), relu, Dense(2, 1, dtype=\"f64\"), join=\"sum\")", "LSTM(2, 3)", "Attention(4, heads=2)",
        "Own(2)", "Own(2, dtype=\"f64\")", "Holds((Dense(2, 2), {f: relu, g: freeze(Own(2))}))", "Holds(freeze(Dense(2, 2)))", "Cold(2)", "unfreeze(Cold(2))",
    ]
    private static let others = [
        "1", "-0.0", "nan", "inf", "1e-300", "true", "false", "\"\"", "\"a \\\"b\\\" {3}\\n\u{ae30}\"", "none", "relu", "sin", "leaky_relu(slope=0.2)", "Dense",
        "Own",
        "[1, 2.5]", "f32([[1, 2]])", "[true, false]", "zeros(0, 3)", "[]", "()", "{}", "Adam(1e-3)", "SGD(cosine_name)", "stepped", "LBFGS()",
    ]

    private mutating func below(_ count: Int) -> Int { (try? random.integer(0, count)) ?? 0 }
    private mutating func pick(_ texts: [String]) -> String { texts[below(texts.count)] }

    mutating func layer() -> String {
        let layer = pick(Self.layers)
        return below(4) == 0 ? "freeze(\(layer))" : layer
    }

    mutating func network() -> String {
        switch below(3) {
        case 0: "(Dropout(0.1) >> \(layer()))"
        case 1: "(\(layer()) >> relu)[0:1]"
        default: layer()
        }
    }

    mutating func value(_ depth: Int) -> String {
        switch below(depth > 0 ? 6 : 3) {
        case 0, 1: return pick(Self.others)
        case 2: return network()
        case 3: return "(" + (0..<below(4)).map { _ in value(depth - 1) + "," }.joined(separator: " ") + ")"
        default:
            let names = ["a", "b", "\"0\"", "\"__metadata__\"", "\"a.b\"", "\"\""]
            return "{" + names.prefix(below(5)).map { "\($0): \(value(depth - 1))" }.joined(separator: ", ") + "}"
        }
    }
}

@Suite struct SavedKindsTests {
    private static let program = """
        layer Own(n) { W = randn(n, n); seen = state(zeros(n)); part = Dense(n, n, tanh); (x, training) -> { if training { seen = seen + 1 }; part(x @ W) } }
        layer Holds(what) { W = randn(2, 2); x -> { f = what; x @ W } }
        layer Cold(n) { part = freeze(Dense(n, n)); W = ones(n); x -> part(x) * W }
        p, stepped = update(Adam(0.1), {a: [1, 2], n: Dense(2, 2)}, {a: [1, 1], n: Dense(2, 2)})
        cosine_name = 0.5
        # The kind, and what a value of that kind is made of.
        look(v) = {
            kind = type(v)
            if kind == "list" {
                "(" + join([look(e) for e in v], ", ") + ")"
            } else if kind == "record" {
                "\\{" + join([k + ": " + look(v[k]) for k in keys(v)], ", ") + "}"
            } else if kind == "layer" or kind == "network" {
                kind + " " + repr(v) + " " + look(parameters(v)) + frozen(v)
            } else if kind == "array" {
                "{v.dtype} {v.shape} {flatten(v)}"
            } else {
                kind + " " + repr(v)
            }
        }
        # Which parameters an optimiser changes.
        frozen(v) = {
            if len(flatten(v)) == 0 { return "" }
            changed, opt = update(SGD(1), (v, [1]), (0 * v + 1, [0]))
            " " + join(["{e}" for e in flatten(changed[0]) == flatten(v)], " ")
        }
        """

    @Test func everyKindComesBack() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("act-kinds-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let session = try Session()
        #expect(session.run(Self.program, named: "kinds") == .done)
        var generator = Generator()
        for number in 0..<250 {
            // Values that stand by themselves in a file are networks, records and lists.
            let value: String =
                switch number % 3 {
                case 0: generator.network()
                case 1: "{a: \(generator.value(3)), b: \(generator.value(2))}"
                default: "(\(generator.value(3)), \(generator.value(2)))"
                }
            let path = folder.appendingPathComponent("value.safetensors").path
            let status = session.run(
                "seed(\(number)); v = \(value)\nsave(v, \"\(path)\")\nw = load(\"\(path)\")\nbefore = look(v); after = look(w)", named: "kinds")
            guard status == .done, case .string(let before)? = session.value(named: "before"), case .string(let after)? = session.value(named: "after") else {
                Issue.record("\(value) cannot be saved, or not be loaded")
                continue
            }
            #expect(before.string == after.string, "\(value)")
        }
    }
}
