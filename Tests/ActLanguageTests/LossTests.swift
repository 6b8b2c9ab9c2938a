// Losses, metrics and learning rates at the ends of their domains: infinite scores, missing rows, numbers that make no sense.

import ActArray
import Testing
import ActRandom

@Suite struct LossTests {
    @Test(arguments: [
        // The limits, as mathematics has them.
        ("bce_logits([inf, -inf], [1, 0])", "0"), ("bce_logits([inf], [0])", "inf"), ("bce_logits(f32([inf]), [1])", "0"),
        ("grad(x -> bce_logits(x, [1, 0]))([inf, -inf])", "[0, 0]"), ("bce_logits(tile([inf, 0], 1000), tile([1, 1], 1000)) * 2", "0.69314718"),
        ("bce([0, 1], [0, 1])", "0"), ("kl_div([0, 1], [0, 1])", "0"), ("grad(q -> kl_div([0, 1], q))([0, 1])", "[0, -1]"),
        ("hinge([inf, -inf], [1, -1])", "0"),
        // A row that has a NaN has no largest element: no answer is right.
        ("accuracy([[nan, 1], [0, 1]], [0, 1])", "0.5"), ("accuracy([[nan, 1], [0, 1]], [[1, 0], [0, 1]])", "0.5"),
        ("accuracy([nan, 0.7, 0.2], [0, 1, 0], 0.5)", "0.66666667"), ("accuracy([nan, 1], [0, 1])", "0.5"), ("accuracy([[0], [1]], [0, 1])", "1"),
        // sklearn.metrics.r2_score
        ("r2([1e9 + 1, 1e9 + 2, 1e9 + 4], [1e9 + 1, 1e9 + 2, 1e9 + 3])", "0.5"),
        ("cosine_rate(0.1, 10)([0, 5, 10, 20, inf])", "[0.10, 0.05, 0.00, 0.00, 0.00]"), ("step_rate(1, 2)([0, 2, inf])", "[1.0, 0.1, 0.0]"),
    ])
    func value(_ program: String, _ shown: String) throws {
        let session = try TestSession()
        #expect(session.values(program) == [shown], "\(program)")
        #expect(session.diagnostics.filter { _ in shown != "inf" }.isEmpty, "\(program): \(session.diagnostics.map(\.title))")
    }

    /// Class numbers and one-hot rows are two ways to write the same labels.
    @Test(arguments: ["cross_entropy", "nll"], ["f64", "f32"]) func formsAgree(_ loss: String, _ type: String) throws {
        var random = RandomSource(seed: 5)
        for _ in 0..<40 {
            let labels = try (0..<3).map { _ in try random.integer(0, 4) }
            let rows = try labels.map { label in
                try (0..<4).map { try $0 != label && random.integer(0, 3) == 0 ? "-inf" : "\(Double(try random.integer(0, 1000)) / 100 - 5)" }
            }
            let scores = "\(type)([\(rows.map { "[\($0.joined(separator: ", "))]" }.joined(separator: ", "))])"
            let hot = "[\(labels.map { label in "[\((0..<4).map { $0 == label ? "1" : "0" }.joined(separator: ", "))]" }.joined(separator: ", "))]"
            let session = try TestSession()
            let shown = session.values(
                """
                a = \(loss)(\(scores), \(labels)); b = \(loss)(\(scores), \(hot))
                abs(a - b) < 1e-6
                isfinite(a)
                g = grad(x -> \(loss)(x, \(labels)))(\(scores)); h = grad(x -> \(loss)(x, \(hot)))(\(scores))
                allclose(g, h)
                all(isfinite(g))
                """)
            #expect(shown == ["true", "true", "true", "true"], "\(scores) \(labels)")
            #expect(session.diagnostics.isEmpty, "\(session.diagnostics.map(\.title))")
        }
    }

    @Test(arguments: [
        ("bce([1.5], [1])", "probability 1.5"), ("bce([0.5, -0.1], [1, 1])", "probability -0.1 at position 1"), ("bce([0.5], [2])", "target 2"),
        ("bce_logits([3], [-1])", "target -1"), ("grad(p -> bce(p, [1]))([1.5])", "probability 1.5"),
        ("accuracy([1.2, 0.7], [0, 1])", "prediction 1.2"), ("accuracy([[-0.2], [0.7]], [0, 1])", "prediction -0.2"),
        ("confusion([1.5], [0])", "prediction 1.5"),
        ("cosine_rate(0.1, 0)", "`epochs`"), ("cosine_rate(0.1, 10)(-1)", "none at -1"), ("step_rate(0.1, 10)([3, -2])", "none at -2"),
        ("constant_rate(1, warmup=3)(-0.5)", "none at -0.5"), ("constant_rate(-1)", "`lr`"), ("cosine_rate(nan, 3)", "`lr`"),
        ("SGD(nesterov=true)", "`momentum`"), ("SGD(momentum=0, nesterov=true)", "`momentum`"),
        ("fit(Dense(1, 1), [[0], [1]], [[0], [3]], bce_logits, shuffle=false, batch=1, progress=false)", "target 3 at position 1"),
    ])
    func refuses(_ program: String, _ words: String) throws {
        let session = try TestSession()
        session.run(program)
        #expect(session.diagnostics.contains { $0.level == .error && $0.title.contains(words) }, "\(program): \(session.diagnostics.map(\.title))")
    }

    /// Nothing has no mean: NaN, with a word about it, in every form.
    @Test(arguments: [
        "accuracy([], [])", "r2([], [])", "mse([], [])", "cross_entropy(zeros(0, 3), [])", "cross_entropy(zeros(0, 3), zeros(0, 3))",
        "nll(zeros(0, 3), zeros(0, 3))",
        "bce([], [])", "bce_logits([], [])", "kl_div(zeros(0, 2), zeros(0, 2))", "hinge([], [])",
    ])
    func ofNothing(_ program: String) throws {
        let session = try TestSession()
        #expect(session.values(program) == ["nan"])
        #expect(session.diagnostics.map(\.title).contains { $0.hasPrefix("invalid operation") }, "\(program)")
    }
}
