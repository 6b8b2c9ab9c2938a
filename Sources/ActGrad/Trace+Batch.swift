// What a trace computes, of many values of its variables at once: every operation between runs once, its arrays with an axis more in front,
// the batch. So the rows of a Jacobian, which are one linear function of many unit vectors, take one walk instead of one each.
//
// What must stay true: row i of the results is what the operations give of row i of the values. Whatever is decided by values (bools are not
// followed) is decided once for the whole batch: who asks knows that nothing is, as in a reverse pass, which is linear in what it begins with.

import ActArray

extension Trace {
    /// The elements that all arrays of one operation may have together, about: what is more is done in several walks.
    private static let largestBatch = 1 << 18

    /// How many values one walk may take; fewer than two where arrays are so large that a walk for each costs no more.
    var batchSize: Int {
        let largest = steps.reduce(1) { largest, step in
            step.depends ? max(largest, step.node._withUnsafeGuaranteedRef { max($0.count, $0.inputs.map(\.count).max() ?? 0) }) : largest
        }
        return Trace.largestBatch / largest
    }

    /// - Parameter values: Of each variable, stacked along a first axis; equally many of each.
    /// - Returns: The results, stacked likewise; `nil` where an operation between is known one by one only.
    /// - Throws: `ArrayError` where memory is short, or on an interrupt.
    func batched(_ values: [NDArray]) throws -> NDArray? {
        guard isDependent, let count = values.first?.shape.first else { return nil }
        var arrays = [NDArray?](repeating: nil, count: steps.count)
        for (position, value) in zip(variables, values) {
            if let position { arrays[position] = value }
        }
        let lastUses = lastUses()
        for (i, step) in steps.enumerated() where step.depends && !step.isVariable {
            try Interrupt.check()
            let result = try step.node._withUnsafeGuaranteedRef { node in
                let positions = inputs[step.firstInput..<step.firstInput &+ node.inputs.count]
                let operands = zip(node.inputs, positions).map { input, position in
                    position < 0 ? Batch.Operand.shared(input) : arrays[position].map(Batch.Operand.batch) ?? .shared(input)
                }
                for position in positions where position >= 0 && lastUses[position] == i { arrays[position] = nil }
                return try Batch(count: count).result(of: node.primitive, operands, shape: node.shape, type: node.type)
            }
            guard let result else { return nil }
            arrays[i] = result
        }
        return arrays[steps.count &- 1]
    }

    /// The step that needs the result of each last.
    private func lastUses() -> [Int] {
        var uses = [Int](repeating: -1, count: steps.count)
        for (i, step) in steps.enumerated() {
            let end = i &+ 1 < steps.count ? steps[i &+ 1].firstInput : inputs.count
            for position in inputs[step.firstInput..<end] where position >= 0 { uses[position] = i }
        }
        return uses
    }
}
