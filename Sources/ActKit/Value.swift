// What programs compute with, as Swift sees it.

import ActArray
import ActLanguage
import ActWording

/// A value of a program.
public enum Value {
    case none
    case bool(Bool)
    case number(Double)
    case string(String)
    case array(NumericArray)
    case list([Value])
    /// Fields in their order.
    case record([(name: String, value: Value)])
    /// A function, a layer or a network.
    case function(Function)
    case figure(Figure)
}

/// A function of a program, a layer or a network, tied to the interpreter that made it.
public struct Function: CustomStringConvertible {
    let core: ActLanguage.Function
    let interpreter: Interpreter

    /// Its name; of a function literal, its text.
    public var description: String { core.name }

    /// Calls the function.
    /// - Throws: `ActError`.
    public func callAsFunction(_ arguments: [Value]) throws -> Value {
        let values = try arguments.map { try $0.core }
        return Value(try interpreter.compute { try $0.call(self.core, Arguments(values)) }, in: interpreter)
    }

    /// Calls the function.
    public func callAsFunction(_ arguments: Value...) throws -> Value { try self(arguments) }
}

extension Value {
    init(_ value: ActLanguage.Value, in interpreter: Interpreter) {
        var known: [ObjectIdentifier: Value] = [:]
        self.init(value, in: interpreter, &known)
    }

    /// - Parameter known: Lists and records that were met: what holds one of them many times, as small programs make it, gets one copy of it.
    private init(_ value: ActLanguage.Value, in interpreter: Interpreter, _ known: inout [ObjectIdentifier: Value]) {
        switch value {
        case .none, .undefined, .gathering: self = .none
        case .bool(let bool): self = .bool(bool)
        case .number(let number): self = .number(number)
        case .string(let text): self = .string(text.string)
        case .array(let array): self = .array(NumericArray(array))
        case .list(let list):
            self = known[ObjectIdentifier(list)] ?? .list(list.elements.map { Value($0, in: interpreter, &known) })
            known[ObjectIdentifier(list)] = self
        case .record(let record):
            self = known[ObjectIdentifier(record)] ?? .record(record.fields.map { ($0.key, Value($0.value, in: interpreter, &known)) })
            known[ObjectIdentifier(record)] = self
        case .function(let function): self = .function(Function(core: function, interpreter: interpreter))
        case .figure(let figure): self = .figure(Figure(figure.figure))
        }
    }

    /// As the machine holds it.
    /// - Throws: `ActError` when lists are nested too deeply, or memory runs out.
    var core: ActLanguage.Value {
        get throws {
            do {
                return switch self {
                case .none: .none
                case .bool(let bool): .bool(bool)
                case .number(let number): .number(number)
                case .string(let string): .string(string)
                case .array(let array): .array(array.core)
                case .list(let elements): try .list(elements.map { try $0.core })
                case .record(let fields): try .record(Fields(fields.map { ($0.name, try $0.value.core) }))
                case .function(let function): .function(function.core)
                case .figure(let figure): .figure(FigureValue(figure.core))
                }
            } catch let error as ActError {
                throw error
            } catch {
                throw ActError("a value does not fit into the session: \(ActWording.message(about: error))")
            }
        }
    }
}
