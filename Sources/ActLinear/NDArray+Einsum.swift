// Sums of products in Einstein's notation, read as NumPy's `einsum` reads it.
//
// What must stay true: everything is made of diagonals, sums, transpositions and products, so that derivatives of every order follow. Terms
// are joined two at a time, those first whose result is smallest beside them.

import ActArray

extension NDArray {
    /// - Parameter subscripts: The axes of each operand by letters, `...` for any number of them, and after `->` those of the result. Without
    ///   `->` the result has the axes of `...`, then the letters that occur once, in alphabetical order.
    /// - Throws: `badValue` for subscripts that are not readable or do not fit, `outOfMemory`, `interrupted`.
    package static func einsum(_ subscripts: String, _ operands: [NDArray]) throws -> NDArray {
        let notation = try EinsteinNotation(subscripts, ranks: operands.map(\.rank))
        var sizes: [EinsteinNotation.Label: Int] = [:]
        for (number, (operand, labels)) in zip(operands, notation.inputs).enumerated() {
            for (label, size) in zip(labels, operand.shape) {
                guard let known = sizes[label], known != 1, size != 1 else {
                    sizes[label] = size == 1 ? sizes[label] ?? 1 : size
                    continue
                }
                guard known == size else { throw EinsteinNotation.fail(.labelSizes(label.letter, size, operand: number, before: known)) }
            }
        }
        var terms = try zip(operands, notation.inputs).map { operand, labels in
            try EinsteinTerm(operand.type == .bool ? operand.converted(to: .f64) : operand, labels).plain(sizes)
        }
        while terms.count > 1 {
            try Interrupt.check()
            let (i, j) = cheapest(terms, notation.output, sizes)
            let second = terms.remove(at: j), first = terms.remove(at: i)
            let needed = Set(notation.output).union(terms.flatMap(\.labels))
            // Where its operands stood, so that results do not depend on ties in the choice.
            terms.insert(try first.joined(with: second, keeping: needed, sizes), at: i)
        }
        guard let last = terms.first else { throw EinsteinNotation.fail(.noOperands) }
        let term = try last.summed(to: Set(notation.output))
        let order = notation.output.compactMap { term.labels.firstIndex(of: $0) }
        return try term.array.transposed(order)
    }

    /// The two terms whose product is smallest beside themselves.
    private static func cheapest(_ terms: [EinsteinTerm], _ output: [EinsteinNotation.Label], _ sizes: [EinsteinNotation.Label: Int]) -> (Int, Int) {
        if terms.count == 2 { return (0, 1) }
        func size(_ labels: Set<EinsteinNotation.Label>) -> Double { labels.reduce(1) { $0 * Double(sizes[$1] ?? 1) } }
        var best = (0, 1), least = Double.infinity
        for i in terms.indices {
            for j in terms.indices where j > i {
                let others = terms.indices.filter { $0 != i && $0 != j }
                let needed = Set(output).union(others.flatMap { terms[$0].labels })
                let both = Set(terms[i].labels).union(terms[j].labels)
                let cost = size(both.intersection(needed)) - Double(terms[i].array.count) - Double(terms[j].array.count)
                if cost < least { (best, least) = ((i, j), cost) }
            }
        }
        return best
    }
}

/// Subscripts, read.
private struct EinsteinNotation {
    /// A letter, or an axis of `...` counted from the last.
    enum Label: Hashable {
        case letter(Character)
        case rest(Int)

        /// `nil` for an axis of `...`.
        var letter: Character? { if case .letter(let letter) = self { letter } else { nil } }
    }

    private(set) var inputs: [[Label]] = []
    private(set) var output: [Label] = []

    static func fail(_ reason: ArrayReason) -> ArrayError { .badValue(operation: "einsum", reason) }

