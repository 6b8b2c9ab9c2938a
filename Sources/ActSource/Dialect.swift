// What operations are called in each framework: one exhaustive `switch` for each kind of operation.

import ActArray
import ActGrad

extension SourceFramework {
    /// What stands before the names of its functions of arrays.
    var prefix: String {
        switch self {
        case .torch: "torch."
        case .jax: "jnp."
        case .keras: "ops."
        }
    }

    func call(_ name: String, _ arguments: Python...) -> Python { .call(prefix + name, arguments) }

    private func name(torch: String?, jax: String?, keras: String?) -> String? {
        switch self {
        case .torch: torch
        case .jax: jax
        case .keras: keras
        }
    }

    /// The function's name; `nil` where the framework has none.
    func name(of operation: UnaryOperation) -> String? {
        func same(_ name: String, numpy: String? = nil) -> String? { prefix + (self == .torch ? name : numpy ?? name) }
        switch operation {
        case .neg, .reciprocal: return nil  // written with signs
        case .abs: return same("abs")
        case .sign: return same("sign")
        case .sqrt: return same("sqrt")
        case .square: return same("square")
        case .exp: return same("exp")
        case .expm1: return same("expm1")
        case .log: return same("log")
        case .log2: return same("log2")
        case .log10: return same("log10")
        case .log1p: return same("log1p")
        case .sin: return same("sin")
        case .cos: return same("cos")
        case .tan: return same("tan")
        case .asin: return same("asin", numpy: "arcsin")
        case .acos: return same("acos", numpy: "arccos")
        case .atan: return same("atan", numpy: "arctan")
        case .sinh: return same("sinh")
        case .cosh: return same("cosh")
        case .tanh: return same("tanh")
        case .asinh: return same("asinh", numpy: "arcsinh")
        case .acosh: return same("acosh", numpy: "arccosh")
        case .atanh: return same("atanh", numpy: "arctanh")
        case .erf: return name(torch: "torch.erf", jax: "jax.scipy.special.erf", keras: "ops.erf")
        case .erfc: return name(torch: "torch.erfc", jax: "jax.scipy.special.erfc", keras: nil)
        case .floor: return same("floor")
        case .ceil: return same("ceil")
        case .round: return same("round")
        case .trunc: return same("trunc")
        case .sigmoid: return name(torch: "torch.sigmoid", jax: "jax.nn.sigmoid", keras: "ops.sigmoid")
        case .logSigmoid: return name(torch: "F.logsigmoid", jax: "jax.nn.log_sigmoid", keras: "ops.log_sigmoid")
        case .softplus: return name(torch: "F.softplus", jax: "jax.nn.softplus", keras: "ops.softplus")
        case .silu: return name(torch: "F.silu", jax: "jax.nn.silu", keras: "ops.silu")
        case .gelu: return name(torch: "F.gelu", jax: nil, keras: nil)  // approximations unless told otherwise
        case .mish: return name(torch: "F.mish", jax: "jax.nn.mish", keras: "keras.activations.mish")
        case .elu1: return name(torch: "F.elu", jax: "jax.nn.elu", keras: "ops.elu")
        case .selu: return name(torch: "F.selu", jax: "jax.nn.selu", keras: "ops.selu")
        case .relu: return name(torch: "F.relu", jax: "jax.nn.relu", keras: "ops.relu")
        case .relu6: return name(torch: "F.relu6", jax: "jax.nn.relu6", keras: "ops.relu6")
        case .hardSigmoid: return name(torch: "F.hardsigmoid", jax: "jax.nn.hard_sigmoid", keras: "ops.hard_sigmoid")
        case .hardSwish: return name(torch: "F.hardswish", jax: "jax.nn.hard_swish", keras: "ops.hard_silu")
        case .softsign: return name(torch: "F.softsign", jax: "jax.nn.soft_sign", keras: "keras.activations.softsign")
        case .tanhShrink: return name(torch: "F.tanhshrink", jax: nil, keras: nil)
        case .geluTanh, .geluSigmoid, .relu2, .lisht, .logcosh, .gaussian, .sinc, .squareplus4, .bentIdentity, .serf, .tanhexp, .sigmoidD, .logSigmoidD,
            .softplusD, .tanhD, .siluD, .geluD, .geluTanhD, .geluSigmoidD, .mishD, .elu1D, .seluD, .reluD, .relu6D, .relu2D, .hardSigmoidD, .hardSwishD,
            .softsignD, .tanhShrinkD, .arctanD, .erfD, .lishtD, .logcoshD, .gaussianD, .sincD, .squareplus4D, .bentIdentityD, .serfD, .tanhexpD:
            return nil
        }
    }

    /// Arithmetic and what else has a sign or a function of two arrays; `nil` for compositions.
    /// - Parameter isNumber: Whether an operand is one number as it stands.
    func binary(_ operation: BinaryOperation, _ a: Python, _ b: Python, isNumber: (Bool, Bool)) -> Python? {
        switch operation {
        case .add: return a + b
        case .sub: return a - b
        case .mul: return a * b
        case .div: return a / b
        case .pow: return Python("\(a.within(.atom)) ** \(b.within(.atom))", .power)
        case .floordiv: return call("floor", a / b)
        case .mod: return self == .torch ? call("remainder", a, b) : call("mod", a, b)
        case .min: return extreme("minimum", "max", a, b, isNumber)
        case .max: return extreme("maximum", "min", a, b, isNumber)
        case .atan2: return self == .torch ? call("atan2", a, b) : call("arctan2", a, b)
        case .hypot, .copysign, .leaky, .leakyD, .elu, .eluD, .celu, .celuD, .softplusBeta, .softplusBetaD, .siluBeta, .siluBetaD, .squareplus, .squareplusD,
            .isru, .isruD, .snake, .snakeD, .siren, .sirenD:
            return nil
        }
    }

    /// PyTorch's takes arrays alone.
    private func extreme(_ name: String, _ bound: String, _ a: Python, _ b: Python, _ isNumber: (Bool, Bool)) -> Python {
        guard self == .torch, isNumber.0 != isNumber.1 else { return call(name, a, b) }
        return call("clamp", isNumber.0 ? b : a, Python("\(bound)=\(isNumber.0 ? a.text : b.text)"))
    }

    func compare(_ operation: CompareOperation, _ a: Python, _ b: Python) -> Python { .infix(a, operation.name, b) }

    func select(_ condition: Python, _ a: Python, _ b: Python) -> Python { call("where", condition, a, b) }
}
