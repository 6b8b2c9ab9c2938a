// Functions that are written in Swift outside of the machine: built-ins, layers, networks.

import ActArray
import ActCompiler
import ActGrad
import ActRows
import ActSyntax

/// An activation function as the row that it is.
package struct ActivationForm {
    package let row: ActivationRow
    /// Its parameters, all of them; `nil` for the row's own.
    package let settings: [Double]?

    package init(_ row: ActivationRow, settings: [Double]? = nil) { (self.row, self.settings) = (row, settings) }
}

/// What the machine asks such a function. Only the first few are needed; the others have answers for a plain function.
package protocol NativeFunction: AnyObject {
    var name: String { get }
    var parameters: [Parameter] { get }
    /// - Parameter function: This function as the program has it.
    func call(_ arguments: Arguments, as function: Function, _ machine: Machine) throws -> Value

    var typeName: String { get }
    /// `name(x, y=2)`
    var signature: String { get }
    var depth: Int32 { get }
    /// The function of one number by which the machine answers calls without further ado.
    var scalar: ((Double) -> Double)? { get }
    /// See `Function`.
    var kernel: Scalar.UnaryKernel? { get }
    var binaryKernel: Scalar.BinaryKernel? { get }
    var direct: DirectAnswer? { get }

    // MARK: Built-ins: see `Function`

    var builtinName: String? { get }
    var activation: ActivationForm? { get }
    var isRange: Bool { get }
    var growth: Growth? { get }
    var takesExpression: Bool { get }
    /// Whether a call does nothing but compute of its arguments and of what this holds, which does not change.
    var isPure: Bool { get }
    func scalarDerivative(order: Int) -> ((Double) -> Double)?
    func derivative(_ derived: DerivedFunction, _ arguments: Arguments, _ machine: Machine) throws -> Value?

    // MARK: Layers and networks: see `Function`

    var partCount: Int { get }
    /// The bytes that it holds besides arrays, about.
    var footprint: Int { get }
    var elements: [Value]? { get throws }
    func field(_ name: String) throws -> Value?
    func replacing(field name: String, with value: Value) throws -> NativeFunction?
    /// - Parameter function: This function as the program has it.
    func part(at index: Int, of function: Function) throws -> Value?
    func slice(_ range: SliceRange) throws -> Value?
    func replacing(part index: Int, with value: Value) throws -> NativeFunction?
    func parameterValues() throws -> Value?
    func replacing(parameters: Value) throws -> NativeFunction?
    var parameterArrays: [NDArray]? { get }
    func replacing(parameterArrays: [NDArray]) throws -> NativeFunction?
    func requireSettings(of other: Function) throws
    func arithmetic(_ operation: BinaryOperator, with other: Value, isLeft: Bool, _ machine: Machine) throws -> Value?
    func composition(with other: Function, isFirst: Bool, _ machine: Machine) throws -> NativeFunction?
}

extension NativeFunction {
    package var typeName: String { "function" }
    package var signature: String { Signature.text(name, parameters) }
    package var depth: Int32 { 1 }
    package var scalar: ((Double) -> Double)? { nil }
    package var kernel: Scalar.UnaryKernel? { nil }
    package var binaryKernel: Scalar.BinaryKernel? { nil }
    package var direct: DirectAnswer? { nil }
    package var builtinName: String? { nil }
    package var activation: ActivationForm? { nil }
    package var isRange: Bool { false }
    package var growth: Growth? { nil }
    package var takesExpression: Bool { false }
    package var isPure: Bool { false }
    package func scalarDerivative(order: Int) -> ((Double) -> Double)? { nil }
    package func derivative(_ derived: DerivedFunction, _ arguments: Arguments, _ machine: Machine) throws -> Value? { nil }
    package var partCount: Int { 1 }
    package var footprint: Int { 192 }
    package var elements: [Value]? { get throws { nil } }
    package func field(_ name: String) throws -> Value? { nil }
    package func replacing(field name: String, with value: Value) throws -> NativeFunction? { nil }
    package func part(at index: Int, of function: Function) throws -> Value? { nil }
    package func slice(_ range: SliceRange) throws -> Value? { nil }
    package func replacing(part index: Int, with value: Value) throws -> NativeFunction? { nil }
    package func parameterValues() throws -> Value? { nil }
    package func replacing(parameters: Value) throws -> NativeFunction? { nil }
    package var parameterArrays: [NDArray]? { nil }
    package func replacing(parameterArrays: [NDArray]) throws -> NativeFunction? { nil }
    package func requireSettings(of other: Function) throws {}
    package func arithmetic(_ operation: BinaryOperator, with other: Value, isLeft: Bool, _ machine: Machine) throws -> Value? { nil }
    package func composition(with other: Function, isFirst: Bool, _ machine: Machine) throws -> NativeFunction? { nil }

