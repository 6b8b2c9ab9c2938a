// An activation function is one row: everything that help, completion, the reference, plots, the accuracy page and gradient checks say
// about it, and everything that computes it. Adding one is adding one literal to a file of its family.

import ActArray

package struct ActivationRow: Sendable {
    package let name: String
    package let aliases: [String]
    package let parameters: [Parameter]
    /// The default parameters; NaN for one that must be given.
    package let defaults: [Double]
    /// The definition and its derivative as help prints them, of a row that is not a formula of single numbers; others are written by `ActFormula`.
    package let stated: (value: String, derivative: String)?
    /// How it is computed, or which trap that avoids.
    package let note: String
    /// The set of values with the default parameters.
    package let range: String
    /// The limits at −∞ and +∞ with the default parameters; NaN where there is none.
    package let limits: (low: Double, high: Double)
    package let kinks: [RowKink]
    /// How the weights before it begin unless told otherwise.
    package let weights: WeightStart
    /// Whether the results are the probabilities of classes.
    package let givesProbabilities: Bool
    /// In training, where that is not the same: of an array and of draws from 0 up to 1 in its shape.
    package let randomized: (@Sendable (_ x: NDArray, _ draws: NDArray) throws -> NDArray)?
    package let summary: String
    package let example: Example
    package let body: Body
    /// The function as books define it, where it is computed in another way.
    package let definition: Formula?

    /// A row that acts elementwise: `value` and, unless one kernel makes them known, its derivatives `slopes`, as formulas in x and the
    /// parameters. `kernel` serves while the parameters have their defaults; `wide` computes formulas in f64 for f32 arrays too.
    @inline(never)
    init(
        _ name: String, aliases: [String] = [], parameters: [Parameter] = [], note: String = "",
        range: String, limits: (low: Double, high: Double), kinks: [RowKink] = [], weights: WeightStart = .glorot,
        randomized: (@Sendable (_ x: NDArray, _ draws: NDArray) throws -> NDArray)? = nil, summary: String, example: Example, value: Formula,
        definition: Formula? = nil, slopes: [Formula] = [], kernel: UnaryOperation? = nil, wide: Bool = false
    ) {
        let defaults = parameters.map { $0.default ?? .nan }
        self.init(
            name, aliases: aliases, parameters: parameters, stated: nil, note: note, range: range, limits: limits,
            kinks: kinks, weights: weights, randomized: randomized, summary: summary, example: example,
            body: .elementwise(ElementwiseRow(value, slopes: slopes, kernel: kernel, defaults: defaults, wide: wide)), definition: definition)
    }

    /// A row that looks at more than one element, with its definition and derivative in words.
    init(
        _ name: String, aliases: [String] = [], parameters: [Parameter] = [], _ formula: String, derivative: String, note: String = "",
        range: String, givesProbabilities: Bool = false, summary: String, example: Example, body: Body
    ) {
        self.init(
            name, aliases: aliases, parameters: parameters, stated: (formula, derivative), note: note, range: range, limits: (.nan, .nan), kinks: [],
            weights: .glorot, givesProbabilities: givesProbabilities, randomized: nil, summary: summary, example: example, body: body, definition: nil)
    }

    @inline(never)
    private init(
        _ name: String, aliases: [String], parameters: [Parameter], stated: (value: String, derivative: String)?, note: String, range: String,
        limits: (low: Double, high: Double), kinks: [RowKink], weights: WeightStart, givesProbabilities: Bool = false,
        randomized: (@Sendable (_ x: NDArray, _ draws: NDArray) throws -> NDArray)?, summary: String, example: Example, body: Body,
        definition: Formula?
    ) {
        self.name = name
        self.aliases = aliases
        self.parameters = parameters
        defaults = parameters.map { $0.default ?? .nan }
        self.stated = stated
        self.note = note
        self.range = range
        self.limits = limits
        self.kinks = kinks
        self.weights = weights
        self.givesProbabilities = givesProbabilities
        self.randomized = randomized
        self.summary = summary
        self.example = example
        self.body = body
        self.definition = definition
    }

    /// Which family weights are drawn from: by the share of its inputs that an activation lets through.
    package enum WeightStart: Sendable {
        case glorot, he, lecun
    }

    /// What the row does to shapes.
    package enum Kind: String, Sendable {
        case elementwise
        /// Normalises along one axis, shape kept.
        case alongAxis
        /// Two halves of the last axis, the second is the gate.
        case halves
        /// Doubles the last axis.
        case doubling
        /// The largest of linear pieces.
        case pieces
    }

    package struct Parameter: Sendable {
        package let name: String
        /// `nil` for one that must be given.
        package let `default`: Double?
        package let mayBeArray: Bool
        package let summary: String
        /// The derivative of the row in this parameter; `nil` for one that is not differentiated.
        let slope: Formula?
        /// Whether it is a whole number, in which there is no derivative.
        package let isStep: Bool
        /// The default as programs write it, where that is not the number in digits.
        package let text: String?

        init(
            _ name: String, _ value: Double?, written text: String? = nil, _ summary: String, mayBeArray: Bool = false, isStep: Bool = false,
            slope: Formula? = nil
        ) {
            self.name = name
            self.text = text
            self.isStep = isStep
            self.default = value
            self.mayBeArray = mayBeArray
            self.summary = summary
            self.slope = slope
        }
    }

    /// Where the slope jumps (or the function does), as formulas in the parameters: `.input(1)` is the first.
    package struct RowKink: Sendable {
        let point, left, right, chosen: Formula
        /// Whether the function jumps too.
        let jumps: Bool

        init(_ point: Formula, left: Formula, right: Formula, chosen: Formula, jumps: Bool = false) {
            self.jumps = jumps
            self.point = point
            self.left = left
            self.right = right
            self.chosen = chosen
        }
    }

    /// A line of a program and what it shows.
    package struct Example: Sendable {
        package let source: String
        package let output: String

        init(_ source: String, shows output: String) {
            self.source = source
            self.output = output
        }
    }

    package enum Body: Sendable {
        case elementwise(ElementwiseRow)
        /// `inputs` are x and the parameters in order.
        case whole(Kind, @Sendable (_ inputs: [Operand]) throws -> NDArray)
    }

    package var kind: Kind {
        switch body {
        case .elementwise: .elementwise
        case .whole(let kind, _): kind
        }
    }

    /// The one kernel that computes it while every parameter has its default, if that is all there is to it.
    package var kernel: UnaryOperation? {
        guard case .elementwise(let row) = body, parameters.allSatisfy({ $0.default != nil }) else { return nil }
        return row.standardKernel
    }

    /// The kinks for given parameters (all, or none for the defaults); a kink whose slopes agree there is none.
    package func kinks(_ parameters: [Double] = []) -> [Kink] {
        let inputs = [Double.nan] + (parameters.count == self.parameters.count ? parameters : defaults)
        return kinks.compactMap { kink in
            let found = Kink(
                x: FormulaProgram(kink.point)(inputs), left: FormulaProgram(kink.left)(inputs), right: FormulaProgram(kink.right)(inputs),
                chosen: FormulaProgram(kink.chosen)(inputs))
            return kink.jumps || found.left != found.right || found.chosen != found.left ? found : nil
        }
    }

    // MARK: Applying

    /// The function of an array. Parameters left out take their defaults.
    /// - Throws: `DerivativeError.parameter`; `ArrayError` where shapes do not fit.
    package func apply(_ x: NDArray, _ parameters: [Operand] = []) throws -> NDArray {
        let operands = try completed(parameters)
        switch body {
        case .elementwise(let row): return try row.apply(x, operands, order: 0, of: self)
        case .whole(_, let forward): return try forward([.array(x)] + operands)
        }
    }

    /// The derivative in x of an elementwise row, of any order, straight from its closed form.
    /// - Throws: `DerivativeError.notDifferentiable` for a row that is not elementwise: `Derivative.derivative` serves there.
    package func derivative(_ x: NDArray, _ parameters: [Operand] = [], order: Int = 1) throws -> NDArray {
        guard case .elementwise(let row) = body else { throw DerivativeError.notDifferentiable(operation: name) }
        let operands = try completed(parameters)
        if order < row.orders { return try row.apply(x, operands, order: order, of: self) }
        return try Derivative.derivative(of: { try derivative($0, parameters, order: order - 1) }, at: x)
    }

    /// The function of a number, with the bits that an `f64` array gives; `nil` for a row that needs an array.
    /// - Parameter parameters: All of them, or none for the defaults.
    package func callAsFunction(_ x: Double, _ parameters: [Double] = []) -> Double? {
        derivative(x, parameters, order: 0)
    }

    /// The derivative of the given order at a number; `nil` where only arrays serve.
    package func derivative(_ x: Double, _ parameters: [Double] = [], order: Int = 1) -> Double? {
        guard case .elementwise(let row) = body, order < row.orders else { return nil }
        guard parameters.count != self.parameters.count else { return row.scalar(x, parameters, order: order) }
        return parameters.isEmpty ? row.scalar(x, defaults, order: order) : nil
    }

    private func completed(_ given: [Operand]) throws -> [Operand] {
        if given.count == parameters.count { return given }
        guard given.count < parameters.count else {
            throw DerivativeError.parameterCount(row: name, takes: parameters.count, given: given.count)
        }
        return try given
            + parameters[given.count...].map { parameter in
                guard let value = parameter.default else {
                    throw DerivativeError.parameter(row: name, name: parameter.name, .missing)
                }
                return .number(value)
            }
    }
}
