// Names in NFKC: the table against what NFKC must be, and the names that act itself has.

import ActLanguage
import ActPlot
import ActSyntax
import Testing

@Suite struct NameTests {
    /// From Python: unicodedata.normalize("NFKC", …).
    @Test(arguments: [
        ("µ", "μ"), ("ﬁ", "fi"), ("ﬃx", "ffix"), ("ª", "a"), ("ſ", "s"), ("K", "K"), ("Ω", "Ω"), ("ℏ", "ħ"), ("ϕ", "φ"), ("ϖ", "π"), ("ϑ", "θ"), ("ϱ", "ρ"),
        ("ϵ", "ε"), ("𝛼𝟏", "α1"), ("𝕏", "X"),
        ("ℝ", "R"), ("Ⅻ", "XII"), ("ｘ１", "x1"), ("ﾊﾟ", "パ"), ("ㄱ", "ᄀ"), ("ﷲ", "الله"), ("ẛ", "ṡ"), ("ſ\u{307}", "ṡ"), ("ǆ", "dž"), ("xₙ", "xn"), ("xᵀ", "xT"),
        ("e\u{301}", "é"), ("기울기", "기울기"),
        // Not names in Python, and so as they are written.
        ("x₁", "x₁"), ("ŀ", "ŀ"), ("ͺ", "ͺ"),
    ])
    func forms(name: String, form: String) {
        #expect(CompatibleNames.form(name) == form)
        #expect(CompatibleNames.form(form) == form)
    }

    @Test func everyCharacter() {
        for value in UInt32(0x80)...0x3FFFF {
            guard let scalar = Unicode.Scalar(value), isNamePart(scalar) else { continue }
            let form = CompatibleNames.form(String(Character(scalar)))
            #expect(CompatibleNames.form(form) == form, "U+\(String(value, radix: 16))")
            #expect(form.unicodeScalars.allSatisfy(isNamePart), "U+\(String(value, radix: 16))")
        }
    }

    @Test func namesOfActAreInForm() throws {
        let session = try Session()
        for row in session.builtins.rows {
            for name in [row.name] + row.aliases + row.parameters.map(\.name) { #expect(CompatibleNames.form(name) == name) }
        }
        for name in session.builtins.names + keywords + FigureOption.rows.map(\.name) { #expect(CompatibleNames.form(name) == name) }
    }

    @Test func completion() throws {
        let session = try Session()
        _ = session.run("µ_total = 1; r = {µ_size: 2}; g(x, µ_rate=1) = x * µ_rate", named: "test")
        func candidates(_ text: String) -> [String] { session.completions(of: text, at: text.utf8.count).candidates }
        for sign in ["µ", "μ", "𝜇"] {
            #expect(candidates(sign + "_t") == ["μ_total"])
            #expect(candidates("r.\(sign)_s") == ["μ_size"])
            #expect(candidates("g(1, \(sign)_r") == ["μ_rate="])
            #expect(session.help("\(sign)_total") != nil)
        }
    }
}
