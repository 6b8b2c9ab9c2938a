// The graph between the variables of a derivative and a result, and one reverse pass over it.
//
// What must stay true: no recursion over the depth of the graph; a derivative sees its own variables only, those of an enclosing derivative
// are constants to it; results stay traced if, and only if, an enclosing derivative traces them.

import ActArray

/// The identity function that marks where a running derivative varies. Once the derivative is done it is nothing but the identity.
final class VariableMark: CustomFunction {
    var isLive = true
    var name: String { "variable" }
    var isElementwise: Bool { true }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] { [cotangent] }
    func lowered(_ inputs: [NDArray]) throws -> NDArray? { inputs[0] }
}

/// What lies between some variables and a result: every traced node that leads to the result, inputs before users.
struct Trace {
    let result: NDArray

    /// One node, kept alive by the result.
    struct Step {
        let node: Unmanaged<Node>
        /// Where in `inputs` those of the node begin.
        var firstInput = 0
        /// Whether it depends on the variables.
        var depends = false
        /// Whether it is one.
        var isVariable = false
    }

    private(set) var steps: [Step] = []
    /// Whether gradients are without −0.
    var zerosAreUnsigned = true
    /// Whether variables of an enclosing derivative lead to the result too.
    private(set) var reachesOuter = false
    /// For each variable its position among the steps, if it leads to the result.
    private(set) var variables: [Int?] = []
    /// The positions of the inputs of all nodes, one node after the other, −1 for inputs that do not depend on the variables.
    private(set) var inputs: [Int] = []

    init(_ result: NDArray, from variables: [NDArray]) {
        self.result = result
        if result.isTraced { walk(from: result.node, variables) }
        self.variables = variables.map { position(of: $0.node) }
        for case let position? in self.variables {
            steps[position].depends = true
            steps[position].isVariable = true
        }
        inputs.reserveCapacity(2 &* steps.count)
        for i in steps.indices {
            steps[i].firstInput = inputs.count
            var depends = steps[i].depends
            steps[i].node._withUnsafeGuaranteedRef { node in
                for input in node.inputs {
                    let known = input.isTraced && input.type != .bool ? position(of: input.node) ?? -1 : -1
                    let isDependent = known >= 0 && steps[known].depends
                    inputs.append(isDependent ? known : -1)
                    if isDependent, node.type != .bool { depends = true }
                }
            }
            steps[i].depends = depends
        }
    }

    /// The position of a node whose inputs have been met; each node notes its own.
    @inline(__always)
    private func position(of node: Node) -> Int? {
        let position = node.position
        guard position >= 0, position < steps.count, steps[position].node.toOpaque() == Unmanaged.passUnretained(node).toOpaque() else { return nil }
        return position
    }

    /// Finds the steps. A node gets its place once its inputs have theirs.
    private mutating func walk(from root: Node, _ variables: [NDArray]) {
        for (k, variable) in variables.enumerated() { variable.node.position = -1 &- k }
        var path: [Visit] = []
        path.reserveCapacity(32)
        steps.reserveCapacity(32)
        path.append(visit(root, variables, behindMark: false))
        while let last = path.last {
            last.node._withUnsafeGuaranteedRef { node in
                if last.left > 0 {
                    path[path.count &- 1].left = last.left &- 1
                    let input = node.inputs[last.left &- 1].node
                    if input.isTraced, input.type != .bool, position(of: input) == nil {
                        path.append(visit(input, variables, behindMark: last.isMark))
                    }
                } else {
                    path.removeLast()
                    node.position = steps.count
                    steps.append(Step(node: last.node))
                }
            }
        }
    }

    /// A node on the way, with the number of inputs still to go to, the last first.
    private struct Visit {
        let node: Unmanaged<Node>
        var left: Int
        /// Whether it marks the variable of a derivative, which is done if there are inputs to go to.
        var isMark = false
    }

