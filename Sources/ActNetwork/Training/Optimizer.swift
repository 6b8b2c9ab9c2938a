// Optimisers: how parameters follow from gradients. An optimiser is one row; its update is one pass over a parameter, its gradient and
// its moments, in place, in pieces that all cores share. Formulas and defaults are PyTorch's; Lion's are its authors'.

import ActArray
import ActGrad
import ActLinear
import ActRows
import CActKernels

/// What one update of some elements sees. The pointers are good while the update runs: each thread has elements of its own.
struct UpdateBlock<T: BinaryFloatingPoint> {
    let p: UnsafeMutablePointer<T>
    let g: UnsafePointer<T>
    /// The moments; as many as the row has slots.
    let first: UnsafeMutablePointer<T>
    let second: UnsafeMutablePointer<T>
    let count: Int
    let step: UpdateStep
}

/// What all updates of one step share.
struct UpdateStep {
    let rate: Double
    let weightDecay: Double
    /// Of the row, in order.
    let values: [Double]
    /// Counts from 1.
    let number: Int
    /// What `memory` of the row carries from step to step.
    var memory = 1.0
}

package struct OptimizerRow: Sendable {
    package let name: String
    package let formula: String
    package let summary: String
    /// All that it takes.
    package let parameters: [Parameter]
    package let inputs: Inputs
    /// How many moments it keeps for each parameter of a network.
    package let slots: Int
    /// The step as formulas; the updates compute the same, in place.
    let step: @Sendable (StepTerms) -> StepFormulas
    /// What becomes of the number that it carries from step to step, which is 1 before the first; `nil` where it carries none.
    let memory: (@Sendable (StepTerms) -> Formula)?
    let update32: @Sendable (UpdateBlock<Float>) -> Void
    let update64: @Sendable (UpdateBlock<Double>) -> Void
    /// What makes no sense together in the values of its own: the position of the one that is wrong, and what it must be.
    let conflict: @Sendable ([Double]) -> (position: Int, SettingFault)?

    /// What an optimiser takes; `own` are those that the others lack, in the order in which its updates see them.
    package struct Inputs: Sendable {
        package let lr: Input<Double>
        package let own: [Input<Double>]
        package let weightDecay: Input<Double>
        package let clipNorm, clipValue: Input<Double?>

        /// One a parameter; `nil` for none.
        package var defaults: [Double?] { [lr.fallback] + own.map(\.fallback) + [weightDecay.fallback, nil, nil] }
    }

    /// - Parameters:
    ///   - rate: The learning rate unless told otherwise; `weightDecay` likewise.
    ///   - own: Declares the parameters of its own.
    init(
        _ name: String, rate: Double, weightDecay: Double = 0, formula: String, summary: String, slots: Int,
        step: @escaping @Sendable (StepTerms) -> StepFormulas, memory: (@Sendable (StepTerms) -> Formula)? = nil,
        update32: @escaping @Sendable (UpdateBlock<Float>) -> Void, update64: @escaping @Sendable (UpdateBlock<Double>) -> Void,
        conflict: @escaping @Sendable ([Double]) -> (position: Int, SettingFault)? = { _ in nil }, own: (inout Signature) -> [Input<Double>]
    ) {
        self.name = name
        self.formula = formula
        self.summary = summary
        self.slots = slots
        self.step = step
        self.memory = memory
        self.update32 = update32
        self.update64 = update64
        self.conflict = conflict
        var takes = Signature()
        let lr = takes.number("lr", default: rate, .within(0...), role: .followed)
        let own = own(&takes)
        inputs = Inputs(
            lr: lr, own: own, weightDecay: takes.number("weight_decay", default: weightDecay, .within(0...), role: .followed),
            clipNorm: takes.numberOrNone("clip_norm", .aboveZero, role: .followed), clipValue: takes.numberOrNone("clip_value", .aboveZero, role: .followed))
        parameters = takes.parameters
    }

    /// As a program would make it: `Adam(0.001)`.
    package var text: String { "\(name)(\(parameters[inputs.lr.index].fallback ?? ""))" }
}

package struct Optimizer {
    package let row: OptimizerRow
    package let values: [Double]
    /// The learning rate at a moment counted in epochs.
    package let rate: (Double) throws -> Double
    package let weightDecay: Double
    package let clipNorm: Double?
    package let clipValue: Double?

    /// - Throws: `NetworkError.setting` for a number that makes no sense.
    package init(
        _ row: OptimizerRow, values: [Double]? = nil, rate: @escaping (Double) throws -> Double, weightDecay: Double? = nil, clipNorm: Double? = nil,
        clipValue: Double? = nil
    ) throws {
        self.row = row
        self.values = values ?? row.inputs.own.map { $0.fallback ?? 0 }
        self.rate = rate
        self.weightDecay = weightDecay ?? row.inputs.weightDecay.fallback ?? 0
        self.clipNorm = clipNorm
        self.clipValue = clipValue
        func check<T>(_ input: Input<T>, _ value: Double?) throws {
            guard let value, let bounds = input.bounds, !bounds.contains(value) else { return }
            throw NetworkError.setting(owner: row.name, name: row.parameters[input.index].name, .mustBe(.within(bounds)))
        }
        for (input, value) in zip(row.inputs.own, self.values) { try check(input, value) }
        if let (position, fault) = row.conflict(self.values) {
            throw NetworkError.setting(owner: row.name, name: row.parameters[row.inputs.own[position].index].name, fault)
        }
        try check(row.inputs.weightDecay, self.weightDecay)
        try check(row.inputs.clipNorm, clipNorm)
        try check(row.inputs.clipValue, clipValue)
    }
}

