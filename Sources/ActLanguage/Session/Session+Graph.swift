// The graph of what a function of the session computes.

import ActArray
import ActGrad
import ActMachine

extension Session {
    /// Takes the graph of a function at arguments of the given shapes, whose elements are spread between 0 and 1.
    /// - Parameters:
    ///   - name: That of a function, a layer or a network; `f'` is the derivative of `f`.
    ///   - shapes: One for each argument by position; `[]` is a number.
    ///   - lowered: Whether operations that are more than a primitive are taken apart where they can be.
    /// - Throws: `Fault`: what the function throws, and what is not a function or has another value than numbers.
    package func graph(of name: String, shapes: [[Int]], type: ElementType = .f64, lowered: Bool = false) throws -> Graph {
        try compute { machine in
            let callee = try self.function(named: name)
            let names = shapes.indices.map { callee.parameters.indices.contains($0) ? callee.parameters[$0].name : "x\($0)" }
            let inputs = try zip(names, shapes).map { name, shape in (name: name, value: try Session.spread(shape, type)) }
            return try Graph.of(
                { arguments in
                    let value = try machine.call(callee, Arguments(arguments.map { .array($0) }))
                    return [try value.differentiable(of: callee)]
                }, inputs: inputs, lowered: lowered)
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

    private static func spread(_ shape: [Int], _ type: ElementType) throws -> NDArray {
        let zeros = try NDArray.full(0, shape: shape, type: type), count = zeros.count
        return try NDArray((0..<count).map { (Double($0) + 0.5) / Double(count) }, shape: shape, type: type)
    }
}
