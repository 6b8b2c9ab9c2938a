// Layers of the program's own: what Tab, help and errors say of them, and that training by `fit` and by `update` are the same steps.

import ActLanguage
import ActNetwork
import Testing

@Suite struct OwnLayerTests {
    private func makeSession(_ text: String) throws -> Session {
        let session = try Session()
        #expect(session.run(text, named: "test") == .done)
        return session
    }

    private func isTrue(_ text: String, _ session: Session) throws -> Bool {
        guard session.run("it = \(text)", named: "question") == .done, case .bool(let answer)? = session.value(named: "it") else { return false }
        return answer
    }

    @Test func completionKnowsFields() throws {
        let session = try makeSession("layer Own(size) { gain = ones(size); part = Dense(2, 2); seen = state(0); x -> x }\nown = Own(2); net = own >> relu")
        for (text, expected) in [
            ("own.ga", "gain"), ("own.se", "seen"), ("own.part.W", "W"), ("net[0].par", "part"), ("own.si", "size"), ("Own(si", "size="),
            ("Own(2, dt", "dtype="),
        ] {
            #expect(session.completions(of: text, at: text.utf8.count).candidates.contains(expected), "\(text)")
        }
    }

    @Test func helpIsTheCommentAbove() throws {
        let session = try makeSession(
            "1;\n# Scales every column.\n# Starts at 1.\nlayer Own(size) { gain = ones(size); x -> gain * x }\n# A plain function too.\nf(x) = x")
        let help = try #require(session.help("Own"))
        #expect(help.hasPrefix("Own(size, dtype=\"f32\")\n  Scales every column.\n  Starts at 1.\n"))
        #expect(session.help("f")?.contains("A plain function too.") == true)
    }

    /// Every optimiser: epochs of `fit` over all rows, and the same number of steps of `update`.
    @Test(arguments: Optimizers.all.map { "\($0.name)(0.05)" } + ["LBFGS(0.05, line_search=false)"])
    func updateTakesTheStepsOfFit(_ name: String) throws {
        let session = try makeSession(
            """
            seed(1)
            layer Own(size) { gain = ones(size); W = weights(size, size); x -> gain * (x @ W) }
            x = randn(16, 3); y = randn(16, 3)
            net = Own(3, dtype="f64")
            by_fit = fit(net, x, y, mse, \(name), epochs=4, batch=16, shuffle=false, progress=false)
            by_hand, opt = net, \(name)
            loss(n) = mse(n(x), y)
            for step in range(4) { by_hand, opt = update(opt, by_hand, grad(loss)(by_hand)) }
            """)
        #expect(try isTrue("all(by_fit.W == by_hand.W) and all(by_fit.gain == by_hand.gain) and any(by_fit.W != net.W)", session))
        #expect(try isTrue("opt.steps == 4", session))
    }

    /// Layers in every place where a block can hold them are trained.
    @Test(arguments: [
        "part = Dense(2, 2); x -> part(x)", "part = (Dense(2, 2), relu); x -> part[0](x)", "part = {inner: {deep: Dense(2, 2)}}; x -> part.inner.deep(x)",
        "part = Dense(2, 2) >> tanh; part", "part = Dense(2, 2); help_(x) = part(x); x -> help_(x)",
        "part = Dense(2, 2); if true { x -> part(x) } else { x -> x }",
        "a = Dense(2, 2); part = a; x -> part(x)", "part = Residual(Dense(2, 2)); x -> part(x)",
        "part = [Dense(2, 2) for i in range(2)]; x -> part[1](part[0](x))",
        "parts = zeros(2, 2); x -> x @ parts",
    ])
    func everyPlaceIsTrained(_ block: String) throws {
        let session = try makeSession(
            """
            seed(1)
            layer Own() { \(block) }
            x = randn(8, 2)
            before = Own()
            after = fit(before, x, 3 * x, mse, SGD(0.1), epochs=3, batch=8, progress=false)
            """)
        #expect(try isTrue("mse(after(x), 3 * x) < mse(before(x), 3 * x)", session))
    }
}