/// An optimiser at work: the moments of some parameters.
package struct OptimizerState {
    private let optimizer: Optimizer
    /// The moments of each parameter.
    private var slots: [[NDArray]]
    private var number = 0
    package private(set) var memory = 1.0

    package init(_ optimizer: Optimizer, for parameters: [NDArray]) throws {
        self.optimizer = optimizer
        slots = try parameters.map { parameter in
            try (0..<optimizer.row.slots).map { _ in try NDArray.full(0, shape: parameter.shape, type: parameter.type) }
        }
    }

    /// One that has done some steps.
    /// - Parameters:
    ///   - moments: One after the other, each of all parameters.
    ///   - memory: What it was after those steps.
    package init(_ optimizer: Optimizer, moments: [[NDArray]], types: [ElementType], steps: Int, memory: Double) throws {
        self.optimizer = optimizer
        slots = try types.indices.map { index in try moments.map { try $0[index].detached().converted(to: types[index]).contiguous() } }
        number = steps
        self.memory = memory
    }

    /// One after the other, each of all parameters.
    package var moments: [[NDArray]] { (0..<optimizer.row.slots).map { slot in slots.map { $0[slot] } } }

    /// Changes the parameters in place.
    /// - Parameter epoch: The moment for the learning rate.
    /// - Returns: The norm of all gradients together, before clipping, when that was needed.
    package mutating func step(_ parameters: inout [NDArray], _ gradients: [NDArray], epoch: Double) throws {
        let rate = try optimizer.rate(epoch)
        guard rate >= 0, rate.isFinite else {
            throw NetworkError.setting(owner: optimizer.row.name, name: "lr", .rate(rate, epoch: epoch))
        }
        let gradients = try clipped(gradients)
        number += 1
        var step = UpdateStep(rate: rate, weightDecay: optimizer.weightDecay, values: optimizer.values, number: number, memory: memory)
        if let advance = optimizer.row.memory {
            memory = FormulaProgram(advance(StepTerms()))([0, 0, 0, 0, rate, step.weightDecay, Double(number), memory] + step.values)
            step.memory = memory
        }
        for index in parameters.indices {
            let gradient = try gradients[index].converted(to: parameters[index].type).contiguous()
            try gradient.evaluate()
            try parameters[index].makeUnique()
            for slot in slots[index].indices { try slots[index][slot].makeUnique() }
            if parameters[index].type == .f32 {
                try update(parameters[index], gradient, slots[index], step, optimizer.row.update32)
            } else {
                try update(parameters[index], gradient, slots[index], step, optimizer.row.update64)
            }
        }
    }

    private func update<T: BinaryFloatingPoint>(
        _ parameter: NDArray, _ gradient: NDArray, _ slots: [NDArray], _ step: UpdateStep, _ body: (UpdateBlock<T>) -> Void
    ) throws {
        let count = parameter.count, piece = 1 << 14
        // A row without slots leaves theirs alone.
        let first = slots.first ?? parameter, second = slots.count > 1 ? slots[1] : first
        try gradient.withContiguous(of: T.self) { gradient in
            guard let g = gradient.baseAddress else { return }
            parameter.withElements(of: T.self) { p in
                first.withElements(of: T.self) { first in
                    second.withElements(of: T.self) { second in
                        ThreadPool.parallelFor((count + piece - 1) / piece) { index in
                            let start = index * piece
                            body(
                                UpdateBlock(
                                    p: p + start, g: g + start, first: first + start, second: second + start,
                                    count: min(piece, count - start), step: step))
                        }
                    }
                }
            }
        }
    }

    /// Each element bounded by `clip_value`, then all together scaled to the norm `clip_norm` if theirs is larger.
    private func clipped(_ gradients: [NDArray]) throws -> [NDArray] {
        var result = gradients
        if let limit = optimizer.clipValue {
            result = try result.map {
                try NDArray.binary(.min, .array(NDArray.binary(.max, .array($0), .number(-limit))), .number(limit))
            }
        }
        if let limit = optimizer.clipNorm {
            let norm = try OptimizerState.norm(result)
            let scale = limit / (norm + 1e-6)
            if scale < 1 { result = try result.map { try $0 * scale } }
        }
        return result
    }

    /// The length of all arrays taken as one vector.
    package static func norm(_ arrays: [NDArray]) throws -> Double {
        var sum = 0.0
        for array in arrays { sum += try NDArray.unary(.square, array.detached().converted(to: .f64)).reduced(.sum).item() }
        return sum.squareRoot()
    }
}

extension NDArray {
    /// The elements of an array that this code alone holds.
    fileprivate func withElements<T>(of _: T.Type, _ body: (UnsafeMutablePointer<T>) -> Void) {
        withMutableBytes { body($0.assumingMemoryBound(to: T.self)) }
    }
}
