"""The elementwise activation rows and their first two derivatives in mpmath, as ACTIVATIONS states them; see make_rows.py.

Every function takes an mpf x and the row's parameters and must be exact to the working precision, however high that is.
"""
from mpmath import mp, mpf, sqrt, log, log1p, exp, expm1, sin, cos, atan, pi, inf, nan, isnan
import mpmath


# Building blocks with their tails cut where no double can tell.
def E(x):
    return exp(x) if abs(x) < 20000 else (mpf(0) if x < 0 else inf)


def sig(x):
    return 1 / (1 + exp(-x)) if abs(x) < 20000 else mpf(1 if x > 0 else 0)


def dsig(x):
    return sig(x) * sig(-x)


def d2sig(x):
    return dsig(x) * (sig(-x) - sig(x))


def sp(x):
    return max(x, mpf(0)) + (log1p(exp(-abs(x))) if abs(x) < 20000 else 0)


def tanh(x):
    return mpmath.tanh(x) if abs(x) < 20000 else mpf(1 if x > 0 else -1)


def sech2(x):
    return mpmath.sech(x) ** 2 if abs(x) < 20000 else mpf(0)


def bell(x):
    return exp(-x * x) if abs(x) < 200 else mpf(0)


def erf(x):
    return mpmath.erf(x) if abs(x) < 200 else mpf(1 if x > 0 else -1)


def Phi(x):
    return mpmath.erfc(-x / sqrt(2)) / 2 if abs(x) < 200 else mpf(1 if x > 0 else 0)


def phi(x):
    return bell(x / sqrt(2)) / sqrt(2 * pi)


def sgn(x):
    return mpf((x > 0) - (x < 0))


def clip(x, a, b):
    return min(max(x, a), b)


Z, ONE = mpf(0), mpf(1)
LAMBDA, ALPHA = '1.0507009873554804934', '1.6732632423543772848'


def gate(g, g1, g2):
    """x g(x) and its derivatives."""
    return (lambda x: x * g(x), lambda x: g(x) + x * g1(x), lambda x: 2 * g1(x) + x * g2(x))


def gelu_tanh():
    c = lambda: 2 * sqrt(2 / pi)
    k = lambda: mpf('0.044715')
    v = lambda x: c() * (x + k() * x ** 3)
    v1 = lambda x: c() * (1 + 3 * k() * x * x)
    v2 = lambda x: 6 * c() * k() * x
    return gate(lambda x: sig(v(x)), lambda x: dsig(v(x)) * v1(x), lambda x: d2sig(v(x)) * v1(x) ** 2 + dsig(v(x)) * v2(x))


def gelu_sigmoid():
    b = lambda: mpf('1.702')
    return gate(lambda x: sig(b() * x), lambda x: b() * dsig(b() * x), lambda x: b() ** 2 * d2sig(b() * x))


def mish():
    g1 = lambda x: sech2(sp(x)) * sig(x)
    g2 = lambda x: sech2(sp(x)) * (dsig(x) - 2 * tanh(sp(x)) * sig(x) ** 2)
    return gate(lambda x: tanh(sp(x)), g1, g2)


def serf():
    d = lambda s: 2 / sqrt(pi) * bell(s)
    return gate(lambda x: erf(sp(x)), lambda x: d(sp(x)) * sig(x),
                lambda x: d(sp(x)) * (dsig(x) - 2 * sp(x) * sig(x) ** 2) if x < 1000 else Z)


def tanhexp():
    g1 = lambda x: E(x) * sech2(E(x)) if x < 100 else Z
    g2 = lambda x: E(x) * sech2(E(x)) * (1 - 2 * E(x) * tanh(E(x))) if x < 100 else Z
    return gate(lambda x: tanh(E(x)) if x < 100 else ONE, g1, g2)


def snake_f(x, a):
    return x + sin(a * x) ** 2 / a


def sinc(x):
    return sin(x) / x if x else ONE


def sinc1(x):
    return (x * cos(x) - sin(x)) / x ** 2 if x else Z


def sinc2(x):
    return -sinc(x) - 2 * sinc1(x) / x if x else -ONE / 3


def isru(x, a):
    return x / sqrt(1 + a * x * x)


def isru1(x, a):
    return (1 + a * x * x) ** mpf(-1.5)


def isru2(x, a):
    return -3 * a * x * (1 + a * x * x) ** mpf(-2.5)


def elu(x, a):
    return x if x > 0 else a * expm1(x)


def root(x, b):
    return sqrt(x * x + b)


class Row:
    """f, d, d2: the function and its derivatives; limits: f and d at -inf and +inf; kinks: points to look at closely;
    scale(x): the size of the derivative around its zeros, if it has some far out too."""

    def __init__(self, name, f, d, d2, limits, kinks=(), params=(), scale=None):
        self.name, self.f, self.d, self.d2 = name, f, d, d2
        self.limits, self.kinks, self.params, self.scale = limits, kinks, params, scale


I = float('inf')
N = float('nan')


