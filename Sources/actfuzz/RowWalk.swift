// Every built-in, and every other way of handing a value over, with arguments that are large, long, deep, shared and wrong. Each call is
// interrupted and must end at once.
//
// What must stay true: call `i` is a call of row `i % rowCount`, so that as many calls as there are rows meet each row once.

import ActLanguage

struct RowWalk {
    let corpus: Corpus
    let seed: UInt64

    /// Ways of handing values over that are not built-ins; `$` is a value.
    private static let forms = [
        "$ == $", "$ + $", "$ * $", "$ @ $", "$ ^ $", "$ < $", "not $", "-$", "$[$]", "$[::2]", "$[$:]", "$.T", "$.a", "$'", "$ |> $", "$ >> $", "$($)",
        "$($, $)", "\"{$}{$}\"", "\"{$:>20}\"",
        "for x in $ { }", "[x for x in $]", "[$, $]", "($, $)", "{a: $, b: $}", "a, b = $", "if $ { 1 }", "x = $; x = 1", "x = $; x[0] = $", "x = $; x.a = $",
        "$", "grad($)($)", "jacobian($)($)",
        "value_and_grad($)($)", "x -> $", "x = $; x += $", "$''($)", "$ and $", "{...$, a: $}", "f = (a, b=$) -> (a, b); f($, $)",
        "layer L(s) { w = s; x -> $ }; L($)($)", "layer L(s) { w = state($); n = s; x -> x * w }; L($)", "layer L(s) { inner = $; x -> inner(x) }; L($)($)",
        "fit($, $, $, model=(p, x) -> $)", "fit(Dense(2, 2), $, $, loss=(p, y) -> $)", "net = $; net.a.b = $; net",
    ]

    var rowCount: Int { corpus.builtins.count + Self.forms.count }

    /// What must have run before a call.
    static let prelude: String = {
        #if DEBUG
        let size = 10
        #else
        let size = 1
        #endif
        return """
            large = range(\(4_000_000 / size)); single = f32(large); bools = large > 7; \
            matrix = large[:\(1_000_000 / size)].reshape(1000, \(1000 / size)); rows = zeros(1e11, 0); columns = zeros(0, 1e11)
            thin = ones(1, 1, 1, 1, 1, 1, 1, 1); letters = join(["aaaaaaaaaaaaaaaa" for i in range(\(500_000 / size))]); spaces = join(["        " \
            for i in range(\(1_000_000 / size))])
            digits = join(["77777777" for i in range(\(1_000_000 / size))]); marks = join(["é e\\u{301}" for i in range(\(500_000 / size))]); lines = \
            join(["a,b\\n" for i in range(\(1_000_000 / size))])
            half = letters[:\(4_000_000 / size)] + "b"; brackets = join(["[" for i in range(\(1_000_000 / size))]); quoted = "\\"" + letters + "\\""
            deep = 1; for i in range(9000) { deep = (deep,) }
            shared = ([1.5, 2], "ab"); for i in range(60) { shared = (shared, shared) }
            record = {a: [1.5, 2]}; for i in range(60) { record = {a: record, b: record} }
            long = (letters, letters); for i in range(20) { long = (long, long) }
            many = [(i, "a") for i in range(\(300_000 / size))]
            chain = sin; for i in range(3000) { chain = chain >> sin }
            residual = Residual(Dense(2, 2)); for i in range(60) { residual = Residual(residual) }
            wave = x -> sin(x) * exp(x) / (1 + x ^ 2); steep = wave''''''''''''''''''''''''''''''
            figure = plot(large); titled = plot([1, 2], title=letters, xlabel=marks)
            """
    }()

    private static let heavy = [
        "large", "single", "bools", "matrix", "rows", "columns", "thin", "letters", "spaces", "digits", "marks", "lines", "half", "brackets", "quoted", "deep",
        "shared", "record", "long", "many", "chain",
        "residual", "steep", "figure", "titled", "1e11", "1e15", "-1e15", "nan", "(1e11, 0)", "(0, 1e11)",
    ]

    private static let light = [
        "2", "[1.5, 2]", "\"a\"", "sin", "(1, 2)", "0", "none", "true", "{a: [1, 2]}", "mse", "Dense(2, 2)", "x -> x * x", "[[1, 2], [3, 4]]",
    ]

    func call(_ index: Int) -> String {
        var random = Random(seed: seed, index: index)
        func value() -> String { random.chance(65) ? random.pick(Self.heavy, or: "1") : random.pick(Self.light, or: "1") }
        let row = index % rowCount
        if row >= corpus.builtins.count {
            return Self.forms[row - corpus.builtins.count].split(separator: "$", omittingEmptySubsequences: false).joined(by: value)
        }
        let builtin = corpus.builtins[row]
        var arguments: [String] = []
        for parameter in builtin.parameters where parameter.fallback == nil || random.chance(30) {
            for _ in 0..<(parameter.isVariadic ? 1 + random.below(3) : 1) {
                arguments.append((parameter.fallback != nil && !parameter.isVariadic ? "\(parameter.name)=" : "") + value())
            }
        }
        if let option = builtin.options.isEmpty ? nil : random.pick(builtin.options.map(\.name), or: "title"), random.chance(30) {
            arguments.append("\(option)=" + value())
        }
        // What runs a program or waits has a time of its own.
        return "\(builtin.name)(\(arguments.joined(separator: ", ")))"
    }
}

extension [Substring] {
    /// The parts, with a new value of `separator` between each two.
    fileprivate func joined(by separator: () -> String) -> String {
        var result = String(first ?? "")
        for part in dropFirst() { result += separator() + part }
        return result
    }
}
