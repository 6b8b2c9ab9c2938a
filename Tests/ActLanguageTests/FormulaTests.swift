// Functions as formulas: how they are written, that they have the values of the functions, and that every line of a derivation does.

import ActArray
import ActGrad
import ActLanguage
import ActMachine
import ActTestSupport
import Testing

@Suite struct FormulaTests {
    /// A session that has run a program.
    private static func session(_ program: String = "") throws -> Session {
        var options = Session.Options()
        options.warns = false
        let session = try Session(options: options)
        #expect(session.run(program, named: "<test>") == .done, "\(program)")
        return session
    }

    private static func text(_ expression: String, in session: Session) throws -> String {
        #expect(session.run("TEXT = \(expression)", named: "<test>") == .done, "\(expression)")
        guard case .string(let text)? = session.value(named: "TEXT") else { throw Missing() }
        return text.string
    }

    private static func numbers(_ expression: String, in session: Session) throws -> [Double] {
        #expect(session.run("NUMBERS = [\(expression)][0]", named: "<test>") == .done, "\(expression)")
        switch session.value(named: "NUMBERS") {
        case .array(let array)?: return try array.converted(to: .f64).toDoubles()
        case .number(let number)?: return [number]
        default: throw Missing()
        }
    }

    private struct Missing: Error {}

    // MARK: How they are written

