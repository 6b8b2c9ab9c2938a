// From a function to its program: an abstract run, and what its results are computed of.

import ActArray

extension ReplayProgram {
    /// Functions of larger arrays gain nothing: there the operations are what costs, and arrays that wait are fused and shared out by threads.
    package static let largestArray = 1 << 14

    /// Runs a function once on arrays like these, but without their elements.
    /// - Returns: `nil` where what the function does depends on elements, or where a program would gain nothing.
    /// - Throws: `ArrayError.outOfMemory`, `interrupted`.
    package static func of(_ arguments: [NDArray], _ function: ([NDArray]) throws -> [NDArray]) throws -> ReplayProgram? {
        guard let (run, inputs, results) = try AbstractRun.of(arguments, function) else { return nil }
        let roots = results + run.assumptions.map(\.array) + run.computed
        // Given arrays are kept as long as the program is.
        guard let values = try AbstractValues(run, inputs: inputs, roots: roots, AbstractValues.Limits(array: largestArray, constant: 1 << 18)) else {
            return nil
        }
        let places = results.map { values.position(of: $0) }, assumptions = run.assumptions.map { (values.position(of: $0.array), $0.range) }
        var plan = try ReplayPlan(values, roots: places + assumptions.map(\.0))
        return try plan.program(inputs: inputs.map { values.position(of: $0) }, results: places, assumptions: assumptions)
    }
}

extension AbstractRun {
    /// Runs a function once on arrays like these, but without their elements.
    /// - Returns: `nil` where what the function does depends on elements.
    /// - Throws: `ArrayError.outOfMemory`, `interrupted`.
    static func of(
        _ arguments: [NDArray], for purpose: Purpose = .replay, _ function: ([NDArray]) throws -> [NDArray]
    ) throws -> (run: AbstractRun, inputs: [NDArray], results: [NDArray])? {
        let run = AbstractRun(for: purpose), inputs = arguments.map { NDArray.abstract(like: $0) }
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
        return (run, inputs, results)
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

    /// How many elements arrays may have that are computed, or given.
    struct Limits {
        let array, constant: Int
    }

    private let limits: Limits
    private(set) var values: [Value] = []
    private var known: [ObjectIdentifier: Int] = [:]
    private let run: AbstractRun

    /// - Returns: `nil` where something is not known, or too large.
    /// - Throws: `ArrayError.interrupted`.
    init?(_ run: AbstractRun, inputs: [NDArray], roots: [NDArray], _ limits: Limits) throws {
        (self.run, self.limits) = (run, limits)
        for input in inputs {
            guard input.count <= limits.array else { return nil }
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
            guard values.count < AbstractRun.mostOperations, array.count <= (array.isAbstract ? limits.array : limits.constant) else {
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
