// What readers of graphs (a printer, an exporter, a page of the documentation) need to know of each primitive: its name, what it is computed
// from, its attributes, its shape.
//
// What must stay true: one exhaustive `switch` for each question, so that the compiler names every place to extend.

/// Something that an operation needs to know besides its operands.
package struct Attribute: Equatable, Sendable, CustomStringConvertible {
    package enum Content: Equatable, Sendable {
        case whole(Int)
        case wholes([Int])
        case number(Double)
        case flag(Bool)
        case text(String)
    }

    package let name: String
    package let content: Content

    package init(_ name: String, _ content: Content) {
        self.name = name
        self.content = content
    }

    package init(_ name: String, _ whole: Int) { self.init(name, .whole(whole)) }
    package init(_ name: String, _ wholes: [Int]) { self.init(name, .wholes(wholes)) }
    package init(_ name: String, _ text: String) { self.init(name, .text(text)) }

    /// `axes=[0, 1]`; long lists are cut.
    package var description: String {
        switch content {
        case .whole(let whole): "\(name)=\(whole)"
        case .wholes(let wholes) where wholes.count > 8:
            "\(name)=[\(wholes.prefix(6).map(String.init).joined(separator: ", ")), … \(wholes.count) in all]"
        case .wholes(let wholes): "\(name)=\(wholes)"
        case .number(let number): "\(name)=\(number)"
        case .flag(let flag): "\(name)=\(flag)"
        case .text(let text): "\(name)=\(text)"
        }
    }
}

/// The cases of `Primitive`, without what they carry.
package enum PrimitiveKind: String, CaseIterable, Sendable {
    case data, variable
    case unary, binary, compare, test, logical, select, convert
    case reshape, transpose, broadcast, slice, unslice, gather, scatterAdd = "scatter_add", concatenate
    case matmul, reduce, cumulative, normalize
    case custom

    /// As graphs are printed.
    package var name: String { rawValue }

    /// What it is computed from, in order; `?` marks an operand that may be missing.
    package var operands: [String] {
        switch self {
        case .data: []
        case .variable: ["value?"]
        case .unary, .test, .convert, .reshape, .transpose, .broadcast, .slice, .unslice, .reduce, .cumulative, .normalize: ["x"]
        case .binary, .compare, .matmul: ["a", "b"]
        case .logical: ["a", "b?"]
        case .select: ["condition", "then", "otherwise"]
        case .gather, .scatterAdd: ["x", "positions?"]
        case .concatenate: ["x…"]
        case .custom: ["x…"]
        }
    }

    /// The names of its attributes.
    package var attributes: [String] {
        switch self {
        case .data, .variable, .select, .convert, .reshape, .broadcast, .matmul: []
        case .unary, .binary, .compare, .test, .logical: ["operation"]
        case .transpose: ["permutation"]
        case .slice, .unslice: ["starts", "steps", "counts"]
        case .gather, .scatterAdd: ["positions", "chunk"]
        case .concatenate: ["axis"]
        case .reduce: ["operation", "axes"]
        case .cumulative: ["operation", "axis", "reversed"]
        case .normalize: ["operation", "axis"]
        case .custom: ["operation", "its own…"]
        }
    }

    /// The shape of the result. Every node carries its shape and element type too.
    package var shape: String {
        switch self {
        case .data: "that of the elements"
        case .variable: "that of the value"
        case .unary, .test, .convert, .cumulative, .normalize: "x's"
        case .binary, .compare, .logical, .select: "the operands' broadcast together"
        case .reshape: "the node's, of as many elements as x"
        case .transpose: "axis i is x's axis permutation[i]"
        case .broadcast: "the node's, to which x stretches"
        case .slice: "counts"
        case .unslice: "the node's; zeros but for x at the ranges"
        case .gather: "the node's; chunk elements of x from each position, one after the other"
        case .scatterAdd: "the node's; zeros to which chunks of x are added at the positions"
        case .concatenate: "the operands', along axis the sum of theirs"
        case .matmul: "(…, m, k) and (…, k, n) give (…, m, n); the first axes broadcast"
        case .reduce: "x's without the axes"
        case .custom: "its own"
        }
    }

    /// All of them as a table, for the documentation.
    package static var table: String {
        let rows = allCases.map { kind in
            let operands = kind.operands.isEmpty ? "—" : kind.operands.joined(separator: ", ")
            let attributes = kind.attributes.isEmpty ? "—" : kind.attributes.joined(separator: ", ")
            return "| `\(kind.name)` | \(operands) | \(attributes) | \(kind.shape) |"
        }
        return (["| primitive | operands | attributes | shape of the result |", "| --- | --- | --- | --- |"] + rows).joined(separator: "\n") + "\n"
    }
}

extension Primitive {
    package var kind: PrimitiveKind {
        switch self {
        case .data: .data
        case .variable: .variable
        case .unary: .unary
        case .binary: .binary
        case .compare: .compare
        case .test: .test
        case .logical: .logical
        case .select: .select
        case .convert: .convert
        case .reshape: .reshape
        case .transpose: .transpose
        case .broadcast: .broadcast
        case .slice: .slice
        case .unslice: .unslice
        case .gather: .gather
        case .scatterAdd: .scatterAdd
        case .concatenate: .concatenate
        case .matmul: .matmul
        case .reduce: .reduce
        case .cumulative: .cumulative
        case .normalize: .normalize
        case .custom: .custom
        }
    }

    package var attributes: [Attribute] {
        switch self {
        case .data, .variable, .select, .convert, .reshape, .broadcast, .matmul: []
        case .unary(let op): [Attribute("operation", op.isSlope || op == .neg ? op.kernelName : op.name)]
        case .binary(let op): [Attribute("operation", op.kernelName)]
        case .compare(let op): [Attribute("operation", op.name)]
        case .test(let op): [Attribute("operation", op.name)]
        case .logical(let op): [Attribute("operation", op.name)]
        case .transpose(let permutation): [Attribute("permutation", permutation)]
        case .slice(let ranges), .unslice(let ranges):
            [Attribute("starts", ranges.map(\.start)), Attribute("steps", ranges.map(\.step)), Attribute("counts", ranges.map(\.count))]
        case .gather(let indices), .scatterAdd(let indices): [Attribute("positions", indices.starts), Attribute("chunk", indices.chunk)]
        case .concatenate(let axis): [Attribute("axis", axis)]
        case .reduce(let op, let axes): [Attribute("operation", op.name), Attribute("axes", axes)]
        case .cumulative(let op, let axis, let reversed):
            [Attribute("operation", op.name), Attribute("axis", axis), Attribute("reversed", .flag(reversed))]
        case .normalize(let op, let axis): [Attribute("operation", op.name), Attribute("axis", axis)]
        case .custom(let function): [Attribute("operation", function.name)] + function.attributes
        }
    }
}
