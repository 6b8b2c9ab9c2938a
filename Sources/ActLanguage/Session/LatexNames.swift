// Signs by the names that LaTeX gives them: `\sigma` and Tab write σ. Only letters, for act has no other use for signs than in names.

enum LatexNames {
    static let signs: [(name: String, sign: String)] = [
        ("alpha", "α"), ("beta", "β"), ("gamma", "γ"), ("delta", "δ"), ("epsilon", "ϵ"), ("varepsilon", "ε"), ("zeta", "ζ"), ("eta", "η"),
        ("theta", "θ"), ("vartheta", "ϑ"), ("iota", "ι"), ("kappa", "κ"), ("lambda", "λ"), ("mu", "μ"), ("nu", "ν"), ("xi", "ξ"),
        ("omicron", "ο"), ("pi", "π"), ("varpi", "ϖ"), ("rho", "ρ"), ("varrho", "ϱ"), ("sigma", "σ"), ("varsigma", "ς"), ("tau", "τ"),
        ("upsilon", "υ"), ("phi", "ϕ"), ("varphi", "φ"), ("chi", "χ"), ("psi", "ψ"), ("omega", "ω"),
        ("Alpha", "Α"), ("Beta", "Β"), ("Gamma", "Γ"), ("Delta", "Δ"), ("Epsilon", "Ε"), ("Zeta", "Ζ"), ("Eta", "Η"), ("Theta", "Θ"),
        ("Iota", "Ι"), ("Kappa", "Κ"), ("Lambda", "Λ"), ("Mu", "Μ"), ("Nu", "Ν"), ("Xi", "Ξ"), ("Omicron", "Ο"), ("Pi", "Π"), ("Rho", "Ρ"),
        ("Sigma", "Σ"), ("Tau", "Τ"), ("Upsilon", "Υ"), ("Phi", "Φ"), ("Chi", "Χ"), ("Psi", "Ψ"), ("Omega", "Ω"),
        ("ell", "ℓ"), ("hbar", "ℏ"), ("aleph", "ℵ"), ("R", "ℝ"), ("N", "ℕ"), ("Z", "ℤ"), ("C", "ℂ"), ("Q", "ℚ"),
    ]

    /// The sign of a name that is complete, else the names that begin so.
    static func completions(of name: String) -> [(text: String, isSign: Bool)] {
        if let row = signs.first(where: { $0.name == name }) { return [(row.sign, true)] }
        let matches = signs.filter { $0.name.hasPrefix(name) && !name.isEmpty }
        return matches.count == 1 ? [(matches[0].sign, true)] : matches.map { ($0.name, false) }.sorted { $0.text < $1.text }
    }
}
