// How an elementwise row is computed, by kernels where there are some and by formulas else, and how its derivative is traced.
//
// What must stay true: arrays and numbers give the same bits; the derivative of a row is the row's own closed form, to every order it
// states, and the derivative of that form beyond.

import ActArray

package final class ElementwiseRow: Sendable {
    /// The function, its derivative and so on as far as they are stated. Input 0 is x, then come the parameters.
    private let programs: [FormulaProgram]
    /// The same while every parameter is the default number, if a kernel serves then.
    private let standard: [FormulaProgram]?
    private let defaults: [Double]
    /// For each order the kernel, if that is all there is to it: the short way.
    private let kernels: (any: [Kernel?], standard: [Kernel?])
    /// Whether formulas of several steps are computed in f64 for f32 arrays too, because rounding between their steps adds up.
    private let isWide: Bool

    /// - Parameters:
    ///   - value: The function.
    ///   - slopes: Its derivatives; those of the kernel that the function is are known.
    ///   - kernel: Serves while every parameter is the number in `defaults`.
    init(_ value: Formula, slopes: [Formula] = [], kernel: UnaryOperation? = nil, defaults: [Double] = [], wide: Bool = false) {
        let general = ElementwiseRow.tower(value, slopes), special = kernel.map { ElementwiseRow.tower(.unary($0, .x), []) }
        programs = general.map(FormulaProgram.init)
        standard = special.map { $0.map(FormulaProgram.init) }
        kernels = (general.map(Kernel.init), special?.map(Kernel.init) ?? general.map(Kernel.init))
        self.defaults = defaults
        isWide = wide
    }

    /// The function and its first two derivatives, as far as they are given or follow from kernels.
    private static func tower(_ value: Formula, _ slopes: [Formula]) -> [Formula] {
        var tower = [value] + slopes
        while tower.count < 3, let last = tower.last, let slope = last.kernelSlope { tower.append(slope) }
        return tower
    }

    /// The function, as it is computed.
    package var value: Formula { programs[0].formula }

    /// How many orders of derivative, the function included, are stated.
    var orders: Int { min(programs.count, standard?.count ?? .max) }

    // MARK: Computing

    /// - Parameter parameters: All of them.
    func scalar(_ x: Double, _ parameters: [Double], order: Int) -> Double {
        let isStandard = parameters.isEmpty || parameters == defaults
        switch isStandard ? kernels.standard[order] : kernels.any[order] {
        case .unary(let operation): return Scalar.unary(operation, x)
        case .binary(let operation) where !parameters.isEmpty: return Scalar.binary(operation, x, parameters[0])
        default:
            let program = isStandard ? standard?[order] ?? programs[order] : programs[order]
            return parameters.isEmpty ? program(x) : program([x] + parameters)
        }
    }

    /// The kernel of the function of a number, if it is one.
    var standardKernel: UnaryOperation? {
        if case .unary(let operation)? = kernels.standard[0] { operation } else { nil }
    }

    private enum Kernel: Sendable {
        case unary(UnaryOperation)
        case binary(BinaryOperation)

        init?(_ formula: Formula) {
            switch formula {
            case .unary(let operation, .input(0)): self = .unary(operation)
            case .binary(let operation, .input(0), .input(1)): self = .binary(operation)
            default: return nil
            }
        }
    }

    /// The derivative of the given order (0: the function) of an array.
    func apply(_ x: NDArray, _ parameters: [Operand], order: Int, of row: ActivationRow) throws -> NDArray {
        let x = x.type == .bool ? try x.converted(to: .f64) : x
        // The short way: one kernel, which is traced as itself.
        if !isWide {
            if parameters.isEmpty, case .unary(let operation)? = kernels.standard[order] { return try NDArray.unary(operation, x) }
            if parameters.count == 1, standard == nil, case .binary(let operation)? = kernels.any[order] {
                return try NDArray.binary(operation, .array(x), parameters[0])
            }
        }
        let program = program(parameters, order)
        let tracedParameters = parameters.contains { $0.isTraced }
        // A parameter whose slope is not stated is differentiated through the steps of the formula.
        let statesSlopes = !tracedParameters || order == 0 && zip(row.parameters, parameters).allSatisfy { $0.slope != nil || !$1.isTraced }
        guard x.isTraced || tracedParameters, !program.isOneKernel, order + 1 < orders, statesSlopes else {
            return try compute(program, x, parameters)
        }
        // The value is computed apart; the node remembers what it was computed from.
        let value = try compute(program, x.detached(), parameters.map { try $0.detached() })
        let inputs = [x] + parameters.compactMap { if case .array(let array) = $0 { array } else { nil } }
        return try NDArray.custom(RowFunction(row: row, form: self, order: order, parameters: parameters), inputs: inputs, value: value)
    }

    private func program(_ parameters: [Operand], _ order: Int) -> FormulaProgram {
        standard.flatMap { isDefault(parameters) ? $0[order] : nil } ?? programs[order]
    }

    /// The same by the steps of the formula, each an operation of its own.
    fileprivate func lowered(_ x: NDArray, _ parameters: [Operand], order: Int) throws -> NDArray {
        try compute(program(parameters, order), x, parameters)
    }

    private func compute(_ program: FormulaProgram, _ x: NDArray, _ parameters: [Operand]) throws -> NDArray {
        if isWide, x.type == .f32, parameters.allSatisfy({ $0.type != .f64 }) {
            let wide = try program([.array(x.converted(to: .f64))] + parameters.map { try $0.widened() })
            return try array(wide, like: x, parameters).converted(to: .f32)
        }
        return try array(program([.array(x)] + parameters), like: x, parameters)
    }

    private func array(_ value: Operand, like x: NDArray, _ parameters: [Operand]) throws -> NDArray {
        switch value {
        case .array(let array): return array
        case .number(let number):
            var shape = x.shape
            for case .array(let parameter) in parameters { shape = try NDArray.broadcastShape(shape, parameter.shape) }
            return try NDArray.scalar(number, type: x.type).broadcast(to: shape)
        }
    }

    private func isDefault(_ parameters: [Operand]) -> Bool {
        parameters.count == defaults.count
            && zip(parameters, defaults).allSatisfy { if case .number(let number) = $0 { number == $1 } else { false } }
    }
}