    private mutating func visit(_ node: Node, _ variables: [NDArray], behindMark: Bool) -> Visit {
        var visit = Visit(node: Unmanaged.passUnretained(node), left: node.inputs.count)
        let k = -1 &- node.position
        if k >= 0, k < variables.count, variables[k].node === node {
            if Trace.standsForTraced(node) { reachesOuter = true }
            visit.left = 0
            return visit
        }
        switch node.primitive {
        case .custom(let function):
            guard let mark = function as? VariableMark else { break }
            visit.isMark = true
            if mark.isLive {
                reachesOuter = true
                visit.left = 0
            }
        // Of a derivative that is done only what its variable stood for goes on.
        case .variable: if !behindMark { reachesOuter = true }
        default: break
        }
        return visit
    }

    /// Whether the result depends on a variable.
    var isDependent: Bool { steps.last?.depends ?? false }

    private static func standsForTraced(_ node: Node) -> Bool {
        node.inputs.contains { input in
            if case .variable = input.node.primitive { return input.node.inputs.contains(where: \.isTraced) }
            return input.isTraced
        }
    }

    /// Whether the operations between act elementwise, shape unchanged: then the Jacobian is diagonal.
    func isElementwise(shape: [Int]) -> Bool {
        guard result.shape == shape else { return false }
        return steps.allSatisfy { step in
            guard step.depends else { return true }
            let node = step.node.takeUnretainedValue()
            guard node.shape == shape else { return false }
            return switch node.primitive {
            case .data, .variable: true
            default: node.primitive.isElementwise
            }
        }
    }

    // MARK: The reverse pass

    /// What reaches each variable when `cotangent` (of the result's shape and type) reaches the result; `nil` where nothing does.
    /// - Throws: `DerivativeError.notDifferentiable`; `ArrayError` when memory is short or the user interrupts.
    func pullback(_ cotangent: NDArray) throws -> [NDArray?] { try pullback(Cotangent(cotangent), .all) }

    /// The same as what is computed from the cotangent, whose derivatives can be taken: a linear function of it.
    /// - Parameter heeds: Whether zeros that meet infinities give 0, which takes operations of its own; without that they give NaN.
    func linearPullback(_ cotangent: NDArray, heeds: Bool) throws -> [NDArray?] {
        guard isDependent else { return variables.map { _ in nil } }
        return try withoutWarnings { try pass(.array(cotangent), .all, keepsTrace: true, heeds: heeds).gradients }
    }

    /// What the rules compute is not an operation of the program: nothing there warns.
    /// - Throws: `DerivativeError.notDifferentiable`, and what `body` throws.
    private func withoutWarnings<Value>(_ body: () throws -> Value) throws -> Value {
        if let operation = NotDifferentiable.refuses(result.node) {
            throw DerivativeError.notDifferentiable(operation: operation, at: result.node.site)
        }
        let site = Site.current
        Site.current = .unknown
        defer { Site.current = site }
        return try body()
    }

    /// The same, for what may be one number for all elements.
    /// - Parameter hazards: What the cotangent may hold. That must not depend on its values: many elements and one take the same way.
    func pullback(_ cotangent: Cotangent, _ hazards: Hazards = []) throws -> [NDArray?] {
        guard isDependent else { return variables.map { _ in nil } }
        return try withoutWarnings {
            let keepsTrace = reachesOuter || cotangent.isTraced
            // Where zeros and infinities could meet they seldom do: first as if they did not. What comes of it would be NaN to the end.
            let hopeful = try pass(cotangent, hazards, keepsTrace: keepsTrace, heeds: keepsTrace)
            let isRight =
                try hopeful.heeded
                || hopeful.gradients.allSatisfy { gradient in
                    try gradient.map { try $0.hasNoNaN() } ?? true
                }
            return try isRight ? hopeful.gradients : pass(cotangent, hazards, keepsTrace: false, heeds: true).gradients
        }
    }

