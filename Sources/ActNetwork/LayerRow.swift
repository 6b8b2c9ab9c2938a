// The kinds of layers: how each is called and made. Programs, files and help all go through these rows.

import ActArray

package struct LayerRow: Sendable {
    package let name: String
    /// As help shows it; the names before `=` are those of the settings.
    package let signature: String
    package let summary: String
    package let details: String
    package let example: String
    package let make: @Sendable (LayerSettings, inout RandomSource) throws -> any Layer

    init(
        _ signature: String, _ summary: String, details: String = "", example: String,
        make: @escaping @Sendable (LayerSettings, inout RandomSource) throws -> any Layer
    ) {
        name = String(signature.prefix { $0 != "(" })
        self.signature = signature
        self.summary = summary
        self.details = details
        self.example = example
        self.make = make
    }
}

package enum LayerRows {
    package static let all: [LayerRow] = denseRows + imageRows + normalizingRows + otherRows

    package static func named(_ name: String) -> LayerRow? { all.first { $0.name == name } }
}

/// What a layer is to be made with, with readers that say what is wrong.
package struct LayerSettings {
    let owner: String
    private let values: [String: Setting]

    package init(of owner: String, _ values: [String: Setting]) {
        self.owner = owner
        self.values = values
    }

    func fail(_ name: String, _ reason: String) -> NetworkError { .setting(owner: owner, name: name, reason: reason) }

    func number(_ name: String, default fallback: Double? = nil) throws -> Double {
        switch values[name] {
        case .number(let number): return number
        case nil: if let fallback { return fallback }
        default: break
        }
        throw fail(name, "a number")
    }

    /// A size: a whole number from `least` up to 2^31.
    func size(_ name: String, default fallback: Int? = nil, least: Int = 1) throws -> Int {
        let number = try number(name, default: fallback.map(Double.init))
        guard let whole = Int(exactly: number), whole >= least, whole <= 1 << 31 else {
            throw fail(name, "a whole number, \(least) or more")
        }
        return whole
    }

    func flag(_ name: String, default fallback: Bool) throws -> Bool {
        switch values[name] {
        case .flag(let flag): return flag
        case nil: return fallback
        default: throw fail(name, "true or false")
        }
    }

    func text(_ name: String, default fallback: String) throws -> String {
        switch values[name] {
        case .text(let text): return text
        case nil: return fallback
        default: throw fail(name, "a string")
        }
    }

    func function(_ name: String) throws -> NamedFunction {
        switch values[name] {
        case .function(let function): return function
        case nil: return .identity
        case .text(let text): throw fail(name, "a function, such as relu, not the string \"\(text)\"")
        default: throw fail(name, "a function, such as relu")
        }
    }

    func network(_ name: String) throws -> Network {
        switch values[name] {
        case .network(let network): return network
        case .function(let function): return Network([FunctionLayer(function)])
        default: throw fail(name, "a layer, a network or a function")
        }
    }

    /// `dtype`: f32 unless it says f64.
    func type() throws -> ElementType {
        switch try text("dtype", default: "f32") {
        case "f32": return .f32
        case "f64": return .f64
        default: throw fail("dtype", "\"f32\" or \"f64\"")
        }
    }

    /// `init`: the row, and whether it was picked by the activation.
    func initializer(for activation: String) throws -> (row: Initializer, isAutomatic: Bool) {
        let name = try text("init", default: "auto")
        let isAutomatic = name == "auto"
        return (try Initializers.named(isAutomatic ? Initializers.automatic(for: activation) : name, owner: owner), isAutomatic)
    }
}
