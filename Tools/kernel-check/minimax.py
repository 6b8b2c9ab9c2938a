#!/usr/bin/env python3
"""Polynomial coefficients for the kernels: near-minimax fits at Chebyshev nodes, in 60 digits, printed as C arrays.

Each fit is (name, function, interval, degree): the polynomial of that degree in t, lowest power first, with its largest relative error.
`./minimax.py > ../../Sources/CActKernels/template/coefficients.inc` writes the file the kernels include.
"""
import mpmath as mp

mp.mp.dps = 60


def fit(f, a, b, degree):
    """Interpolates f at the Chebyshev nodes of [a, b]; coefficients in powers of t, lowest first."""
    a, b, n = mp.mpf(a), mp.mpf(b), degree + 1
    nodes = [mp.cos(mp.pi * (2 * k + 1) / (2 * n)) for k in range(n)]
    values = [f((a + b) / 2 + (b - a) / 2 * u) for u in nodes]
    cheb = [2 / mp.mpf(n) * mp.fsum(v * mp.cos(mp.pi * j * (2 * k + 1) / (2 * n)) for k, v in enumerate(values)) for j in range(n)]
    cheb[0] /= 2
    # Chebyshev series in u to powers of u, then u = (2t - a - b)/(b - a).
    t0, t1 = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]
    powers = [mp.mpf(0)] * n
    for j in range(n):
        for i, c in enumerate(t0):
            powers[i] += cheb[j] * c
        t0, t1 = t1, [(2 * t1[i - 1] if i > 0 else 0) - (t0[i] if i < len(t0) else 0) for i in range(len(t1) + 1)]
    p, q = 2 / (b - a), -(a + b) / (b - a)
    out = [mp.mpf(0)] * n
    for c in reversed(powers):  # Horner in polynomials
        out = [out[0] * q] + [out[i] * q + out[i - 1] * p for i in range(1, n)]
        out[0] += c
    worst = max(abs(mp.polyval(out[::-1], t) / f(t) - 1) for t in (a + (b - a) * mp.mpf(k) / 400 for k in range(0, 401)))
    return out, worst


def show(name, coefficients, worst, ctype):
    digits = 18 if ctype == "double" else 10
    body = ", ".join(mp.nstr(c, digits, min_fixed=0, max_fixed=0) for c in coefficients)
    suffix = "_f64" if ctype == "double" else "_f32"
    print(f"static const {ctype} {name}{suffix}[] = {{ // relative error 2^{mp.nstr(mp.log(worst, 2), 4)}")
    line = "   "
    for item in body.split(", "):
        if len(line) + len(item) > 130:
            print(line)
            line = "   "
        line += " " + item + ","
    print(line + "\n};")


def mills(t):
    """Upper tail of the normal distribution over its density."""
    return mp.erfc(t / mp.sqrt(2)) * mp.exp(t * t / 2) * mp.sqrt(mp.pi / 2)


def tail_in_u(a, top):
    """(t+a) mills(t)/√(2π) in u = 1 - 2t/(t+a), and u at t = top. u is 1 at t = 0: near there nothing of t is lost."""

    def f(u):
        q = (1 - u) / 2
        t = a * q / (1 - q)
        return (t + a) * mills(t) / mp.sqrt(2 * mp.pi)

    return f, 1 - 2 * top / mp.mpf(top + a)


def in_square(f):
    """f(t) as a function of z = t²."""
    return lambda z: f(mp.sqrt(z))


