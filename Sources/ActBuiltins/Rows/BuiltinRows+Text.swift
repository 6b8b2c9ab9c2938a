// Functions of functions, and text.

import ActArray
import ActFiles
import ActMachine
import ActRows
import ActSyntax
import CActMachine

extension BuiltinRows {
    static let functions: [Builtin] = [
        Builtin(
            .functions, "map", "f of each element of an array, list or string, of each value of a record, of each parameter of a network",
            details: """
                The results make an array if they are numbers, bools or arrays of one shape, and a list if one is something else, as in `[…]`. Arrays \
                of several shapes are an error there: `(f(x) for x in xs)` makes a list of any. Of a record it makes a record of the same names, of a \
                network a network. \
                Of several sequences of one length, f of the elements at each place. The names of a record are `keys(r)`.
                """,
            example:
                "map(x -> x^2, [1, 2, 3])   # [1, 4, 9]\nmap(upper, (\"a\", \"b\"))   # (\"A\", \"B\")\nmap((a, b) -> a + b, {x: 1, y: 2}, {x: 10, y: 20})   # {x: 11, y: 22}"
        ) { takes in
            let f = takes.function("f"), xs = takes.value("xs"), others = takes.rest("others")
            return { call in
                let f = try call[f], machine = call.machine, sequences = [call[xs]] + call[others]
                switch call[xs] {
                case .function(let network) where try network.parameterValues() != nil:
                    return try Value.leafwise(sequences) { try machine.call(f, Arguments($0)) }
                case .record(let record):
                    var fields = record.fields
                    for (name, value) in record.fields {
                        let values = try call[others].map { other in
                            guard case .record(let match) = other, match.fields.count == record.fields.count, let value = match[name] else {
                                throw RuntimeError.structuresDiffer(.fieldOfFirst(name, beside: other))
                            }
                            return value
                        }
                        fields[name] = try machine.call(f, Arguments([value] + values))
                    }
                    return try .record(fields)
                default: break
                }
                if sequences.count == 1 {
                    let results = Gathering(), f = try RepeatedCall(of: f, count: 1, machine)
                    if try machine.withNumbers(of: call[xs], { try f.map($0, into: results) }) != nil { return try results.finished(machine) }
                    guard try machine.forEachElement(of: call[xs], { try results.append(f($0)) }) else {
                        throw call.fail(at: 1, .kind(.elements), call[xs])
                    }
                    return try results.finished(machine)
                }
                let elements = try sequences.enumerated().map { index, value in
                    guard let elements = try machine.elements(of: value) else { throw call.fail(at: min(index + 1, 2), .kind(.elements), value) }
                    return elements
                }
                for other in elements.dropFirst() where other.count != elements[0].count {
                    throw BuiltinRefusal.unequalSequences(elements[0].count, other.count)
                }
                return try machine.makeArray(elements[0].indices.map { index in try machine.call(f, Arguments(elements.map { $0[index] })) })
            }
        },
        Builtin(
            .functions, "filter", "the elements for which f is true", details: "The result is an array or a list, as in `[…]`.",
            example: "filter(x -> x > 1, [1, 2, 3])   # [2, 3]"
        ) { takes in
            let f = takes.function("f"), xs = takes.elements("xs")
            return { call in
                let machine = call.machine, f = try RepeatedCall(of: call[f], count: 1, machine)
                let results = Gathering()
                if try machine.withNumbers(of: call.value(xs), { try f.filter($0, into: results) }) != nil { return try results.finished(machine) }
                try call.forEach(xs) { if try machine.truth(of: f($0)) { try results.append($0) } }
                return try results.finished(machine)
            }
        },
        Builtin(
            .functions, "reduce", "f of the result so far and the next element, from the first element or `start` on",
            example: "reduce((a, b) -> a * b, [1, 2, 3, 4])   # 24"
        ) { takes in
            let f = takes.function("f"), xs = takes.elements("xs"), start = takes.valueOrNone("start")
            return { call in
                let f = try RepeatedCall(of: call[f], count: 2, call.machine)
                var result = call.isGiven(start) ? call[start] : nil
                if let reached = try call.machine.withNumbers(of: call.value(xs), { try f.reduce($0, from: result) }), let reached { return reached }
                try call.forEach(xs) { element in
                    if let reached = result.take() { result = try f(reached, element) } else { result = element }
                }
                guard let result else { throw BuiltinRefusal.reduceOfNothing }
                return result
            }
        },
        Builtin(
            .functions, "compose", "the function that applies each in turn, the first one first; as `f >> g`", example: "compose(sqrt, x -> x + 1)(9)   # 4",
            role: .steps
        ) { takes in
            let functions = takes.rest("functions")
            return { call in
                let parts = try call[functions].map { value -> Function in
                    guard case .function(let function) = value else { throw call.fail(functions, .kind(.function), value) }
                    return function
                }
                guard var result = parts.first else { throw call.missing(functions) }
                for function in parts.dropFirst() { result = try call.machine.composition(result, function) }
                return .function(result)
            }
        },
    ]

    /// `contains` of a record.
    private static let hasField: DirectAnswer = { arguments, count, result in
        if act_has_field(arguments, count, result) { return true }
        let arguments = arguments.assumingMemoryBound(to: Value.self)
        guard count == 2, case .record(let record) = arguments[0], case .string(let name) = arguments[1] else { return false }
        result.initializeMemory(as: Value.self, to: .bool(record[name.string] != nil))
        return true
    }