    /// Definitions as they stand in introductions to activation functions, with the derivatives given there.
    @Test(arguments: [
        ("h(x) = 1 / (1 + exp(-x))", "h", "1/(1 + e^-x)", "\\frac{1}{1 + e^{-x}}", "h(x) (1 - h(x))"),
        ("f = sigmoid", "f", "1/(1 + e^-x)", "\\frac{1}{1 + e^{-x}}", "σ(x) (1 - σ(x))"),
        ("f = tanh", "f", "(e^x - e^-x)/(e^x + e^-x)", "\\frac{e^{x} - e^{-x}}{e^{x} + e^{-x}}", "1 - tanh²(x)"),
        ("f(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x))", "f", "(e^x - e^-x)/(e^x + e^-x)", "\\frac{e^{x} - e^{-x}}{e^{x} + e^{-x}}", "1 - f²(x)"),
        ("f(x) = 2 * sigmoid(2 * x) - 1", "f", "2 σ(2 x) - 1", "2 \\sigma(2 x) - 1", "4 σ(2 x) (1 - σ(2 x))"),
        ("f(x) = max(0, x)", "f", "max(0, x)", "\\max(0, x)", "1 if x > 0, 0 if x ≤ 0"),
        ("f = relu", "f", "max(0, x)", "\\max(0, x)", "1 if x > 0, 0 if x ≤ 0"),
        ("f(x) = max(0.01 * x, x)", "f", "max(0.01 x, x)", "\\max(0.01 x, x)", "1 if x > 0, 0.01 if x < 0, else 0.505"),
        ("f(x, alpha) = max(alpha * x, x)", "f", "max(α x, x)", "\\max(\\alpha x, x)", "α if α x > x, 1 if α x < x, else (α + 1)/2"),
        (
            "f = elu", "f", "x if x > 0, α (e^x - 1) if x ≤ 0", "\\begin{cases} x & x > 0 \\\\ \\alpha \\left(e^{x} - 1\\right) & x \\leq 0 \\end{cases}",
            "1 if x > 0, α e^x if x ≤ 0"
        ),
        (
            "f(x, w1, b1, w2, b2) = max(w1 * x + b1, w2 * x + b2)", "f", "max(w₁ x + b₁, w₂ x + b₂)", "\\max(w_{1} x + b_{1}, w_{2} x + b_{2})",
            "w₁ if w₁ x + b₁ > w₂ x + b₂, w₂ if w₁ x + b₁ < w₂ x + b₂, else (w₁ + w₂)/2"
        ),
        ("swish(x) = x * sigmoid(x)", "swish", "x σ(x)", "x \\sigma(x)", "σ(x) (1 + x (1 - σ(x)))"),
        ("f(x) = x * sigmoid(x)", "f", "x σ(x)", "x \\sigma(x)", "σ(x) + f(x) (1 - σ(x))"),
        ("f = softmax", "f", "e^xᵢ/Σⱼ e^xⱼ", "\\frac{e^{x_{i}}}{\\sum_{j} e^{x_{j}}}", "pᵢ (δᵢⱼ - pⱼ)"),
        ("f(x, w, b) = sigmoid(w * x + b)", "f", "σ(w x + b)", "\\sigma(w x + b)", "w f(x) (1 - f(x))"),
        ("f = gelu", "f", "x Φ(x)", "x \\Phi(x)", "Φ(x) + x φ(x)"),
        ("f(x) = x * tanh(x)", "f", "x tanh(x)", "x \\tanh(x)", "tanh(x) + x (1 - tanh²(x))"),
        ("f(x) = exp(-x^2 / 2)", "f", "e^(-x²/2)", "e^{-\\frac{x^{2}}{2}}", "-x f(x)"),
        ("f(x) = x^3 - 2 * x", "f", "x³ - 2 x", "x^{3} - 2 x", "3 x² - 2"),
        ("f(x) = { s = 0; for i in range(3) { s += x^i }; s }", "f", "x² + x + 1", "x^{2} + x + 1", "2 x + 1"),
        ("f(t) = where(t >= 1 and t < 2 or t == 5, t, -t)", "f", "t if (t ≥ 1 and t < 2 or t = 5), else -t", "", "1 if (t ≥ 1 and t < 2 or t = 5), else -1"),
        ("f = with_derivative(round, x -> 1)", "f", "round(x)", "\\operatorname{round}(x)", "1"),
        ("f(x) = x * stop_gradient(x)", "f", "x²", "x^{2}", "x"),
        ("f = tanh >> (x -> x / 2)", "f", "tanh(x)/2", "\\frac{\\tanh(x)}{2}", "(1 - 4 f²(x))/2"),
        ("f = leaky_relu(slope=0.2)", "f", "x if x > 0, 0.2 x if x ≤ 0", "", "1 if x > 0, 0.2 if x ≤ 0"),
        ("f(x, n=3) = { s = 0; for i in range(n) { s += x^i }; s }", "f", "x² + x + 1", "", "2 x + 1"),
        ("f(x) = clip(x, -1, 1)", "f", "clip(x, -1, 1)", "", "1 if -1 < x < 1, else 0"),
        ("f(x) = abs(x) / 3 + sqrt(x^2 + 1)", "f", "|x|/3 + √(x² + 1)", "\\frac{\\left|x\\right|}{3} + \\sqrt{x^{2} + 1}", "sign(x)/3 + x/√(x² + 1)"),
    ])
    func formulasAreWrittenAsInBooks(program: String, name: String, text: String, latex: String, derivative: String) throws {
        let session = try Self.session(program)
        #expect(try Self.text("formula(\(name))", in: session) == text)
        if !latex.isEmpty { #expect(try Self.text("formula(\(name), style=\"latex\")", in: session) == latex) }
        #expect(try Self.text("formula(\(name)')", in: session) == derivative)
        // Every tag of MathML is closed.
        for expression in ["formula(\(name), style=\"mathml\")", "formula(\(name)', style=\"mathml\")"] {
            let page = try Self.text(expression, in: session)
            #expect(page.hasPrefix("<math xmlns=\"http://www.w3.org/1998/Math/MathML\"><mrow>") && Self.isBalanced(page), "\(page)")
        }
    }

    private static func isBalanced(_ page: String) -> Bool {
        var open: [Substring] = []
        for part in page.split(separator: "<").map({ $0.prefix { $0 != ">" } }) {
            if part.hasPrefix("/") {
                guard open.popLast() == part.dropFirst() else { return false }
            } else if !part.hasSuffix("/") {
                open.append(part.prefix { $0 != " " })
            }
        }
        return open.isEmpty
    }

    // MARK: What they compute

    static let points = "[-2.7, -1.3, -0.6, 0.2, 0.9, 2.3]"

    /// Formulas in the style "act" are programs with the values of the function and its derivatives.
    private static func compare(_ f: String, parameters: String = "", in session: Session, _ digits: Double = 1e-10) throws {
        for primes in ["", "'", "''"] {
            let text = try text("formula(\(f)\(primes), style=\"act\")", in: session)
            #expect(session.run("g(x\(parameters)) = \(text)", named: "<test>") == .done, "\(text)")
            let formula = try numbers("[g(x) for x in \(points)]", in: session), value = try numbers("[\(f)\(primes)(x) for x in \(points)]", in: session)
            let isClose = zip(formula, value).allSatisfy { abs($0 - $1) <= digits * max(1, abs($1)) || $0.isNaN && $1.isNaN }
            #expect(isClose && formula.count == 6, "\(f)\(primes): \(text) gives \(formula), not \(value)")
        }
    }

    @Test(arguments: Activations.all.filter { $0.kind == .elementwise }.map(\.name)) func rowsHaveTheValuesOfTheirFormulas(name: String) throws {
        let session = try Self.session(), row = try #require(Activations.named(name))
        let parameters = row.parameters.map { ", \($0.name)=\($0.default ?? 1)" }.joined()
        try Self.compare(name, parameters: parameters, in: session)
    }

    @Test func compositionsHaveTheValuesOfTheirFormulas() throws {
        let session = try Self.session()
        let names = Activations.all.filter { $0.kind == .elementwise && $0.name != "step" && $0.name != "sign" }.map(\.name)
        var state: UInt64 = 20
        func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        for _ in 0..<25 {
            let text = (0..<(2 + next(3))).reduce("x") { inner, _ in "\(names[next(names.count)])(\(inner))" }
            // Where an inner value is at the hole of sin(x)/x, or a slope is steep, the digits differ.
            try Self.compare("(x -> \(text))", in: session, 1e-6)
        }
    }

    /// Where two sides tie, the formula of the derivative has the value that the derivative has there.
    @Test(arguments: [
        ("max(0, x)", "[0]"), ("max(x, 3)", "[3]"), ("max(0.01 * x, x)", "[0]"), ("max(x, 0.25 * x)", "[0]"), ("max(x^2, x)", "[0, 1]"),
        ("min(x, 2 * x)", "[0]"), ("min(3 - x, 2 * x)", "[1]"), ("max(x, x)", "[0, 1]"), ("clip(x, -1, 1)", "[-1, 1]"), ("abs(x)", "[0]"),
        ("x * max(x, -x)", "[0]"),
    ])
    func kinksAreInTheFormula(body: String, ties: String) throws {
        let session = try Self.session("f(x) = \(body)")
        let text = try Self.text("formula(f', style=\"act\")", in: session)
        #expect(session.run("g(x) = \(text)", named: "<test>") == .done, "\(text)")
        let formula = try Self.numbers("[1 * g(x) for x in \(ties)]", in: session), value = try Self.numbers("[1 * f'(x) for x in \(ties)]", in: session)
        #expect(formula == value, "\(body): \(text)")
    }

    // MARK: Derivations

    /// Slopes by mpmath (see the file): every line has them.
    @Test func everyLineOfADerivationHasTheValueOfTheOneBefore() throws {
        let lines = try ScriptFile.text(of: BuiltCommand.packageFolder + "/Tests/ActLanguageTests/Reference/derivations.txt").split(separator: "\n").map(
            String.init)
        let points = lines[1].split(separator: " ").dropFirst().joined(separator: ", "), cases = Array(lines.dropFirst(2))
        #expect(cases.count >= 48)
        let session = try Self.session()
        var rules: Set<String> = []
        for index in stride(from: 0, to: cases.count - 1, by: 2) {
            let expected = cases[index + 1].split(separator: " ").compactMap { Double($0) }
            for line in try Self.text("derive(x -> \(cases[index]), style=\"act\")", in: session).split(separator: "\n") {
                let parts = String(line).split(separator: "#", maxSplits: 1)
                if parts.count == 2 { rules.insert(parts[1].trimmingCharacters()) }
                #expect(session.run("g(x) = \(parts[0])", named: "<test>") == .done, "\(line)")
                let found = try Self.numbers("[g(x) for x in [\(points)]]", in: session)
                #expect(
                    zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-11 * max(1, abs($1)) } && found.count == expected.count, "\(cases[index]): \(line)")
            }
        }
        for rule in ["constant", "sum rule", "product rule", "quotient rule", "power rule", "chain rule", "each piece by itself", "collected"] {
            #expect(rules.contains(rule), "\(rules)")
        }
    }

    @Test func derivationsNameTheirRules() throws {
        let session = try Self.session("f(x) = x * tanh(x)")
        #expect(
            try Self.text("derive(f)", in: session) == """
                f'(x) = (x tanh(x))'
                      = tanh(x) (x)' + x (tanh(x))'   # product rule
                      = tanh(x) + x (tanh(x))'        # power rule
                      = tanh(x) + x (1 - tanh²(x))    # derivative of a known function
                """)
        let latex = try Self.text("derive(f, style=\"latex\")", in: session)
        #expect(latex.hasPrefix("\\begin{aligned}\nf'(x) &= \\left(x \\tanh(x)\\right)'") || latex.hasPrefix("\\begin{aligned}\nf'(x) &= (x \\tanh(x))'"))
        #expect(latex.contains("&& \\text{product rule}") && latex.hasSuffix("\\end{aligned}"))
        #expect(Self.isBalanced(try Self.text("derive(f', style=\"mathml\")", in: session)))
    }

    // MARK: What is not a formula

    @Test(arguments: [
        "f(x) = if x > 0 { x } else { 1 }", "f(x) = sum(x @ [1, 2])", "f(x) = [x, 1]", "f = Dense(2, 1)", "f(x) = x + rand()", "f(x) = isnan(x)",
        "f(x) = \"{x}\"", "f(x) = x * number(\"{x}\")", "f(x) = { while x > 1 { x = x / 2 }; x }", "f(x) = { for i in range(9999) { x = sin(x) + i }; x }",
        "f = sparsemax''", "f = glu >> sum", "f() = 1", "f(xs) = xs[0]",
    ])
    func whatIsNoFormulaSaysSo(program: String) throws {
        let session = try Self.session(program)
        for call in ["formula(f)", "derive(f)"] where !program.contains("f() = 1") {
            #expect(session.run(call, named: "<test>") == .failed, "\(program) \(call)")
        }
        // The session goes on as before.
        #expect(try Self.numbers("relu([1, -1])", in: session) == [1, 0])
    }

    /// However deep or wide a function is, there is an answer: a formula or an error.
    @Test(arguments: [
        "f(x) = { for i in range(60) { x = sin(x) }; x }", "f(x) = { for i in range(12) { x = x * sigmoid(x) + 1 }; x }",
        "f(x) = { s = 0; for i in range(40) { s += x^i * sin(i * x) }; s }", "f(x) = x^1e300 + 1e-320 * x - inf * x", "f(x) = (x^-99)^99 * 2^(1/3)",
        "f(x) = { for i in range(12) { x = where(x > i, x^2, max(x, i)) }; x }", "f(x) = 0^x / 0 + nan", "f(x) = ((x^2)^0.5)^2 - abs(x) * sign(x)",
    ])
    func longFunctionsHaveAnAnswer(program: String) throws {
        let session = try Self.session(program)
        for call in ["formula(f)", "formula(f', style=\"latex\")", "formula(f', style=\"act\")", "derive(f, style=\"mathml\")"] {
            #expect([.done, .failed].contains(session.run(call, named: "<test>")), "\(program) \(call)")
        }
    }
}

extension Substring {
    fileprivate func trimmingCharacters() -> String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
