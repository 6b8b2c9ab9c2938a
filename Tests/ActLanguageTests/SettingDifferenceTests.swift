// What takes the parameters of two networks together says which setting differs, wherever it is, and lets those go together that were made alike.

import ActLanguage
import ActSyntax
import Testing

private final class Recorder: SessionOutput {
    var problems: [Diagnostic] = []
    func write(_ text: String) {}
    func show(_ shown: Shown) {}
    func report(_ diagnostic: Diagnostic, _ session: Session) { problems.append(diagnostic) }
}

private func fault(_ program: String) throws -> String? {
    let output = Recorder()
    let preparation = """
        layer Own(n, times=1) { W = randn(n, n); x -> times * (x @ W) }
        layer Around(f, list=(1, 2)) { W = randn(2, 2); x -> f(x @ W) }

        """
    try withExtendedLifetime(Session(options: .init(), output: output)) { _ = $0.run(preparation + program, named: "test.act") }
    return output.problems.first { $0.level == .error }?.title
}

@Suite struct SettingDifferenceTests {
    /// Two networks, and what differs; `nil` for nothing.
    static let pairs: [(String, String, String?)] = [
        ("Dense(2, 2, relu)", "Dense(2, 2, tanh)", "`activation` of the layers is relu on one side and tanh on the other"),
        ("Dense(2, 2)", "Dense(2, 2, relu)", "`activation` of the layers is identity on one side and relu on the other"),
        ("Dense(2, 2)", "Dense(2, 2, identity)", nil),
        ("Dense(2, 2)", "Dense(2, 2, init=\"zeros\")", nil),
        ("Dense(2, 2)", "freeze(Dense(2, 2))", nil),
        ("Dense(2, 2)", "Dense(2, 2, dtype=\"f64\")", "`dtype` of the layers is \"f32\" on one side and \"f64\" on the other"),
        (
            "Dense(2, 2, leaky_relu(slope=0.1))", "Dense(2, 2, leaky_relu(slope=0.2))",
            "`activation` of the layers is leaky_relu(slope=0.1) on one side and leaky_relu(slope=0.2) on the other"
        ),
        ("Dropout(0.1) >> Dense(2, 2)", "Dropout(0.5) >> Dense(2, 2)", "`rate` of layer 0 is 0.1 on one side and 0.5 on the other"),
        ("Dense(2, 2) >> relu", "Dense(2, 2) >> tanh", "`function` of layer 1 is relu on one side and tanh on the other"),
        ("Dense(2, 2) >> relu", "Dense(2, 2) >> relu", nil),
        ("Dense(2, 2) >> LayerNorm(2)", "Dense(2, 2) >> BatchNorm(2)", "layer 1 is LayerNorm(2) on one side and BatchNorm(2) on the other"),
        ("BatchNorm(2, momentum=0.5)", "BatchNorm(2)", "`momentum` of the layers is 0.5 on one side and 0.1 on the other"),
        ("Residual(Dense(2, 2) >> relu)", "Residual(Dense(2, 2) >> tanh)", "`function` of layer 1 is relu on one side and tanh on the other"),
        (
            "Branch(Dense(2, 2), Dense(2, 2, relu))", "Branch(Dense(2, 2), Dense(2, 2, tanh))",
            "`activation` of layer 0 is relu on one side and tanh on the other"
        ),
        ("Own(2)", "Own(2, times=3)", "`times` of the layers is 1 on one side and 3 on the other"),
        ("Own(2)", "Own(2, times=1)", nil),
        ("Around(Dense(2, 2))", "Around(Dense(2, 2))", nil),
        ("Around(Dense(2, 2, relu))", "Around(Dense(2, 2, tanh))", "`activation` of the layers is relu on one side and tanh on the other"),
        ("Around(relu, list=(1, [1, 2]))", "Around(relu, list=(1, [1, 2]))", nil),
        ("Around(relu, list=(1, [1, 2]))", "Around(relu, list=(1, [1, 3]))", "`list` of the layers is [1, 2] on one side and [1, 3] on the other"),
        ("Around(x -> x)", "Around(x -> 2 * x)", "`f` of the layers is x -> x on one side and x -> 2 * x on the other"),
    ]

    @Test(arguments: ["a + b", "b - a", "a / b", "{n: a} - {n: b}", "maximum(a, b)", "map((u, v) -> u + v, a, b)", "stack((a, b))", "update(SGD(1), a, b)"])
    func oneAndAnother(_ expression: String) throws {
        for (first, second, expected) in Self.pairs {
            // Without parameters there is nothing to update.
            let found = try fault("a = \(first)\nb = \(second)\n\(expression);")
            // The sides may come in the other order.
            let turned = expected.map { text in
                let parts = text.components(between: " is ", " on one side and ", " on the other")
                return "\(parts.0) is \(parts.2) on one side and \(parts.1) on the other"
            }
            #expect(found == expected || found == turned, "\(expression) of \(first) and \(second): \(found ?? "nothing")")
        }
    }

    @Test func partsOfOwnLayersStayAsTheyWereMade() throws {
        let program = "layer Deep() { part = Dense(2, 2); x -> part(x) }\nd = Deep()\n"
        #expect(try fault(program + "d.part = Dense(2, 2)") == nil)
        #expect(try fault(program + "d.part = Dense(2, 2, tanh)") == "`activation` of the layers is identity on one side and tanh on the other")
        #expect(try fault(program + "d.part = freeze(d.part)")?.contains("is not frozen in its block") == true)
    }
}

extension String {
    fileprivate func components(between first: String, _ second: String, _ third: String) -> (String, String, String) {
        guard let one = firstRange(of: first), let two = firstRange(of: second), hasSuffix(third) else { return (self, "", "") }
        return (String(self[..<one.lowerBound]), String(self[one.upperBound..<two.lowerBound]), String(self[two.upperBound...].dropLast(third.count)))
    }

    private func firstRange(of text: String) -> Range<String.Index>? {
        indices.lazy.compactMap { self[$0...].hasPrefix(text) ? $0..<self.index($0, offsetBy: text.count) : nil }.first
    }
}
