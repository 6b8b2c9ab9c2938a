// Arrays as text: one format for all elements, nested brackets, aligned columns from rank 2 on, long rows wrapped, large arrays
// shortened. The layout is NumPy's with commas.

import ActArray
import ActFiles
import ActText

/// The elements of an array that are shown, as text, and how to lay them out.
struct ArrayLayout {
    /// More elements are shortened.
    static let longest = 1000
    /// To so many at each end of an axis; to fewer where there are many axes.
    static let edge = 3
    private static let fewerEnds = [(1, 1), (1, 0)]
    private static let mostWords = 5000
    static let lineWidth = 75
    static let ellipsis = "…"

    private let sizes: [Int]
    /// How many elements are shown at the beginning and end of each axis; `nil`: all.
    private let ends: [(front: Int, back: Int)?]
    private let isWhole: Bool
    /// The texts of the shown elements, row by row; of whole arrays they are made when needed.
    private var words: [String] = []
    private let values: [Double]
    private let isSingle: Bool
    private let lineWidth: Int
    private var next = 0

    /// - Parameters:
    ///   - isWhole: whether to show every element, each with all its digits.
    ///   - isPartOfMany: whether it is shortened because what it is a part of has more elements than are shown.
    ///   - text: how to write a number, if not as the others suggest.
    init(_ array: NDArray, isWhole: Bool = false, isPartOfMany: Bool = false, text: ((Double) throws -> String)? = nil) throws {
        self.isWhole = isWhole
        sizes = array.shape
        ends = isWhole || array.count <= Self.longest && !isPartOfMany ? sizes.map { _ in nil } : Self.ends(of: sizes)
        lineWidth = isWhole ? Int.max : Self.lineWidth
        let shown = try ends.contains { $0 != nil } ? Self.shown(of: array.detached(), ends) : array
        values = try shown.toDoubles()
        isSingle = array.type == .f32
        if isWhole, text == nil, array.type != .bool {
            return
        } else if let text {
            words = try values.map(text)
        } else if array.type == .bool {
            words = values.map { $0 != 0 ? "true" : "false" }
        } else {
            let format = NumberFormat(for: values, isSingle: isSingle)
            words = values.map(format.text)
        }
        if sizes.count > 1 && !isWhole { align() }
    }

    private mutating func align() {
        let width = words.reduce(0) { max($0, $1.utf8.count) }
        words = words.map { String(repeating: " ", count: width - $0.utf8.count) + $0 }
    }

    private static func ends(of sizes: [Int]) -> [(front: Int, back: Int)?] {
        var ends: [(front: Int, back: Int)?] = sizes.map { $0 > 2 * edge ? (edge, edge) : nil }
        func words() -> Double {
            zip(sizes, ends).reduce(1.0) { $0 * Double($1.1.map { $0.front + $0.back } ?? $1.0) }
        }
        for (front, back) in fewerEnds {
            for axis in sizes.indices where words() > Double(mostWords) && sizes[axis] > front + back { ends[axis] = (front, back) }
        }
        return ends
    }

    private static func shown(of array: NDArray, _ ends: [(front: Int, back: Int)?]) throws -> NDArray {
        var result = array
        for (axis, size) in array.shape.enumerated() {
            guard let (front, back) = ends[axis] else { continue }
            var indices = [NDArray.Index](repeating: .slice(start: nil, stop: nil, step: nil), count: axis)
            indices.append(.slice(start: nil, stop: front, step: nil))
            let first = try result.indexed(by: indices)
            if back > 0 {
                indices[axis] = .slice(start: size - back, stop: nil, step: nil)
                result = try NDArray.concatenated([first, result.indexed(by: indices)], axis: axis)
            } else {
                result = first
            }
        }
        return result
    }

    mutating func text() throws -> String {
        var text = TextBuilder()
        try write(into: &text)
        return text.text
    }

    mutating func write(into text: inout TextBuilder) throws {
        if values.isEmpty { return try text.append("[]") }
        if sizes.isEmpty { return try text.append(word(0)) }
        next = 0
        try writeBrackets(axis: 0, indent: " ", width: lineWidth, into: &text)
    }

    /// - Parameters:
    ///   - indent: of a line inside these brackets.
    ///   - width: of a line, less the brackets that close after it.
    private mutating func writeBrackets(axis: Int, indent: String, width: Int, into text: inout TextBuilder) throws {
        // Where the ellipsis goes, if there is one.
        let cut = ends[axis]?.front ?? -1
        let count = ends[axis].map { $0.front + $0.back } ?? sizes[axis]
        if axis == sizes.count - 1 { return try writeRow(count, cut, indent, width, into: &text) }
        let separator = isWhole ? ", " : "," + String(repeating: "\n", count: sizes.count - 1 - axis) + indent
        try text.append("[")
        for index in 0..<count {
            if index > 0 { try text.append(separator) }
            if index == cut { try text.append(Self.ellipsis + separator) }
            try writeBrackets(axis: axis + 1, indent: indent + " ", width: width - 1, into: &text)
        }
        if cut == count { try text.append(separator + Self.ellipsis) }
        try text.append("]")
    }

    private func word(_ index: Int) -> String { words.isEmpty ? Format.exactNumber(values[index], isSingle: isSingle) : words[index] }

    private mutating func writeRow(_ count: Int, _ cut: Int, _ indent: String, _ width: Int, into text: inout TextBuilder) throws {
        try text.append("[")
        var column = indent.utf8.count
        var isFirst = true
        func place(_ word: String, _ text: inout TextBuilder) throws {
            let length = word == Self.ellipsis ? 1 : word.utf8.count
            if !isFirst {
                // A word goes on the next line when it and the comma or bracket after it do not fit any more.
                if column + 2 + length >= width {
                    try text.append(",\n" + indent)
                    column = indent.utf8.count
                } else {
                    try text.append(", ")
                    column += 2
                }
            }
            isFirst = false
            try text.append(word)
            column += length
        }
        for index in 0..<count {
            if next & 0xfff == 0 { try Interrupt.check() }
            if index == cut { try place(Self.ellipsis, &text) }
            try place(word(next), &text)
            next += 1
        }
        if cut == count { try place(Self.ellipsis, &text) }
        try text.append("]")
    }
}
