// The rule of every primitive against differences of values, to second order, and what rules promise at kinks, zeros and infinities.

import ActArray
import ActGrad
import ActLinear
import Testing

private func close(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-14) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) || $0 == $1 || $0.isNaN && $1.isNaN }
}

private func vector(_ elements: Double..., type: ElementType = .f64) throws -> NDArray {
    try NDArray(elements, shape: [elements.count], type: type)
}

private func slope(_ x: NDArray, _ f: (NDArray) throws -> NDArray) throws -> [Double] {
    try Derivative.derivative(of: f, at: x).toDoubles()
}

private func select(_ condition: NDArray, _ a: NDArray, _ b: NDArray) throws -> NDArray { try NDArray.select(condition, .array(a), .array(b)) }
private func compare(_ op: CompareOperation, _ a: NDArray, _ b: Double) throws -> NDArray { try NDArray.compare(op, .array(a), .number(b)) }
private func max(_ a: NDArray, _ b: Double) throws -> NDArray { try NDArray.binary(.max, .array(a), .number(b)) }

@Suite struct Rules {
    // Where each operation is defined and has neither kink nor pole.
    private static func domain(_ operation: UnaryOperation) -> [Double] {
        switch operation {
        case .sqrt, .log, .log2, .log10, .log1p, .reciprocal: [0.2, 0.7, 1.3, 2.9, 12]
        case .asin, .acos, .atanh: [-0.8, -0.3, 0.1, 0.45, 0.9]
        case .acosh: [1.1, 1.7, 3, 9.5]
        case .tan: [-1.2, -0.6, -0.15, 0.3, 0.8, 3.5]
        default: [-4.3, -2.2, -1.4, -0.6, -0.15, 0.3, 0.8, 1.7, 2.6, 4.4]
        }
    }

    @Test(arguments: UnaryOperation.allCases) func unary(operation: UnaryOperation) throws {
        let points = Rules.domain(operation)
        let x = try NDArray(points, shape: [points.count])
        let f = { (x: NDArray) in try NDArray.unary(operation, x) }
        #expect(try Derivative.checkGradient(of: f, at: x) < 1e-7, "\(operation.name)")
        #expect(try Derivative.checkGradient(of: { try Derivative.derivative(of: f, at: $0) }, at: x) < 1e-7, "\(operation.name)'")
        #expect(try Derivative.derivative(of: f, at: x.converted(to: .f32)).type == .f32)
    }

    @Test(arguments: BinaryOperation.allCases) func binary(operation: BinaryOperation) throws {
        let positive: Set<BinaryOperation> = [.pow, .squareplus, .squareplusD, .isru, .isruD]
        let a = try positive.contains(operation) ? vector(0.4, 1.3, 2.2, 0.7, 3.1) : vector(-2.3, -0.7, 0.4, 1.6, 2.65)
        let b = try vector(1.2, 0.55, 2.7, 0.85, 1.9)
        for traced in [[0], [1], [0, 1]] {
            func f(_ p: [NDArray]) throws -> NDArray {
                try NDArray.binary(operation, .array(traced.contains(0) ? p[0] : a), .array(traced == [1] ? p[0] : traced == [0] ? b : p[1]))
            }
            func packed(_ x: NDArray) throws -> NDArray {
                try traced.count == 1 ? f([x]) : f([x.at(SliceRange(start: 0, step: 1, count: 5)), x.at(SliceRange(start: 5, step: 1, count: 5))])
            }
            let x = traced == [0] ? a : traced == [1] ? b : try NDArray(a.toDoubles() + b.toDoubles(), shape: [10])
            #expect(try Derivative.checkGradient(of: packed, at: x) < 1e-7, "\(operation.name) in \(traced)")
            let squared = { (x: NDArray) in try Derivative.gradient(of: { try packed($0).apply(.square).sum() }, at: x) }
            #expect(try Derivative.checkGradient(of: squared, at: x) < 1e-6, "\(operation.name)' in \(traced)")
        }
    }

