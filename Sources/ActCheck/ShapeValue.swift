// What is known of a value before the program runs: of numbers what they are, of arrays their sizes, of functions which they are.
//
// What must stay true: a value that could be another is `unknown`, and a size that could be another has no number; two sizes differ only if they differ
// whatever the program is given.

import ActArray
import ActBuiltins
import ActMachine
import ActSyntax

/// A number that counts elements: a known one, or a number that nobody knows plus a known one.
struct Size: Hashable {
    /// Which unknown number; `nil` for none.
    var unknown: Int?
    var offset: Int

    init(_ number: Int) { offset = number }
    init(unknown: Int, offset: Int = 0) { (self.unknown, self.offset) = (unknown, offset) }

    var number: Int? { unknown == nil ? offset : nil }

    /// Whether the sizes are never equal.
    func differs(from other: Size) -> Bool { unknown == other.unknown && offset != other.offset }

    static func + (a: Size, b: Size) -> Size? {
        guard a.unknown == nil || b.unknown == nil else { return nil }
        let (sum, overflow) = a.offset.addingReportingOverflow(b.offset)
        return overflow ? nil : Size(unknown: a.unknown ?? b.unknown, offset: sum)
    }

    private init(unknown: Int?, offset: Int) { (self.unknown, self.offset) = (unknown, offset) }
}

