// Values as text: for `print` and interpolation (`text`), for the outermost level (`shown`), and with every digit (`repr`).
// What is shown can be pasted back, unless it was shortened: arrays of more than 1,000 elements, lists and records of more than
// 1,000, nesting beyond 20 levels, and whatever comes after 20,000 parts have been written.

import ActArray
import ActFiles
import ActSyntax
import ActText
import CActKernels
import CActMachine

package enum Format {
    /// As `print` and `{…}` write it: a string bare, all else as shown.
    package static func text(_ value: Value) throws -> String {
        if case .string(let text) = value { return text.string }
        var text = TextBuilder()
        try write(value, into: &text)
        return text.text
    }

    package static func write(_ value: Value, into text: inout TextBuilder) throws {
        switch value {
        case .string(let string): try text.append(string.string)
        case .number(let number): try text.append(Format.number(number))
        case .figure: try text.append("figure")
        default: try writeShown(value, into: &text)
        }
    }

    /// As `print` writes several values.
    package static func joined(_ values: [Value], _ separator: String, end: String = "") throws -> TextBuilder {
        if let text = try joinedTexts(values, separator, end) { return text }
        var text = TextBuilder()
        for (index, value) in values.enumerated() {
            if index & 0xfff == 0 { try Interrupt.check() }
            if index > 0 { try text.append(separator) }
            try write(value, into: &text)
        }
        try text.append(end)
        return text
    }

    /// Of texts alone: how long it becomes is known, and each byte is moved once. `nil` where there is another value.
    private static func joinedTexts(_ values: [Value], _ separator: String, _ end: String) throws -> TextBuilder? {
        guard values.count > 1 else { return nil }
        // (Texts are looked at where they are: to hold each would take longer than to move it.)
        let between = separator.utf8.count, piece = 1 << 14
        func size(_ values: UnsafeBufferPointer<Value>) throws -> Int? {
            var bytes = 0
            for start in stride(from: 0, to: values.count, by: piece) {
                try Interrupt.check()
                let more = values.baseAddress.map { act_size_of_texts($0 + start, min(piece, values.count &- start)) } ?? -1
                guard more >= 0 else { return nil }
                bytes = min(bytes &+ more, TextBuilder.longest &+ 1)
            }
            return bytes
        }
        guard let bytes = try values.withUnsafeBufferPointer(size) else { return nil }
        let (gaps, isTooLong) = between.multipliedReportingOverflow(by: values.count)
        let whole = isTooLong ? TextBuilder.longest &+ 1 : min(bytes &+ gaps &+ end.utf8.count, TextBuilder.longest &+ 1)
        return try TextBuilder(ofAtMost: whole) { room in
            var separator = separator, end = end
            try separator.withUTF8 { separator in
                try values.withUnsafeBufferPointer { try put($0, separator, into: &room) }
            }
            end.withUTF8 { room.append($0) }
        }
    }

    /// Puts texts with a separator between one after the other: many at a time, and long ones by themselves.
    private static func put(_ values: UnsafeBufferPointer<Value>, _ separator: UnsafeBufferPointer<UInt8>, into room: inout TextBuilder.Bytes) throws {
        guard let first = values.baseAddress else { return }
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1 << 13) { buffer in
            guard let target = buffer.baseAddress else { return }
            // The last one has no separator after it.
            let last = values.count &- 1
            var index = 0
            while index < last {
                try Interrupt.check()
                var size = 0
                let put = separator.withMemoryRebound(to: CChar.self) { separator in
                    act_join_texts(first + index, last &- index, separator.baseAddress ?? UnsafePointer(target), separator.count, target, buffer.count, &size)
                }
                room.append(UnsafeBufferPointer(UnsafeMutableRawBufferPointer(start: target, count: size).assumingMemoryBound(to: UInt8.self)))
                index &+= put
                if put == 0 {
                    append(index)
                    room.append(separator)
                    index &+= 1
                }
            }
            append(last)
        }

        func append(_ index: Int) {
            UnsafeMutablePointer(mutating: first + index).textReference?._withUnsafeGuaranteedRef { room.append($0.string) }
        }
    }

    /// As the outermost level shows it: strings quoted; of a figure, nothing.
    package static func shown(_ value: Value) throws -> String {
        var text = TextBuilder()
        try writeShown(value, into: &text)
        return text.text
    }

    private static func writeShown(_ value: Value, into text: inout TextBuilder) throws {
        switch value {
        case .figure: break
        case .function(let function): try text.append(signature(function))
        default:
            var writer = Writer(isWhole: false)
            try writer.write(value, level: 0, indent: 0, into: &text)
        }
    }

    /// Every digit and every element, on one line, as it reads back.
    package static func repr(_ value: Value) throws -> TextBuilder {
        var text = TextBuilder(), writer = Writer(isWhole: true)
        try writer.write(value, level: 0, indent: 0, into: &text)
        return text
    }

    /// A function as it is called; a function literal as it is written.
    static func signature(_ function: Function) -> String {
        guard function.typeName == "function", !function.name.utf8.contains(UInt8(ascii: ">")) else { return function.name }
        return function.signature
    }

    /// A string as a program writes it: of a short one, for messages.
    package static func quoted(_ string: String) -> String {
        var text = TextBuilder()
        do { try writeQuoted(string, into: &text) } catch { return "\"…\"" }
        return text.text
    }

    /// A string as a program writes it.
    static func writeQuoted(_ string: String, into text: inout TextBuilder) throws {
        try text.append("\"")
        // Runs that need no escape are taken as they are, in pieces that Ctrl-C can come between.
        let bytes = string.utf8
        var start = bytes.startIndex, index = start, left = 1 << 14
        while index < bytes.endIndex {
            let byte = bytes[index], next = bytes.index(after: index)
            if byte < 32 || byte == 34 || byte == 92 || byte == 123 || byte == 127 {
                try text.append(string[start..<index])
                switch byte {
                case 10: try text.append("\\n")
                case 9: try text.append("\\t")
                case 34: try text.append("\\\"")
                case 92: try text.append("\\\\")
                case 123: try text.append("\\{")
                default: try text.append("\\u{" + String(byte, radix: 16) + "}")
                }
                start = next
            }
            left -= 1
            if left <= 0, byte < 128, start < index {
                try Interrupt.check()
                try text.append(string[start..<index])
                start = index
                left = 1 << 14
            }
            index = next
        }
        try text.append(string[start...])
        try text.append("\"")
    }

    /// The key of a record as a program writes it: quoted unless it is a name.
    static func key(_ name: String) -> String { isName(name) ? name : quoted(name) }

    private static func isName(_ text: String) -> Bool {
        // Nobody writes longer ones without quotes, and these need not be looked at letter by letter.
        guard text.utf8.count < 1000 else { return false }
        let scalars = text.unicodeScalars
        guard let first = scalars.first, first == "_" || first.properties.isAlphabetic && isNamePart(first) else { return false }
        return scalars.allSatisfy(isNamePart) && !keywords.contains(text) && CompatibleNames.form(text) == text
    }

    fileprivate static func writeKey(_ name: String, into text: inout TextBuilder) throws {
        if isName(name) { try text.append(name) } else { try writeQuoted(name, into: &text) }
    }

    private static let keywords = Set(ActSyntax.keywords)

    // MARK: Notes

    /// What the REPL adds below a shown value: type and shape of an array; of a large one its range, mean, deviation and how many are NaN.
    package static func note(_ value: Value) throws -> String? {
        guard case .array(let array) = value, array.rank > 0 else { return nil }
        let head = "\(array.type.name) \(describe(array.shape))"
        return array.count > ArrayLayout.longest ? try head + statistics(of: array) : head
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
                numbers.reduced(.min).item(), numbers.reduced(.max).item(), numbers.mean().item(), numbers.standardDeviation().item(),
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
    /// Whether the arrays in a list or record have more elements together than are shown of one array; `nil` while nobody knows.
    private var isLong: Bool?

    static let deepest = 20
    static let lineWidth = ArrayLayout.lineWidth

    init(isWhole: Bool) {
        self.isWhole = isWhole
        partsLeft = isWhole ? Int.max : 20_000
    }

    /// - Parameter indent: the column in which the text begins; further lines start there.
    mutating func write(_ value: Value, level: Int, indent: Int, into text: inout TextBuilder) throws {
        partsLeft -= 1
        if partsLeft & 0xfff == 0 { try Interrupt.check() }
        if isLong == nil {
            var left = ArrayLayout.longest, steps = 1 << 14
            isLong = !isWhole && value.nesting > 0 && Self.isLong(value, level: 0, &left, &steps)
        }
        switch value {
        case .none: try text.append("none")
        case .bool(let bool): try text.append(bool ? "true" : "false")
        case .number(let number): try text.append(isWhole ? Format.exactNumber(number) : Format.number(number))
        case .string(let string): try Format.writeQuoted(string.string, into: &text)
        case .figure: try text.append("figure")
        case .function(let function): try text.append(function.name)
        case .undefined, .gathering: try text.append("nothing")
        case .array(let array): try write(array, indent, into: &text)
        case .list(let list):
            if list.elements.count == 1 {
                try text.append("(")
                try writeNested(list.elements[0], level, indent + 1, into: &text)
                return try text.append(",)")
            }
            try writeParts("(", ")", count: list.elements.count, indent, into: &text) { writer, index, column, text in
                try writer.writeNested(list.elements[index], level, column, into: &text)
            }
        case .record(let record):
            try writeParts("{", "}", count: record.fields.count, indent, into: &text) { writer, index, column, text in
                let (name, value) = record.fields[index]
                let start = text.count
                try Format.writeKey(name, into: &text)
                try text.append(": ")
                // The column counts characters; where there are many, lines are broken anyway.
                let width = text.count - start
                try writer.writeNested(value, level, column + (width < 1 << 10 ? text.text(in: start..<text.count).count : width), into: &text)
            }
        }
    }

    private mutating func writeNested(_ value: Value, _ level: Int, _ indent: Int, into text: inout TextBuilder) throws {
        let isDeep = !isWhole && level >= Self.deepest && value.nesting > 0
        if isDeep || partsLeft <= 0 { try text.append(ArrayLayout.ellipsis) } else { try write(value, level: level + 1, indent: indent, into: &text) }
    }

    /// - Parameters:
    ///   - left: How many elements of arrays may still be shown.
    ///   - steps: How many parts are still looked at: lists can be shared without end.
    private static func isLong(_ value: Value, level: Int, _ left: inout Int, _ steps: inout Int) -> Bool {
        steps -= 1
        if level > deepest { return false }
        switch value {
        case .array(let array): left -= min(array.count, ArrayLayout.longest + 1)
        case .list(let list): for element in list.elements where left >= 0 && steps > 0 { _ = isLong(element, level: level + 1, &left, &steps) }
        case .record(let record): for (_, value) in record.fields where left >= 0 && steps > 0 { _ = isLong(value, level: level + 1, &left, &steps) }
        default: break
        }
        return left < 0
    }

    private func write(_ array: NDArray, _ indent: Int, into text: inout TextBuilder) throws {
        if isWhole { return try writeWhole(array, into: &text) }
        var layout = try ArrayLayout(array, isPartOfMany: isLong ?? false)
        if indent > 0 { try text.append(Self.indented(layout.text(), indent)) } else { try layout.write(into: &text) }
    }

    private func writeWhole(_ array: NDArray, into text: inout TextBuilder) throws {
        // An array with elements shows that it is of bools; without, only f64 need not be said.
        let isPlain = array.count == 0 ? array.type == .f64 : array.type != .f32
        if !isPlain { try text.append("\(array.type.name)(") }
        if array.count == 0 {
            try text.append(array.shape == [0] ? "[]" : "zeros(\(array.shape.map(String.init).joined(separator: ", ")))")
        } else {
            // The layout holds every element as a number.
            let held = try Reservation(array.count &* 8)
            var layout = try ArrayLayout(array, isWhole: true)
            try layout.write(into: &text)
            _ = held.bytes
        }
        if !isPlain { try text.append(")") }
    }

    /// Parts in brackets: on one line if they fit, else one a line.
    private mutating func writeParts(
        _ open: String, _ close: String, count: Int, _ indent: Int, into text: inout TextBuilder,
        _ part: (inout Writer, Int, Int, inout TextBuilder) throws -> Void
    ) throws {
        let isCut = !isWhole && count > ArrayLayout.longest
        try text.append(open)
        // On one line first. Where each part begins, until it is known that they do not fit.
        var starts: [Int] = [], width = indent + 2, isOneLine = true, isFirst = true
        func begin(_ text: inout TextBuilder) throws {
            if !isFirst { try text.append(", ") }
            isFirst = false
            if !isWhole { starts.append(text.count) }
        }
        for index in 0..<count where !isCut || index < ArrayLayout.edge || index >= count - ArrayLayout.edge {
            if isCut && index == count - ArrayLayout.edge {
                try begin(&text)
                try text.append(ArrayLayout.ellipsis)
            }
            try begin(&text)
            if partsLeft <= 0 {
                try text.append(ArrayLayout.ellipsis)
                break
            }
            let start = text.count
            try part(&self, index, indent + 1, &text)
            if isWhole || !isOneLine { continue }
            if text.count - start > 16 * Self.lineWidth {
                isOneLine = false
            } else {
                let written = text.text(in: start..<text.count)
                width += written.count + 2
                isOneLine = width <= Self.lineWidth + 2 && !written.utf8.contains(10)
            }
        }
        if !isOneLine, let first = starts.first {
            var lines = TextBuilder()
            let separator = ",\n" + String(repeating: " ", count: indent + 1)
            for (index, start) in starts.enumerated() {
                if index > 0 { try lines.append(separator) }
                try lines.append(text.text(in: start..<(index + 1 < starts.count ? starts[index + 1] - 2 : text.count)))
            }
            try text.replace(from: first, with: lines)
        }
        try text.append(close)
    }

    private static func indented(_ text: String, _ indent: Int) -> String {
        let spaces = String(repeating: " ", count: indent)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).enumerated()
            .map { $0.offset == 0 || $0.element.isEmpty ? $0.element : spaces + $0.element }.joined(separator: "\n")
    }
}