    /// - Throws: `RuntimeError.tooManyLayers` past `maximumNesting`.
    package func asValue() throws -> Value { try Native(self).asValue() }
}

/// A native function as a value.
package final class Native: Function {
    package let body: any NativeFunction

    package init(_ body: any NativeFunction) {
        self.body = body
        super.init(
            depth: body.depth, bytes: body.footprint, scalar: body.scalar, kernel: body.kernel, binaryKernel: body.binaryKernel, direct: body.direct,
            growth: body.growth)
    }

    package override var name: String { body.name }
    package override var typeName: String { body.typeName }
    package override var parameters: [Parameter] { body.parameters }
    package override var signature: String { body.signature }
    package override var builtinName: String? { body.builtinName }
    package override var activation: ActivationForm? { body.activation }
    package override var isRange: Bool { body.isRange }
    package override var takesExpression: Bool { body.takesExpression }
    package override var functionsInside: [Function]? { body.isPure ? [] : nil }
    package override var partCount: Int { body.partCount }
    package override var elements: [Value]? { get throws { try body.elements } }

    package override func call(_ arguments: Arguments, _ machine: Machine) throws -> Value { try body.call(arguments, as: self, machine) }
    package override func scalarDerivative(order: Int) -> ((Double) -> Double)? { body.scalarDerivative(order: order) }
    package override func derivative(_ derived: DerivedFunction, _ arguments: Arguments, _ machine: Machine) throws -> Value? {
        try body.derivative(derived, arguments, machine)
    }

    package override func field(_ name: String) throws -> Value? { try body.field(name) }
    package override func part(at index: Int) throws -> Value? { try body.part(at: index, of: self) }
    package override func slice(_ range: SliceRange) throws -> Value? { try body.slice(range) }
    package override func parameterValues() throws -> Value? { try body.parameterValues() }
    package override func replacing(field name: String, with value: Value) throws -> Function {
        try body.replacing(field: name, with: value).map(Native.init) ?? super.replacing(field: name, with: value)
    }
    package override func replacing(part index: Int, with value: Value) throws -> Function {
        try body.replacing(part: index, with: value).map(Native.init) ?? super.replacing(part: index, with: value)
    }
    package override func replacing(parameters: Value) throws -> Function {
        try body.replacing(parameters: parameters).map(Native.init) ?? super.replacing(parameters: parameters)
    }
    package override var parameterArrays: [NDArray]? { body.parameterArrays }
    package override func replacing(parameterArrays: [NDArray]) throws -> Function {
        try body.replacing(parameterArrays: parameterArrays).map(Native.init) ?? super.replacing(parameterArrays: parameterArrays)
    }
    package override func requireSettings(of other: Function) throws { try body.requireSettings(of: other) }
    package override func arithmetic(_ operation: BinaryOperator, with other: Value, isLeft: Bool, _ machine: Machine) throws -> Value? {
        try body.arithmetic(operation, with: other, isLeft: isLeft, machine)
    }
    package override func composition(with other: Function, isFirst: Bool, _ machine: Machine) throws -> Function? {
        try body.composition(with: other, isFirst: isFirst, machine).map(Native.init)
    }
}
