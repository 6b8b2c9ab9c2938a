// The kinds of layers: what each takes and how it is made. Programs, files and help all go through these rows.

import ActArray
import ActGrad
import ActRandom
import ActRows

package struct LayerRow: Sendable {
    package typealias Make = (LayerSettings, inout RandomSource) throws -> any Layer

    package let name: String
    package let summary: String
    /// Made when it is asked for: many are put together of parts.
    package var details: String { makeDetails() }
    private let makeDetails: @Sendable () -> String
    package let example: String
    /// Declares the parameters and gives what makes a layer of settings for them.
    package let declaration: @Sendable (inout Signature) -> Make

    init(
        _ name: String, _ summary: String, details: @Sendable @escaping @autoclosure () -> String = "", example: String,
        _ declaration: @escaping @Sendable (inout Signature) -> Make
    ) {
        self.name = name
        self.summary = summary
        makeDetails = details
        self.example = example
        self.declaration = declaration
    }

    package var parameters: [Parameter] {
        var signature = Signature()
        _ = declaration(&signature)
        return signature.parameters
    }

    /// A layer of settings by name; what they leave out has its default.
    /// - Throws: `NetworkError.setting` for one that makes no sense.
    package func make(_ settings: [String: Setting], _ random: inout RandomSource) throws -> any Layer {
        var signature = Signature()
        let make = declaration(&signature)
        return try make(LayerSettings(of: name, signature.parameters, signature.parameters.map { settings[$0.name] }), &random)
    }
}

package enum LayerRows {
    package static let all: [LayerRow] =
        denseRows + convolutionRows + poolRows + imageRows + resizingRows + normalizingRows + sequenceRows + recurrentRows + otherRows + compoundRows

    package static func named(_ name: String) -> LayerRow? { all.first { $0.name == name } }
}

/// What a layer was made with: a setting for each parameter of its row, `nil` where it was left out.
package struct LayerSettings {
    /// The name of the row.
    package let kind: String
    package let parameters: [Parameter]
    private(set) var values: [Setting?]

    package init(of kind: String, _ parameters: [Parameter], _ values: [Setting?]) {
        self.kind = kind
        self.parameters = parameters
        self.values = values
    }

    /// Settings that need not be said are `nil`: those left out, and those equal to the default.
    package var said: [(name: String, value: Setting?)] {
        parameters.enumerated().map { index, parameter in
            // What has no default is not compared: the text of a network is made of those of all networks in it.
            guard let value = values[index], parameter.fallback != nil else { return (parameter.name, values[index]) }
            return (parameter.name, value.text == fallback(at: index) ? nil : value)
        }
    }

    /// The default as it is written.
    private func fallback(at index: Int) -> String? {
        // It may be another parameter.
        let other = parameters.firstIndex { $0.name == parameters[index].fallback }
        return other.map { values[$0]?.text ?? parameters[$0].fallback } ?? parameters[index].fallback
    }

    /// A setting, given or not, as it is written.
    func text(at index: Int) -> String { values[index]?.text ?? fallback(at: index) ?? "none" }

    /// The functions and networks among them.
    package var functions: [NamedFunction] { values.compactMap { if case .function(let function)? = $0 { function } else { nil } } }
    var networks: [Network] {
        values.flatMap { value -> [Network] in
            switch value {
            case .network(let network): [network]
            case .list(let elements): elements.compactMap { if case .network(let network) = $0 { network } else { nil } }
            default: []
            }
        }
    }

    func replacing<T>(_ input: Input<T>, with setting: Setting) -> LayerSettings {
        var result = self
        result.values[input.index] = setting
        return result
    }
}

extension Setting {
    /// A layer, a network or a function, as a network.
    fileprivate var asNetwork: Network? {
        switch self {
        case .network(let network): network
        case .function(let function): Network([FunctionLayer(function)])
        default: nil
        }
    }
}

// MARK: - Reading

extension LayerSettings {
    @inline(never)
    func fail<T>(_ input: Input<T>, _ expected: Expectation? = nil) -> NetworkError {
        .setting(owner: kind, name: parameters[input.index].name, .mustBe(expected ?? parameters[input.index].expected))
    }

    /// The setting; `nil` where the default counts.
    func given<T>(_ input: Input<T>) throws -> Setting? {
        if values[input.index] == nil, input.fallback == nil { throw fail(input) }
        return values[input.index]
    }

    subscript(_ input: Input<Double>) -> Double {
        get throws {
            guard let setting = try given(input) else { return input.fallback ?? .nan }
            guard case .number(let number) = setting else { throw fail(input) }
            if let bounds = input.bounds, !bounds.contains(number) { throw fail(input, .within(bounds)) }
            return number
        }
    }