    /// - Throws: `DerivativeError.independent` where no way leads from a variable to the result but through steps, whose slope is 0 everywhere.
    func checkDependence() throws {
        guard isDependent else { throw DerivativeError.independent(through: nil) }
        var isSmooth = [Bool](repeating: false, count: steps.count)
        var firstStep: String?
        for (i, step) in steps.enumerated() where step.depends {
            if step.isVariable {
                isSmooth[i] = true
                continue
            }
            let end = i + 1 < steps.count ? steps[i + 1].firstInput : inputs.count
            guard inputs[step.firstInput..<end].contains(where: { $0 >= 0 && isSmooth[$0] }) else { continue }
            step.node._withUnsafeGuaranteedRef { node in
                switch node.primitive {
                case .unary(let operation) where operation.course.isStep: firstStep = firstStep ?? operation.name
                case .binary(let operation) where operation.course.isStep: firstStep = firstStep ?? operation.name
                default: isSmooth[i] = node.type != .bool
                }
            }
        }
        guard isSmooth.last == true else { throw DerivativeError.independent(through: firstStep) }
    }

    /// One reverse pass.
    /// - Parameter heeds: Whether `Hazards` are minded where that takes operations of its own.
    /// - Returns: What reaches the variables, and whether hazards, if there were any, were heeded.
    private func pass(_ cotangent: Cotangent, _ first: Hazards, keepsTrace: Bool, heeds: Bool) throws -> (gradients: [NDArray?], heeded: Bool) {
        var heeded = true
        var cotangents = [Cotangent](repeating: .none, count: steps.count)
        cotangents[steps.count - 1] = cotangent
        var hazards = [Hazards](repeating: [], count: steps.count)
        hazards[steps.count - 1] = first
        var standIns = StandIns(keepsTrace: keepsTrace)
        for i in steps.indices.reversed() {
            let step = steps[i]
            guard step.depends, !step.isVariable else { continue }
            if case .none = cotangents[i] { continue }
            try Interrupt.check()
            try step.node._withUnsafeGuaranteedRef { node in
                if !standIns.keepsTrace, case .custom(let function) = node.primitive, let write = function as? RangeWrite, !NDArray(node: node).isAbstract,
                    !cotangents[i].isAbstract
                {
                    let targets = inputs[step.firstInput..<step.firstInput &+ node.inputs.count]
                    for target in targets where target >= 0 { hazards[target].formUnion(hazards[i].union(.zeros)) }
                    return try passOn(write, of: node, at: i, to: targets, &cotangents)
                }
                let c = cotangents[i]
                cotangents[i] = .none
                let targets = inputs[step.firstInput..<step.firstInput &+ node.inputs.count]
                let passedOn = hazards[i].union(Rule.hazards(of: node.primitive))
                if !passedOn.isEmpty {
                    for target in targets where target >= 0 { hazards[target].formUnion(passedOn) }
                }
                if try passOn(c, of: node, to: targets, hazards[i], &cotangents, &standIns) { return }
                guard let array = try c.array(like: node) else { return }
                if !heeds, !hazards[i].isEmpty, Rule.minds(node.primitive) { heeded = false }
                let contributions: [NDArray?]
                do {
                    contributions = try Rule.pullback(
                        of: node, inputs: node.inputs.map { try standIns.standIn(for: $0) },
                        result: standIns.standIn(for: NDArray(node: node)), cotangent: array, dependsOn: targets.map { $0 >= 0 },
                        hazards: heeds ? hazards[i] : [])
                } catch DerivativeError.notDifferentiable(let operation, .unknown) {
                    throw DerivativeError.notDifferentiable(operation: operation, at: node.site)
                }
                for ((contribution, target), input) in zip(zip(contributions, targets), node.inputs) where target >= 0 {
                    if let contribution { try cotangents[target].add(.array(contribution), for: input.node) }
                }
            }
        }
        let gradients: [NDArray?] = try variables.map { position in
            guard let position else { return nil }
            return try steps[position].node._withUnsafeGuaranteedRef { node in
                if keepsTrace || !zerosAreUnsigned { return try cotangents[position].array(like: node) }
                let gathered = cotangents[position]
                // The same variable may have been given twice.
                if variables.count == 1 { cotangents[position] = .none }
                return try (consume gathered).slopes(like: node)
            }
        }
        return (gradients, heeded)
    }

