"""The exact functions, in mpmath at 60 digits, named as the kernels are. None stands for NaN. Definitions: see the header ActOperations.h."""
import mpmath as mp

mp.mp.dps = 60
inf, pi = mp.inf, mp.pi
D = mp.mpf


def E(x):
    """e^x, with under- and overflow far outside both element types settled at once."""
    return D(0) if x < -20000 else inf if x > 20000 else mp.exp(x)


def expm1(x):
    return D(-1) if x < -20000 else inf if x > 20000 else mp.expm1(x)


def sigma(x):
    return 1 / (1 + E(-x)) if x > -20000 else D(0)


def softplus(x):
    return x if x > 20000 else mp.log1p(E(x)) if x < 0 else x + mp.log1p(E(-x))


def tanh(x):
    return mp.sign(x) if abs(x) > 20000 else mp.tanh(x)


def sech2(x):
    return D(0) if abs(x) > 20000 else 1 / mp.cosh(x) ** 2


def erfc(x):
    return D(0) if x > 1000 else D(2) if x < -1000 else mp.erfc(x)


def erf(x):
    return mp.sign(x) if abs(x) > 1000 else mp.erf(x)


def bell(x):
    return D(0) if abs(x) > 1000 else mp.exp(-x * x)


def phi(x):
    return bell(x / mp.sqrt(2)) / mp.sqrt(2 * pi)


def Phi(x):
    return erfc(-x / mp.sqrt(2)) / 2


def gate(x, t):
    return D(0) if t < -20000 else x * sigma(t)


def gate_d(x, t, slope):
    return D(0) if t < -20000 else D(1) if t > 20000 else sigma(t) + x * slope * sigma(t) * sigma(-t)


A, B = 2 * mp.sqrt(2 / pi), 2 * mp.sqrt(2 / pi) * D("0.044715")
LAMBDA, ALPHA = D("1.0507009873554804934"), D("1.6732632423543772848")


def half_even(x):
    f = mp.floor(x)
    d = x - f
    return f if d < 0.5 or (d == 0.5 and f % 2 == 0) else f + 1


def tanh_shrink(x):
    return x**3 / 3 - 2 * x**5 / 15 if abs(x) < 1e-12 else x - tanh(x)


def logcosh(x):
    return x**2 / 2 - x**4 / 12 if abs(x) < 1e-12 else abs(x) - mp.log(2) + mp.log1p(E(-2 * abs(x)))


def mish(x):
    return D(0) if x < -20000 else x * tanh(softplus(x))


def mish_d(x):
    return D(0) if x < -20000 else D(1) if x > 20000 else tanh(softplus(x)) + x * sech2(softplus(x)) * sigma(x)


def sinc_d(x):
    return -x / 3 + x**3 / 30 if abs(x) < 1e-12 else (x * mp.cos(x) - mp.sin(x)) / x**2


def serf(x):
    return D(0) if x < -20000 else x * erf(softplus(x))


def serf_d(x):
    return D(0) if x < -20000 else D(1) if x > 20000 else erf(softplus(x)) + x * 2 / mp.sqrt(pi) * bell(softplus(x)) * sigma(x)


def tanhexp(x):
    return D(0) if x < -20000 else x * tanh(E(x))


def tanhexp_d(x):
    return D(0) if x < -20000 else D(1) if x > 100 else tanh(E(x)) + x * E(x) * sech2(E(x))


def domain(ok, f):
    return lambda x: f(x) if ok(x) else None


def squareplus(x, b):
    r = mp.sqrt(x * x + b)
    return (x + r) / 2 if x >= 0 else b / (2 * (r - x))


def squareplus_d(x, b):
    r = mp.sqrt(x * x + b)
    return (1 + x / r) / 2 if x >= 0 else b / (2 * r * (r - x))


def relu(x):
    return max(x, D(0))


