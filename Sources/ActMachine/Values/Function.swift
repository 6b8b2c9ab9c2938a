// Function values. The machine runs closures itself; every other kind answers `call`. Those that are not made here are `Native`.

import ActArray
import ActCompiler
import ActRows
import ActSyntax

/// What a call passes: values by position, then values by name.
package struct Arguments {
    package var positional: [Value]
    package var named: [(name: String, value: Value)]

    package init(_ positional: [Value], named: [(name: String, value: Value)] = []) {
        self.positional = positional
        self.named = named
    }
}

/// Answers a call of a built-in with arguments by position, where there is no warning, no error and no derivative to think of. The arguments are
/// values, and so is the place of the result, which has none yet: registers of the caller, which are good until it returns.
/// - Returns: Whether it has; of any other call, false.
package typealias DirectAnswer = @convention(c) (_ arguments: UnsafeRawPointer, _ count: Int, _ result: UnsafeMutableRawPointer) -> Bool

/// Anything that can be called.
package class Function: CompilerFunction {
    /// The name in messages: of a function literal, its text.
    package var name: String { "function" }
    package var typeName: String { "function" }
    package var parameters: [Parameter] { [] }
    // (The first five are read in C as well: `act_function`.)
    /// Of a closure, what the machine runs; the closure holds the code that it is part of.
    package let entry: UnsafeMutablePointer<Code.Entry>?
    /// The function of one number and of two numbers by which the machine answers calls without further ado, where a kernel is all there is to it.
    let kernel: Scalar.UnaryKernel?
    let binaryKernel: Scalar.BinaryKernel?
    /// What answers calls with plain arguments by position.
    let direct: DirectAnswer?
    /// Of a closure, the local values that it captured when it was made.
    @exclusivity(unchecked) package private(set) var captures: [Value]
    /// Of a built-in that makes its first part longer, how.
    package let growth: Growth?
    /// The function of one number by which the machine answers calls without further ado, where it is more than a kernel.
    let scalar: ((Double) -> Double)?
    package let depth: Int32
    private let held: Reservation

    /// - Parameters:
    ///   - parts: how many values or functions it holds.
    ///   - bytes: what it holds besides those and arrays, about.
    package init(
        depth: Int32 = 1, parts: Int = 0, bytes: Int = 192, entry: UnsafeMutablePointer<Code.Entry>? = nil, captures: [Value] = [],
        scalar: ((Double) -> Double)? = nil,
        kernel: Scalar.UnaryKernel? = nil, binaryKernel: Scalar.BinaryKernel? = nil, direct: DirectAnswer? = nil,
        growth: Growth? = nil
    ) {
        self.depth = depth
        self.entry = entry
        self.captures = captures
        self.scalar = scalar
        self.kernel = kernel
        self.binaryKernel = binaryKernel
        self.direct = direct
        self.growth = growth
        held = Reservation(noting: bytes &+ parts &* MemoryLayout<Value>.stride)
    }

    /// For the time in which a call is run without elements (`ReplayCall`).
    func replaceCapture(_ index: Int, by value: Value) { captures[index] = value }

    /// The function as a value.
    /// - Throws: `RuntimeError.tooDeep` when functions hold functions past `maximumNesting`, `tooManyLayers` when it has more parts.
    package func asValue() throws -> Value {
        guard partCount <= maximumNesting else { throw RuntimeError.tooManyLayers }
        guard depth <= maximumNesting else { throw RuntimeError.tooDeep }
        return .function(self)
    }

    package func call(_ arguments: Arguments, _ machine: Machine) throws -> Value {
        throw RuntimeError.notCallable(.function(self))
    }

    /// What `f.name` is: of layers and networks.
    package func field(_ name: String) throws -> Value? { nil }
    package func replacing(field name: String, with value: Value) throws -> Function { throw RuntimeError.noField(name, of: .function(self)) }

    /// What `f[index]` is: of networks.
    package func part(at index: Int) throws -> Value? { nil }
    /// What `f[a:b]` is: of networks.
    package func slice(_ range: SliceRange) throws -> Value? { nil }
    /// The parts in order; `nil` for what has none.
    package var elements: [Value]? { get throws { nil } }
    package func replacing(part index: Int, with value: Value) throws -> Function { throw RuntimeError.cannotIndex(.function(self)) }

    /// The parameters of a layer or network, as records and lists of arrays; `nil` for other functions.
    package func parameterValues() throws -> Value? { nil }
    package func replacing(parameters: Value) throws -> Function { throw RuntimeError.notCallable(.function(self)) }

    /// The same parameters as arrays in a row, to be replaced by others of other shapes: of stacked networks.
    package var parameterArrays: [NDArray]? { nil }
    package func replacing(parameterArrays: [NDArray]) throws -> Function { throw RuntimeError.notCallable(.function(self)) }

    /// Throws where this layer or network was made differently from another, so that what is computed of the parameters of both would be neither's.
    package func requireSettings(of other: Function) throws {}

    /// Leaf-by-leaf arithmetic on parameters: of layers and networks. `nil`: this function takes part in none.
    package func arithmetic(_ operation: BinaryOperator, with other: Value, isLeft: Bool, _ machine: Machine) throws -> Value? { nil }

    /// `f >> g` where this one is `f` (`isFirst`) or `g`: of layers and networks, which make a network of both. `nil`: a composition.
    package func composition(with other: Function, isFirst: Bool, _ machine: Machine) throws -> Function? { nil }
    /// How many functions one after the other it is.
    package var partCount: Int { 1 }

    /// Of a built-in function, its first name.
    package var builtinName: String? { nil }
    /// Of an activation function, with settings of its own or without.
    package var activation: ActivationForm? { nil }
    /// Whether it is `range`, of which a loop makes no array.
    package var isRange: Bool { false }
    /// Whether its argument is handed over as an expression, not as a value.
    package var takesExpression: Bool { false }
    /// The derivative of that order in closed form at a number; `nil` for a function that has none or has more to say about it.
    package func scalarDerivative(order: Int) -> ((Double) -> Double)? { nil }
    /// The value of the derivative of this function in closed form; `nil` for a function that has none.
    package func derivative(_ derived: DerivedFunction, _ arguments: Arguments, _ machine: Machine) throws -> Value? { nil }

    /// The functions that a call of this one may run, where a call does nothing but compute of them, of its arguments and of captured values; `nil`
    /// where nobody knows.
    package var functionsInside: [Function]? { nil }

    /// `name(x, y=2)`
    package var signature: String { Signature.text(name, parameters) }
}

