// JSON as values and values as JSON. Numbers keep every digit; NaN and the infinities, which JSON lacks, are the strings
// "NaN", "Infinity" and "-Infinity", in both directions. So that every value comes back, a text of these letters is written with its
// first one escaped ("\u004eaN"): to other readers that is the same text, here the escape says that it is not a number.

import ActArray
import ActFiles
import ActMachine
import ActText

enum JSONValues {
    /// How deep arrays and objects may be nested in what is read.
    static let deepest = 1000

    // MARK: Writing

    static func text(_ value: Value) throws -> TextBuilder {
        var text = TextBuilder()
        try write(value, into: &text)
        return text
    }

    static func write(_ value: Value, into text: inout TextBuilder) throws {
        try Interrupt.check()
        switch value {
        case .none, .undefined, .gathering: try text.append("null")
        case .bool(let bool): try text.append(bool ? "true" : "false")
        case .number(let number): try write(number, isSingle: false, into: &text)
        case .string(let string): try JSON.write(string.string, escapesFirst: number(named: string.string) != nil, into: &text)
        case .array(let array):
            let held = try Reservation(array.count &* 8), numbers = try array.toDoubles()
            var position = 0
            try write(numbers, &position, array.shape[...], array.type, into: &text)
            _ = held.bytes
        case .list(let list):
            try text.append("[")
            for (index, element) in list.elements.enumerated() {
                if index > 0 { try text.append(", ") }
                try write(element, into: &text)
            }
            try text.append("]")
        case .record(let record):
            try text.append("{")
            for (index, field) in record.fields.enumerated() {
                if index > 0 { try text.append(", ") }
                try JSON.write(field.key, into: &text)
                try text.append(": ")
                try write(field.value, into: &text)
            }
            try text.append("}")
        case .function, .figure: throw FileRefusal.notJSON(value)
        }
    }

    private static func write(_ numbers: [Double], _ position: inout Int, _ shape: ArraySlice<Int>, _ type: ElementType, into text: inout TextBuilder) throws {
        guard let size = shape.first else {
            if type == .bool {
                try text.append(numbers[position] != 0 ? "true" : "false")
            } else {
                try write(numbers[position], isSingle: type == .f32, into: &text)
            }
            position += 1
            return
        }
        try text.append("[")
        for index in 0..<size {
            if index > 0 { try text.append(", ") }
            if (position &+ index) & 0xfff == 0 { try Interrupt.check() }
            try write(numbers, &position, shape.dropFirst(), type, into: &text)
        }
        try text.append("]")
    }

    private static func write(_ number: Double, isSingle: Bool, into text: inout TextBuilder) throws {
        // Readers for which 0 has no sign have it for 0.0.
        if number == 0, number.sign == .minus {
            try text.append("-0.0")
        } else if number.isFinite {
            try text.append(Format.exactNumber(number, isSingle: isSingle))
        } else {
            try text.append(number.isNaN ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"")
        }
    }

    /// What the strings that stand for numbers mean.
    static func number(named text: String) -> Double? {
        switch text {
        case "NaN": .nan
        case "Infinity": .infinity
        case "-Infinity": -.infinity
        default: nil
        }
    }

    // MARK: Reading

    /// Arrays of numbers, bools or such arrays of one shape become arrays, others lists.
    /// - Parameter path: Of the file that it is read from.
    /// - Throws: `FileRefusal.badJSON` with the line and column of what is wrong.
    static func value(_ bytes: [UInt8], _ machine: Machine, path: String? = nil) throws -> Value {
        var builder = Builder(reader: JSONReader(bytes, deepest: deepest), machine: machine)
        do {
            let value = try builder.value(try builder.reader.next())
            try builder.reader.finish()
            return value
        } catch let error as JSONError {
            throw FileRefusal.badJSON(error.fault, line: error.line, column: error.column, path: path)
        }
    }

    private struct Builder {
        var reader: JSONReader
        let machine: Machine

        mutating func value(_ event: JSONReader.Event) throws -> Value {
            switch event {
            case .null, .endList, .endObject: return .none
            case .bool(let bool): return .bool(bool)
            case .number(let number, let isWhole):
                if isWhole, !isExact(number) { throw reader.refusal(.inexactNumber) }
                return .number(number)
            case .text(let text, let isPlain):
                if isPlain, let number = JSONValues.number(named: text) { return .number(number) }
                return .string(text)
            case .name(let text): return .string(text)
            case .beginList: return try list()
            case .beginObject: return try record()
            }
        }

        /// Whether a number that was written with digits alone, which is what counts and what names things, is the number that was read.
        private func isExact(_ number: Double) -> Bool {
            reader.written.count <= 15 || printed(number, "f", precision: 0).utf8.elementsEqual(reader.written)
        }

        private mutating func list() throws -> Value {
            var elements: [Value] = []
            while true {
                let event = try reader.next()
                if case .endList = event { break }
                elements.append(try value(event))
                if elements.count & 0xffff == 0 { try Memory.check(for: elements.count &* 16) }
            }
            guard let first = elements.first else { return try machine.makeArray([]) }
            let isBool = if case .bool = first { true } else { false }
            let areAlike = elements.allSatisfy { element in
                switch element {
                case .number, .array: !isBool
                case .bool: isBool
                default: false
                }
            }
            if areAlike {
                do { return try machine.makeArray(elements) } catch RuntimeError.raggedRows {}
            }
            return try .list(elements)
        }

        private mutating func record() throws -> Value {
            var fields = Fields()
            while case .name(let name) = try reader.next() {
                if fields[name] != nil { throw reader.refusal(.repeatedName(name)) }
                fields[name] = try value(try reader.next())
            }
            return try .record(fields)
        }
    }
}