def leaky(name, *params):
    slope = lambda p: p[0] if len(p) == 1 else (p[0] + p[1]) / 2
    s0 = params[0] if len(params) == 1 else sum(params) / 2
    return Row(name, lambda x, *p: x if x > 0 else slope(p) * x, lambda x, *p: ONE if x > 0 else slope(p), lambda x, *p: Z,
               (-I, I, s0, 1), (0,), params)


def hard_sigmoid(slope, exact=None):
    s = lambda p: (ONE / 6 if exact else p)
    return Row('hard_sigmoid', lambda x, p: clip(s(p) * x + mpf(0.5), Z, ONE),
               lambda x, p: s(p) if 0 < s(p) * x + mpf(0.5) < 1 else Z, lambda x, p: Z, (0, 1, 0, 0), (-0.5 / slope, 0.5 / slope), (slope,))


def softplus(b):
    return Row('softplus', lambda x, b: sp(b * x) / b, lambda x, b: sig(b * x), lambda x, b: b * dsig(b * x), (0, I, 0, 1), (), (b,))


def squareplus(b):
    return Row('squareplus', lambda x, b: (x + root(x, b)) / 2 if x >= 0 else b / (2 * (root(x, b) - x)),
               lambda x, b: (1 + x / root(x, b)) / 2 if x >= 0 else b / (2 * root(x, b) * (root(x, b) - x)),
               lambda x, b: b / root(x, b) ** 3 / 2, (0, I, 0, 1), (), (b,))


def silu(b):
    return Row('silu', lambda x, b: x * sig(b * x), lambda x, b: sig(b * x) + b * x * dsig(b * x),
               lambda x, b: 2 * b * dsig(b * x) + b * b * x * d2sig(b * x), (0, I, 0, 1), (), (b,))


def isru_row(a):
    return Row('isru', isru, isru1, isru2, (-a ** -0.5, a ** -0.5, 0, 0), (), (a,))


def isrlu(a):
    return Row('isrlu', lambda x, a: x if x >= 0 else isru(x, a), lambda x, a: ONE if x >= 0 else isru1(x, a),
               lambda x, a: Z if x >= 0 else isru2(x, a), (-a ** -0.5, I, 0, 1), (0,), (a,))


def celu(a):
    return Row('celu', lambda x, a: x if x > 0 else a * expm1(x / a), lambda x, a: ONE if x > 0 else exp(x / a) if x > -20000 else Z,
               lambda x, a: Z if x >= 0 else E(x / a) / a, (-a, I, 0, 1), (0,), (a,))


def elu_row(a):
    return Row('elu', lambda x, a: x if x > 0 else a * expm1(x) if x > -20000 else -a, lambda x, a: ONE if x > 0 else a * E(x),
               lambda x, a: Z if x >= 0 else a * E(x), (-a, I, 0, 1), (0,), (a,))


def snake(a):
    return Row('snake', snake_f, lambda x, a: 1 + sin(2 * a * x), lambda x, a: 2 * a * cos(2 * a * x), (-I, I, N, N), (), (a,),
               scale=lambda x: 2)


def siren(w):
    return Row('siren', lambda x, w: sin(w * x), lambda x, w: w * cos(w * x), lambda x, w: -w * w * sin(w * x), (N, N, N, N), (), (w,),
               scale=lambda x: w)


def star_relu(s, b):
    return Row('star_relu', lambda x, s, b: s * max(x, Z) ** 2 + b, lambda x, s, b: 2 * s * max(x, Z), lambda x, s, b: 2 * s if x > 0 else Z,
               (b, I, 0, I), (0,), (s, b))


def shrink(name, f, p):
    return Row(name, f, lambda x, p: ONE if abs(x) > p else Z, lambda x, p: Z, (-I, I, 1, 1), (-p, p), (p,))


def pieces(name, limits, kinks, *params):
    def wrap(f, d, d2=lambda x, *p: Z):
        return Row(name, f, d, d2, limits, kinks, params)
    return wrap