/// A function of the program with the local values that it captured when it was made.
package final class Closure: Function {
    package let code: Code
    package init(code: Code, captures: [Value]) {
        self.code = code
        var deepest: Int32 = 0
        for value in captures { deepest = max(deepest, value.nesting) }
        super.init(depth: deepest &+ 1, parts: captures.count, entry: code.entry, captures: captures)
    }

    package override var name: String { code.name }
    package override var parameters: [Parameter] { code.parameters }
    package override var functionsInside: [Function]? { code.makesLayers ? nil : [] }
    package override var signature: String { code.isLiteral ? code.name : super.signature }

    package override func call(_ arguments: Arguments, _ machine: Machine) throws -> Value {
        try machine.run(self, arguments)
    }
}

/// `f >> g >> …`: first the first. Parts are never compositions themselves.
package final class Composition: Function {
    /// What longer compositions that begin with this one share with it: `f = f >> g` adds one part, however many there are.
    private let shared: Parts
    private let count: Int

    package var parts: ArraySlice<Function> { shared.functions[..<count] }

    package init(_ first: Function, _ second: Function) {
        let start = first as? Composition
        shared = start.flatMap { $0.count == $0.shared.functions.count ? $0.shared : nil } ?? Parts(start?.parts ?? [first])
        shared.append((second as? Composition)?.parts ?? [second])
        count = shared.functions.count
        super.init(depth: max(first.depth, second.depth) &+ 1)
    }

    /// Parts in a row, to which only the longest composition of them appends.
    private final class Parts {
        private(set) var functions: [Function]
        private var held: Reservation

        init(_ functions: ArraySlice<Function>) {
            self.functions = Array(functions)
            held = Reservation(noting: Parts.bytes(functions.count))
        }

        func append(_ more: ArraySlice<Function>) {
            functions += more
            if Parts.bytes(functions.capacity) > held.bytes { held = Reservation(noting: Parts.bytes(functions.capacity)) }
        }

        private static func bytes(_ count: Int) -> Int { 64 &+ count &* MemoryLayout<Function>.stride }
    }

    package override var name: String {
        parts.map { ($0 as? Closure)?.code.isLiteral == true ? "(\($0.name))" : $0.name }.joined(separator: " >> ")
    }
    package override var parameters: [Parameter] { parts.first?.parameters ?? [] }

    package override var partCount: Int { parts.count }
    package override var functionsInside: [Function]? { Array(parts) }

    package override func call(_ arguments: Arguments, _ machine: Machine) throws -> Value {
        guard let first = parts.first else { throw RuntimeError.notCallable(.function(self)) }
        var value = try machine.call(first, arguments)
        for part in parts.dropFirst() { value = try machine.call(part, Arguments([value])) }
        return value
    }
}
