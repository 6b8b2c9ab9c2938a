#!/usr/bin/env python3
"""Worst error of every kernel against mpmath, in ulps: `./check.py [--points N] [--isa NAME] [--jobs N] [--all | --flags | --bits | --rows] [NAME…]`.

Needs numpy, mpmath (and gmpy2 to be quick) and clang (CC). For each operation and element type it prints, by instruction set, the worst error in
units in the last place where the exact result is a normal number, and where that was; then the worst among subnormal results, in
units of the smallest subnormal; and beside zeros of a derivative the absolute error in units of 1e-15 (f64) or 1e-7 (f32).
Exit status 1 if a limit is passed: 4 ulp, 8 for derivatives, 2.5 subnormal units (4.5 for derivatives), 1 beside zeros.
"""
import argparse, ctypes, multiprocessing, os, pathlib, subprocess, sys, tempfile
import mpmath as mp
import numpy as np
import exact

HERE = pathlib.Path(__file__).resolve().parent
KERNELS = HERE.parent.parent / "Sources" / "CActKernels"
TYPES = {"f64": (np.float64, 52, -1022, ctypes.c_double), "f32": (np.float32, 23, -126, ctypes.c_float)}


def build():
    """The kernels compiled as the package manager compiles them, as a shared library."""
    out = os.path.join(tempfile.mkdtemp(), "kernels.so")
    compiler = os.environ.get("CC", "clang")
    subprocess.run([compiler, "-O2", "-std=c17", "-shared", "-fPIC", f"-I{KERNELS}/include", *map(str, KERNELS.glob("*.c")),
                    str(HERE / "shim.c"), "-lm", "-o", out], check=True)
    lib = ctypes.CDLL(out)
    lib.kc_unary_name.restype = lib.kc_binary_name.restype = ctypes.c_char_p
    for t, row in TYPES.items():
        getattr(lib, f"kc_flags_unary_{t}").argtypes = [ctypes.c_char_p, ctypes.c_int, row[3], ctypes.c_void_p]
    return lib


