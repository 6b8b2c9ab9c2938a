// One step of an optimiser in array operations: what derivatives go through, of the new parameters and moments in the old ones, in the
// gradient and in the settings.
//
// What must stay true: it gives what `OptimizerState` computes in place, to rounding; a test compares them for every row.

import ActArray
import ActGrad
import ActRows

/// What the formulas of a row are made of.
struct StepTerms {
    let p = Formula.input(0), g = Formula.input(1)
    /// The moments.
    let first = Formula.input(2), second = Formula.input(3)
    let rate = Formula.input(4), decay = Formula.input(5)
    /// Counts from 1.
    let number = Formula.input(6)
    /// What the row carries from step to step, after this one.
    let memory = Formula.input(7)

    /// The parameters of the row's own, in order.
    subscript(_ index: Int) -> Formula { .input(8 + index) }

    /// The gradient with the weight decay that is a part of it.
    var decayed: Formula { g + decay * p }
}

/// The new parameter and the new moments.
struct StepFormulas {
    let p: Formula
    let moments: [Formula]
}

extension Formula {
    /// √x with the slope 0 at 0, where an element has not moved yet: what it divides is 0 there too.
    static func root(_ x: Formula) -> Formula { .select(.compare(.eq, x, 0), then: 0, otherwise: .unary(.sqrt, x)) }

    /// The mean of the old value and a new one, of which `share` is the old one's.
    static func blend(_ old: Formula, _ new: Formula, _ share: Formula) -> Formula { share * old + (1 - share) * new }
}

package struct DifferentiableStep {
    private let row: OptimizerRow
    private let rate, weightDecay: Operand
    private let values: [Operand]
    private let clipNorm, clipValue: Operand?

    /// - Parameters:
    ///   - values: Of the row's own parameters, in order.
    ///   - clipNorm: `nil` for no limit, like `clipValue`.
    package init(_ row: OptimizerRow, rate: Operand, values: [Operand], weightDecay: Operand, clipNorm: Operand?, clipValue: Operand?) {
        (self.row, self.rate, self.values, self.weightDecay) = (row, rate, values, weightDecay)
        (self.clipNorm, self.clipValue) = (clipNorm, clipValue)
    }

    package struct Result {
        package var parameters: [NDArray] = []
        /// One after the other, each of all parameters.
        package var moments: [[NDArray]]
        package var memory: Operand
    }

    /// - Parameters:
    ///   - moments: One after the other, each of all parameters; `nil` before the first step.
    ///   - number: Counts from 1.
    ///   - memory: What it was after the step before.
    package func callAsFunction(
        _ parameters: [NDArray], _ gradients: [NDArray], moments: [[NDArray]]?, number: Int, memory: Operand
    ) throws -> Result {
        let formulas = row.step(StepTerms())
        let newParameter = FormulaProgram(formulas.p), newMoments = formulas.moments.map { FormulaProgram($0) }
        let gradients = try clipped(gradients)
        var shared: [Operand] = [rate, weightDecay, .number(Double(number)), memory] + values
        if let advance = row.memory { shared[3] = try FormulaProgram(advance(StepTerms()))([0, 0, 0, 0] + shared) }
        var result = Result(moments: newMoments.map { _ in [] }, memory: shared[3])
        for (index, p) in parameters.enumerated() {
            func old(_ slot: Int) throws -> Operand {
                guard slot < newMoments.count else { return 0 }
                return .array(try moments?[slot][index].converted(to: p.type) ?? NDArray.full(0, shape: p.shape, type: p.type))
            }
            let inputs: [Operand] = try [.array(p), .array(gradients[index].converted(to: p.type)), old(0), old(1)] + shared
            result.parameters.append(try newParameter(inputs).array(like: p))
            for (slot, program) in newMoments.enumerated() { result.moments[slot].append(try program(inputs).array(like: p)) }
        }
        return result
    }

    /// As `OptimizerState` clips.
    private func clipped(_ gradients: [NDArray]) throws -> [NDArray] {
        var result = gradients
        if let limit = clipValue {
            let g = Formula.input(0), limits = FormulaProgram(.binary(.min, .binary(.max, g, .unary(.neg, .input(1))), .input(1)))
            result = try result.map { try limits([.array($0), limit]).array(like: $0) }
        }
        if let limit = clipNorm {
            let squares = try result.map { try NDArray.unary(.square, $0.converted(to: .f64)).reduced(.sum) }
            let total = try squares.dropFirst().reduce(squares.first ?? NDArray.scalar(0, type: .f64)) { try $0 + $1 }
            let scale = try FormulaProgram(.binary(.min, .input(1) / (.root(.input(0)) + 1e-6), 1))([.array(total), limit])
            result = try result.map { try Operand.array(NDArray.binary(.mul, .array($0), scale)).array(like: $0) }
        }
        return result
    }
}

extension Operand {
    /// In the element type of an array whose shape it has, or fills.
    fileprivate func array(like other: NDArray) throws -> NDArray {
        switch self {
        case .array(let array): try array.converted(to: other.type)
        case .number(let number): try NDArray.full(number, shape: other.shape, type: other.type)
        }
    }
}
