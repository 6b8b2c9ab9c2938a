// Functions of functions, and text.

import ActArray
import ActMachine
import ActSyntax

extension BuiltinRows {
    static let functions: [Builtin] = [
        Builtin(
            .functions, "map(f, xs)", "f of each element of an array, list, string or record; of each parameter of a network, which gives a network",
            details: "The results make an array if they are numbers, bools or arrays of one shape, else a list, as in `[…]`.",
            example: "map(x -> x^2, [1, 2, 3])   # [1, 4, 9]\nmap(upper, (\"a\", \"b\"))   # (\"A\", \"B\")"
        ) { call in
            let f = try call.function(0)
            let machine = call.machine
            if case .function(let network) = call.values[1], let parameters = try network.parameterValues() {
                return try .function(network.replacing(parameters: machine.mapped(parameters, f)))
            }
            return try machine.makeArray(call.elements(1).map { try machine.call(f, Arguments([$0])) })
        },
        Builtin(
            .functions, "filter(f, xs)", "the elements for which f is true", details: "The result is an array or a list, as in `[…]`.", example: "filter(x -> x > 1, [1, 2, 3])   # [2, 3]"
        ) { call in
            let f = try call.function(0)
            let machine = call.machine
            return try machine.makeArray(call.elements(1).filter { try machine.truth(of: machine.call(f, Arguments([$0]))) })
        },
        Builtin(
            .functions, "reduce(f, xs, start=none)", "f of the result so far and the next element, from the first element or `start` on",
            example: "reduce((a, b) -> a * b, [1, 2, 3, 4])   # 24"
        ) { call in
            let f = try call.function(0)
            var elements = try call.elements(1)[...]
            var result = call.values[2]
            if !call.has(2) {
                guard let first = elements.popFirst() else { throw call.cannot("reduce of nothing needs a start", help: "pass one: `reduce(f, xs, 0)`") }
                result = first
            }
            for element in elements { result = try call.machine.call(f, Arguments([result, element])) }
            return result
        },
        Builtin(
            .functions, "compose(functions…)", "the function that applies each in turn, the first one first; as `f >> g`", example: "compose(sqrt, x -> x + 1)(9)   # 4"
        ) { call in
            let functions = try call.rest.map { value -> Function in
                guard case .function(let function) = value else { throw call.fail(0, "a function", value) }
                return function
            }
            guard var result = functions.first else { throw RuntimeError.missingArgument("functions", of: "compose") }
            for function in functions.dropFirst() { result = try call.machine.composition(result, function) }
            return .function(result)
        },
    ]

    static let text: [Builtin] = [
        Builtin(
            .text, "print(values…, sep=\" \", end=\"\\n\")", "writes values, with sep between and end after them", example: "print(\"x is\", 0.5)   # x is 0.5"
        ) { call in
            let text = try Format.joined(call.rest, call.string(1, default: " "), end: call.string(2, default: "\n"))
            try call.machine.drainNumericEvents()
            call.machine.write(text.text)
            return .none
        },
        Builtin(
            .text, "show(value)", "shows a value as the outermost level does: a figure as a picture", example: "show(\"a\")   # \"a\""
        ) { call in
            try call.values[0].settle()
            try call.machine.drainNumericEvents()
            if case .none = call.values[0] { return .none }
            try call.machine.show(call.values[0], name: call.argumentTexts.first)
            return .none
        },
        Builtin(
            .text, "format(value, spec)", "the value as text, formatted as in `\"{value:spec}\"`",
            details: "`spec` is Python's: [[fill]align][sign][0][width][,][.precision][type] with the types e f g % d s. Arrays are formatted element by element.",
            example: "format(pi, \".2f\")   # \"3.14\"\nformat(1234567, \">12,\")   # \"   1,234,567\""
        ) { call in .string(try Format.formatted(call.values[0], specText: call.string(1))) },
        Builtin(
            .text, "type(x)", "what kind of value x is", details: "One of number, bool, array, string, none, list, record, function, layer, network, figure.", example: "type([1, 2])   # \"array\""
        ) { call in .string(call.values[0].typeName) },
        Builtin(
            .text, "repr(x)", "x as text with every digit needed to read the same value back", example: "repr(0.1 + 0.2)   # \"0.30000000000000004\""
        ) { call in .string(try Format.repr(call.values[0])) },
        Builtin(
            .text, "join(parts, separator=\"\")", "texts one after the other, with a separator between them", example: "join((\"a\", \"b\"), \", \")   # \"a, b\""
        ) { call in .string(try Format.joined(call.elements(0), call.string(1, default: ""))) },
        Builtin(.text, "replace(text, old, new)", "text with every `old` replaced by `new`", example: "replace(\"banana\", \"an\", \"o\")   # \"booa\"") { call in
            let text = try call.string(0), old = try call.string(1), new = try call.string(2)
            guard !old.isEmpty else { throw call.fail(1, "a string that is not empty") }
            var result = TextBuilder(), isFirst = true
            try text.forEachPiece(between: old) { piece in
                if !isFirst { try result.append(new) }
                isFirst = false
                try result.append(piece)
                return true
            }
            return .string(result)
        },
        Builtin(.text, "trim(text)", "text without spaces and line ends at both ends", example: "trim(\"  a b \")   # \"a b\"") { call in .string(try call.string(0).trimmingSpaces(Interrupt.check)) },
        Builtin(.text, "upper(text)", "text in capital letters", example: "upper(\"relu\")   # \"RELU\"") { call in .string(try call.string(0).mapped { $0.uppercased() }) },
        Builtin(.text, "lower(text)", "text in small letters", example: "lower(\"ReLU\")   # \"relu\"") { call in .string(try call.string(0).mapped { $0.lowercased() }) },
        Builtin(
            .text, "contains(whole, part)", "whether a string holds a part, a list or array an element, a record a name", example: "contains(\"sigmoid\", \"mo\")   # true\ncontains([1, 2], 3)   # false"
        ) { call in
            switch call.values[0] {
            case .string(let text):
                let part = try call.string(1)
                return try .bool(part.isEmpty || text.string.contains(part: part))
            case .record(let record): return .bool(record[try call.string(1)] != nil)
            case .list(let list): return .bool(try list.elements.contains { try call.machine.isEqual($0, call.values[1]) })
            default:
                guard case .array(let array) = call.values[0] else { throw call.fail(0, "a string, list, array or record") }
                return try Value(NDArray.compare(.eq, .array(array), call.operand(1)).reduced(.any))
            }
        },
        Builtin(.text, "starts_with(text, prefix)", "whether text begins with prefix", example: "starts_with(\"softmax\", \"soft\")   # true") { call in
            .bool(try call.string(0).startsWithBytes(of: call.string(1)))
        },
        Builtin(.text, "ends_with(text, suffix)", "whether text ends with suffix", example: "ends_with(\"a.svg\", \".svg\")   # true") { call in
            .bool(try call.string(0).endsInBytes(of: call.string(1)))
        },
    ]
}