def rows():
    lam, alp = lambda: mpf(LAMBDA), lambda: mpf(ALPHA)
    selu_low = float(-mpf(LAMBDA) * mpf(ALPHA))
    hp = float(mpmath.pi / 2)
    return [
        pieces('identity', (-I, I, 1, 1), ())(lambda x: x, lambda x: ONE),
        pieces('step', (0, 1, 0, 0), (0,), 0.0)(lambda x, t: ONE if x > t else Z, lambda x, t: Z),
        pieces('sign', (-1, 1, 0, 0), (0,))(sgn, lambda x: Z),
        Row('sigmoid', sig, dsig, d2sig, (0, 1, 0, 0)),
        Row('log_sigmoid', lambda x: -sp(-x), lambda x: sig(-x), lambda x: -dsig(x), (-I, 0, 1, 0)),
        hard_sigmoid(1 / 6, exact=True), hard_sigmoid(0.2),
        pieces('sparse_sigmoid', (0, 1, 0, 0), (-1, 1))(lambda x: clip((x + 1) / 2, Z, ONE), lambda x: mpf(0.5) if -1 < x < 1 else Z),
        Row('tanh', tanh, sech2, lambda x: -2 * tanh(x) * sech2(x), (-1, 1, 0, 0)),
        pieces('hard_tanh', (-1, 1, 0, 0), (-1, 1), -1.0, 1.0)(lambda x, a, b: clip(x, a, b), lambda x, a, b: ONE if a < x < b else Z),
        Row('softsign', lambda x: x / (1 + abs(x)), lambda x: (1 + abs(x)) ** -2, lambda x: -2 * sgn(x) * (1 + abs(x)) ** -3, (-1, 1, 0, 0)),
        Row('tanh_shrink', lambda x: x - tanh(x), lambda x: tanh(x) ** 2, lambda x: 2 * tanh(x) * sech2(x), (-I, I, 1, 1)),
        Row('arctan', atan, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2, (-hp, hp, 0, 0)),
        Row('erf', erf, lambda x: 2 / sqrt(pi) * bell(x), lambda x: -4 * x / sqrt(pi) * bell(x), (-1, 1, 0, 0)),
        pieces('relu', (0, I, 0, 1), (0,))(lambda x: max(x, Z), lambda x: ONE if x > 0 else Z),
        pieces('relu6', (0, 6, 0, 0), (0, 6))(lambda x: clip(x, Z, mpf(6)), lambda x: ONE if 0 < x < 6 else Z),
        pieces('relu2', (0, I, 0, I), (0,))(lambda x: max(x, Z) ** 2, lambda x: 2 * max(x, Z), lambda x: mpf(2) if x > 0 else Z),
        leaky('leaky_relu', 0.01), leaky('prelu', 0.25), leaky('prelu', 1.5), leaky('rrelu', 1 / 8, 1 / 3),
        pieces('threshold', (0, I, 0, 1), (0,), 0.0, 0.0)(lambda x, t, v: x if x > t else v, lambda x, t, v: ONE if x > t else Z),
        pieces('trelu', (0, I, 0, 1), (1,), 1.0)(lambda x, t: x if x > t else Z, lambda x, t: ONE if x > t else Z),
        elu_row(1.0), elu_row(1.75), celu(1.0), celu(0.375),
        Row('selu', lambda x: lam() * elu(x, alp()) if x > -20000 else -lam() * alp(), lambda x: lam() * (ONE if x > 0 else alp() * E(x)),
            lambda x: Z if x >= 0 else lam() * alp() * E(x), (selu_low, I, 0, float(mpf(LAMBDA))), (0,)),
        softplus(1.0), softplus(2.75), squareplus(4.0), squareplus(0.5),
        Row('sparse_plus', lambda x: Z if x <= -1 else x if x >= 1 else (x + 1) ** 2 / 4, lambda x: clip((x + 1) / 2, Z, ONE),
            lambda x: mpf(0.5) if -1 < x < 1 else Z, (0, I, 0, 1), (-1, 1)),
        Row('gelu', *gate(Phi, phi, lambda x: -x * phi(x)), (0, I, 0, 1)),
        Row('gelu_tanh', *gelu_tanh(), (0, I, 0, 1)),
        Row('gelu_sigmoid', *gelu_sigmoid(), (0, I, 0, 1)),
        silu(1.0), silu(1.5),
        Row('hard_swish', lambda x: x * clip(x + 3, Z, mpf(6)) / 6, lambda x: Z if x <= -3 else ONE if x >= 3 else (2 * x + 3) / 6,
            lambda x: ONE / 3 if -3 < x < 3 else Z, (0, I, 0, 1), (-3, 3)),
        Row('mish', *mish(), (0, I, 0, 1)),
        shrink('hard_shrink', lambda x, p: x if abs(x) > p else Z, 0.5),
        shrink('soft_shrink', lambda x, p: sgn(x) * max(abs(x) - p, Z), 0.5),
        Row('exponential', E, E, E, (0, I, 0, I)),
        star_relu(0.8944, -0.4472),
        Row('lisht', lambda x: x * tanh(x), lambda x: tanh(x) + x * sech2(x), lambda x: 2 * sech2(x) * (1 - x * tanh(x)), (I, I, -1, 1)),
        Row('logcosh', lambda x: abs(x) + (log1p(exp(-2 * abs(x))) if abs(x) < 20000 else 0) - log(2), tanh, sech2, (I, I, -1, 1)),
        snake(1.0), snake(0.625), siren(30.0), siren(1.0),
        Row('gaussian', bell, lambda x: -2 * x * bell(x), lambda x: (4 * x * x - 2) * bell(x), (0, 0, 0, 0)),
        Row('sinc', sinc, sinc1, sinc2, (0, 0, 0, 0), scale=lambda x: 1 / max(1, abs(x))),
        Row('bent_identity', lambda x: x * x / (2 * (root(x, 1) + 1)) + x, lambda x: x / (2 * root(x, 1)) + 1, lambda x: root(x, 1) ** -3 / 2,
            (-I, I, 0.5, 1.5)),
        isru_row(1.0), isru_row(2.5), isrlu(1.0), isrlu(0.375),
        Row('serf', *serf(), (0, I, 0, 1)),
        Row('tanhexp', *tanhexp(), (0, I, 0, 1)),
    ]
