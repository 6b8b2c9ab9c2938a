// What the operations of arrays are in mathematics: each kernel by its definition, rows by their formulas.
//
// What must stay true: one exhaustive `switch` for each kind of operation, so that the compiler names the place for a new one.

import ActArray
import ActGrad

extension Algebra {
    // MARK: Kernels

    func value(of operation: UnaryOperation, _ x: Term) -> Term {
        switch operation {
        case .neg: return -x
        case .abs: return call(.abs, [x])
        case .sign: return call(.sign, [x])
        case .sqrt: return x.root
        case .square: return x.squared
        case .reciprocal: return 1 / x
        case .exp: return call(.exp, [x])
        case .expm1: return call(.exp, [x]) - 1
        case .log: return call(.log, [x])
        case .log2: return call(.log2, [x])
        case .log10: return call(.log10, [x])
        case .log1p:
            // log(1 + eᵘ) has a slope of its own.
            if case .call(.exp, let u) = x.node { return call(.softplus, [term(u[0])]) }
            return call(.log, [1 + x])
        case .sin: return call(.sin, [x])
        case .cos: return call(.cos, [x])
        case .tan: return call(.tan, [x])
        case .asin: return call(.asin, [x])
        case .acos: return call(.acos, [x])
        case .atan: return call(.atan, [x])
        case .sinh: return call(.sinh, [x])
        case .cosh: return call(.cosh, [x])
        case .tanh: return call(.tanh, [x])
        case .asinh: return call(.asinh, [x])
        case .acosh: return call(.acosh, [x])
        case .atanh: return call(.atanh, [x])
        case .erf: return call(.erf, [x])
        case .erfc: return call(.erfc, [x])
        case .floor: return call(.floor, [x])
        case .ceil: return call(.ceil, [x])
        case .round: return call(.round, [x])
        case .trunc: return call(.trunc, [x])
        case .sigmoid: return call(.sigma, [x])
        case .logSigmoid: return call(.log, [call(.sigma, [x])])
        case .softplus: return call(.softplus, [x])
        case .silu: return x * call(.sigma, [x])
        case .gelu: return x * call(.normal, [x])
        case .geluTanh: return x / 2 * (1 + call(.tanh, [(2 / pi).root * (x + 0.044715 * x.to(.fraction(3, 1)))]))
        case .geluSigmoid: return x * call(.sigma, [1.702 * x])
        case .mish: return x * call(.tanh, [call(.softplus, [x])])
        case .elu1: return value(of: .elu, x, number(1))
        case .selu:
            let scale = number(1.0507009873554804934), alpha = number(1.6732632423543772848)
            return choose(compare(.greater, x, number(0)), scale * x, scale * alpha * (call(.exp, [x]) - 1))
        case .relu: return call(.max, [number(0), x])
        case .relu6: return call(.clip, [x, number(0), number(6)])
        case .relu2: return call(.max, [number(0), x]).squared
        case .hardSigmoid: return call(.clip, [x / 6 + 0.5, number(0), number(1)])
        case .hardSwish: return x * call(.clip, [x + 3, number(0), number(6)]) / 6
        case .softsign: return x / (1 + call(.abs, [x]))
        case .tanhShrink: return x - call(.tanh, [x])
        case .lisht: return x * call(.tanh, [x])
        case .logcosh: return call(.log, [call(.cosh, [x])])
        case .gaussian: return call(.exp, [-x.squared])
        case .sinc: return call(.sinc, [x])
        case .squareplus4: return value(of: .squareplus, x, number(4))
        case .bentIdentity: return ((x.squared + 1).root - 1) / 2 + x
        case .serf: return x * call(.erf, [call(.softplus, [x])])
        case .tanhexp: return x * call(.tanh, [call(.exp, [x])])
        case .sigmoidD: return slope(of: .sigmoid, x)
        case .logSigmoidD: return slope(of: .logSigmoid, x)
        case .softplusD: return slope(of: .softplus, x)
        case .tanhD: return slope(of: .tanh, x)
        case .siluD: return slope(of: .silu, x)
        case .geluD: return slope(of: .gelu, x)
        case .geluTanhD: return slope(of: .geluTanh, x)
        case .geluSigmoidD: return slope(of: .geluSigmoid, x)
        case .mishD: return slope(of: .mish, x)
        case .elu1D: return slope(of: .elu1, x)
        case .seluD: return slope(of: .selu, x)
        case .reluD: return slope(of: .relu, x)
        case .relu6D: return slope(of: .relu6, x)
        case .relu2D: return slope(of: .relu2, x)
        case .hardSigmoidD: return slope(of: .hardSigmoid, x)
        case .hardSwishD: return slope(of: .hardSwish, x)
        case .softsignD: return slope(of: .softsign, x)
        case .tanhShrinkD: return slope(of: .tanhShrink, x)
        case .arctanD: return slope(of: .atan, x)
        case .erfD: return slope(of: .erf, x)
        case .lishtD: return slope(of: .lisht, x)
        case .logcoshD: return slope(of: .logcosh, x)
        case .gaussianD: return slope(of: .gaussian, x)
        case .sincD: return slope(of: .sinc, x)
        case .squareplus4D: return slope(of: .squareplus4, x)
        case .bentIdentityD: return slope(of: .bentIdentity, x)
        case .serfD: return slope(of: .serf, x)
        case .tanhexpD: return slope(of: .tanhexp, x)
        }
    }

