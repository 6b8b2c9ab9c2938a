// No text, however broken, deep or long, ends the process. (A trap would end the test run.)

import ActSyntax
import ActTestSupport
import Testing

private let programs = [
    """
    #!/usr/bin/env act
    f(x, slope=0.01) = max(slope * x, x)   # leaky
    layer(x, W, b) = {
        z = x @ W + b
        if a < b <= c and not d { relu(z) } else if x { 1 } else { {} }
    }
    for i, j in pairs { s[i, 1:, ..., none].y += i * -j ^ 2 ^ -k'; break }
    a, b = b, a; while true { continue; unset σ }
    """,
    """
    r = {W1: w, "b 1": [1, 2.5e-3, 0xff, 0b1, .5], c: (v,), d: ()}
    s = "a\\t\\u{3c3} {x:>8.2f} b {r["k"]} {"{y}"}" + \"\"\"
    more {z} " text
    \"\"\"
    e = [q^2 for q in xs if q > 0]
    v = xs
       |> map((x, y=2) -> { return x }, 3)
       >> g''(3)[0] + 'x' && !y
    """,
]

/// SplitMix64, so that every run sees the same texts.
private struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite struct SyntaxRobustnessTests {
    /// Parses, checks what every result promises, and renders the faults.
    private func check(_ bytes: [UInt8]) {
        guard let source = try? SourceText(id: 1, name: "t", bytes: bytes) else { return }
        let result = parse(source)
        let renderer = DiagnosticRenderer { $0 == 1 ? source : nil }
        var last: Int32 = 0
        for diagnostic in result.diagnostics {
            for label in diagnostic.labels {
                #expect(0 <= label.span.start && label.span.start <= label.span.end && Int(label.span.end) <= source.bytes.count)
            }
            let start = diagnostic.primarySpan?.start ?? last
            #expect(start >= last)
            last = start
            #expect(!renderer.render(diagnostic).isEmpty)
        }
        if result.diagnostics.isEmpty { #expect(!result.tree.dump.contains("<invalid>")) }
        #expect(!result.isIncomplete || !result.diagnostics.isEmpty)
    }

    @Test(arguments: programs) func everyPrefix(program: String) {
        let bytes = Array(program.utf8)
        for end in 0...bytes.count { check(Array(bytes[..<end])) }
    }

    @Test(arguments: programs) func everySuffix(program: String) {
        let bytes = Array(program.utf8)
        for start in 0...bytes.count { check(Array(bytes[start...])) }
    }

    @Test(arguments: programs) func randomMutations(program: String) {
        var random = Random(state: 1)
        let original = Array(program.utf8)
        let pieces = "(){}[]\"'.,:;=-+*/%^@<>!&|\\#\n\r\t 0x1e_".utf8.map { $0 } + [0, 0x7F]
        for _ in 0..<5000 {
            var bytes = original
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.remove(at: index)
                case 1: bytes.insert(pieces.randomElement(using: &random) ?? 0, at: index)
                case 2: bytes[index] = pieces.randomElement(using: &random) ?? 0
                default: bytes[index] = UInt8.random(in: 0...255, using: &random)
                }
            }
            check(bytes)
        }
    }

    @Test(arguments: [
        ("(", "1", ")"), ("[", "1", "]"), ("{a: ", "1", "}"), ("{ ", "1", " }"), ("f(", "1", ")"), ("a[", "1", "]"), ("x -> ", "1", ""), ("\"{", "1", "}\""),
        ("if a { ", "1", " }"), ("for a in b { ", "1", " }"), ("f(x) = { ", "1", " }"), ("(x = ", "1", ") -> x"), ("[a for a in ", "1", "]"),
        ("{\n", "1", "\n}"),
    ])
    func nestingIsBounded(open: String, middle: String, close: String) throws {
        let deep = try SourceText(
            id: 1, name: "t", text: String(repeating: open, count: 100_000) + middle + String(repeating: close, count: 100_000))
        let fine = try SourceText(id: 1, name: "t", text: String(repeating: open, count: 300) + middle + String(repeating: close, count: 300))
        // Debug builds need much stack.
        let isDone: Bool? = onThread(stack: 1 << 28) {
            let (found, none) = (parse(deep).diagnostics, parse(fine).diagnostics)
            #expect(found.contains { $0.title == "brackets, blocks and functions are nested too deeply" })
            #expect(none.isEmpty)
            check(Array(String(repeating: open, count: 10_000).utf8))
            check(Array(String(repeating: close, count: 10_000).utf8))
            return true
        }
        #expect(isDone == true)
    }

    #if !DEBUG
    /// The deepest programs that are accepted, on a stack of 512 KB: an overflow would end the test run. (Debug builds, those under
    /// sanitizers too, need more.)
    @Test func deepestProgramsNeedLittleStack() {
        let isDone: Bool? = onThread(stack: 512 * 1024) {
            for (open, close) in [
                ("(", ")"), ("{a: f(x=[b[", "]])}"), ("\"{", "}\""), ("if a { ", " }"), ("for a in b { x = ", " }"), ("f(x) = { y -> ", " }"),
                ("(x = [a for a in ", "]) -> 1"), ("-a^(b < not (c, ", "))"), ("while a { return { ", " } }"),
            ] {
                for count in stride(from: 100, through: 1100, by: 100) {
                    let text = String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
                    if let source = try? SourceText(id: 1, name: "t", text: text) { _ = parse(source) }
                }
            }
            return true
        }
        #expect(isDone == true)
    }
    #endif

    @Test(arguments: [
        ("1", " + 1"), ("2", " ^ 2"), ("x", " < y"), ("f", "(1)"), ("a", "[0]"), ("r", ".x"), ("f", "\n|> g"), ("if a {}", " else if b {}"), ("a", " and b"),
    ])
    func longChainsParse(first: String, next: String) throws {
        let result = parse(try SourceText(id: 1, name: "t", text: first + String(repeating: next, count: 100_000)))
        #expect(result.diagnostics.isEmpty)
        #expect(result.tree[result.tree.program].count == 1)
        let isFlat = next == " < y" || next.hasPrefix(" else")
        #expect(isFlat ? result.tree.depth < 10 : result.tree.depth == 100_001)
    }

    @Test func longRowsOfPrefixesParse() throws {
        let text = String(repeating: "-", count: 100_000) + "1\n" + String(repeating: "not ", count: 100_000) + "x"
        #expect(parse(try SourceText(id: 1, name: "t", text: text)).diagnostics.isEmpty)
    }

    @Test func longListsParse() throws {
        let names = (0..<50_000).map { "a\($0)" }
        let text =
            "f(\(names.joined(separator: ", "))) = [\(names.joined(separator: ","))]\n{\(names.map { "\($0): 1" }.joined(separator: ","))}"
            + "\ng(\(names.map { "\($0)=1" }.joined(separator: ",")))\n\(names.joined(separator: ",")) = x"
        let result = parse(try SourceText(id: 1, name: "t", text: text))
        #expect(result.diagnostics.isEmpty)
        #expect(result.tree.names.count == 50_003)
    }
}