tiny = mp.mpf(10) ** -20
exp_rest = lambda r: (mp.expm1(r) - r) / r**2 if abs(r) > tiny else mp.mpf(1) / 2                      # e^r = 1 + r + r² q
log_rest = in_square(lambda s: (2 * mp.atanh(s) - 2 * s) / s**3 if s > tiny else mp.mpf(2) / 3)        # log = 2s + s³ q, z = s²
log_rest2 = in_square(lambda s: (2 * mp.atanh(s) / s - 2 - mp.mpf(2) / 3 * s**2) / s**4 if s > tiny else mp.mpf(2) / 5)
sin_rest = in_square(lambda t: (mp.sin(t) - t) / t**3 if t > tiny else -mp.mpf(1) / 6)
cos_rest = in_square(lambda t: (mp.cos(t) - 1 + t**2 / 2) / t**4 if t > tiny else mp.mpf(1) / 24)
atan_rest = in_square(lambda t: (mp.atan(t) - t) / t**3 if t > tiny else -mp.mpf(1) / 3)
asin_rest = in_square(lambda t: (mp.asin(t) - t) / t**3 if t > tiny else mp.mpf(1) / 6)
erf_ratio = in_square(lambda t: mp.erf(t) / t if t > tiny else 2 / mp.sqrt(mp.pi))                     # erf = t q
shrink_rest = in_square(lambda t: (t - mp.tanh(t)) / t**3 if t > tiny else mp.mpf(1) / 3)
logcosh_rest = in_square(lambda t: mp.log(mp.cosh(t)) / t**2 if t > tiny else mp.mpf(1) / 2)
sinc_d_rest = in_square(lambda t: (t * mp.cos(t) - mp.sin(t)) / t**3 if t > tiny else -mp.mpf(1) / 3)

half_ln2 = mp.log(2) / 2 * mp.mpf("1.001")
log_top = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.001")
atan_top = (mp.sqrt(2) - 1) ** 2 * mp.mpf("1.001")
quarter = (mp.pi / 4) ** 2 * mp.mpf("1.001")

TAIL = {"double": (5, 39, 23), "float": (4, 15, 10)}  # a, top, degree

FITS = [  # name, function, interval, degree f64, degree f32 (None: only f64)
    ("C_EXP", exp_rest, -half_ln2, half_ln2, 9, 4),
    ("C_EXPM1", exp_rest, -half_ln2, half_ln2, 10, 5),
    ("C_LOG", log_rest, 0, log_top, 6, 2),
    ("C_LOG2", log_rest2, 0, log_top, 6, None),
    ("C_SIN", sin_rest, 0, quarter, 5, None),
    ("C_COS", cos_rest, 0, quarter, 5, None),
    ("C_SIN_SHORT", sin_rest, 0, quarter, 3, None),  # enough for f32, in f64 registers
    ("C_COS_SHORT", cos_rest, 0, quarter, 2, None),
    ("C_ATAN", atan_rest, 0, atan_top, 10, None),
    ("C_ASIN", asin_rest, 0, mp.mpf("0.2501"), 12, None),
    ("C_ERF", erf_ratio, 0, 1, 12, 6),
    ("C_SHRINK", shrink_rest, 0, 1, 15, None),
    ("C_LOGCOSH", logcosh_rest, 0, 1, 14, None),
    ("C_SINC_D", sinc_d_rest, 0, 4, 8, None),
]

if __name__ == "__main__":
    print("// Written by Tools/kernel-check/minimax.py: what each polynomial approximates is said there. Lowest power first.\n")
    for ctype, column in (("double", 4), ("float", 5)):
        for row in FITS:
            if row[column] is not None:
                show(row[0], *fit(row[1], row[2], row[3], row[column]), ctype)
        a, top, degree = TAIL[ctype]
        f, low = tail_in_u(a, top)
        show("C_TAIL", *fit(f, low, 1, degree), ctype)
        s = "F64" if ctype == "double" else "F32"
        print(f"#define TAIL_A_{s} {a}.0\n#define TAIL_TOP_{s} {top}.0\n")
    # 2/π in 64-bit words after one word of zeros, for the reduction of huge angles.
    words = 20
    with mp.workprec(64 * words + 64):
        n = int(mp.floor(2 / mp.pi * mp.mpf(2) ** (64 * words)))
    parts = ["0x0"] + [hex(n >> (64 * (words - 1 - j)) & (2**64 - 1)) for j in range(words)]
    print("static const uint64_t TWO_OVER_PI[] = {")
    for j in range(0, len(parts), 5):
        print("    " + ", ".join(parts[j:j + 5]) + ",")
    print("};")