    /// What reaches an array that was written to, handed on in place: a loop that fills an array costs the size of what it writes.
    private func passOn(_ write: RangeWrite, of node: Node, at i: Int, to targets: ArraySlice<Int>, _ cotangents: inout [Cotangent]) throws {
        var gathered = try cotangents[i].array(like: node)
        cotangents[i] = .none
        guard var total = gathered else { return }
        gathered = nil
        if write.followsValue, let target = targets.last, target >= 0 {
            // Computed before it is written over.
            let part = try total.sliced(write.ranges) + 0
            try part.evaluate()
            try cotangents[target].add(.array(part), for: node.inputs[node.inputs.count &- 1].node)
        }
        guard write.followsOld, let target = targets.first, target >= 0 else { return }
        try total.assign(.number(0), at: write.ranges)
        try cotangents[target].add(.array(total), for: node.inputs[0].node)
    }

    /// The short ways, where there is one: without arrays, or without the graph that `Rule` would need.
    private func passOn(
        _ c: Cotangent, of node: Node, to targets: ArraySlice<Int>, _ hazards: Hazards, _ cotangents: inout [Cotangent],
        _ standIns: inout StandIns
    ) throws -> Bool {
        guard let target = targets.first else { return false }
        func hand(_ c: Cotangent?, to target: Int, _ input: Node) throws -> Bool {
            guard let c else { return false }
            if target >= 0 { try cotangents[target].add(c, for: input) }
            return true
        }
        switch node.primitive {
        case .unary, .binary:
            guard !standIns.keepsTrace else { return false }
            return try SmallProduct.pullback(
                of: node, cotangent: c, targets: (target, targets.last ?? target), hazards: hazards, into: &cotangents)
        case .reduce(.sum, _), .reshape, .transpose, .broadcast, .convert:
            let input = node.inputs[0].node
            guard input.type != .bool else { return false }
            let isSum = if case .reduce = node.primitive { true } else { false }
            return try hand(c.gathered(from: isSum ? input.count : node.count, to: input.count, type: input.type), to: target, input)
        case .slice(let ranges):
            guard !standIns.keepsTrace, target >= 0, let array = try c.array(like: node), !array.isAbstract, !cotangents[target].isAbstract else {
                return false
            }
            var total = try cotangents[target].array(like: node.inputs[0].node)
            cotangents[target] = .none
            try Accumulator.add(array, at: ranges, to: &total, like: node.inputs[0])
            cotangents[target] = total.map(Cotangent.array) ?? .none
            return true
        case .gather(let indices):
            guard !standIns.keepsTrace, target >= 0, let array = try c.array(like: node), !array.isAbstract, !cotangents[target].isAbstract else {
                return false
            }
            var total = try cotangents[target].array(like: node.inputs[0].node)
            cotangents[target] = .none
            try Accumulator.add(array, at: indices, to: &total, like: node.inputs[0])
            cotangents[target] = total.map(Cotangent.array) ?? .none
            return true
        default: return false
        }
    }
}

/// Untraced stand-ins for the arrays of a trace: with them a reverse pass makes no graph of its own and memory goes as soon as it can.
/// Arrays that are not computed yet are not computed for this: the operation is repeated on stand-ins, to be fused with what uses it.
private struct StandIns {
    let keepsTrace: Bool
    private var known: [ObjectIdentifier: NDArray] = [:]

    init(keepsTrace: Bool) { self.keepsTrace = keepsTrace }

    /// Recursion is as deep as operations wait to be computed, which the engine bounds.
    mutating func standIn(for array: NDArray) throws -> NDArray {
        if keepsTrace || !array.isTraced { return array }
        if array.isEvaluated || array.isAbstract { return try array.detached() }
        let id = ObjectIdentifier(array.node)
        if let known = known[id] { return known }
        let inputs = try array.node.inputs.map { try standIn(for: $0) }
        // Only elementwise operations wait.
        let copy = try array.node.primitive.applied(to: inputs, shape: array.shape, type: array.type)
        known[id] = copy
        return copy
    }
}

extension NDArray {
    /// Whether no element is NaN, as their sum tells: false too where infinities of both signs meet.
    func hasNoNaN() throws -> Bool {
        let sum = try reduced(.sum)
        if sum.isAbstract {
            AbstractRun.assume(sum, in: -.infinity...(.infinity))
            return true
        }
        return try !sum.item().isNaN
    }
}
