// A built-in function is one row: its name, what it is for, an example that a test runs, the parameters that it takes, and what it does. Help,
// completion, argument checking and the reference are loops over the rows.
//
//     Builtin(.reduce, "median", "the middle element …", example: "median([3, 1, 2, 10])   # 2.5") { takes in
//         let a = takes.numbers("a"), axis = takes.wholeOrNone("axis"), keepdims = takes.keepdims()
//         return { call in try Value(call[a].median(axis: call[axis], keepdims: call[keepdims])) }
//     }

import ActArray
import ActCompiler
import ActGrad
import ActMachine
import ActRows
import ActSyntax
import CActKernels

/// The chapters of the reference.
package enum Topic: String, CaseIterable, Sendable {
    case make = "making arrays"
    case shape = "shape"
    case elementwise = "elementwise"
    case reduce = "reductions"
    case order = "order and counting"
    case linear = "linear algebra"
    case activations = "activation functions"
    case functions = "functions"
    case derivatives = "derivatives"
    case networks = "networks"
    case figures = "figures"
    case text = "text"
    case files = "files"
    case checks = "time and checks"
    case ranks = "several processes"
    /// Functions of the program that act is a part of.
    case host = "of the surrounding program"
}

package final class Builtin: Sendable {
    package typealias Body = (inout Call) throws -> Value

    package let name: String
    package let topic: Topic
    package var summary: String { makeSummary() }
    package var details: String { makeDetails() }
    /// Source that prints what the comments after it say; a test runs it.
    package var example: String { makeExample() }
    // Made when they are asked for: many are put together of parts, which would take a part of every start.
    private let makeSummary: @Sendable () -> String, makeDetails: @Sendable () -> String, makeExample: @Sendable () -> String
    package let aliases: [String]
    /// Answers calls with one plain number.
    package let scalar: (@Sendable (Double) -> Double)?
    /// The same of one and of two numbers, where a kernel is all there is to it.
    let kernel: Scalar.UnaryKernel?
    let binaryKernel: Scalar.BinaryKernel?
    /// Answers calls with plain arguments.
    let direct: DirectAnswer?
    /// What the compiler does with calls of it.
    let treatment: Treatment
    /// What it does with records, networks and lists of unequal arrays.
    package let leaves: Leaves
    /// What a derivative does at every argument; `nil` where each parameter says it.
    private let role: ArgumentRole?
    private let declaration: @Sendable (inout Signature) -> Body
    /// Of an activation function, its row.
    package let activation: ActivationRow?

    /// - Parameters:
    ///   - role: What a derivative does at every argument, where that is not a matter of each parameter.
    ///   - declaration: Declares the parameters and gives the body, which reads them. Nothing is done before the function is first called or asked about.
    @inline(never)
    package init(
        _ topic: Topic, _ name: String, _ summary: @Sendable @escaping @autoclosure () -> String,
        details: @Sendable @escaping @autoclosure () -> String = "", example: @Sendable @escaping @autoclosure () -> String = "", aliases: [String] = [],
        scalar: (@Sendable (Double) -> Double)? = nil,
        kernel: UnaryOperation? = nil, binaryKernel: BinaryOperation? = nil, direct: DirectAnswer? = nil, treatment: Treatment = .ordinary,
        role: ArgumentRole? = nil, leaves: Leaves? = nil, activation: ActivationRow? = nil, _ declaration: @escaping @Sendable (inout Signature) -> Body
    ) {
        self.topic = topic
        self.name = name
        (makeSummary, makeDetails, makeExample) = (summary, details, example)
        self.aliases = aliases
        self.role = role
        self.scalar = scalar
        self.kernel = kernel.map(Scalar.kernel)
        self.binaryKernel = binaryKernel.map(Scalar.kernel)
        self.direct = direct
        self.treatment = treatment
        self.leaves = leaves ?? (topic == .elementwise ? .each : .none)
        self.activation = activation
        self.declaration = declaration
    }

    /// The built-in of an activation row.
    convenience init(_ row: ActivationRow) {
        // Asking the row for a value here would compile every formula at start-up.
        let hasScalar = row.kind == .elementwise && row.parameters.allSatisfy { $0.default != nil }
        let scalar: (@Sendable (Double) -> Double)? = hasScalar ? { @Sendable x in row(x) ?? .nan } : nil
        self.init(
            .activations, row.name, Self.phrase(row.summary), example: "\(row.example.source)   # \(row.example.output)", aliases: row.aliases,
            scalar: scalar, kernel: row.kernel,
            leaves: row.kind == .elementwise ? .each : Leaves.none, activation: row
        ) { takes in
            _ = takes.operand("x")
            for parameter in row.parameters {
                _ = takes.operand(parameter.name, default: parameter.default, text: parameter.text, role: parameter.isStep ? .steps : .followed)
            }
            return { call in try call.activation(row, order: 0) }
        }
    }

    /// A sentence as summaries are written here: it begins small and ends without a full stop.
    private static func phrase(_ sentence: String) -> String {
        let text = sentence.hasSuffix(".") ? sentence.dropLast() : sentence[...]
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    /// Whether a call does nothing but compute: a value that nobody takes is lost. (What draws random numbers or calls functions may do more.)
    fileprivate func onlyComputes(_ form: Form) -> Bool {
        switch topic {
        case .shape, .elementwise, .reduce, .order, .linear, .activations, .figures, .functions: !form.parameters.contains { $0.kind == .function }
        case .make, .derivatives, .networks, .text, .files, .checks, .ranks, .host: false
        }
    }

    /// Whether a call does nothing but compute. (What draws random numbers shows it by their source, what writes by the door it goes through.)
    var isPure: Bool {
        switch topic {
        case .make, .shape, .elementwise, .reduce, .order, .linear, .activations, .functions, .derivatives, .networks: treatment != .takesExpression
        case .figures, .text, .files, .checks, .ranks, .host: false
        }
    }

    /// The row as calls need it; who calls keeps it.
    package var form: Form {
        var signature = Signature()
        let body = declaration(&signature)
        return Form(signature, role: role, body)
    }

    package var parameters: [Parameter] { form.parameters }
    /// What may be given by name besides: `title=` and its like.
    package var options: [Parameter] { form.options }
    /// What a derivative does at each parameter.
    package var roles: [ArgumentRole] { form.roles }
    /// As help shows it: `linspace(start, stop, num=50)`. A parameter ending in `…` takes any number of arguments.
    package var signature: String { Signature.text(name, parameters) }

    /// What the compiler does with calls of a row.
    package enum Treatment: Sendable, Equatable {
        case ordinary
        /// The argument is handed over as the expression that is written, a function literal without parameters.
        case takesExpression
        /// A loop over a call of it counts from number to number, without the array.
        case countsInLoops
        /// An assignment of a call of it to the variable that grows may be done in place.
        case grows(Growth)
        /// What comes after a call of it is never reached.
        case endsProgram
        /// What a file defines is known without running it.
        case importsFile
    }

    /// What becomes of arguments that are records, networks, or lists that make no array.
    package enum Leaves: Sendable {
        /// They are as wrong as any other value of the wrong kind, or the body knows what to do.
        case none
        /// The function of each number and array in them.
        case each
        /// The function of all numbers in them, in one row.
        case all
        /// Of all bools too.
        case allWithBools
    }

    /// What a call of a row needs.
    package final class Form {
        package let parameters: [Parameter]
        package let roles: [ArgumentRole]
        /// Named arguments that are handed over as `call.options`.
        package let options: [Parameter]
        /// The position of the parameter that takes any number of arguments.
        let variadic: Int?
        /// A call with so many arguments by position and none by name lacks none.
        let requiredCount: Int
        let body: Body

        fileprivate init(_ signature: Signature, role: ArgumentRole?, _ body: @escaping Body) {
            let parameters = signature.parameters
            self.parameters = parameters
            options = signature.options
            self.body = body
            roles = parameters.map { role ?? $0.role }
            let variadic = parameters.firstIndex { $0.isVariadic }
            self.variadic = variadic
            let lastRequired = parameters.indices.last { parameters[$0].fallback == nil && $0 != variadic } ?? -1
            requiredCount = variadic.map { lastRequired > $0 } ?? false ? .max : lastRequired + 1
        }
    }
}

/// A built-in as the machine calls it.
package final class BuiltinFunction: NativeFunction {
    package let row: Builtin
    // Every call asks for it: a lazy property would be checked for exclusive access each time.
    @exclusivity(unchecked) private var made: Builtin.Form?

    /// The row as calls need it.
    package var form: Builtin.Form {
        if let made { return made }
        let form = row.form
        made = form
        return form
    }

    package init(_ row: Builtin) { self.row = row }

    package var name: String { row.name }
    package var parameters: [Parameter] { form.parameters }
    package var scalar: ((Double) -> Double)? { row.scalar }
    package var kernel: Scalar.UnaryKernel? { row.kernel }
    package var binaryKernel: Scalar.BinaryKernel? { row.binaryKernel }
    package var direct: DirectAnswer? { row.direct }
    package var builtinName: String? { row.name }
    package var activation: ActivationForm? { row.activation.map { ActivationForm($0) } }
    package var isRange: Bool { row.treatment == .countsInLoops }
    package var growth: Growth? { if case .grows(let growth) = row.treatment { growth } else { nil } }
    package var takesExpression: Bool { row.treatment == .takesExpression }
    package var importsFile: Bool { row.treatment == .importsFile }
    package var endsProgram: Bool { row.treatment == .endsProgram }
    package var isPure: Bool { row.isPure }

    package func call(_ arguments: Arguments, as function: Function, _ machine: Machine) throws -> Value {
        if arguments.positional.isEmpty, let configured = ConfiguredActivation(function, arguments) { return try configured.asValue() }
        let form = form
        var call = Call(machine: machine, function: self)
        // `watched` written out, for this is the way of every call: a closure and another look for the context cost it three per cent.
        let context = act_context(), outer = context.pointee.call
        do {
            try call.bind(arguments, form)
            if row.leaves != .none, try call.goesIntoStructures() { return try call.overLeaves(arguments, of: function) }
            guard context.pointee.watches_events != 0 else { return try call.perform(form, context) }
            let watch = act_watch_begin(context)
            let value = try call.perform(form, context)
            if act_watch_end(context, watch) != 0 || value.isUnusualNumber { try machine.judge(value, row.name, call.values, watch) }
            return value
        } catch {
            context.pointee.call = outer
            throw error
        }
    }

    /// Straight from the closed form, unless there is a kink to tell of.
    package func scalarDerivative(order: Int) -> ((Double) -> Double)? {
        guard let row = row.activation, row.kinks.isEmpty, row.derivative(0.5, order: order) != nil else { return nil }
        return { (row.derivative($0, order: order) ?? .nan) + 0 }
    }

    package func derivative(_ derived: DerivedFunction, _ arguments: Arguments, _ machine: Machine) throws -> Value? {
        guard let activation = row.activation, activation.kind == .elementwise else { return nil }
        var call = Call(machine: machine, function: self)
        try call.bind(arguments, form)
        if try call.goesIntoStructures() {
            return try Value.leafwise(arguments.positional) { try machine.call(derived, Arguments($0, named: arguments.named)) }
        }
        if derived.order == 1, case .number(let x) = call.value(at: 0), let kink = kink(of: activation, at: x, call) { machine.metKink = kink }
        return try machine.watched(derived.name, call.values) { try call.activation(activation, order: derived.order) }
    }

    private func kink(of row: ActivationRow, at x: Double, _ call: Call) -> Kink? {
        guard !row.kinks.isEmpty else { return nil }
        let parameters = row.parameters.indices.map { index -> Double in
            call.isSet(at: index + 1) ? call.value(at: index + 1).number ?? .nan : row.parameters[index].default ?? .nan
        }
        return row.kinks(parameters).first { $0.x == x && $0.left != $0.right }
    }
}

extension Function {
    /// The row of a built-in function, and what its calls need.
    package var builtin: Builtin? { builtinFunction?.row }
    package var builtinForm: Builtin.Form? { builtinFunction?.form }

    package var builtinFunction: BuiltinFunction? { (self as? Native)?.body as? BuiltinFunction }
    /// Whether it is a built-in whose calls do nothing but compute.
    package var onlyComputes: Bool { builtinFunction.map { $0.row.onlyComputes($0.form) } ?? false }
}

/// The names of the language: built-in functions and constants.
package final class BuiltinTable {
    package private(set) var rows: [Builtin]
    package let table = NameTable()

    package init(rows: [Builtin], constants: [(name: String, value: Double)]) {
        self.rows = rows
        for row in rows {
            let function = Native(BuiltinFunction(row))
            for name in [row.name] + row.aliases { table.set(name, to: .function(function)) }
        }
        for (name, value) in constants { table.set(name, to: .number(value)) }
    }

    /// Adds a function of the surrounding program; it takes the place of one of the same name.
    package func add(_ row: Builtin) {
        rows.removeAll { $0.name == row.name }
        rows.append(row)
        table.set(row.name, to: .function(Native(BuiltinFunction(row))))
    }

    package func value(named name: String) -> Value? { table.value(named: name) }
    package var names: [String] { table.names }
}
