// `leaky_relu(slope=0.2)`: an activation function with settings of its own, as a function of x.
//
// What must stay true: its text makes the same function again, in programs and in files.

import ActArray
import ActGrad
import ActMachine
import ActRows

final class ConfiguredActivation: NativeFunction {
    private let function: Function
    private let row: ActivationRow
    private let settings: [(name: String, value: Double)]

    /// `nil` unless the arguments are settings of an activation function, all by name, and nothing else.
    init?(_ function: Function, _ arguments: Arguments) {
        guard let row = function.builtin?.activation, arguments.positional.isEmpty, !arguments.named.isEmpty,
            !row.parameters.contains(where: { $0.default == nil })
        else { return nil }
        var settings: [(name: String, value: Double)] = []
        for (name, value) in arguments.named {
            guard row.parameters.contains(where: { $0.name == name }), case .number(let number) = value, !settings.contains(where: { $0.name == name }) else {
                return nil
            }
            settings.append((name, number))
        }
        (self.function, self.row, self.settings) = (function, row, settings)
    }

    /// The function that a text such as `leaky_relu(slope=0.2)` stands for.
    convenience init?(text: String, functions: (String) -> Function?) {
        guard text.utf8.count < 1 << 12, text.last == ")", let open = text.firstIndex(of: "("), let function = functions(String(text[..<open])) else {
            return nil
        }
        var named: [(name: String, value: Value)] = []
        for part in text[text.index(after: open)...].dropLast().split(separator: ",") {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let number = Double(sides[1].filter { $0 != " " }) else { return nil }
            named.append((sides[0].filter { $0 != " " }, .number(number)))
        }
        self.init(function, Arguments([], named: named))
    }

    var name: String { "\(row.name)(\(settings.map { "\($0.name)=\(Default.text($0.value))" }.joined(separator: ", ")))" }
    var signature: String { name }
    var isPure: Bool { true }
    var parameters: [Parameter] { [Parameter(name: "x", kind: .array, fallback: nil)] }

    var activation: ActivationForm? {
        ActivationForm(
            row, settings: row.parameters.map { parameter in settings.first { $0.name == parameter.name }?.value ?? parameter.default ?? .nan })
    }

    private func passed(_ arguments: Arguments) -> Arguments {
        Arguments(arguments.positional, named: arguments.named + settings.map { ($0.name, .number($0.value)) })
    }

    func call(_ arguments: Arguments, as function: Function, _ machine: Machine) throws -> Value {
        if arguments.positional.count > 1 { throw RuntimeError.tooManyArguments(of: function, given: arguments.positional.count) }
        return try machine.call(self.function, passed(arguments))
    }

    func derivative(_ derived: DerivedFunction, _ arguments: Arguments, _ machine: Machine) throws -> Value? {
        // That of the function itself, which knows its closed form.
        var primed = self.function
        for _ in 0..<derived.order { primed = DerivedFunction(primed) }
        return try machine.call(primed, passed(arguments))
    }
}
