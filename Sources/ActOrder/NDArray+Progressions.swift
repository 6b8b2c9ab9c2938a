// Numbers that go evenly from one end to another, also between ends that a derivative follows; ones on a diagonal.

import ActArray
import CActKernels

extension NDArray {
    /// `n` numbers at equal distances, the first `a` and the last exactly `b`.
    package static func linspace(_ a: Double, _ b: Double, _ n: Int) throws -> NDArray {
        let last = n - 1, steps = Double(max(1, last))
        let step = (b - a) / steps
        let overflows = a.isFinite && b.isFinite && !step.isFinite
        // A step among the smallest numbers lacks digits that many steps would show.
        let isCoarse = step.magnitude < 0x1p-960
        let result: NDArray
        if isCoarse || overflows {
            result = try NDArray(shape: [n], type: .f64) { i in
                if isCoarse { return a + Double(i) * (b - a) / steps }
                let part = Double(i) / steps
                return a * (1 - part) + b * part
            }
        } else {
            result = try progression(a, step, n)
        }
        if last > 0 { result.withMutableBytes { $0.storeBytes(of: b, toByteOffset: last &* 8, as: Double.self) } }
        if !a.isFinite || !b.isFinite {
            try NumericEvents.examine("linspace", result) { try NDArray.test($0, NDArray([a, b], shape: [2])).reduced(.any) }
        }
        return result
    }

    /// The same between ends that a derivative may follow.
    package static func linspace(from a: Operand, to b: Operand, _ n: Int) throws -> NDArray {
        let value = try linspace(a.item(), b.item(), n)
        guard a.isTraced || b.isTraced else { return value }
        let parts = try linspace(0, 1, n)
        return try Line.through(a, 1 - parts, b, parts, value: value, "linspace")
    }

    /// `range` from a start in steps that a derivative may follow; where it stops only decides how many elements there are.
    package static func range(from start: Operand, to stop: Double, by step: Operand) throws -> NDArray {
        let value = try range(start.item(), stop, step.item())
        guard start.isTraced || step.isTraced else { return value }
        let places = try NDArray.range(0, Double(value.count), 1)
        return try Line.through(start, NDArray.full(1, shape: value.shape, type: .f64), step, places, value: value, "range")
    }

    /// `n` rows and `m` columns of zeros, with ones where column − row is `k`.
    package static func eye(_ n: Int, _ m: Int? = nil, _ k: Int = 0, type: ElementType = .f64) throws -> NDArray {
        let columns = m ?? n
        let array = try full(0, shape: [n, columns], type: type)
        // The rows whose column is there: of a matrix without columns there may be more than anyone can count.
        let shift = min(max(k, -(1 << 62)), 1 << 62)
        let first = max(0, 0 - shift), count = max(0, min(n, columns - shift) - first)
        try array.withMutableBytes { bytes in
            try Interrupt.forEachPiece(count) { piece in
                for row in first + piece.lowerBound..<first + piece.upperBound {
                    let position = row &* columns &+ row &+ shift
                    switch type {
                    case .bool: bytes.assumingMemoryBound(to: UInt8.self)[position] = 1
                    case .f32: bytes.assumingMemoryBound(to: Float.self)[position] = 1
                    case .f64: bytes.assumingMemoryBound(to: Double.self)[position] = 1
                    }
                }
            }
        }
        return array
    }
}

extension Operand {
    /// The number that it is at the moment: to compute with, not to decide by.
    /// - Throws: `badValue` unless there is one element.
    package func item() throws -> Double {
        switch self {
        case .number(let number): number
        case .array(let array): try array.detached().item()
        }
    }

    package func moved(by distance: Double) throws -> Operand {
        switch self {
        case .number(let number): .number(number + distance)
        case .array(let array): .array(try array + distance)
        }
    }
}

/// Elements a·p + b·q for two numbers a and b: the numbers get the sums of what reaches the elements, times p and q.
private final class Line: CustomFunction {
    let name: String
    let isElementwise = false
    private let weights: [NDArray]
    /// The numbers that are not inputs, with their weights.
    private let fixed: [(number: Operand, weight: NDArray)]

    private init(_ name: String, _ weights: [NDArray], fixed: [(number: Operand, weight: NDArray)]) {
        self.name = name
        self.weights = weights
        self.fixed = fixed
    }

    /// - Parameter value: The elements.
    static func through(_ a: Operand, _ p: NDArray, _ b: Operand, _ q: NDArray, value: NDArray, _ name: String) throws -> NDArray {
        var inputs: [NDArray] = [], weights: [NDArray] = [], fixed: [(number: Operand, weight: NDArray)] = []
        for (number, weight) in [(a, p), (b, q)] {
            guard case .array(let array) = number, array.isTraced else {
                fixed.append((number, weight))
                continue
            }
            inputs.append(array)
            weights.append(weight)
        }
        return try NDArray.custom(Line(name, weights, fixed: fixed), inputs: inputs, value: value)
    }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        try zip(weights, inputs).map { try ($0 * cotangent).reduced(.sum).converted(to: $1.type).reshaped(to: $1.shape) }
    }

    func lowered(_ x: [NDArray]) throws -> NDArray? {
        let terms = try zip(x, weights).map { try $0 * $1 } + fixed.map { try NDArray.binary(.mul, $0.number, .array($0.weight)) }
        guard let first = terms.first else { return nil }
        return try terms.dropFirst().reduce(first) { try $0 + $1 }
    }
}
