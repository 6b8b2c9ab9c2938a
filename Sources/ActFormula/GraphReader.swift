// Graphs of functions of numbers as formulas.
//
// What must stay true: what is not a formula is named with its place, never left out.

import ActArray
import ActGrad

extension Algebra {
    private static let mostNodes = 4_000

    /// What a graph of one result computes.
    /// - Parameter inputs: What stands for the arguments.
    /// - Throws: `FormulaPart` for an operation that no formula has; `FormulaError.tooLong`.
    package func value(of graph: Graph, _ inputs: [Term]) throws -> Term {
        guard graph.nodes.count <= Algebra.mostNodes else { throw FormulaError.tooLong }
        var terms: [Term] = []
        for node in graph.nodes {
            try Interrupt.check()
            let operands = node.operands.map { terms[$0] }
            switch node.source {
            case .input(let number): terms.append(inputs[number])
            case .constant(let array): terms.append(try constant(array, node.site))
            case .size: throw GraphError.dependsOnSize(at: node.site)
            case .operation(let primitive): terms.append(try value(of: primitive, operands, graph, node))
            }
            try check()
        }
        guard let output = graph.outputs.first else { throw FormulaError.tooLong }
        return terms[output]
    }

    private func constant(_ array: NDArray, _ site: Site) throws -> Term {
        guard array.count == 1 else { throw FormulaPart(name: nil, site: site) }
        let number = try array.item()
        return array.type == .bool ? truth(number != 0) : self.number(number)
    }

    private func value(of primitive: Primitive, _ x: [Term], _ graph: Graph, _ node: Graph.Node) throws -> Term {
        let unfit = FormulaPart(name: primitive.attributes.first { $0.name == "operation" }?.text ?? primitive.kind.name, site: node.site)
        switch primitive {
        case .unary(let operation): return value(of: operation, x[0])
        case .binary(let operation): return value(of: operation, x[0], x[1])
        case .compare(let operation): return compare(Relation(operation), x[0], x[1])
        case .logical(.and): return and(x[0], x[1])
        case .logical(.or): return or(x[0], x[1])
        case .logical(.xor): return or(and(x[0], not(x[1])), and(not(x[0]), x[1]))
        case .logical(.not): return not(x[0])
        case .select: return choose(x[0], x[1], x[2])
        case .convert:
            let before = graph.nodes[node.operands[0]].type
            if before == .bool, node.type != .bool { return choose(x[0], number(1), number(0)) }
            return before != .bool && node.type == .bool ? compare(.unequal, x[0], number(0)) : x[0]
        // Of one element they change nothing.
        case .reshape, .transpose, .broadcast, .slice, .reduce(.sum, _), .reduce(.prod, _), .reduce(.max, _), .reduce(.min, _), .cumulative:
            guard node.shape.allSatisfy({ $0 == 1 }), graph.nodes[node.operands[0]].shape.allSatisfy({ $0 == 1 }) else { throw unfit }
            return x[0]
        case .custom(let row as RowFunction):
            var rest = x.dropFirst()
            let parameters = row.numbers.map { $0.map { number($0) } ?? rest.removeFirst() }
            guard case .elementwise = row.row.body else { throw unfit }
            return slope(at: x[0], order: row.order) { self.value(of: row.row, [$0] + parameters) ?? $0 }
        case .custom(is Rule.Product): return x[0] * x[1]
        case .custom(let function):
            guard x.count == 1, function.attributes.isEmpty, function.isElementwise, function is Barrier else { throw unfit }
            return x[0]
        case .data, .variable, .test, .unslice, .gather, .scatterAdd, .concatenate, .matmul, .reduce, .normalize: throw unfit
        }
    }
}

/// An operation that no formula has, and where it ran; no name: elements that were given.
package struct FormulaPart: Error, Equatable {
    package let name: String?
    package let site: Site
}

extension Attribute {
    fileprivate var text: String? { if case .text(let text) = content { text } else { nil } }
}