    init(_ subscripts: String, ranks: [Int]) throws {
        guard subscripts.utf8.count <= 1 << 12 else { throw Self.fail(.longSubscripts) }
        let text = subscripts.filter { $0 != " " }
        let sides: [Substring]
        if let arrow = text.firstRange(of: "->") { sides = [text[..<arrow.lowerBound], text[arrow.upperBound...]] } else { sides = [text[...]] }
        let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false)
        guard terms.count == ranks.count else {
            throw Self.fail(.operandCount(named: terms.count, given: ranks.count))
        }
        var widest = 0
        for (number, (term, rank)) in zip(terms, ranks).enumerated() {
            let (before, after) = try Self.letters(term)
            let named = before.count + (after?.count ?? 0)
            guard after == nil ? named == rank : named <= rank else {
                throw Self.fail(.operandRank(rank, operand: number, subscripts: String(term), named: named))
            }
            let rest = rank - named
            widest = max(widest, rest)
            inputs.append(before.map(Label.letter) + (0..<rest).reversed().map(Label.rest) + (after ?? []).map(Label.letter))
        }
        let rest = (0..<widest).reversed().map(Label.rest)
        let known = Set(inputs.flatMap { $0 })
        guard sides.count == 2 else {
            let all = inputs.flatMap { $0 }
            let once = known.compactMap { label -> Character? in
                guard case .letter(let letter) = label, all.count(where: { $0 == label }) == 1 else { return nil }
                return letter
            }
            output = rest + once.sorted().map(Label.letter)
            return
        }
        let (before, after) = try Self.letters(sides[1])
        guard after != nil || rest.isEmpty else { throw Self.fail(.resultLacksEllipsis) }
        output = before.map(Label.letter) + (after == nil ? [] : rest) + (after ?? []).map(Label.letter)
        for label in output {
            guard known.contains(label) else { throw Self.fail(.unknownLabel(label.letter)) }
            guard output.count(where: { $0 == label }) == 1 else { throw Self.fail(.labelTwice(label.letter)) }
        }
    }

    /// The letters before and after `...`; none after where there is no `...`.
    private static func letters(_ term: Substring) throws -> (before: [Character], after: [Character]?) {
        var parts: [Substring] = [term]
        if let dots = term.firstRange(of: "...") { parts = [term[..<dots.lowerBound], term[dots.upperBound...]] }
        for part in parts {
            for character in part where !character.isLetter {
                throw fail(.notALetter(character))
            }
        }
        return (Array(parts[0]), parts.count == 2 ? Array(parts[1]) : nil)
    }
}

/// An array whose axes have labels.
private struct EinsteinTerm {
    let array: NDArray
    let labels: [EinsteinNotation.Label]

    init(_ array: NDArray, _ labels: [EinsteinNotation.Label]) { (self.array, self.labels) = (array, labels) }

    /// The same with every label once (of equal ones the diagonal) and without axes that are stretched to what other operands have.
    func plain(_ sizes: [EinsteinNotation.Label: Int]) throws -> EinsteinTerm {
        for (i, label) in labels.enumerated() {
            guard let j = labels[(i + 1)...].firstIndex(of: label) else { continue }
            guard array.shape[i] == array.shape[j] else {
                throw EinsteinNotation.fail(.labelSizesInOne(label.letter, array.shape[i], array.shape[j]))
            }
            let others = labels.indices.filter { $0 != i && $0 != j }
            let diagonal = try array.transposed([i, j] + others).diagonal()
            return try EinsteinTerm(diagonal, [label] + others.map { labels[$0] }).plain(sizes)
        }
        let kept = labels.indices.filter { array.shape[$0] != 1 || sizes[labels[$0]] == 1 }
        return EinsteinTerm(try array.reshaped(to: kept.map { array.shape[$0] }), kept.map { labels[$0] })
    }

    /// The sum over all labels but those.
    func summed(to kept: Set<EinsteinNotation.Label>) throws -> EinsteinTerm {
        let axes = labels.indices.filter { !kept.contains(labels[$0]) }
        if axes.isEmpty { return self }
        return EinsteinTerm(try array.reduced(.sum, axes: axes), labels.filter(kept.contains))
    }

    /// The product with another, summed over the labels that nobody needs any more.
    func joined(with other: EinsteinTerm, keeping needed: Set<EinsteinNotation.Label>, _ sizes: [EinsteinNotation.Label: Int]) throws -> EinsteinTerm {
        let a = try summed(to: needed.union(other.labels)), b = try other.summed(to: needed.union(a.labels))
        let shared = a.labels.filter(b.labels.contains)
        let batch = shared.filter(needed.contains), summed = shared.filter { !needed.contains($0) }
        let left = a.labels.filter { !shared.contains($0) }, right = b.labels.filter { !shared.contains($0) }
        func count(_ labels: [EinsteinNotation.Label]) -> Int { labels.reduce(1) { $0 &* (sizes[$1] ?? 1) } }
        func shape(_ labels: [EinsteinNotation.Label]) -> [Int] { labels.map { sizes[$0] ?? 1 } }
        let product: NDArray
        if summed.isEmpty {
            let one = try a.ordered(batch + left).reshaped(to: shape(batch + left) + right.map { _ in 1 })
            let two = try b.ordered(batch + right).reshaped(to: shape(batch) + left.map { _ in 1 } + shape(right))
            product = try one * two
        } else {
            let one = try a.ordered(batch + left + summed).reshaped(to: [count(batch), count(left), count(summed)])
            let two = try b.ordered(batch + summed + right).reshaped(to: [count(batch), count(summed), count(right)])
            product = try NDArray.matmul(one, two).reshaped(to: shape(batch + left + right))
        }
        return EinsteinTerm(product, batch + left + right)
    }

    private func ordered(_ order: [EinsteinNotation.Label]) throws -> NDArray {
        try array.transposed(order.compactMap { labels.firstIndex(of: $0) })
    }
}
