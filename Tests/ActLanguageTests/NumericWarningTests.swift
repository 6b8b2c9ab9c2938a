// Overflow, division by zero and invalid operations warn if and only if the result shows them: for every built-in and every derivative
// of an activation, at arguments that tempt their insides.

import ActLanguage
import Foundation
import Testing

@Suite struct NumericWarningTests {
    private static let numbers = ["0", "1", "-1", "0.5", "3", "700", "-1e200", "1e200", "1.5e308", "5e-324", "inf", "-inf", "nan"]
    private static let arrays = [
        "[1, 2]", "[0, -1]", "[1e200, -1e200]", "[1.5e308, 1.5e308]", "[5e-324, 1]", "[inf, 1]", "[inf, -inf]", "[-inf, -inf]", "[1, 2, inf]",
        "[nan, 1]", "[0, 0]", "zeros(0)", "zeros(0, 2)", "[true, false]", "f32([1e20, -1e30])", "f32([3e38, 3e38])", "f32([1e-45, 1])",
        "[[1, 2], [3, 4]]", "[[1e200, 1e200], [1e200, 3e200]]", "[[5e-324, 0], [0, 1]]", "[[1, inf], [2, 3]]",
        // Large enough to be computed when needed.
        "tile([1e200, -3], 600)", "tile([-1e200, 0.5], 600)", "tile([0, -1], 600)", "tile([inf, 1, 2], 400)", "tile(f32([1e30, -1]), 600)",
    ]
    private static let few = ["0", "2", "-1e30", "inf", "[1, 0]", "[1e200, 1e200]", "[inf, 0]", "[-inf, 1]", "f32([3e38, 1])", "[[1e200, 1], [1, 1e200]]"]
    private static let fewest = ["0", "2", "[0, 1]", "[1e200, 1]", "[inf, 1]"]

    /// Calls with every choice of arguments.
    private static func calls(_ name: String, _ count: Int) -> [String] {
        let pool = count == 1 ? numbers + arrays : count == 2 ? few : fewest
        var lists: [[String]] = [[]]
        for _ in 0..<count { lists = lists.flatMap { list in pool.map { list + [$0] } } }
        return lists.map { "\(name)(\($0.joined(separator: ", ")))" }
    }

    /// What has no numbers, or reaches outside.
    private static let leftOut: Set<String> = [
        "help", "why", "import", "error", "assert", "exit", "clock", "timeit", "seed", "load", "save", "print", "show", "digits", "parameters",
    ]

    private static let functions: [(name: String, count: Int)] = BuiltinRows.all.flatMap { row -> [(String, Int)] in
        guard !leftOut.contains(row.name) else { return [] }
        let required = row.parameters.count { $0.fallback == nil }
        var list = [required, required + 1].filter { (1...3).contains($0) && $0 <= max(1, row.parameters.count) }.map { (row.name, $0) }
        if row.activation?.kind == .elementwise, required == 1 { list += [(row.name + "'", 1), (row.name + "''", 1)] }
        return list
    }

    @Test(arguments: functions.indices) func warnsIfAndOnlyIfTheResultShowsIt(_ index: Int) throws {
        let (name, count) = Self.functions[index]
        let plain = try TestSession(), strict = try TestSession { $0.isStrict = true }
        for call in Self.calls(name, count) {
            let before = plain.diagnostics.count
            let shown = plain.values("v = \(call)\nrepr(v)")
            let reported = plain.diagnostics[before...]
            // An error says all there is to say.
            guard let text = shown.last, !reported.contains(where: { $0.level == .error }) else { continue }
            let warnings = reported.filter { $0.title.hasPrefix("overflow") || $0.title.hasPrefix("division by zero") || $0.title.hasPrefix("invalid") }
            let result = Self.specials(text), given = Self.specials(call)
            // An infinity of nothing is what its definition says, such as log 0.
            let mustWarn = result.nan && !given.nan || result.infinite && !given.infinite && !given.nan && !call.contains("zeros(0")
            if mustWarn { #expect(!warnings.isEmpty, "\(call) is \(text.prefix(60)) without a word") }
            if !result.nan && !result.infinite { #expect(warnings.isEmpty, "\(call) is \(text.prefix(60)), but: \(warnings.map(\.title))") }
            for warning in warnings {
                let called = name.prefix { $0 != "'" }
                #expect(warning.title.contains("in `\(called)"), "\(call): \(warning.title)")
                #expect(!warning.notes.contains { $0.hasSuffix("()") }, "\(call): \(warning.notes)")
            }
            // With warnings as errors the same, but for warnings about other things.
            if reported.count == warnings.count {
                #expect((strict.run("v = \(call)\nrepr(v);") == .done) == warnings.isEmpty, "\(call) under --strict")
            }
        }
    }

    private static func specials(_ text: String) -> (nan: Bool, infinite: Bool) {
        let words = Set(text.split { !$0.isLetter })
        return (words.contains("nan"), words.contains("inf"))
    }

    // MARK: Operators and stores

    @Test(arguments: [
        ("[[1e200, 1]] @ [[1e200], [2]]", "overflow in `@`"),
        ("tile([1e200], 70000).reshape(700, 100) @ tile([1e200], 10000).reshape(100, 100)", "overflow in `@`"),
        ("[[1, inf]] @ [[1], [0]]", "invalid operation in `@`"),
        ("a = f32([1, 2]); a[0] = 1e300", "overflow in `f32`"), ("a = f32([1, 2]); a[:] = 1e300", "overflow in `f32`"),
        ("a = f32([1, 2]); a[:] = [1e300, 1]", "overflow in `f32`"), ("a = f32([[1, 2]]); a[0, 1] = 1e300", "overflow in `f32`"),
        ("a = f32([1, 2]); a[[true, false]] = -1e300", "overflow in `f32`"), ("a = f32([1, 2]); a[0] *= 1e39", "overflow in"),
        ("1 / range(2000)", "division by zero in `/`"), ("sum(1e200 * tile([1e108], 2000))", "overflow in `sum`"),
    ])
    func operatorsAndStoresWarn(_ program: String, _ title: String) throws {
        let session = try TestSession()
        session.run(program)
        #expect(session.diagnostics.contains { $0.title.hasPrefix(title) }, "\(program): \(session.diagnostics.map(\.title))")
    }

    @Test(arguments: [
        "a = f32([1, 2]); a[0] = inf", "a = f32([1, 2]); a[zeros(2) > 1] = 1", "[[inf, 1]] @ [[1], [2]]", "[[nan, 1]] @ [[1], [inf]]",
        "sum([inf, 1])", "sum([[inf, 1], [2, 3]], axis=0)", "cumsum([1, inf, 2])", "softmax([-inf, 0])", "sum([nan, inf, -inf])",
    ])
    func whatWasUnusualBeforeDoesNotWarn(_ program: String) throws {
        let session = try TestSession()
        session.run(program)
        #expect(session.diagnostics.isEmpty, "\(program): \(session.diagnostics.map(\.title))")
    }
}
