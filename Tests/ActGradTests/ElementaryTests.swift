import ActArray
import ActGrad
import Testing

/// What exporters write in place of kernels that other systems lack.
@Suite struct ElementaryTests {
    private static let points: [Double] =
        [
            0, 1e-9, -1e-9, 0.001, -0.001, 0.1, -0.1, 0.24, 0.26, -0.26, 0.49, 0.51, -0.49, -0.51, 0.99, 1.01, -0.99, -1.01, 1.5, -1.5, 2.5, -2.5, 2.999, 3.001,
            -3.5,
        ]
        + [5, -5, 5.5, 6.5, 9.9, 10.1, -12, 20, -20, 80, -80, 300, -300, 1e6, -1e6]

    /// Beside the largest number on the way, which x and the value bound.
    private func isNear(_ a: Double, _ b: Double, _ x: Double) -> Bool {
        if a.isNaN || b.isNaN { return a.isNaN && b.isNaN }
        return a == b || (a - b).magnitude <= 1e-13 * max(1, b.magnitude, min(x.magnitude, 1e3))
    }

    @Test(arguments: UnaryOperation.allCases)
    func compositionIsTheKernel(_ operation: UnaryOperation) {
        guard let composition = operation.composition else { return }
        #expect(composition.isElementary, "\(operation)")
        let program = FormulaProgram(composition)
        for x in Self.points {
            let (found, expected) = (program(x), Scalar.unary(operation, x))
            #expect(isNear(found, expected, x), "\(operation) at \(x): \(found), the kernel gives \(expected)")
        }
    }

    @Test(arguments: BinaryOperation.allCases)
    func compositionOfTwoIsTheKernel(_ operation: BinaryOperation) {
        guard let composition = operation.composition else { return }
        #expect(composition.isElementary, "\(operation)")
        let program = FormulaProgram(composition)
        // Parameters of activations are positive; the others are functions of any two numbers.
        let second: [Double] = [.atan2, .hypot, .copysign].contains(operation) ? [-3, -0.5, 0, 0.5, 4] : [0.25, 1, 3]
        for x in Self.points where x.magnitude < 1e4 {
            for p in second {
                let (found, expected) = (program([x, p]), Scalar.binary(operation, x, p))
                #expect(isNear(found, expected, x * max(1, p)), "\(operation) at \(x), \(p): \(found), the kernel gives \(expected)")
            }
        }
    }
}

extension Formula {
    /// Made of operations without a composition of their own.
    fileprivate var isElementary: Bool {
        switch self {
        case .input, .result, .number: true
        case .unary(let operation, let a): operation.composition == nil && a.isElementary
        case .binary(let operation, let a, let b): operation.composition == nil && a.isElementary && b.isElementary
        case .compare(_, let a, let b): a.isElementary && b.isElementary
        case .select(let c, let a, let b): c.isElementary && a.isElementary && b.isElementary
        }
    }
}