UNARY = {
    "neg": lambda x: -x, "abs": abs, "sign": mp.sign, "sqrt": domain(lambda x: x >= 0, mp.sqrt), "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x if x else inf,
    "exp": E, "expm1": expm1,
    "log": domain(lambda x: x >= 0, lambda x: mp.log(x) if x else -inf),
    "log2": domain(lambda x: x >= 0, lambda x: mp.log(x, 2) if x else -inf),
    "log10": domain(lambda x: x >= 0, lambda x: mp.log10(x) if x else -inf),
    "log1p": domain(lambda x: x >= -1, lambda x: mp.log1p(x) if x > -1 else -inf),
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan,
    "asin": domain(lambda x: abs(x) <= 1, mp.asin), "acos": domain(lambda x: abs(x) <= 1, mp.acos), "atan": mp.atan,
    "sinh": lambda x: mp.sinh(x) if abs(x) < 20000 else inf * mp.sign(x), "cosh": lambda x: mp.cosh(x) if abs(x) < 20000 else inf,
    "tanh": tanh, "asinh": mp.asinh, "acosh": domain(lambda x: x >= 1, mp.acosh),
    "atanh": domain(lambda x: abs(x) <= 1, lambda x: mp.atanh(x) if abs(x) < 1 else x * inf),
    "erf": erf, "erfc": erfc,
    "floor": mp.floor, "ceil": mp.ceil, "round": half_even, "trunc": lambda x: mp.sign(x) * mp.floor(abs(x)),
    "sigmoid": sigma, "log_sigmoid": lambda x: -softplus(-x), "softplus": softplus,
    "silu": lambda x: gate(x, x), "gelu": lambda x: x * Phi(x), "gelu_tanh": lambda x: gate(x, A * x + B * x**3),
    "gelu_sigmoid": lambda x: gate(x, D("1.702") * x), "mish": mish,
    "elu1": lambda x: x if x > 0 else expm1(x), "selu": lambda x: LAMBDA * (x if x > 0 else ALPHA * expm1(x)),
    "relu": relu, "relu6": lambda x: min(relu(x), D(6)), "relu2": lambda x: relu(x) ** 2,
    "hard_sigmoid": lambda x: min(relu(x + 3), D(6)) / 6, "hard_swish": lambda x: x * min(relu(x + 3), D(6)) / 6,
    "softsign": lambda x: x / (1 + abs(x)), "tanh_shrink": tanh_shrink, "lisht": lambda x: x * tanh(x), "logcosh": logcosh,
    "gaussian": bell, "sinc": lambda x: mp.sin(x) / x if x else D(1), "squareplus4": lambda x: squareplus(x, 4),
    "bent_identity": lambda x: x + x * x / (2 * (mp.sqrt(x * x + 1) + 1)), "serf": serf, "tanhexp": tanhexp,
    "sigmoid_d": lambda x: sigma(x) * sigma(-x), "log_sigmoid_d": lambda x: sigma(-x), "softplus_d": sigma, "tanh_d": sech2,
    "silu_d": lambda x: gate_d(x, x, 1), "gelu_d": lambda x: Phi(x) + x * phi(x),
    "gelu_tanh_d": lambda x: gate_d(x, A * x + B * x**3, A + 3 * B * x * x),
    "gelu_sigmoid_d": lambda x: gate_d(x, D("1.702") * x, D("1.702")), "mish_d": mish_d,
    "elu1_d": lambda x: D(1) if x > 0 else E(x), "selu_d": lambda x: LAMBDA * (1 if x > 0 else ALPHA * E(x)),
    "relu_d": lambda x: D(x > 0), "relu6_d": lambda x: D(0 < x < 6), "relu2_d": lambda x: 2 * relu(x),
    "hard_sigmoid_d": lambda x: D(1) / 6 if abs(x) < 3 else D(0),
    "hard_swish_d": lambda x: D(0) if x <= -3 else D(1) if x >= 3 else (2 * x + 3) / 6,
    "softsign_d": lambda x: 1 / (1 + abs(x)) ** 2, "tanh_shrink_d": lambda x: tanh(x) ** 2, "arctan_d": lambda x: 1 / (1 + x * x),
    "erf_d": lambda x: 2 / mp.sqrt(pi) * bell(x), "lisht_d": lambda x: tanh(x) + x * sech2(x), "logcosh_d": tanh,
    "gaussian_d": lambda x: -2 * x * bell(x), "sinc_d": sinc_d, "squareplus4_d": lambda x: squareplus_d(x, 4),
    "bent_identity_d": lambda x: x / (2 * mp.sqrt(x * x + 1)) + 1, "serf_d": serf_d, "tanhexp_d": tanhexp_d,
}


def power(x, y):
    if x == 0:
        return D(1) if y == 0 else D(0) if y > 0 else inf
    if x < 0 and y != mp.floor(y):
        return None
    m = y * mp.log(abs(x))
    r = D(0) if m < -20000 else inf if m > 20000 else mp.exp(m)
    return -r if x < 0 and y % 2 == 1 else r


def modulo(x, y):
    return None if y == 0 else x - y * mp.floor(x / y)


BINARY = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y if y else (None if x == 0 else inf * mp.sign(x)), "pow": power,
    "floordiv": lambda x, y: mp.floor(x / y) if y else (None if x == 0 else inf * mp.sign(x)), "mod": modulo,
    "min": min, "max": max, "atan2": mp.atan2, "hypot": mp.hypot,
    "copysign": lambda x, y: abs(x) if y >= 0 else -abs(x),
    "leaky": lambda x, s: x if x > 0 else s * x, "leaky_d": lambda x, s: D(1) if x > 0 else s,
    "elu": lambda x, a: x if x > 0 else a * expm1(x), "elu_d": lambda x, a: D(1) if x > 0 else a * E(x),
    "celu": lambda x, a: x if x > 0 else a * expm1(x / a), "celu_d": lambda x, a: D(1) if x > 0 else E(x / a),
    "softplus_beta": lambda x, b: softplus(b * x) / b, "softplus_beta_d": lambda x, b: sigma(b * x),
    "silu_beta": lambda x, b: gate(x, b * x), "silu_beta_d": lambda x, b: gate_d(x, b * x, b),
    "squareplus": squareplus, "squareplus_d": squareplus_d,
    "isru": lambda x, a: x / mp.sqrt(1 + a * x * x), "isru_d": lambda x, a: (1 + a * x * x) ** D("-1.5"),
    "snake": lambda x, a: x + mp.sin(a * x) ** 2 / a, "snake_d": lambda x, a: 1 + mp.sin(2 * a * x),
    "siren": lambda x, w: mp.sin(w * x), "siren_d": lambda x, w: w * mp.cos(w * x),
}
PARAMETERS = {  # what the second operand is drawn from; the others take numbers like the first
    "leaky": (0.01, 0.25, -0.5), "elu": (1.0, 0.5, 1.7), "celu": (1.0, 0.3, 2.5), "softplus_beta": (1.0, 2.0, 0.1, 7.3), "silu_beta": (1.0, 1.3, 0.2, -2.0),
    "squareplus": (4.0, 1.0, 0.07), "isru": (1.0, 0.3, 3.0), "snake": (1.0, 0.2, 5.0), "siren": (30.0, 1.0, 0.3),
}
# Derivatives with zeros of their own: beside those the error is measured against the scale.
ZEROS = {"silu_d", "gelu_d", "gelu_tanh_d", "gelu_sigmoid_d", "mish_d", "hard_swish_d", "serf_d", "tanhexp_d", "sinc_d", "snake_d", "siren_d",
         "silu_beta_d"}
