#!/usr/bin/env python3
"""Coefficients for the kernels: polynomials fitted at Chebyshev nodes and minimax quotients of two, in 60 digits, printed as C arrays.

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


def fit_ratio(f, a, b, top, bottom, middle, weight=lambda t: 1):
    """The N/D of degrees `top` and `bottom`, D(0) = 1, with (nearly) the least largest relative error on [a, b] (Remez): lowest powers first.

    Errors count times their weight. Points are dense in t/(t + middle). Each round solves N/f - (1 ± E/weight) D = 0 at the points of largest error, which is linear once the
    product of E and D is taken from the round before.
    """
    grid_size, unknowns = 1200, top + bottom + 2
    low, high = a / (a + middle), b / (b + middle)
    spread = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * j / grid_size) for j in range(grid_size + 1)]
    grid = [middle * u / (1 - u) for u in spread]
    values, weights = [f(t) for t in grid], [weight(t) for t in grid]
    points = [round(grid_size * j / mp.mpf(unknowns - 1)) for j in range(unknowns)]
    level, best = mp.mpf(0), (mp.inf, [], [])
    for _ in range(40):
        for _ in range(6):
            rows = []
            for i, j in enumerate(points):
                t, sign = grid[j], (-1) ** i / weights[j]
                rows.append([t**k / values[j] for k in range(top + 1)] + [-(t ** (k + 1)) * (1 + sign * level) for k in range(bottom)] + [-sign])
            x = mp.lu_solve(mp.matrix(rows), mp.matrix([1] * unknowns))
            before, level = level, x[unknowns - 1]
            if abs(level - before) < abs(level) * mp.mpf("1e-6"):
                break
        n, d = list(x[: top + 1]), [mp.mpf(1)] + list(x[top + 1: unknowns - 1])
        errors = [(mp.polyval(n[::-1], t) / mp.polyval(d[::-1], t) / v - 1) * w for t, v, w in zip(grid, values, weights)]
        worst = max(map(abs, errors))
        best = min((worst, n, d), best, key=lambda fit: fit[0])
        runs = [[0]]  # the largest error of each run of one sign
        for j in range(1, grid_size + 1):
            runs[-1].append(j) if errors[j] * errors[runs[-1][0]] > 0 else runs.append([j])
        if worst < abs(level) * mp.mpf("1.01") or len(runs) < unknowns:
            break  # level, or as near to it as the grid shows
        points = [max(run, key=lambda j: abs(errors[j])) for run in runs]
        while len(points) > unknowns:
            points.pop(0 if abs(errors[points[0]]) < abs(errors[points[-1]]) else -1)
    worst, n, d = best
    return n, d, worst


def mills_slope(t):
    """g(t) of 1/(Q(t) e^(t²/2)) = 2 + t g(t), Q the upper tail of the normal distribution; from 4/√2π at 0 up to √2π."""
    return (2 / (mp.erfc(t / mp.sqrt(2)) * mp.exp(t * t / 2)) - 2) / t if t > tiny else 4 / mp.sqrt(2 * mp.pi)


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
sinh_rest = in_square(lambda t: (mp.sinh(t) - t) / t**3 if t > tiny else mp.mpf(1) / 6)
sinc_d_rest = in_square(lambda t: (t * mp.cos(t) - mp.sin(t)) / t**3 if t > tiny else -mp.mpf(1) / 3)

half_ln2 = mp.log(2) / 2 * mp.mpf("1.001")
log_top = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.001")
atan_top = (mp.sqrt(2) - 1) ** 2 * mp.mpf("1.001")
quarter = (mp.pi / 4) ** 2 * mp.mpf("1.001")

TAIL_TOP = {"double": "39.0", "float": "14.75"}  # beyond, e^(-t²/2) is 0

FITS = [  # name, function, interval, degree f64, degree f32 (None: only f64)
    ("C_EXP", exp_rest, -half_ln2, half_ln2, 9, 4),
    ("C_EXPM1", exp_rest, -half_ln2, half_ln2, 10, 5),
    ("C_TANH", lambda r: (1 - 2 * r - mp.exp(-2 * r)) / r**2 if abs(r) > tiny else mp.mpf(-2), -half_ln2 / 2, half_ln2 / 2, 9, 4),
    ("C_EXP16", exp_rest, -half_ln2 / 16, half_ln2 / 16, 4, None),  # what is left of e^x beside 2^(j/16), from a table
    ("C_EXPM1_16", exp_rest, -half_ln2 / 16, half_ln2 / 16, 5, None),
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
    ("C_SINH", sinh_rest, 0, 1, 6, None),
    ("C_SINC_D", sinc_d_rest, 0, 4, 8, None),
]

if __name__ == "__main__":
    print("// Written by Tools/kernel-check/minimax.py: what each polynomial approximates is said there. Lowest power first.\n")
    for ctype, column in (("double", 4), ("float", 5)):
        for row in FITS:
            if row[column] is not None:
                show(row[0], *fit(row[1], row[2], row[3], row[column]), ctype)
        s, wide = ("F64", True) if ctype == "double" else ("F32", False)
        degree = 10 if wide else 4
        n, d, worst = fit_ratio(mills_slope, 0, mp.mpf(TAIL_TOP[ctype]), degree, degree, 3 if wide else 2,
                                lambda t: mp.mpf("0.02") + t * mills_slope(t) / (2 + t * mills_slope(t)))
        # g = k - S/D, where only the small S/D has much of a rounding error; erfc takes it in t/√2.
        k, root2 = n[-1] / d[-1], mp.sqrt(2)
        rest = [k * b - a for a, b in zip(n, d)][:-1]
        show("C_TAIL_S", rest, worst, ctype), show("C_TAIL_D", d, worst, ctype)
        show("C_ERFC_S", [c * root2 ** (j - 1) for j, c in enumerate(rest)], worst, ctype), show("C_ERFC_D", [c * root2**j for j, c in enumerate(d)], worst, ctype)
        print(f"#define TAIL_K_{s} {mp.nstr(k, 20)}\n#define ERFC_K_{s} {mp.nstr(k / root2, 20)}")
        print(f"#define TAIL_TOP_{s} {TAIL_TOP[ctype]}\n")
    # 2^(j/16) and what its rounding lost.
    powers = [mp.mpf(2) ** (mp.mpf(j) / 16) for j in range(16)]
    show("C_POWER16", [mp.mpf(float(p)) for p in powers], mp.mpf(2) ** -54, "double")
    show("C_POWER16_LOW", [p - mp.mpf(float(p)) for p in powers], mp.mpf(2) ** -54, "double")
    # 2/π in 64-bit words after one word of zeros, for the reduction of huge angles.
    words = 20
    with mp.workprec(64 * words + 64):
        n = int(mp.floor(2 / mp.pi * mp.mpf(2) ** (64 * words)))
    parts = ["0x0"] + [hex(n >> (64 * (words - 1 - j)) & (2**64 - 1)) for j in range(words)]
    print("static const uint64_t TWO_OVER_PI[] = {")
    for j in range(0, len(parts), 5):
        print("    " + ", ".join(parts[j:j + 5]) + ",")
    print("};")
