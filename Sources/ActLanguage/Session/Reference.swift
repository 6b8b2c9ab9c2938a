// Docs/reference.md: every built-in, made from its row. A test holds the page to it; ACT_WRITE_DOCS=1 writes it.

import ActFormula
import ActGrad
import ActMachine

package enum Reference {
    /// The whole page.
    package static func markdown() -> String {
        var page = """
            # Reference

            Every built-in function, by topic. In the session `?name` shows the same and, of an activation function, a plot. The examples show
            what they print; a test runs them. This page is made from the rows of the functions: `make reference` writes it.


            """
        for topic in Topic.allCases {
            let rows = BuiltinRows.all.filter { $0.topic == topic }
            guard !rows.isEmpty else { continue }
            page += "## \(topic.rawValue.prefix(1).uppercased() + topic.rawValue.dropFirst())\n\n"
            if topic == .activations { page += activationTable(rows) }
            page += rows.map(entry).joined(separator: "\n") + "\n"
        }
        return page
    }

    private static func entry(_ row: Builtin) -> String {
        var text = "### `\(row.signature)`\n\n\(sentence(row.summary))"
        if !row.details.isEmpty { text += " " + row.details }
        text += "\n"
        if let activation = row.activation { text += facts(activation) }
        if !row.aliases.isEmpty { text += "\nAlso called \(row.aliases.map { "`\($0)`" }.joined(separator: ", ")).\n" }
        if !row.example.isEmpty { text += "\n```\n\(row.example)\n```\n" }
        return text
    }

    private static func facts(_ row: ActivationRow) -> String {
        var lines = ["value: \(row.formulas.value)", "derivative: \(row.formulas.derivative)", "range: \(row.range)"]
        if !row.limits.low.isNaN || !row.limits.high.isNaN {
            lines.append("limits: \(Format.number(row.limits.low)) at −∞, \(Format.number(row.limits.high)) at +∞")
        }
        for kink in row.kinks(row.defaults) where !kink.x.isNaN {
            let slopes = "slope \(Format.number(kink.left)) on the left, \(Format.number(kink.right)) on the right, \(Format.number(kink.chosen)) chosen"
            if let (low, high) = row.jump(at: kink) {
                lines.append("jump at \(Format.number(kink.x)) from \(Format.number(low)) to \(Format.number(high)): \(slopes)")
            } else {
                lines.append("kink at \(Format.number(kink.x)): \(slopes)")
            }
        }
        for parameter in row.parameters { lines.append("`\(parameter.name)`: \(parameter.summary)\(parameter.mayBeArray ? "; may be an array" : "")") }
        if !row.note.isEmpty { lines.append(row.note) }
        return "\n" + lines.map { "- \($0)\n" }.joined()
    }

    private static func activationTable(_ rows: [Builtin]) -> String {
        let lines = rows.compactMap(\.activation).map { row in
            let formulas = row.formulas
            return "| `\(row.name)` | \(cell(formulas.value)) | \(cell(formulas.derivative)) |\n"
        }
        return "| function | value | derivative |\n| --- | --- | --- |\n" + lines.joined() + "\n"
    }

    private static func cell(_ text: String) -> String { text.map { $0 == "|" ? "\\|" : String($0) }.joined() }

    /// A summary as a sentence.
    private static func sentence(_ summary: String) -> String {
        summary.prefix(1).uppercased() + summary.dropFirst() + (summary.hasSuffix(".") ? "" : ".")
    }
}