/// A row applied to something traced.
package final class RowFunction: CustomFunction {
    package let row: ActivationRow
    private let form: ElementwiseRow
    /// How often it is differentiated.
    package let order: Int
    /// The parameters that are numbers; the others are inputs of the node.
    package let numbers: [Double?]

    init(row: ActivationRow, form: ElementwiseRow, order: Int, parameters: [Operand]) {
        self.row = row
        self.form = form
        self.order = order
        numbers = parameters.map { if case .number(let number) = $0 { number } else { nil } }
    }

    /// The points where the row has a kink; none while a parameter is an array.
    var kinkPoints: [Double] {
        let known = numbers.compactMap { $0 }
        return order == 0 && known.count == numbers.count ? row.kinks(known).map(\.x) : []
    }

    package var name: String { row.name }
    package var isElementwise: Bool { true }

    /// The order of the derivative, if it is one, and the parameters that are numbers.
    package var attributes: [Attribute] {
        (order == 0 ? [] : [Attribute("order", order)])
            + zip(row.parameters, numbers).compactMap { parameter, number in number.map { Attribute(parameter.name, .number($0)) } }
    }

    package func lowered(_ x: [NDArray]) throws -> NDArray? { try form.lowered(x[0], operands(x), order: order) }

    private func operands(_ inputs: [NDArray]) -> [Operand] {
        var arrays = inputs.dropFirst()
        return numbers.map { number in number.map(Operand.number) ?? .array(arrays.removeFirst()) }
    }

    package func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        try pullback(cotangent: cotangent, inputs: inputs, result: result, hazards: .all)
    }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, hazards: Hazards) throws -> [NDArray?] {
        let parameters = operands(inputs)
        var contributions: [NDArray?] = [try Rule.product(cotangent, .array(form.apply(inputs[0], parameters, order: order + 1, of: row)), hazards)]
        for (parameter, number) in zip(row.parameters, numbers) where number == nil {
            guard order == 0, let slope = parameter.slope else {
                contributions.append(nil)
                continue
            }
            let value = try FormulaProgram(slope)([.array(inputs[0])] + parameters, result: result)
            contributions.append(try Rule.product(cotangent, value, hazards))
        }
        return contributions
    }
}

extension Operand {
    fileprivate var type: ElementType? {
        if case .array(let array) = self { array.type } else { nil }
    }

    fileprivate func detached() throws -> Operand {
        if case .array(let array) = self { .array(try array.detached()) } else { self }
    }

    /// In f64; a number first takes the value it has in f32, as it would beside an f32 array.
    fileprivate func widened() throws -> Operand {
        switch self {
        case .array(let array): .array(try array.converted(to: .f64))
        case .number(let number): .number(number.fitsF32 ? Double(Float(number)) : number)
        }
    }
}

extension Formula {
    /// The derivative in x of a formula that is one kernel of x (and parameters).
    fileprivate var kernelSlope: Formula? {
        switch self {
        case .unary(let operation, .input(0)): operation.slope.replacing(result: self, second: nil)
        case .binary(let operation, .input(0), let parameter): operation.slopes.0.replacing(result: self, second: parameter)
        default: nil
        }
    }

    private func replacing(result: Formula, second: Formula?) -> Formula {
        func go(_ formula: Formula) -> Formula {
            switch formula {
            case .result: result
            case .input(1): second ?? formula
            case .input, .number: formula
            case .unary(let operation, let a): .unary(operation, go(a))
            case .binary(let operation, let a, let b): .binary(operation, go(a), go(b))
            case .compare(let operation, let a, let b): .compare(operation, go(a), go(b))
            case .select(let condition, let a, let b): .select(go(condition), then: go(a), otherwise: go(b))
            }
        }
        return go(self)
    }
}
