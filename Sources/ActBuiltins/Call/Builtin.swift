// A built-in function is one row: how it is called, what it is for, an example that a test runs, and what it does. Help,
// completion, argument checking and the reference are loops over the rows.

import ActArray
import ActGrad
import ActMachine
import ActSyntax
import CActKernels

/// The chapters of the reference.
package enum Topic: String, CaseIterable {
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
    /// Functions of the program that act is a part of.
    case host = "of the surrounding program"
}

package final class Builtin {
    package let name: String
    package let topic: Topic
    /// As help shows it: `linspace(start, stop, num=50)`. A parameter ending in `…` takes any number of arguments; one after `*,` must be named.
    package let signature: String
    package let summary: String
    package let details: String
    /// Source that prints what the comments after it say; a test runs it.
    package let example: String
    package let aliases: [String]
    /// Answers calls with one plain number.
    package let scalar: ((Double) -> Double)?
    /// Whether named arguments that are no parameters are handed over too, as `call.options`.
    package let takesOptions: Bool
    let body: (inout Call) throws -> Value
    /// Of an activation function, its row.
    package private(set) var activation: ActivationRow?
    package private(set) lazy var parameters = Self.parse(signature)
    /// What a derivative does at each parameter.
    package private(set) lazy var roles = ArgumentRole.all(of: self)

    init(
        _ topic: Topic, _ signature: String, _ summary: String, details: String = "", example: String = "", aliases: [String] = [],
        scalar: ((Double) -> Double)? = nil, takesOptions: Bool = false, body: @escaping (inout Call) throws -> Value
    ) {
        self.topic = topic
        self.signature = signature
        self.summary = summary
        self.details = details
        self.example = example
        self.aliases = aliases
        self.scalar = scalar
        self.takesOptions = takesOptions
        self.body = body
        name = String(signature.prefix { $0 != "(" })
    }

    /// The built-in of an activation row.
    convenience init(_ row: ActivationRow) {
        let parameters = row.parameters.map { parameter in
            parameter.default.map { "\(parameter.name)=\(Format.number($0))" } ?? parameter.name
        }
        self.init(
            .activations, "\(row.name)(\((["x"] + parameters).joined(separator: ", ")))", Self.phrase(row.summary),
            example: "\(row.example.source)   # \(row.example.output)", aliases: row.aliases,
            // Asking the row for a value here would compile every formula at start-up.
            scalar: row.kind == .elementwise && row.parameters.allSatisfy { $0.default != nil } ? { row($0) ?? .nan } : nil
        ) { call in try call.activation(row, order: 0) }
        activation = row
    }

    /// A sentence as summaries are written here: it begins small and ends without a full stop.
    private static func phrase(_ sentence: String) -> String {
        let text = sentence.hasSuffix(".") ? sentence.dropLast() : sentence[...]
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    /// Parameters from `f(x, y=2, rest…)`.
    private static func parse(_ signature: String) -> [Parameter] {
        guard let open = signature.firstIndex(of: "("), let close = signature.lastIndex(of: ")") else { return [] }
        var parameters: [Parameter] = []
        var depth = 0
        var current = ""
        func finish() {
            let text = current.trimmingSpaces()
            current = ""
            guard !text.isEmpty, text != "*" else { return }
            if let equals = text.firstIndex(of: "=") {
                parameters.append(Parameter(name: String(text[..<equals]), fallback: String(text[text.index(after: equals)...])))
            } else if text.hasSuffix("…") {
                parameters.append(Parameter(name: String(text.dropLast()), fallback: nil, isVariadic: true))
            } else {
                parameters.append(Parameter(name: text, fallback: nil))
            }
        }
        for character in signature[signature.index(after: open)..<close] {
            switch character {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "," where depth == 0:
                finish()
                continue
            default: break
            }
            current.append(character)
        }
        finish()
        return parameters
    }
}

extension Builtin: NativeFunction {
    package var builtinName: String? { name }
    package var isRange: Bool { name == "range" }
    package var takesExpression: Bool { name == "why" }

    package func call(_ arguments: Arguments, as function: Function, _ machine: Machine) throws -> Value {
        var call = Call(machine: machine, function: function, row: self)
        try call.bind(arguments)
        // Asked for once: this is the way of every call.
        let context = act_context()
        return try machine.watched(name, call.values + call.rest, context: context) {
            try context.pointee.derivatives != 0 ? call.followed() : body(&call)
        }
    }

    /// Straight from the closed form, unless there is a kink to tell of.
    package func scalarDerivative(order: Int) -> ((Double) -> Double)? {
        guard let activation, activation.kinks.isEmpty, activation.derivative(0.5, order: order) != nil else { return nil }
        return { (activation.derivative($0, order: order) ?? .nan) + 0 }
    }

    package func derivative(_ derived: DerivedFunction, _ arguments: Arguments, _ machine: Machine) throws -> Value? {
        guard let activation, activation.kind == .elementwise else { return nil }
        var call = Call(machine: machine, function: derived.base, row: self)
        try call.bind(arguments)
        if derived.order == 1, case .number(let x) = call.values[0], let kink = kink(of: activation, at: x, call) { machine.metKink = kink }
        return try machine.watched(derived.name, call.values) { try call.activation(activation, order: derived.order) }
    }

    private func kink(of row: ActivationRow, at x: Double, _ call: Call) -> Kink? {
        guard !row.kinks.isEmpty else { return nil }
        let parameters = row.parameters.indices.map { index -> Double in
            call.has(index + 1) ? call.values[index + 1].number ?? .nan : row.parameters[index].default ?? .nan
        }
        return row.kinks(parameters).first { $0.x == x && $0.left != $0.right }
    }
}

extension Function {
    /// The row of a built-in function.
    package var builtin: Builtin? { (self as? Native)?.body as? Builtin }
}

/// The names of the language: built-in functions and constants.
package final class BuiltinTable {
    package private(set) var rows: [Builtin]
    package let table = NameTable()

    package init(rows: [Builtin], constants: [(name: String, value: Double)]) {
        self.rows = rows
        for row in rows {
            let function = Native(row)
            for name in [row.name] + row.aliases { table.set(name, to: .function(function)) }
        }
        for (name, value) in constants { table.set(name, to: .number(value)) }
    }

    /// Adds a function of the surrounding program; it takes the place of one of the same name.
    package func add(_ row: Builtin) {
        rows.removeAll { $0.name == row.name }
        rows.append(row)
        table.set(row.name, to: .function(Native(row)))
    }

    package func value(named name: String) -> Value? { table.value(named: name) }
    package var names: [String] { table.names }
}
