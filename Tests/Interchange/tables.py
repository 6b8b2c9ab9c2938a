"""The exact tables of NumPy's own tests of elementwise functions, and its special values, against act.

    python3 Tests/Interchange/tables.py [ACT]

The tables (umath-validation-set-….csv, which NumPy's package carries) give inputs, results of a higher precision and a bound in ulp for
each function. Special values are all pairs, and single ones, of zeros, infinities, NaN, subnormal and extreme numbers, whole ones and
halves; what rounds correctly must have NumPy's bits, the rest be within 4 ulp. NumPy is installed into .build/numpy where Python lacks it.
"""
import csv, os, subprocess, sys, tempfile

try:
    import numpy as np
except ImportError:
    here = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".build", "numpy"))
    python = os.path.join(here, "bin", "python")
    if os.path.abspath(sys.prefix) == here:
        raise
    if not os.path.exists(python):
        subprocess.check_call([sys.executable, "-m", "venv", here])
        subprocess.check_call([python, "-m", "pip", "install", "--quiet", "numpy"])
    os.execv(python, [python] + sys.argv)

act = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/act")
PROMISE = 4  # ulp: what the page on the language says

# NumPy's names and act's. The other functions that have tables (cbrt, exp2, arccosh, arcsinh, arctanh) act does not have.
TABLES = {
    "arccos": "acos", "arcsin": "asin", "arctan": "atan", "cos": "cos", "cosh": "cosh", "exp": "exp", "expm1": "expm1", "log": "log", "log10": "log10",
    "log1p": "log1p", "log2": "log2", "sin": "sin", "sinh": "sinh", "tan": "tan", "tanh": "tanh",
}
# Functions with act's spelling and the bound in ulp.
PAIRS = [
    ("add", "x + y", 0), ("subtract", "x - y", 0), ("multiply", "x * y", 0), ("divide", "x / y", 0), ("floor_divide", "x // y", 0), ("remainder", "x % y", 0),
    ("maximum", "maximum(x, y)", 0), ("minimum", "minimum(x, y)", 0), ("less", "x < y", 0), ("less_equal", "x <= y", 0), ("equal", "x == y", 0),
    ("not_equal", "x != y", 0), ("power", "x ^ y", PROMISE), ("hypot", "hypot(x, y)", PROMISE), ("arctan2", "atan2(x, y)", PROMISE),
]
SINGLES = [
    ("negative", "-x", 0), ("absolute", "abs(x)", 0), ("sign", "sign(x)", 0), ("sqrt", "sqrt(x)", 0), ("square", "x ^ 2", 0), ("reciprocal", "x ^ -1", 0),
    ("floor", "floor(x)", 0), ("ceil", "ceil(x)", 0), ("rint", "round(x)", 0), ("trunc", "trunc(x)", 0), ("isnan", "isnan(x)", 0), ("isinf", "isinf(x)", 0),
    ("isfinite", "isfinite(x)", 0),
] + [(theirs, f"{ours}(x)", PROMISE) for theirs, ours in TABLES.items()]


def tables():
    """(name, program, inputs, expected, bound) for each function and type."""
    folder = os.path.join(os.path.dirname(np.__file__), "_core", "tests", "data")
    found = 0
    for theirs, ours in TABLES.items():
        path = os.path.join(folder, f"umath-validation-set-{theirs}.csv")
        if not os.path.exists(path):
            continue
        found += 1
        with open(path) as file:
            rows = [row for row in csv.reader(line for line in file if line[0] not in "$#") if len(row) == 4 and row[0] != "dtype"]
        for name, kind, bits in (("np.float64", "f8", "u8"), ("np.float32", "f4", "u4")):
            own = [row for row in rows if row[0] == name]
            if own:
                x, y = (np.array([int(row[k], 16) for row in own], bits).view(kind) for k in (1, 2))
                yield f"{theirs} {kind}", f"{ours}(x)", [x], y, max(int(row[3]) for row in own)
    if not found:
        sys.exit(f"NumPy {np.__version__} has no tables in {folder}")


def special(kind):
    info = np.finfo(kind)
    ends = [info.max, info.tiny, info.smallest_subnormal, 1 - info.epsneg, 1 + info.eps, info.max / 2, info.tiny * 3, 1 / info.eps, 1 / info.eps + 1]
    numbers = [0.0, 0.1, 0.5, 1, 1.5, 2, 2.5, 3, 5, 7, 10, 100, 0.44, 22, np.inf, np.nan] + ends
    return np.array(numbers + [-x for x in numbers], kind)


def specials():
    for kind in ("f8", "f4"):
        x = special(kind)
        left, right = (part.ravel().copy() for part in np.meshgrid(x, x, indexing="ij"))
        rng = np.random.default_rng(1)
        any_bits = rng.integers(0, 2 ** (8 * x.itemsize), size=2000, dtype=f"u{x.itemsize}").view(kind)
        with np.errstate(all="ignore"):
            for theirs, ours, bound in PAIRS:
                yield f"{theirs} of special {kind}", ours, [left, right], getattr(np, theirs)(left, right), bound
            for theirs, ours, bound in SINGLES:
                values = np.concatenate([x, any_bits]) if bound == 0 else x
                yield f"{theirs} of special {kind}", ours, [values], getattr(np, theirs)(values), bound


def ulps(found, expected):
    """How far two arrays are apart, in steps between neighbouring numbers; the wrong zero is one step away, a wrong NaN far."""
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return np.full(expected.shape, np.inf)
    if expected.dtype == bool:
        return (found != expected).astype("f8")
    signed = f"i{expected.itemsize}"

    def place(x):
        bits = x.view(signed)
        return np.where(bits < 0, np.iinfo(signed).min - bits - 1, bits).astype(object)

    distance = np.abs(place(found) - place(expected)).astype("f8")
    nan = np.isnan(found) | np.isnan(expected)
    return np.where(nan, np.where(np.isnan(found) & np.isnan(expected), 0, np.inf), distance)


cases = list(tables()) + list(specials())
wrong = total = 0
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    program = ""
    for i, (_, source, inputs, _, _) in enumerate(cases):
        for name, values in zip("xy", inputs):
            np.save(f"{name}{i}.npy", values)
            program += f'{name} = load("{name}{i}.npy")\n'
        program += f'save({source}, "out{i}.npy")\n'
    with open("program.act", "w") as file:
        file.write(program)
    run = subprocess.run([act, "--no-warn", "program.act"], capture_output=True, text=True)
    if run.returncode or run.stderr:
        sys.exit(run.stderr[-2000:] or f"act ended with {run.returncode}")
    for i, (name, source, inputs, expected, bound) in enumerate(cases):
        distance = ulps(np.load(f"out{i}.npy"), expected)
        total += expected.size
        bad = np.flatnonzero(distance > bound)
        wrong += bad.size
        if bad.size:
            first = bad[np.argmax(distance[bad])]
            given = ", ".join(repr(x[first]) for x in inputs)
            print(f"{name}: {bad.size} of {expected.size} beyond {bound} ulp, for example {source} at {given}: "
                  f"{np.load(f'out{i}.npy')[first]!r}, not {expected[first]!r} ({distance[first]:.0f} ulp)")
print(f"tables of NumPy {np.__version__}: {total - wrong} of {total} right")
sys.exit(bool(wrong))
