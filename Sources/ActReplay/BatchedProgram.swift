// A function of arrays as the operations that it comes to, each of them done for many arguments at once: what `vmap` runs.
//
// What must stay true: row i of what it gives is what the function gives of row i, but for the order in which products and sums add up. Where it
// cannot be sure (an assumption does not hold for a row, a number overflowed or was undefined) it gives nothing, and the function is called for
// each.

import ActArray
import ActGrad

package struct BatchedProgram {
    private let values: [AbstractValues.Value]
    private let inputs, results: [Int]
    private let assumptions: [(place: Int, range: ClosedRange<Double>)]
    /// Which value needs each last.
    private let lastUses: [Int]

    /// The elements that all rows of the largest array may have together, about: what is more is done in several walks.
    private static let largestBatch = 1 << 18
    /// Functions of larger arrays gain nothing: there the operations are what costs.
    private static let largestArray = 1 << 15

    /// Runs a function once on arrays like these, but without their elements.
    /// - Returns: `nil` where what the function does depends on elements, or where nothing would be gained.
    /// - Throws: `ArrayError.outOfMemory`, `interrupted`.
    package static func of(_ elements: [NDArray], _ function: ([NDArray]) throws -> [NDArray]) throws -> BatchedProgram? {
        guard let (run, inputs, results) = try AbstractRun.of(elements, for: .batch, function) else { return nil }
        let limits = AbstractValues.Limits(array: largestArray, constant: .max)
        guard let values = try AbstractValues(run, inputs: inputs, roots: results + run.assumptions.map(\.array), limits) else { return nil }
        return BatchedProgram(
            values: values.values, inputs: inputs.map { values.position(of: $0) }, results: results.map { values.position(of: $0) },
            assumptions: run.assumptions.map { (values.position(of: $0.array), $0.range) })
    }

    private init(values: [AbstractValues.Value], inputs: [Int], results: [Int], assumptions: [(place: Int, range: ClosedRange<Double>)]) {
        (self.values, self.inputs, self.results, self.assumptions) = (values, inputs, results, assumptions)
        var uses = [Int](repeating: -1, count: values.count)
        for (i, value) in values.enumerated() { for operand in value.operands { uses[operand] = i } }
        for place in results + assumptions.map(\.place) { uses[place] = values.count }
        lastUses = uses
    }

    /// - Parameter batches: For each argument those of all rows, along a first axis.
    /// - Returns: The results, stacked likewise; `nil` where the function has to be called for each row.
    /// - Throws: `ArrayError.outOfMemory`, `interrupted`.
    package func run(_ batches: [NDArray], count: Int) throws -> [NDArray]? {
        let largest = values.reduce(1) { max($0, $1.primitive == nil ? 0 : $1.array.count) }
        let together = Self.largestBatch / largest
        guard together > 1 else { return nil }
        let pause = NumericEvents.Pause()
        defer { pause.end() }
        var parts: [[NDArray]] = []
        for first in stride(from: 0, to: count, by: together) {
            let rows = SliceRange(start: first, step: 1, count: min(together, count - first))
            let part = try batches.map { batch in
                rows.count == count ? batch : try batch.sliced([rows] + batch.shape.dropFirst().map { SliceRange(start: 0, step: 1, count: $0) })
            }
            guard let results = try walk(part, count: rows.count) else { return nil }
            parts.append(results)
        }
        // Flags tell that something should warn: then each call says for itself what.
        if pause.missedAny { return nil }
        guard parts.count > 1 else { return parts.first }
        return try results.indices.map { index in try NDArray.concatenated(parts.map { $0[index] }, axis: 0) }
    }

    private func walk(_ batches: [NDArray], count: Int) throws -> [NDArray]? {
        let batch = Batch(count: count)
        var operands = [Batch.Operand?](repeating: nil, count: values.count)
        for (position, array) in zip(inputs, batches) { operands[position] = .batch(array) }
        for (i, value) in values.enumerated() where operands[i] == nil {
            guard let primitive = value.primitive else {
                operands[i] = .shared(value.array)
                continue
            }
            try Interrupt.check()
            let given = value.operands.compactMap { operands[$0] }
            guard given.count == value.operands.count, let result = try batch.result(of: primitive, given, shape: value.array.shape, type: value.array.type)
            else { return nil }
            operands[i] = .batch(result)
            for operand in value.operands where lastUses[operand] == i { operands[operand] = nil }
        }
        func array(at place: Int) throws -> NDArray? { try operands[place].map { try batch.stretched($0) } }
        for assumption in assumptions {
            guard let array = try array(at: assumption.place), try array.toDoubles().allSatisfy(assumption.range.contains) else { return nil }
        }
        var arrays: [NDArray] = []
        for place in results {
            guard let array = try array(at: place) else { return nil }
            try array.evaluate()
            arrays.append(array)
        }
        return arrays
    }
}