    @Test func structure() throws {
        let x = try wave([3, 4], 1)
        func check(_ f: @escaping (NDArray) throws -> NDArray, _ line: Int = #line) throws {
            #expect(try Derivative.checkGradient(of: f, at: x) < 1e-8, "line \(line)")
            let second = { (x: NDArray) in try Derivative.gradient(of: { try (f($0) * f($0)).sum() }, at: x) }
            #expect(try Derivative.checkGradient(of: second, at: x) < 1e-6, "line \(line), second")
        }
        try check { try $0.reshaped(to: [2, 6]) * 2 }
        try check { try $0.transposed() }
        try check { try $0.expandedDims(1).broadcast(to: [3, 5, 4]) }
        try check { try $0.at(SliceRange(start: 2, step: -1, count: 2), SliceRange(start: 1, step: 2, count: 2)) }
        try check { try $0.unsliced([SliceRange(start: 4, step: -2, count: 3), SliceRange(start: 1, step: 1, count: 4)], shape: [5, 6]) }
        try check { try $0.gathered(GatherIndices(starts: [0, 4, 4, 8, 6], chunk: 3), shape: [5, 3]) }
        try check { try $0.scatteredAdd(GatherIndices(starts: [0, 2, 2, 6], chunk: 3), shape: [10]) }
        try check { try NDArray.concatenated([$0, $0.apply(.sin), wave([3, 2], 4)], axis: 1) }
        try check { try NDArray.matmul($0, $0.transposed()) }
        try check { try NDArray.matmul(wave([2, 5, 3], 7), $0) }
        try check { try $0.reduced(.sum, axes: [0]) }
        try check { try $0.reduced(.sum, axes: [1], keepdims: true) * $0 }
        try check { try $0.reduced(.prod, axes: [1]) }
        try check { try $0.reduced(.max, axes: [0]) }
        try check { try $0.reduced(.min) }
        try check { try $0.cumulative(.sum, axis: 1) }
        try check { try $0.cumulative(.sum, axis: 0, reversed: true) }
        try check { try $0.cumulative(.prod, axis: 0) }
        try check { try $0.cumulative(.prod, axis: 1, reversed: true) }
        try check { try $0.softmax(axis: 0) }
        try check { try $0.logSoftmax(axis: -1) }
        try check { try $0.logsumexp(axes: [1]) }
        try check { try $0.variance(axes: [0]) }
        try check { try $0.mean(axes: [1]) }
        try check { try $0.norm() }
        try check { try select(compare(.gt, $0, 0.2), $0.apply(.exp), $0.apply(.square)) }
        let first = SliceRange(start: 0, step: 1, count: 1)
        try check { try NDArray.binary(.max, .array($0), .array($0.at(first, first))) }
    }

    /// What ActArray composes or gives rules of its own.
    @Test func compositions() throws {
        let square = try wave([3, 3], 2) + NDArray.eye(3)
        func check(_ f: @escaping (NDArray) throws -> NDArray, _ line: Int = #line) throws {
            #expect(try Derivative.checkGradient(of: f, at: square) < 1e-8, "line \(line)")
            let second = { (x: NDArray) in try Derivative.gradient(of: { try (f($0) * f($0)).sum() }, at: x) }
            #expect(try Derivative.checkGradient(of: second, at: square) < 1e-6, "line \(line), second")
        }
        let column = try wave([3], 5)
        try check { try $0.inverse() }
        try check { try $0.determinant() }
        try check { try NDArray.solve($0, column) }
        try check { try NDArray.solve(wave([3, 3], 8) + NDArray.eye(3), $0) }
        try check { try NDArray.matmul($0, column) }
        try check { try NDArray.dot(column, $0) }
        try check { try NDArray.outer(.array($0.reshaped(to: [9])), .array(column)) }
        try check { try $0.trace() }
        try check { try $0.sorted() }
        try check { try $0.indexed(by: [.integer(1), .slice(start: nil, stop: nil, step: -1)]) }
        try check { try $0.indexed(by: [.array(NDArray([2, 0, 2], shape: [3]))]) }
        try check { try $0.flipped([1]) }
        try check { x in
            var copy = x
            try copy.assign(.array(x.apply(.square).indexed(by: [.integer(0)])), at: [.integer(2)])
            return copy
        }
    }

    @Test func typesAreKept() throws {
        let x = try vector(0.5, -1.5, 2, type: .f32), w = try vector(2, 3, 4)
        let (value, gradients) = try Derivative.valueAndGradient(of: { try ($0[0] * $0[1]).sum() }, at: [x, w])
        #expect(value.type == .f64 && gradients[0].type == .f32 && gradients[1].type == .f64)
        #expect(try gradients[0].toDoubles() == [2, 3, 4] && gradients[1].toDoubles() == [0.5, -1.5, 2])
        #expect(try slope(x) { try $0.converted(to: .f64) * $0 } == [1, -3, 4])
    }