indirect enum ShapeValue {
    case unknown
    /// A plain number or a bool; `nil` where it is not known which.
    case number(Double?)
    /// A plain whole number that counts something.
    case size(Size)
    /// The sizes of the axes, each `nil` where it is not known.
    case array([Size?])
    /// A list whose elements are known in number.
    case list([ShapeValue])
    case function(FunctionID)
    case builtin(BuiltinFunction)
    /// A function of a file that the program imports.
    case imported(ImportedFiles.Function)
    case layer(Layers)
    /// All of its fields, in order.
    case record([(name: String, value: ShapeValue)])
    /// `nil` where it is not known which.
    case text(String?)
    case none

    /// The number that it is.
    var number: Double? {
        switch self {
        case .number(let number): number
        case .size(let size): size.number.map(Double.init)
        default: nil
        }
    }

    /// The whole number that it is.
    var whole: Int? { number.flatMap { Int(exactly: $0) } }

    /// What it is as a size: any number that is not known is.
    var asSize: Size? {
        switch self {
        case .size(let size): size
        default: whole.map { Size($0) }
        }
    }

    /// The shape that it has in arithmetic; `nil` if that is not known, or it has none.
    var shape: [Size?]? {
        switch self {
        case .number, .size: []
        case .array(let shape): shape
        // A list of numbers and arrays of one shape is an array to whom asks for one.
        case .list(let elements): Self.stacked(elements)
        default: nil
        }
    }

    /// The shape of `[a, b]`.
    static func stacked(_ elements: [ShapeValue]) -> [Size?]? {
        guard let first = elements.first else { return [Size(0)] }
        guard var shape = first.isNumeric ? first.shape : nil else { return nil }
        for element in elements.dropFirst() {
            guard element.isNumeric, let other = element.shape, other.count == shape.count else { return nil }
            for axis in shape.indices where shape[axis] == nil { shape[axis] = other[axis] }
        }
        return [Size(elements.count)] + shape
    }

    /// What `[a, b]` is. - Throws: where shapes are known that differ.
    static func array(_ elements: [ShapeValue]) throws -> ShapeValue {
        if elements.allSatisfy(\.isNumeric), let first = elements.first?.knownShape {
            for (index, element) in elements.enumerated() {
                if let other = element.knownShape, other != first { throw ShapeFault.other(RuntimeError.raggedRows(first, at: index, other)) }
            }
        }
        return stacked(elements).map { .array($0) } ?? .unknown
    }

    /// Its shape, where every size is known.
    private var knownShape: [Int]? {
        guard let shape else { return nil }
        let numbers = shape.compactMap { $0?.number }
        return numbers.count == shape.count ? numbers : nil
    }

    private var isNumeric: Bool {
        switch self {
        case .number, .size, .array: true
        default: false
        }
    }

    /// A value of a shape: of none, a number.
    static func of(_ shape: [Size?]) -> ShapeValue { shape.isEmpty ? .number(nil) : .array(shape) }

    /// Whether it has no more than `rest` parts, each counted wherever it stands: a list may hold another one many times. They are taken off `rest`.
    func holdsFewer(_ rest: inout Int) -> Bool {
        rest -= 1
        switch self {
        case .list(let elements): return rest >= elements.count && elements.allSatisfy { $0.holdsFewer(&rest) }
        case .record(let fields): return rest >= fields.count && fields.allSatisfy { $0.value.holdsFewer(&rest) }
        default: return rest >= 0
        }
    }

    /// Whether the same is known of both.
    func isSame(as other: ShapeValue) -> Bool {
        switch (self, other) {
        case (.unknown, .unknown), (.none, .none): true
        case (.text(let a), .text(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.size(let a), .size(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.list(let a), .list(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) }
        case (.function(let a), .function(let b)): a == b
        case (.builtin(let a), .builtin(let b)): a === b
        case (.imported(let a), .imported(let b)): a.file === b.file && a.id == b.id
        case (.layer(let a), .layer(let b)): a.text == b.text
        case (.record(let a), .record(let b)): a.map(\.name) == b.map(\.name) && zip(a, b).allSatisfy { $0.value.isSame(as: $1.value) }
        default: false
        }
    }

    /// What is known of a value that is one or the other.
    func or(_ other: ShapeValue) -> ShapeValue {
        switch (self, other) {
        case (.number(let a), .number(let b)): return .number(a == b ? a : nil)
        case (.size(let a), .size(let b)) where a == b: return self
        case (.number, .size), (.size, .number), (.size, .size): return .number(nil)
        case (.array(let a), .array(let b)) where a.count == b.count: return .array(zip(a, b).map { $0 == $1 ? $0 : nil })
        case (.list(let a), .list(let b)) where a.count == b.count: return .list(zip(a, b).map { $0.or($1) })
        case (.function(let a), .function(let b)) where a == b: return self
        case (.builtin(let a), .builtin(let b)) where a === b: return self
        case (.imported, .imported) where isSame(as: other): return self
        case (.record(let a), .record(let b)) where a.map(\.name) == b.map(\.name): return .record(zip(a, b).map { ($0.name, $0.value.or($1.value)) })
        case (.text(let a), .text(let b)): return .text(a == b ? a : nil)
        case (.none, .none): return self
        default: return .unknown
        }
    }
}

extension [(name: String, value: ShapeValue)] {
    /// The field that a name of the program means, which is compared in NFKC.
    func index(named name: String) -> Int? {
        firstIndex { $0.name == name } ?? firstIndex { CompatibleNames.form($0.name) == CompatibleNames.form(name) }
    }

    /// The fields with one of them replaced, or one more.
    func setting(_ name: String, to value: ShapeValue) -> Self {
        var result = self
        if let index = index(named: name) { result[index].value = value } else { result.append((name, value)) }
        return result
    }
}

/// Arithmetic on shapes of which not every size is known. What it throws is what the machine would.
enum ShapeArithmetic {
    /// The shape that both broadcast to.
    static func broadcast(_ a: [Size?], _ b: [Size?]) throws -> [Size?] {
        var result = a.count >= b.count ? a : b
        for back in stride(from: 1, through: min(a.count, b.count), by: 1) {
            let (x, y) = (a[a.count - back], b[b.count - back])
            let size: Size?
            switch (x, y) {
            case (let x?, let y?) where x == y: size = x
            case (let x?, let y?) where x.number == 1: size = y
            case (let x?, let y?) where y.number == 1: size = x
            case (let x?, let y?):
                // Of two that are not known one could be 1.
                if let m = x.number, let n = y.number { throw ShapeFault.doNotBroadcast(a, b, axis: -back, m, n) }
                size = x.number.map { Size($0) } ?? y.number.map { Size($0) }
            // What is not known can only be 1, or this.
            case (let x?, nil): size = (x.number ?? 1) == 1 ? nil : x
            case (nil, let y?): size = (y.number ?? 1) == 1 ? nil : y
            case (nil, nil): size = nil
            }
            result[result.count - back] = size
        }
        return result
    }

    /// The shape of `a @ b`.
    static func product(_ a: [Size?], _ b: [Size?], _ name: String) throws -> [Size?] {
        guard !a.isEmpty, !b.isEmpty else { throw ShapeFault.other(ArrayError.scalarOperand(operation: name)) }
        let inner = b.count == 1 ? b[0] : b[b.count - 2]
        if let m = a[a.count - 1], let n = inner, m.differs(from: n) { throw ShapeFault.doNotMultiply(a, b) }
        let lead = try broadcast(Array(a.dropLast(2)), Array(b.dropLast(2)))
        return lead + (a.count > 1 ? [a[a.count - 2]] : []) + (b.count > 1 ? [b[b.count - 1]] : [])
    }

    /// The axis counted from 0.
    static func axis(_ axis: Int, _ shape: [Size?]) throws -> Int {
        guard axis >= -shape.count, axis < shape.count else { throw ShapeFault.other(ArrayError.axisOutOfRange(axis: axis, rank: shape.count)) }
        return axis < 0 ? axis + shape.count : axis
    }

    /// How many elements there are.
    static func count(_ shape: [Size?]) -> Int? {
        if shape.contains(Size(0)) { return 0 }
        var count = 1
        for size in shape {
            guard let number = size?.number else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: number)
            if overflow { return nil }
            count = product
        }
        return count
    }
}

/// A certain error.
enum ShapeFault: Error {
    /// Along an axis, counted from the end, there are two numbers of elements.
    case doNotBroadcast([Size?], [Size?], axis: Int, Int, Int)
    case doNotMultiply([Size?], [Size?])
    /// One that the machine would find in the same words.
    case other(Error)
}