    @inline(never)
    package subscript(_ input: Input<Int>) -> Int {
        get throws { try whole(input) ?? input.fallback ?? 0 }
    }

    subscript(_ input: Input<Int?>) -> Int? {
        get throws { try whole(input) }
    }

    private func whole<T>(_ input: Input<T>) throws -> Int? { try given(input).map { try whole($0, input) } }

    @inline(never)
    func whole<T>(_ setting: Setting, _ input: Input<T>) throws -> Int {
        guard case .number(let number) = setting, let whole = Int(exactly: number), let bounds = input.bounds, number >= bounds.low else { throw fail(input) }
        guard number <= bounds.high else { throw fail(input, .atMost(bounds.high)) }
        return whole
    }

    subscript(_ input: Input<Bool>) -> Bool {
        get throws {
            switch try given(input) {
            case nil: return input.fallback ?? false
            case .flag(let flag)?: return flag
            default: throw fail(input)
            }
        }
    }

    subscript(_ input: Input<NamedFunction>) -> NamedFunction {
        get throws {
            switch try given(input) {
            case nil: return input.fallback ?? .identity
            case .function(let function)?: return function
            case .text(let text)?: throw NetworkError.setting(owner: kind, name: parameters[input.index].name, .functionNotText(text))
            default: throw fail(input)
            }
        }
    }

    subscript(_ input: Input<Network>) -> Network {
        get throws {
            guard let network = try given(input)?.asNetwork else { throw fail(input) }
            return network
        }
    }

    subscript(_ input: Input<[Network]>) -> [Network] {
        get throws {
            guard case .list(let parts)? = try given(input) else { throw fail(input) }
            return try parts.map { part in
                guard let network = part.asNetwork else { throw fail(input) }
                return network
            }
        }
    }

    subscript<Word: Choice>(_ input: Input<Word>) -> Word {
        get throws {
            switch try given(input) {
            case nil:
                guard let fallback = input.fallback else { throw fail(input) }
                return fallback
            case .text(let text)?:
                guard let word = Word(rawValue: text) else { throw fail(input) }
                return word
            default: throw fail(input, .kind(.text))
            }
        }
    }

    subscript(_ input: Input<ElementType>) -> ElementType {
        get throws {
            switch try given(input) {
            case nil: return input.fallback ?? .f32
            case .text("f32")?: return .f32
            case .text("f64")?: return .f64
            case .text?: throw fail(input)
            default: throw fail(input, .kind(.text))
            }
        }
    }

    /// How weights begin, by themselves as `start` says.
    subscript(_ input: Input<Initializers.Choice>, automatic start: ActivationRow.WeightStart) -> Initializer {
        get throws {
            guard let setting = try given(input), setting.text != parameters[input.index].fallback else { return Initializers.automatic(start) }
            guard case .text(let name) = setting else { throw fail(input, .kind(.text)) }
            guard let row = Initializers.named(name) else { throw fail(input) }
            return row
        }
    }
}

// MARK: - The parameters of layers

extension Signature {
    /// A size: a whole number from `least` up to `most`.
    package mutating func size(_ name: String, default fallback: Int? = nil, least: Int = 1, most: Int = 1 << 31) -> Input<Int> {
        parameter(
            name, .whole, expected: .wholeFrom(least), default: fallback, text: fallback.map(String.init), role: .steps,
            bounds: .within(Double(least)...Double(most)))
    }

    /// A size that is another one unless it is given.
    mutating func size(_ name: String, like other: Input<Int>) -> Input<Int?> {
        parameter(
            name, .whole, expected: .wholeFrom(1), default: .some(nil), text: parameters[other.index].name, role: .steps,
            bounds: .within(1...0x1p31))
    }

    mutating func activation(default fallback: NamedFunction = .identity) -> Input<NamedFunction> {
        parameter("activation", .function, expected: .activation, default: fallback, text: fallback.name, role: .steps)
    }

    mutating func initializer() -> Input<Initializers.Choice> {
        parameter(
            "init", .text, expected: .words(["auto"] + Initializers.all.map(\.name)), default: .automatic,
            text: Default.text("auto"), role: .steps, isOfStart: true)
    }

    mutating func network(_ name: String) -> Input<Network> {
        parameter(name, .network, expected: .part, text: nil, role: .steps)
    }

    /// Any number of layers, networks and functions.
    mutating func networks(_ name: String) -> Input<[Network]> {
        parameter(name, .network, expected: .parts, text: nil, role: .steps, isVariadic: true)
    }

    mutating func floatType() -> Input<ElementType> {
        parameter("dtype", .elementType, expected: .words(["f32", "f64"]), default: .f32, text: Default.text("f32"), role: .steps)
    }
}