def samples(dtype, points, seed):
    """The whole range in log space, dense where activations bend, kinks, special values."""
    rng = np.random.default_rng(seed)
    info = np.finfo(dtype)
    np.seterr(all="ignore")
    lo, hi = np.log10(float(info.smallest_subnormal)), np.log10(float(info.max))
    parts = [10.0 ** rng.uniform(lo, hi, points // 4) * rng.choice([-1, 1], points // 4), rng.uniform(-8, 8, points // 4),
             rng.uniform(-40, 40, points // 4), rng.uniform(-800, 800, points // 8) if dtype == np.float64 else rng.uniform(-120, 120, points // 8),
             10.0 ** rng.uniform(-9, 1, points // 8) * rng.choice([-1, 1], points // 8)]
    kinks = [0.0, 0.5, 1.0, 2.0, 3.0, 6.0, 20.0, 0.41421356, 0.70710678, 1.41421356, 2.41421356, 1.2784645, 1.1924, 0.7517915, np.pi / 4, np.pi / 2, np.pi,
             10 * np.pi, 1e5, 205887.0, 2.1e5, 1e10, 1e22, 709.78, 745.1, 88.72, 103.97, float(info.max), float(info.tiny), float(info.smallest_subnormal)]
    near = [np.nextafter(dtype(k), dtype(d)) for k in kinks for d in (-np.inf, np.inf)] + [dtype(k) for k in kinks]
    with np.errstate(all="ignore"):
        x = np.concatenate([np.concatenate(parts).astype(dtype), np.array(near, dtype), -np.array(near, dtype)])
    return x[np.isfinite(x) & ((x != 0) | ~np.signbit(x))]  # -0 has no counterpart in mpmath


def call(lib, arity, op, t, isa, x, p=None):
    y = np.empty_like(x)
    f = getattr(lib, f"kc_{arity}_{t}")
    a = x.ctypes.data_as(ctypes.c_void_p)
    out = y.ctypes.data_as(ctypes.c_void_p)
    n = ctypes.c_size_t(len(x))
    if arity == "unary":
        f(isa, op, a, out, n)
    else:
        f(isa, op, a, ctypes.c_size_t(1), p.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(1), out, n)
    return y


def judge(name, t, x, p, want, got):
    """(worst ulp, where), (worst subnormal units, where), (worst beside a zero, where), [wrong special values]"""
    _, bits, emin, _ = TYPES[t]
    top = mp.mpf(2) ** (1 - emin) * (2 - mp.mpf(2) ** -bits)  # largest finite number
    worst, sub, zero, wrong = (0.0, None), (0.0, None), (0.0, None), []
    for i, r in enumerate(want):
        g, at = float(got[i]), (float(x[i]),) if p is None else (float(x[i]), float(p[i]))
        if r is None:
            if g == g:
                wrong.append((at, "nan", g))
            continue
        if g != g or (abs(g) == mp.inf) != (abs(r) > top):
            if not (g == g and abs(abs(r) - top) < top * mp.mpf(2) ** (2 - bits)):
                wrong.append((at, mp.nstr(r, 8), g))
            continue
        if abs(g) == mp.inf:
            if (g > 0) != (r > 0):
                wrong.append((at, mp.nstr(r, 8), g))
            continue
        err = abs(mp.mpf(g) - r)
        if err == 0:
            continue
        e = mp.frexp(r)[1] - 1 if r else -10**9
        if e < emin:
            u = float(err * mp.mpf(2) ** (bits - emin))
            sub = max(sub, (u, at), key=lambda v: v[0])
        else:
            u = float(err / mp.mpf(2) ** (e - bits))
            if u > 4 and name in exact.ZEROS and abs(r) < 0.3 and (abs(at[0]) < (5 if p is None else 30) or "sin" in name or "snake" in name or "siren" in name):
                scale = abs(at[1]) if name == "siren_d" else 1
                zero = max(zero, (float(err) / scale / (1e-15 if t == "f64" else 1e-7), at), key=lambda v: v[0])
            else:
                worst = max(worst, (u, at), key=lambda v: v[0])
    return worst, sub, zero, wrong


def work(task):
    arity, op, name, t, points, isas = task
    dtype = TYPES[t][0]
    x = samples(dtype, points, len(name) * 7 + op)
    p = None
    if arity == "binary":
        rng = np.random.default_rng(op)
        key = name[:-2] if name.endswith("_d") else name
        if key in exact.PARAMETERS:
            p = rng.choice(np.array(exact.PARAMETERS[key], dtype), len(x))
            if key in ("snake", "siren"):  # an angle that overflows is not promised
                x = np.where(np.abs(x) < np.finfo(dtype).max / 80, x, x / 80)
        else:
            p = x.copy()
            rng.shuffle(p)
            p[p == 0] = 1
            half = len(x) // 2
            p[:half] = np.round(rng.uniform(-12, 12, half)) if name == "pow" else rng.uniform(-12, 12, half)
            if name == "pow":
                x[: half // 2] = np.round(rng.uniform(-9, 9, half // 2)) + 0.0
                x[half // 2: half] = rng.uniform(-30, 30, half - half // 2)
                p[half: half + half // 2] = rng.uniform(-80, 80, half // 2)
            if name in ("mod", "floordiv"):
                x[half:] = rng.uniform(-1e6, 1e6, len(x) - half)
                p[half:] = rng.uniform(-10, 10, len(x) - half)
    f = (exact.UNARY if arity == "unary" else exact.BINARY)[name]
    mp.mp.dps = 700 if name in ("mod", "floordiv") else 60
    want = [f(mp.mpf(float(v))) for v in x] if p is None else [f(mp.mpf(float(v)), mp.mpf(float(w))) for v, w in zip(x, p)]
    return task, [(isa, judge(name, t, x, p, want, call(LIB, arity, op, t, isa.encode(), x, p))) for isa in isas]


def limits_at_infinity(isas):
    """NaN stays NaN, and ±inf gives the limit, read off the exact function far out."""
    bad = []
    for op in range(LIB.kc_unary_count()):
        name = LIB.kc_unary_name(op).decode()
        f = exact.UNARY[name]
        for t, (dtype, *_ ) in TYPES.items():
            for isa in isas:
                y = call(LIB, "unary", op, t, isa.encode(), np.array([np.nan, np.inf, -np.inf, 0.5], dtype))
                if y[0] == y[0]:
                    bad.append((name, t, isa, "nan", float(y[0])))
                for g, s in ((y[1], 1), (y[2], -1)):
                    if name in ("sin", "cos", "tan", "sinc", "sinc_d"):
                        r = None if len(name) == 3 else mp.mpf(0)
                    elif name.startswith("log") and s > 0 and "d" not in name:
                        r = mp.mpf(0) if name == "log_sigmoid" else mp.inf
                    else:
                        r = f(mp.mpf(s) * 10**10)
                        r = r if r is None else mp.mpf(s if r > 0 and s > 0 else 1 if r > 0 else -1) * mp.inf if abs(r) > 15 else mp.mpf(mp.nstr(r, 4))
                    ok = g != g if r is None else (g == r if abs(r) == mp.inf else abs(g - float(r)) < 2e-3 and (r != 0 or g == 0))
                    if not ok:
                        bad.append((name, t, isa, f"{'-' if s < 0 else '+'}inf wants {r}", float(g)))
    return bad


def flags(isas):
    """A new NaN or infinity must raise its flag; (spurious) flags are counted for inputs of everyday size."""
    missing, spurious = [], set()
    for op in range(LIB.kc_unary_count()):
        name = LIB.kc_unary_name(op)
        for t, (dtype, *_ ) in TYPES.items():
            flag = getattr(LIB, f"kc_flags_unary_{t}")
            for isa in isas:
                for v in (0.0, -0.0, 1.0, -1.0, 0.3, -0.3, 2.0, -2.0, 30.0, -30.0, 90.0, -90.0, 1e3, -1e3, 1e30, -1e30, 1e-30, np.finfo(dtype).max, -np.finfo(dtype).max):
                    y = np.zeros(1, dtype)
                    r = flag(isa.encode(), op, float(dtype(v)), y.ctypes.data_as(ctypes.c_void_p))
                    if y[0] != y[0] and not r & 1 or np.isinf(y[0]) and not r & 6:
                        missing.append((name.decode(), t, isa, v, float(y[0]), r))
                    if np.isfinite(y[0]) and r:
                        spurious.add((name.decode(), t, isa, v, r))
    return missing, sorted(spurious)


def same_bits(isas):
    """An element's result depends on the element alone: one by one, in blocks of other lengths, unaligned and in place."""
    bad = []
    for arity, count, label in (("unary", LIB.kc_unary_count(), LIB.kc_unary_name), ("binary", LIB.kc_binary_count(), LIB.kc_binary_name)):
        for op in range(count):
            for t, (dtype, *_ ) in TYPES.items():
                x = samples(dtype, 400, op)[:333]
                x[5::37], x[11::41], x[13::43], x[17::47] = np.inf, -np.inf, np.nan, -0.0
                p = np.roll(x, 7) if arity == "binary" else None
                for isa in isas:
                    whole = call(LIB, arity, op, t, isa.encode(), x, p)
                    word = whole.view(np.uint64 if t == "f64" else np.uint32)
                    for cut in (1, 3, 7, 17, 33):
                        parts = [call(LIB, arity, op, t, isa.encode(), x[i:i + cut], None if p is None else p[i:i + cut]) for i in range(0, len(x), cut)]
                        got = np.concatenate(parts).view(word.dtype)
                        differ = (got != word) & ~(np.isnan(whole) & np.isnan(np.concatenate(parts)))
                        if differ.any():
                            bad.append((label(op).decode(), t, isa, f"blocks of {cut}", float(x[differ][0]), int(differ.sum())))
                            break
                    buffer = x.copy()
                    pointer, n = buffer.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(len(x))
                    if arity == "unary":
                        getattr(LIB, f"kc_unary_{t}")(isa.encode(), op, pointer, pointer, n)
                    else:
                        getattr(LIB, f"kc_binary_{t}")(isa.encode(), op, pointer, ctypes.c_size_t(1), p.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(1), pointer, n)
                    if ((buffer.view(word.dtype) != word) & ~np.isnan(whole)).any():
                        bad.append((label(op).decode(), t, isa, "in place"))
    return bad


def row_errors(isas):
    """Worst error of the row kernels in ulps, over lengths and spreads; and the defined infinite cases."""
    results, bad = {}, []
    rng = np.random.default_rng(3)
    for t, (dtype, bits, emin, _) in TYPES.items():
        far = 700 if t == "f64" else 85
        cases = [rng.normal(0, s, c).astype(dtype) for c in (1, 2, 3, 8, 10, 16, 17, 33, 100, 1000) for s in (0.1, 1, 10, far / 3)]
        cases += [np.array(v, dtype) for v in ([40, 0], [0, 0, 0], [1e4, 1e4 - 30, 0], [-1e30, 1e30], [far, -far])]
        for x in cases:
            v = [mp.mpf(float(a)) for a in x]
            m = max(v)
            e = [mp.exp(a - m) if a - m > -20000 else mp.mpf(0) for a in v]
            others = mp.fsum(sorted(e)[:-1])
            want = {"softmax": [a / (1 + others) for a in e], "log_softmax": [a - m - mp.log1p(others) for a in v], "logsumexp": [m + mp.log1p(others)]}
            for name, exact_values in want.items():
                for isa in isas:
                    y = np.empty(len(exact_values), dtype)
                    getattr(LIB, f"kc_{name}_{t}")(isa.encode(), x.ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(1), ctypes.c_size_t(len(x)))
                    for g, r in zip(y, exact_values):
                        if r == 0 or name == "logsumexp" and abs(r) < 0.5:
                            continue
                        u = float(abs(mp.mpf(float(g)) - r) / mp.mpf(2) ** (max(mp.frexp(r)[1] - 1, emin) - bits))
                        results[name, t, isa] = max(results.get((name, t, isa), 0), u)
        inf, nan = np.inf, np.nan
        for x, soft, log, lse in (([1, inf, 2], [0, 1, 0], [-inf, 0, -inf], inf), ([-inf, 0], [0, 1], [-inf, 0], 0), ([1, nan], [nan] * 2, [nan] * 2, nan),
                                  ([-inf] * 20, [nan] * 20, [nan] * 20, -inf), ([inf, inf], [nan] * 2, [nan] * 2, inf), ([nan] + [0] * 40, [nan] * 41, [nan] * 41, nan)):
            x = np.array(x, dtype)
            for name, r in (("softmax", soft), ("log_softmax", log), ("logsumexp", [lse])):
                for isa in isas:
                    y = np.empty(len(r), dtype)
                    getattr(LIB, f"kc_{name}_{t}")(isa.encode(), x.ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(1), ctypes.c_size_t(len(x)))
                    if not np.array_equal(y, np.array(r, dtype), equal_nan=True):
                        bad.append((name, t, isa, x[:3].tolist(), y[:3].tolist()))
    return results, bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--isa", action="append")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--flags", action="store_true")
    parser.add_argument("--rows", action="store_true")
    parser.add_argument("--bits", action="store_true")
    parser.add_argument("--all", action="store_true", help="print every row, not only those past a limit")
    args = parser.parse_args()
    isas = [i for i in args.isa or ("baseline", "avx2", "avx512", "neon") if LIB.kc_has(i.encode())]
    failed = False
    if args.flags:
        missing, spurious = flags(isas)
        for row in missing:
            print("no flag:", *row)
        for row in spurious:
            print("spurious:", *row)
        return 1 if missing else 0
    if args.rows:
        results, bad = row_errors(isas)
        for (name, t, isa), worst in results.items():
            print(f"{name:12} {t} {isa:8} {worst:.3g}")
        for row in bad:
            print("WRONG", *row)
        return 1 if bad or max(results.values()) > 4 else 0
    if args.bits:
        bad = same_bits(isas)
        for row in bad:
            print("differs:", *row)
        return 1 if bad else 0
    for row in limits_at_infinity(isas):
        failed = True
        print("limit:", *row)
    tasks = []
    for arity, count, label in (("unary", LIB.kc_unary_count(), LIB.kc_unary_name), ("binary", LIB.kc_binary_count(), LIB.kc_binary_name)):
        for op in range(count):
            name = label(op).decode()
            if not args.names or name in args.names:
                tasks += [(arity, op, name, t, args.points, isas) for t in TYPES]
    with multiprocessing.get_context("fork").Pool(args.jobs) as pool:
        for (arity, op, name, t, *_), rows in pool.imap(work, tasks):
            limit = 8 if name.endswith("_d") else 4
            for isa, (worst, sub, zero, wrong) in rows:
                over = worst[0] > limit or sub[0] > limit / 2 + 0.5 or zero[0] > 1 or wrong
                failed |= bool(over)
                if over or args.all:
                    print(f"{'OVER' if over else '    '} {name:16} {t} {isa:8} {worst[0]:8.3g} at {worst[1]}  sub {sub[0]:.3g} at {sub[1]}"
                          f"  zero {zero[0]:.3g} at {zero[1]}", *([f"WRONG {len(wrong)}: {wrong[:3]}"] if wrong else []), flush=True)
    return 1 if failed else 0


LIB = build()
if __name__ == "__main__":
    sys.exit(main())
