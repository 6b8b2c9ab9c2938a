// The graph of what a function of the session computes, and `:graph`.

import ActArray
import ActBuiltins
import ActGrad
import ActMachine
import ActNetwork
import ActSyntax

extension Session {
    /// Takes the graph of a function at arguments of the given shapes, whatever their elements are.
    /// - Parameters:
    ///   - name: That of a function, a layer or a network; `f'` is the derivative of `f`.
    ///   - shapes: One for each argument by position; `[]` is a number, `nil` for an axis of any size.
    ///   - lowered: Whether operations that are more than a primitive are taken apart where they can be.
    /// - Throws: `Fault`: what the function throws, what is not a function or has another value than numbers, and the place in a function that
    ///   depends on values.
    package func graph(of name: String, shapes: [[Int?]], type: ElementType = .f64, lowered: Bool = false) throws -> Graph {
        try compute { machine in
            let callee = try self.function(named: name)
            let names = shapes.indices.map { callee.parameters.indices.contains($0) ? callee.parameters[$0].name : "x\($0)" }
            return try machine.graph(of: callee, zip(names, shapes).map { Graph.Argument($0, shape: $1, type: type) }, lowered: lowered)
        }
    }

    /// The function of a name; a prime behind it means the derivative.
    private func function(named name: String) throws -> Function {
        let base = name.prefix { $0 != "'" }, primes = name.dropFirst(base.count)
        guard case .function(var function)? = value(named: String(base)), primes.allSatisfy({ $0 == "'" }) else {
            throw MachineRefusal.graphOfNoFunction(name)
        }
        for _ in primes { function = DerivedFunction(function) }
        return function
    }

    /// The variables of numbers that a text mentions, in the order in which it does.
    fileprivate func numericVariables(in text: String) -> [(name: String, value: Value)] {
        guard let source = try? SourceText(id: -1, name: "", text: text) else { return [] }
        let tree = parse(source).tree
        var pending = tree[tree.program].reversed().map(\.expression), known: Set<String> = []
        var found: [(name: String, value: Value)] = []
        while let id = pending.popLast() {
            var children: [ExpressionID] = []
            tree.forEachChild(of: id) { children.append($0) }
            pending += children.reversed()
            guard case .name(let name) = tree[id], known.insert(tree[name]).inserted, let value = module[tree[name]], value.isNumeric else { continue }
            found.append((tree[name], value))
        }
        return found
    }
}

extension Machine {
    /// The graph of a function at numbers, of a network at rows that it takes.
    fileprivate func graph(of function: Function) throws -> Graph {
        if let network = function.network?.network {
            guard let shape = network.layers.first?.inputShape else { throw MachineRefusal.graphOfNoFunction(function.name) }
            return try graph(of: function, [Graph.Argument("x", shape: [nil] + shape.map { $0 }, type: network.parameters.first?.type ?? .f32)])
        }
        let needed = function.parameters.filter { $0.fallback == nil && !$0.isVariadic }
        return try graph(of: function, needed.map { Graph.Argument($0.name) })
    }
}

extension Interaction {
    /// Writes the graph of an expression in the variables that it mentions, or of the function that it is.
    func graph(_ text: String) -> Outcome {
        guard session.readsWell(text, named: "<graph>") else { return .failed }
        let variables = session.numericVariables(in: text)
        // On a line of its own, so that messages show the expression as it was written.
        guard case .function(let function)? = quietly("(\(variables.map(\.name).joined(separator: ", "))) -> {\n\(text)\n}", named: "<graph>", hiddenLines: 1)
        else {
            return .failed
        }
        var isOfNumbers = false
        do {
            let graph = try session.compute { machine in
                let value = try machine.call(function, Arguments(variables.map(\.value)))
                if case .function(let inner) = value {
                    isOfNumbers = inner.network == nil
                    return try machine.graph(of: inner)
                }
                return try machine.graph(
                    of: function,
                    variables.map { name, value in
                        guard case .array(let array) = value else { return Graph.Argument(name) }
                        return Graph.Argument(name, shape: array.shape.map { $0 }, type: array.type == .bool ? .f64 : array.type)
                    })
            }
            output.write("\(graph)\n")
            return .done
        } catch {
            if var diagnostic = (error as? Fault)?.diagnostic {
                if isOfNumbers {
                    diagnostic.notes.append("a function alone is taken at numbers: with arrays write the call, as in `x = ones(3, 3)` and `:graph f(x)`")
                }
                output.report(diagnostic, session)
            }
            return .failed
        }
    }
}
