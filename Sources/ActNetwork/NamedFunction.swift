// A function inside a network: an activation, or any function of one argument that the program made.

import ActArray
import ActGrad

package struct NamedFunction {
    /// As programs call it; of a function literal, its text.
    package let name: String
    /// Whether another session finds the function by its name, so that it can be saved.
    package let isNamed: Bool
    /// Of an activation.
    package let row: ActivationRow?
    /// Its parameters, all of them.
    package let settings: [Double]
    /// How many functions stand inside one another in it.
    package let nesting: Int32
    /// The function as the language has it.
    package let object: AnyObject?
    private let apply: (Signal) throws -> Signal

    package init(_ row: ActivationRow, nesting: Int32 = 0, object: AnyObject? = nil) {
        self.nesting = nesting
        name = row.name
        isNamed = true
        self.row = row
        settings = row.defaults
        self.object = object
        apply = NamedFunction.onArrays { try row.apply($0) }
    }

    /// An activation with settings of its own; `name` says them.
    package init(_ row: ActivationRow, _ settings: [Double], name: String, object: AnyObject? = nil) {
        nesting = 1
        self.name = name
        isNamed = true
        self.row = row
        self.settings = settings
        self.object = object
        apply = NamedFunction.onArrays { try row.apply($0, settings.map { .number($0) }) }
    }

    /// How weights before it begin; of functions of the program nobody knows what they let through.
    var weights: ActivationRow.WeightStart { row?.weights ?? .glorot }

    /// A function of the program.
    package init(name: String, isNamed: Bool, nesting: Int32 = 0, object: AnyObject? = nil, _ apply: @escaping (Signal) throws -> Signal) {
        self.name = name
        self.isNamed = isNamed
        self.nesting = nesting
        row = nil
        settings = []
        self.object = object
        self.apply = apply
    }

    package static var identity: NamedFunction { NamedFunction(Activations.identity) }
    static var tanh: NamedFunction { Activations.named("tanh").map { NamedFunction($0) } ?? .identity }

    private static func onArrays(_ apply: @escaping (NDArray) throws -> NDArray) -> (Signal) throws -> Signal {
        { x in try x.array.map { .array(try apply($0)) } ?? x }
    }

    package func callAsFunction(_ x: Signal, _ pass: Pass) throws -> Signal {
        if pass.isTraining, let trained = row?.randomized, let x = try x.array {
            return .array(try trained(x, pass.random.uniform(shape: x.shape, type: x.type)))
        }
        return try apply(x)
    }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        let output = try self(.array(x), pass)
        guard let array = try output.array else { throw NetworkError.endsInNoArray(layer: name, found: output.kind) }
        return array
    }
}