    func value(of operation: BinaryOperation, _ x: Term, _ p: Term) -> Term {
        switch operation {
        case .add: return x + p
        case .sub: return x - p
        case .mul: return x * p
        case .div: return x / p
        case .pow: return power(x, p)
        case .floordiv: return call(.floordiv, [x, p])
        case .mod: return call(.mod, [x, p])
        case .min:
            // min(max(x, lo), hi) is a clip where the bounds are plain.
            if case .call(.max, let inner) = x.node, inner.count == 2, isPlain(p), isPlain(term(inner[1])), !isPlain(term(inner[0])) {
                return call(.clip, [term(inner[0]), term(inner[1]), p])
            }
            return call(.min, [x, p])
        case .max: return call(.max, [x, p])
        case .atan2: return call(.atan2, [x, p])
        case .hypot: return (x.squared + p.squared).root
        case .copysign: return call(.copysign, [x, p])
        case .leaky: return choose(compare(.greater, x, number(0)), x, p * x)
        case .elu: return choose(compare(.greater, x, number(0)), x, p * (call(.exp, [x]) - 1))
        case .celu: return choose(compare(.greater, x, number(0)), x, p * (call(.exp, [x / p]) - 1))
        case .softplusBeta: return call(.softplus, [p * x]) / p
        case .siluBeta: return x * call(.sigma, [p * x])
        case .squareplus: return (x + (x.squared + p).root) / 2
        case .isru: return x / (1 + p * x.squared).root
        case .snake: return x + call(.sin, [p * x]).squared / p
        case .siren: return call(.sin, [p * x])
        case .leakyD: return slope(of: .leaky, x, p)
        case .eluD: return slope(of: .elu, x, p)
        case .celuD: return slope(of: .celu, x, p)
        case .softplusBetaD: return slope(of: .softplusBeta, x, p)
        case .siluBetaD: return slope(of: .siluBeta, x, p)
        case .squareplusD: return slope(of: .squareplus, x, p)
        case .isruD: return slope(of: .isru, x, p)
        case .snakeD: return slope(of: .snake, x, p)
        case .sirenD: return slope(of: .siren, x, p)
        }
    }

    /// Made of numbers and parameters.
    private func isPlain(_ term: Term) -> Bool {
        !reachable(from: [term]).contains { id in
            if case .symbol(let name) = nodes[id] { name == Algebra.place || name == variableName } else { false }
        }
    }

    private static let place = "·"

    private func slope(of operation: UnaryOperation, _ x: Term) -> Term { slope(at: x) { value(of: operation, $0) } }
    private func slope(of operation: BinaryOperation, _ x: Term, _ p: Term) -> Term { slope(at: x) { value(of: operation, $0, p) } }

    /// The derivative of a function at a term.
    @inline(never)
    func slope(at x: Term, order: Int = 1, _ function: (Term) -> Term) -> Term {
        let place = symbol(Algebra.place)
        var result = function(place)
        for _ in 0..<order { result = derivative(of: result, in: place) }
        return substituted(result, [place: x])
    }

    // MARK: Rows

    /// A formula of rows and rules in terms.
    func value(of formula: Formula, _ inputs: [Term]) -> Term {
        switch formula {
        case .input(let index): return inputs.indices.contains(index) ? inputs[index] : number(Coefficient(.nan))
        case .result: return number(Coefficient(.nan))
        case .number(let value): return number(value)
        case .unary(let operation, let a): return value(of: operation, value(of: a, inputs))
        case .binary(let operation, let a, let b): return value(of: operation, value(of: a, inputs), value(of: b, inputs))
        case .compare(let operation, let a, let b): return compare(Relation(operation), value(of: a, inputs), value(of: b, inputs))
        case .select(let condition, let a, let b):
            return choose(value(of: condition, inputs), value(of: a, inputs), value(of: b, inputs))
        }
    }

    /// An elementwise row of x and all its parameters; `nil` for a row of another kind.
    package func value(of row: ActivationRow, _ inputs: [Term]) -> Term? {
        guard case .elementwise(let body) = row.body else { return nil }
        return value(of: row.definition ?? body.value, inputs)
    }

    /// The definition of a row that has a name of its own in mathematics.
    package func definition(of row: ActivationRow, _ inputs: [Term]) -> Term? {
        switch value(of: row, inputs)?.node {
        case .call(.sigma, let u): return 1 / (1 + call(.exp, [-term(u[0])]))
        case .call(.tanh, let u):
            let (up, down) = (call(.exp, [term(u[0])]), call(.exp, [-term(u[0])]))
            return (up - down) / (up + down)
        default: return value(of: row, inputs)
        }
    }
}

extension Relation {
    init(_ operation: CompareOperation) {
        switch operation {
        case .eq: self = .equal
        case .ne: self = .unequal
        case .lt: self = .less
        case .le: self = .lessOrEqual
        case .gt: self = .greater
        case .ge: self = .greaterOrEqual
        }
    }
}