    // Docs/language.md: max(x, c), min, clip, abs and relu have slope 0 where the varying side ties with a constant; two that vary count half.
    @Test func kinks() throws {
        let x = try vector(-1, 0, 2)
        let zero = try NDArray.scalar(0, type: .f64)
        let rectified: [(NDArray) throws -> NDArray] = [
            { try NDArray.unary(.relu, $0) }, { try max($0, 0) }, { try NDArray.binary(.max, .number(0), .array($0)) },
            { try select(compare(.gt, $0, 0), $0, zero) },
        ]
        for f in rectified { #expect(try slope(x, f) == [0, 0, 1]) }
        #expect(try slope(x) { try $0.apply(.abs) } == [-1, 0, 1])
        #expect(try slope(x) { try NDArray.binary(.min, .array($0), .number(2)) } == [1, 1, 0])
        #expect(try slope(x) { try NDArray.binary(.min, .array(NDArray.binary(.max, .array($0), .number(-1))), .number(2)) } == [0, 1, 0])
        #expect(try slope(x) { try NDArray.binary(.max, .array($0), .array(-$0)) } == [-1, 0, 1])
        #expect(try slope(x) { try NDArray.binary(.max, .array($0), .array(2 * $0)) } == [1, 1.5, 2])
        #expect(try slope(x) { try NDArray.binary(.max, .array($0), .array($0)) } == [1, 1, 1])
        #expect(try slope(x) { try $0.apply(.floor) + $0.apply(.round) + $0.apply(.sign) } == [0, 0, 0])
        // A point of the outer derivative is a constant to the inner one.
        let mixed = try Derivative.derivative(
            of: { a in try Derivative.derivative(of: { try NDArray.binary(.max, .array($0), .array(a)) }, at: a) }, at: x)
        #expect(try mixed.toDoubles() == [0, 0, 0])
    }

    @Test func whatIsNotSelectedContributesNothing() throws {
        let x = try vector(-1, 0, 4)
        let zero = try NDArray.scalar(0, type: .f64)
        func guarded(_ f: @escaping (NDArray) throws -> NDArray) -> (NDArray) throws -> NDArray { { try select(compare(.gt, $0, 0), f($0), zero) } }
        #expect(try slope(x, guarded { try $0.apply(.sqrt) }) == [0, 0, 0.25])
        #expect(try slope(x, guarded { try $0.apply(.log) }) == [0, 0, 0.25])
        #expect(try slope(x, guarded { try 1 / $0 }) == [0, 0, -1 / 16.0])
        #expect(try slope(x, guarded { try NDArray.binary(.pow, .array($0), .number(-0.5)) }) == [0, 0, -1 / 16.0])
        #expect(try slope(x, guarded { try NDArray.binary(.pow, .array($0), .array($0)) })[0...1] == [0, 0])
        #expect(try slope(x, guarded { try ($0 * .infinity) * 0 + $0 }).prefix(2) == [0, 0])
        #expect(try slope(vector(.nan, 3), { try select(NDArray.test(.isnan, $0), zero, $0.apply(.sin)) })[0] == 0)
        // Second derivatives too.
        let second = try Derivative.derivative(of: { try Derivative.derivative(of: guarded { try $0.apply(.sqrt) }, at: $0) }, at: x)
        #expect(try second.toDoubles() == [0, 0, -1 / 32.0])
        // A zero slope is not taken for a constant: (sin x)² has second derivative 2 at 0.
        let square = try Derivative.derivative(of: { try Derivative.derivative(of: { try $0.apply(.sin).apply(.square) }, at: $0) }, at: vector(0))
        #expect(try square.toDoubles() == [2])
    }

    @Test func powers() throws {
        let x = try vector(-2, -1, 0, 1, 3)
        func power(_ p: Double) -> (NDArray) throws -> NDArray { { try NDArray.binary(.pow, .array($0), .number(p)) } }
        #expect(try slope(x, power(0)) == [0, 0, 0, 0, 0])
        #expect(try slope(x, power(1)) == [1, 1, 1, 1, 1])
        #expect(try slope(x, power(2)) == [-4, -2, 0, 2, 6])
        #expect(try slope(x, power(3)) == [12, 3, 0, 3, 27])
        #expect(try slope(x, power(-1)) == [-0.25, -1, -.infinity, -1, -1 / 9.0])
        #expect(try close(slope(x, power(0.5)), [.nan, .nan, .infinity, 0.5, 0.5 / 1.7320508075688772]))
        // In the exponent: x^p log x, 0 at a base of 0.
        let p = try vector(2, 3, 2, 0.5, 2)
        #expect(try close(slope(p) { try NDArray.binary(.pow, .array(x), .array($0)) }, [.nan, .nan, 0, 0, 9 * 1.0986122886681098]))
        #expect(try close(slope(vector(1, 2)) { try NDArray.binary(.pow, .array($0), .array($0)) }, [1, 4 * 1.6931471805599454]))
        // d²/dx² of x^3 and of x² at 0
        for (exponent, expected) in [(3.0, [-12.0, -6, 0, 6, 18]), (2, [2, 2, 2, 2, 2]), (1, [0, 0, 0, 0, 0])] {
            let second = try Derivative.derivative(of: { try Derivative.derivative(of: power(exponent), at: $0) }, at: x)
            #expect(try second.toDoubles() == expected)
        }
    }

    @Test func singularPoints() throws {
        let zeros = try vector(0, 0, 0)
        #expect(try Derivative.gradient(of: { try $0.norm() }, at: zeros).toDoubles() == [0, 0, 0])
        #expect(try Derivative.gradient(of: { try $0.apply(.square).sum().apply(.sqrt) }, at: zeros).toDoubles() == [0, 0, 0])
        #expect(try slope(vector(0)) { try NDArray.binary(.hypot, .array($0), .number(0)) } == [0])
        #expect(try slope(vector(0, 4)) { try $0.apply(.sqrt) } == [.infinity, 0.25])
        #expect(try slope(vector(0, -1, 2)) { try $0.apply(.log) }.prefix(1) == [.infinity])
        #expect(try slope(vector(-1)) { try $0.apply(.log) }[0].isNaN)
        #expect(try Derivative.gradient(of: { try $0.reduced(.max) }, at: vector(1, 3, 3, 2)).toDoubles() == [0, 0.5, 0.5, 0])
        #expect(try Derivative.gradient(of: { try $0.reduced(.min, axes: [0]) }, at: vector(.nan, 1)).toDoubles() == [1, 0])
    }
}
