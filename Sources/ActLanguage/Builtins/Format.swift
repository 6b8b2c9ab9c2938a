// Values as text: for `print` and interpolation (`text`), for the outermost level (`shown`), and with every digit (`repr`).
// What is shown can be pasted back, unless it was shortened: arrays of more than 1,000 elements, lists and records of more than
// 1,000, nesting beyond 20 levels, and whatever comes after 20,000 parts have been written.

import ActArray
import ActSyntax
import CActKernels

package enum Format {
    /// As `print` and `{…}` write it: a string bare, all else as shown.
    package static func text(_ value: Value) throws -> String {
        switch value {
        case .string(let text): return text.string
        case .figure: return "figure"
        default: return try shown(value)
        }
    }

    /// As the outermost level shows it: strings quoted; of a figure, nothing.
    package static func shown(_ value: Value) throws -> String {
        switch value {
        case .figure: return ""
        case .function(let function): return signature(function)
        default:
            var writer = Writer(isWhole: false)
            return try writer.text(value, level: 0, indent: 0)
        }
    }

    /// Every digit and every element, on one line, as it reads back.
    package static func repr(_ value: Value) throws -> String {
        var writer = Writer(isWhole: true)
        return try writer.text(value, level: 0, indent: 0)
    }

    /// A function as it is called; a function literal as it is written.
    static func signature(_ function: Function) -> String {
        guard function.typeName == "function", !function.name.utf8.contains(UInt8(ascii: ">")) else { return function.name }
        return function.signature
    }

    /// A string as a program writes it.
    static func quoted(_ string: String) -> String {
        var text = "\""
        text.reserveCapacity(string.utf8.count + 2)
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "{": text += "\\{"
            case _ where scalar.value < 32 || scalar.value == 127: text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    /// The key of a record as a program writes it: quoted unless it is a name.
    static func key(_ name: String) -> String {
        guard let first = name.first, first.isLetter || first == "_", name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }), !keywords.contains(name) else {
            return quoted(name)
        }
        return name
    }

    private static let keywords: Set<String> = [
        "if", "else", "for", "in", "while", "break", "continue", "return", "and", "or", "not", "true", "false", "none", "unset",
    ]

    // MARK: Notes

    /// What the REPL adds below a shown value: type and shape of an array; of a large one its range, mean, deviation and how many are NaN.
    package static func note(_ value: Value) -> String? {
        guard case .array(let array) = value, array.rank > 0 else { return nil }
        let head = "\(array.type.name) \(describe(array.shape))"
        guard array.count > ArrayLayout.longest, let statistics = try? statistics(of: array) else { return head }
        return head + statistics
    }

    private static func statistics(of array: NDArray) throws -> String {
        let array = try array.detached()
        if array.type == .bool { return ", \(number(try array.countNonzero().item())) true" }
        let watched = NumericEvents.isEnabled
        NumericEvents.isEnabled = false
        defer { NumericEvents.isEnabled = watched }
        let missing = try NDArray.test(.isnan, array).countNonzero().item()
        var numbers = array
        if missing > 0 {
            let flat = try array.reshaped(to: [array.count])
            numbers = try flat.indexed(by: [.array(NDArray.not(NDArray.test(.isnan, flat)))])
        }
        var text = ""
        if numbers.count > 0 {
            let values = try [
                numbers.reduced(.min).item(), numbers.reduced(.max).item(), numbers.mean().item(), numbers.variance().item().squareRoot(),
            ].map(rough)
            text = ", \(values[0]) … \(values[1]), mean \(values[2]), deviation \(values[3])"
        }
        return missing > 0 ? text + ", \(number(missing)) nan" : text
    }

    /// To four digits.
    private static func rough(_ x: Double) -> String { x.isFinite ? printed(x, "g", precision: 4) : number(x) }
}

/// Writes values that hold others.
private struct Writer {
    /// Everything, on one line.
    let isWhole: Bool
    private var partsLeft: Int
    /// How many bytes have been written, more or less; what is shared many times could fill any memory.
    private var written = 0

