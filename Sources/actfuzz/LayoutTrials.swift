// Programs laid out by `act fmt`: the layout is the same program, and the layout of the layout is itself.

import ActLanguage
import ActSyntax

struct LayoutTrials {
    let generator: Generator

    /// Tries programs by their numbers.
    /// - Returns: How many had no faults and were laid out, and what was found.
    func run(first: Int, count: Int, seconds: Double) -> (laidOut: Int, findings: [String]) {
        let end = ContinuousClock.now + .seconds(seconds)
        var laidOut = 0, findings: [String] = []
        for index in first..<first + count where ContinuousClock.now < end {
            let program = generator.trial(index).program
            DeepStack.run {
                guard let source = try? SourceText(id: 0, name: "program", bytes: program), let text = Layout.text(of: source) else { return }
                laidOut += 1
                if let fault = Self.fault(of: text, source) {
                    findings.append("program \(index): \(fault)\n\(source.text(0..<source.bytes.count))\n---\n\(text)")
                }
            }
        }
        return (laidOut, findings)
    }

    private static func fault(of text: String, _ source: SourceText) -> String? {
        guard let result = try? SourceText(id: 0, name: "layout", text: text) else { return "the layout is no text" }
        let parsed = parse(result)
        if !parsed.diagnostics.isEmpty { return "the layout has faults" }
        if meaning(of: parsed.tree) != meaning(of: parse(source).tree) { return "the layout is another program" }
        return Layout.text(of: result) == text ? nil : "the layout is laid out otherwise"
    }

    /// Everything that a tree says but where it stands: the compiler sees no more.
    private static func meaning(of tree: SyntaxTree) -> [String] {
        var words = tree.names + tree.strings + ["\(tree.expressions)", "\(tree[tree.program])"] + tree.formats.map { "\($0)" }
        words += tree.variables.map { "\($0.name) \(String(describing: $0.defaultValue))" }
        words += tree.functions.map { "\(String(describing: $0.name)) \($0.parameters) \($0.body) \($0.makesLayers)" }
        words += tree.loops.map { "\($0)" } + tree.comprehensions.map { "\($0)" }
        for id in tree.expressionIDs {
            switch tree[id] {
            case .block(let statements): words.append("\(tree[statements])")
            case .call(_, let arguments): words.append("\(tree[arguments].map { ($0.name, $0.value) })")
            case .index(_, let items): words.append("\(tree[items].map(\.kind))")
            case .record(let fields): words.append("\(tree[fields].map { ($0.name, $0.value) })")
            case .conditional(let branches, _): words.append("\(tree[branches])")
            case .comparison(_, let links): words.append("\(tree[links].map { ($0.comparison, $0.operand) })")
            case .array(let elements), .list(let elements): words.append("\(tree[elements])")
            default: break
            }
        }
        return words
    }
}