    static let text: [Builtin] = [
        Builtin(
            .text, "print", "writes values, with sep between and end after them", example: "print(\"x is\", 0.5)   # x is 0.5", role: .steps
        ) { takes in
            let values = takes.rest("values"), sep = takes.text("sep", default: " "), end = takes.text("end", default: "\n")
            return { call in
                let shown = try call[values].map { value in try call.machine.equation(of: value).map { .string($0) } ?? value }
                let text = try Format.joined(shown, call[sep], end: call[end])
                try call.machine.drainNumericEvents()
                try call.machine.write(text.text)
                return .none
            }
        },
        Builtin(
            .text, "show", "shows a value as the outermost level does: a figure as a picture", example: "show(\"a\")   # \"a\"", role: .steps
        ) { takes in
            let value = takes.value("value")
            return { call in
                try call[value].settle()
                try call.machine.drainNumericEvents()
                if case .none = call[value] { return .none }
                try call.machine.show(call[value])
                return .none
            }
        },
        Builtin(
            .text, "format", "the value as text, formatted as in `\"{value:spec}\"`",
            details:
                "`spec` is Python's: [[fill]align][sign][0][width][,][.precision][type] with the types e f g % d s. Arrays are formatted element by element.",
            example: "format(pi, \".2f\")   # \"3.14\"\nformat(1234567, \">12,\")   # \"   1,234,567\"", role: .opaque
        ) { takes in
            let value = takes.value("value"), spec = takes.text("spec")
            return { call in .string(try Format.formatted(call[value], specText: call[spec])) }
        },
        Builtin(
            .text, "type", "what kind of value x is", details: "One of number, bool, array, string, none, list, record, function, layer, network, figure.",
            example: "type([1, 2])   # \"array\"", role: .steps
        ) { takes in
            let x = takes.value("x")
            return { call in .string(call[x].typeName) }
        },
        Builtin(
            .text, "repr", "x as text with every digit needed to read the same value back", example: "repr(0.1 + 0.2)   # \"0.30000000000000004\"",
            role: .opaque
        ) { takes in
            let x = takes.value("x")
            return { call in .string(try Format.repr(call[x])) }
        },
        Builtin(
            .text, "join", "texts one after the other, with a separator between them", example: "join((\"a\", \"b\"), \", \")   # \"a, b\"", role: .opaque
        ) { takes in
            let parts = takes.elements("parts"), separator = takes.text("separator", default: "")
            return { call in .string(try Format.joined(call[parts], call[separator])) }
        },
        Builtin(.text, "replace", "text with every `old` replaced by `new`", example: "replace(\"banana\", \"an\", \"o\")   # \"booa\"", role: .opaque) {
            takes in
            let text = takes.text("text"), old = takes.text("old"), new = takes.text("new")
            return { call in
                let part = try call[old], substitute = try call[new]
                guard !part.isEmpty else { throw call.fail(old, .nonEmptyText) }
                var result = TextBuilder(), isFirst = true
                try call[text].forEachPiece(between: part) { piece in
                    if !isFirst { try result.append(substitute) }
                    isFirst = false
                    try result.append(piece)
                    return true
                }
                return .string(result)
            }
        },
        Builtin(.text, "trim", "text without spaces and line ends at both ends", example: "trim(\"  a b \")   # \"a b\"", role: .opaque) { takes in
            let text = takes.text("text")
            return { call in .string(try call[text].trimmingSpaces(Interrupt.check)) }
        },
        Builtin(.text, "upper", "text in capital letters", example: "upper(\"relu\")   # \"RELU\"", role: .opaque) { takes in
            let text = takes.text("text")
            return { call in .string(try call[text].mapped { $0.uppercased() }) }
        },
        Builtin(.text, "lower", "text in small letters", example: "lower(\"ReLU\")   # \"relu\"", role: .opaque) { takes in
            let text = takes.text("text")
            return { call in .string(try call[text].mapped { $0.lowercased() }) }
        },
        Builtin(
            .text, "contains", "whether a string holds a part, a list or array an element, a record a name",
            example: "contains(\"sigmoid\", \"mo\")   # true\ncontains([1, 2], 3)   # false", direct: hasField, role: .steps
        ) { takes in
            let whole = takes.value("whole"), part = takes.value("part")
            return { call in
                switch call[whole] {
                case .string(let text):
                    let part = try call.string(part)
                    return try .bool(part.isEmpty || text.string.contains(part: part))
                case .record(let record): return .bool(record[try call.string(part)] != nil)
                case .list(let list): return .bool(try list.elements.contains { try call.machine.isEqual($0, call[part]) })
                default:
                    guard case .array(let array) = call[whole] else { throw call.fail(whole, .container) }
                    return try Value(NDArray.compare(.eq, .array(array), call.operand(part)).reduced(.any))
                }
            }
        },
        Builtin(.text, "starts_with", "whether text begins with prefix", example: "starts_with(\"softmax\", \"soft\")   # true") { takes in
            let text = takes.text("text"), prefix = takes.text("prefix")
            return { call in .bool(try call[text].startsWithBytes(of: call[prefix])) }
        },
        Builtin(.text, "ends_with", "whether text ends with suffix", example: "ends_with(\"a.svg\", \".svg\")   # true") { takes in
            let text = takes.text("text"), suffix = takes.text("suffix")
            return { call in .bool(try call[text].endsInBytes(of: call[suffix])) }
        },
    ]
}