    static let deepest = 20
    static let lineWidth = ArrayLayout.lineWidth

    init(isWhole: Bool) {
        self.isWhole = isWhole
        partsLeft = isWhole ? Int.max : 20_000
    }

    /// - Parameter indent: the column in which the text begins; further lines start there.
    mutating func text(_ value: Value, level: Int, indent: Int) throws -> String {
        partsLeft -= 1
        if partsLeft & 0xfff == 0 {
            if act_interrupt_get() != 0 { throw ArrayError.interrupted }
            try Memory.check(for: written)
        }
        switch value {
        case .none: return "none"
        case .bool(let bool): return bool ? "true" : "false"
        case .number(let number): return isWhole ? Format.exactNumber(number) : Format.number(number)
        case .string(let text): return Format.quoted(text.string)
        case .figure: return "figure"
        case .function(let function): return function.name
        case .undefined: return "nothing"
        case .array(let array): return try self.array(array, indent)
        case .list(let list):
            if list.elements.count == 1 { return try "(" + nested(list.elements[0], level, indent + 1) + ",)" }
            return try parts("(", ")", count: list.elements.count, level, indent) { writer, index, column in
                try writer.nested(list.elements[index], level, column)
            }
        case .record(let record):
            return try parts("{", "}", count: record.fields.count, level, indent) { writer, index, column in
                let (name, value) = record.fields.elements[index]
                let key = Format.key(name) + ": "
                return try key + writer.nested(value, level, column + key.count)
            }
        }
    }

    private mutating func nested(_ value: Value, _ level: Int, _ indent: Int) throws -> String {
        let isDeep = !isWhole && level >= Self.deepest && value.nesting > 0
        return isDeep || partsLeft <= 0 ? ArrayLayout.ellipsis : try text(value, level: level + 1, indent: indent)
    }

    private func array(_ array: NDArray, _ indent: Int) throws -> String {
        if isWhole {
            try Memory.check(for: array.count &* 96)
            func typed(_ text: String, _ isPlain: Bool) -> String { isPlain ? text : "\(array.type.name)(\(text))" }
            if array.count == 0 {
                let empty = array.shape == [0] ? "[]" : "zeros(\(array.shape.map(String.init).joined(separator: ", ")))"
                return typed(empty, array.type == .f64)
            }
            var layout = try ArrayLayout(array, isWhole: true)
            return try typed(layout.text(), array.type != .f32)
        }
        var layout = try ArrayLayout(array)
        let text = try layout.text()
        return indent == 0 ? text : Self.indented(text, indent)
    }

    /// Parts in brackets: on one line if they fit, else one a line.
    private mutating func parts(
        _ open: String, _ close: String, count: Int, _ level: Int, _ indent: Int, _ part: (inout Writer, Int, Int) throws -> String
    ) throws -> String {
        let isCut = !isWhole && count > ArrayLayout.longest
        var texts: [String] = []
        var width = indent + 2
        for index in 0..<count where !isCut || index < ArrayLayout.edge || index >= count - ArrayLayout.edge {
            if isCut && index == count - ArrayLayout.edge { texts.append(ArrayLayout.ellipsis) }
            if partsLeft <= 0 {
                texts.append(ArrayLayout.ellipsis)
                break
            }
            let text = try part(&self, index, indent + 1)
            written &+= text.utf8.count &+ 16
            width += text.count + 2
            texts.append(text)
        }
        let isOneLine = isWhole || width <= Self.lineWidth + 2 && !texts.contains { $0.utf8.contains(10) }
        let separator = isOneLine ? ", " : ",\n" + String(repeating: " ", count: indent + 1)
        return open + texts.joined(separator: separator) + close
    }

    private static func indented(_ text: String, _ indent: Int) -> String {
        let spaces = String(repeating: " ", count: indent)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).enumerated()
            .map { $0.offset == 0 || $0.element.isEmpty ? $0.element : spaces + $0.element }.joined(separator: "\n")
    }
}
