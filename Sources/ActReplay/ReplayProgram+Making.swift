// From a function to its program: an abstract run, and what its results are computed of.

import ActArray

extension ReplayProgram {
    /// Functions of larger arrays gain nothing: there the operations are what costs, and arrays that wait are fused and shared out by threads.
    package static let largestArray = 1 << 14

    /// Runs a function once on arrays like these, but without their elements.
    /// - Returns: `nil` where what the function does depends on elements, or where a program would gain nothing.
    /// - Throws: `ArrayError.outOfMemory`, `interrupted`.
    package static func of(_ arguments: [NDArray], _ function: ([NDArray]) throws -> [NDArray]) throws -> ReplayProgram? {
        let run = AbstractRun(), inputs = arguments.map { NDArray.abstract(like: $0) }
        let results: [NDArray]
        do { results = try run.run { try function(inputs) } } catch let error as ArrayError {
            switch error {
            case .interrupted, .outOfMemory: throw error
            default: return nil
            }
        } catch { return nil }
        guard !run.isSpoiled else { return nil }
        // What is known of each operation on the way.
        try MemoryPool.allow(run.operations &* 1024)
        guard let values = try AbstractValues(run, inputs: inputs, roots: results + run.assumptions.map(\.array) + run.computed) else { return nil }
        let places = results.map { values.position(of: $0) }, assumptions = run.assumptions.map { (values.position(of: $0.array), $0.range) }
        var plan = try ReplayPlan(values, roots: places + assumptions.map(\.0))
        return try plan.program(inputs: inputs.map { values.position(of: $0) }, results: places, assumptions: assumptions)
    }
}

/// What some abstract arrays are computed of: every array once, operands before what is computed of them.
struct AbstractValues {
    struct Value {
        /// What computes it; `nil` for inputs and constants.
        let primitive: Primitive?
        let operands: [Int]
        let array: NDArray
    }

    /// Given arrays are kept as long as the program is.
    private static let largestConstant = 1 << 18

    private(set) var values: [Value] = []
    private var known: [ObjectIdentifier: Int] = [:]
    private let run: AbstractRun

    /// - Returns: `nil` where something is not known, or too large.
    /// - Throws: `ArrayError.interrupted`.
    init?(_ run: AbstractRun, inputs: [NDArray], roots: [NDArray]) throws {
        self.run = run
        for input in inputs {
            guard input.count <= ReplayProgram.largestArray else { return nil }
            known[input.identity] = values.count
            values.append(Value(primitive: nil, operands: [], array: input))
        }
        for root in roots where try !add(root) { return nil }
    }

    func position(of array: NDArray) -> Int { known[array.identity] ?? 0 }

    /// Adds what leads to an array, with a stack of its own: recursion would be as deep as the graph.
    private mutating func add(_ root: NDArray) throws -> Bool {
        var path = [root]
        while let array = path.last {
            if known[array.identity] != nil {
                path.removeLast()
                continue
            }
            try Interrupt.check()
            guard values.count < AbstractRun.mostOperations, array.count <= (array.isAbstract ? ReplayProgram.largestArray : Self.largestConstant) else {
                return false
            }
            let source = run.source(of: array)
            let operands = array.isAbstract ? source.map { [$0] } ?? Array(array.node.inputs) : []
            let missing = operands.filter { known[$0.identity] == nil }
            if !missing.isEmpty {
                path += missing
                continue
            }
            path.removeLast()
            if let source {
                known[array.identity] = known[source.identity]
                continue
            }
            let positions = operands.compactMap { known[$0.identity] }
            guard !array.isAbstract || Self.isKnown(array.node.primitive, positions.count) else { return false }
            known[array.identity] = values.count
            values.append(Value(primitive: array.isAbstract ? array.node.primitive : nil, operands: positions, array: array))
        }
        return true
    }

    private static func isKnown(_ primitive: Primitive, _ operands: Int) -> Bool {
        switch primitive {
        case .data, .variable, .custom: false
        case .gather, .scatterAdd: operands == 1
        case .unary, .binary, .compare, .test, .logical, .select, .convert, .reshape, .transpose, .broadcast, .slice, .unslice, .concatenate, .matmul,
            .reduce, .cumulative, .normalize:
            operands > 0
        }
    }
}
