"""Random array programs, run by act and by NumPy: element types, shapes and values must agree.

    python3 Tests/Interchange/numpy_programs.py [ACT] [COUNT] [SEED]

A program makes arrays and then takes up to four steps with them: shapes, broadcasting, indexing and assignment, reductions, order, joining;
some end with a number in one of Python's formats. Values are compared as `repr` writes them: bit for bit, but for steps that round (sums, powers, functions), to the accuracy of the element
type. Where one reports an error the other must too. What the language page says differently from NumPy is done as the page says, at the
places marked "page:".
"""
import math, os, re, subprocess, sys, warnings
import numpy as np

act = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/act")
count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
warnings.simplefilter("ignore")
np.seterr(all="ignore")
rng = np.random.default_rng(seed)
TYPES = {"f8": "f64", "f4": "f32", "b1": "bool"}


def kind(x):
    return x.dtype.str[1:]


def pick(*choices):
    return choices[int(rng.integers(len(choices)))]


def chance(part):
    return rng.random() < part


def whole(low, high):
    """From low to high, both included."""
    return int(rng.integers(low, high + 1))


# Values as text


def text(x):
    """A value as act reads it."""
    if isinstance(x, (bool, np.bool_)):
        return "true" if x else "false"
    if isinstance(x, (float, int, np.floating, np.integer)):
        return repr(float(x)).removesuffix(".0")
    if isinstance(x, tuple):
        return "(" + ", ".join(map(str, x)) + ("," if len(x) == 1 else "") + ")"
    if isinstance(x, list):
        return "[" + ", ".join(map(text, x)) + "]"
    if x.size == 0:
        plain = f"zeros{text(x.shape)}".replace(",)", ")")
        return plain if kind(x) == "f8" else f"{TYPES[kind(x)]}({plain})"
    return f"f32({text(x.tolist())})" if kind(x) == "f4" else text(x.tolist())


def parsed(text):
    """What `repr` wrote."""
    def array(kind):
        return lambda x: np.asarray(x, kind)
    names = {
        "nan": math.nan, "inf": math.inf, "true": True, "false": False, "f32": array("f4"), "f64": array("f8"), "bool": array("?"),
        "zeros": lambda *shape: np.zeros([int(n) for n in shape]),
    }
    # Whole numbers too are floats: -0 has a sign.
    text = re.sub(r"(?<![\w.])-?\d+(\.\d+)?(e[-+]?\d+)?", lambda number: number[0] if number[1] or number[2] else number[0] + ".0", text)
    value = eval(text, {"__builtins__": {}}, names)
    if isinstance(value, list):
        return np.array(value, dtype=None if value else "f8")
    return value


def shape(most=3):
    return tuple(int(n) for n in rng.choice([0, 1, 2, 3, 4], size=whole(1, most), p=[0.05, 0.2, 0.3, 0.3, 0.15]))


def array(size=None, kinds=("f8", "f8", "f8", "f4", "b1")):
    size = shape() if size is None else size
    which = pick(*kinds)
    if which == "b1":
        return np.asarray(rng.random(size) < 0.5)
    x = rng.integers(-4, 5, size).astype("f8") if chance(0.6) else rng.standard_normal(size)
    if chance(0.15):
        x = np.where(rng.random(size) < 0.3, rng.choice([np.nan, np.inf, -np.inf, -0.0, 1e30, -1e-30], size=size), x)
    return np.asarray(x).astype(which)


def axis_of(x, none=True):
    if none and chance(0.3) or x.ndim == 0:
        return None
    return whole(-x.ndim, x.ndim - 1) if chance(0.97) else x.ndim


# Steps: each gives the text of an expression and a function that computes it; `rough` says that the result may be rounded otherwise.


class Step(Exception):
    def __init__(self, text, value, rough=False, target=None):
        self.text, self.value, self.rough, self.target = text, value, rough, target


def numbers(x):
    """page: a bool counts as 0 or 1 in arithmetic."""
    return x.astype("f8") if isinstance(x, np.ndarray) and x.dtype == bool else float(x) if isinstance(x, (bool, np.bool_)) else x


def together(a, b, f):
    """page: in arithmetic a bool takes the other side's type; a number is weak."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and (a.dtype == bool) != (b.dtype == bool):
        a, b = (a.astype(b.dtype), b) if a.dtype == bool else (a, b.astype(a.dtype))
    return f(numbers(a), numbers(b))


def extreme(a, b, f):
    """The larger or smaller of two bools is a bool, as in NumPy."""
    return f(a, b) if getattr(a, "dtype", None) == bool and getattr(b, "dtype", None) == bool else together(a, b, f)


def axis_text(axis):
    return "" if axis is None else f", axis={text(axis) if isinstance(axis, tuple) else axis}"


def make(env):
    return pick(
        lambda: (lambda a, b, s: Step(f"range({a}, {b}, {s})", lambda: np.arange(a, b, s).astype("f8")))(whole(-5, 5), whole(-5, 8), pick(1, 2, -1, 3)),
        lambda: (lambda a, b, n: Step(f"linspace({a}, {b}, {n})", lambda: np.linspace(a, b, n), rough=True))(whole(-5, 5), whole(-5, 5), whole(0, 7)),
        lambda: (lambda s, v: Step(f"full({text(s)}, {text(v)})", lambda: np.full(s, v)))(shape(), pick(1.5, -2.0, True)),
        lambda: (lambda n, m, k: Step(f"eye({n}, {m}, k={k})", lambda: np.eye(n, m, k)))(whole(0, 4), whole(0, 4), whole(-3, 3)),
        lambda: (lambda x: Step(f"one_hot({text(x)}, 4)", lambda: np.eye(4)[x.astype(int)]))(rng.integers(0, 4, whole(1, 5)).astype("f8")),
    )()


def reshaped(env):
    n, x = operand(env)
    divisors = [d for d in range(1, x.size + 1) if x.size % d == 0]
    new = [int(pick(*divisors))] if divisors else [0]
    if divisors:
        rest = x.size // new[0]
        new.append(rest)
        if chance(0.3):
            new.insert(whole(0, 2), 1)
        if chance(0.3):
            new[whole(0, len(new) - 1)] = -1
    if chance(0.04):
        new.append(7)
    return Step(f"reshape({n}, {text(tuple(new))})", lambda: x.reshape(new))


def axes_changed(env):
    n, x = operand(env)
    order = tuple(int(i) for i in rng.permutation(x.ndim))
    a = whole(-x.ndim, x.ndim) if x.ndim else 0
    ends = (whole(-x.ndim, x.ndim - 1), whole(-x.ndim, x.ndim - 1)) if x.ndim else (0, 0)
    small = [i for i, size in enumerate(x.shape) if size == 1]
    wide = shape(1) + tuple(s if s != 1 or chance(0.5) else whole(2, 3) for s in x.shape)
    reps = tuple(whole(0, 2) for _ in range(whole(1, 2)))
    shift, along = whole(-4, 4), axis_of(x)
    return pick(
        Step(f"transpose({n}, {text(order)})", lambda: x.transpose(order)), Step(f"{n}'" if x.ndim > 1 else f"{n}.T", lambda: x.T),
        Step(f"swapaxes({n}, {ends[0]}, {ends[1]})", lambda: x.swapaxes(*ends)), Step(f"expand_dims({n}, {a})", lambda: np.expand_dims(x, a)),
        Step(f"squeeze({n})", lambda: x.squeeze()) if not small or chance(0.5) else Step(f"squeeze({n}, {small[0]})", lambda: x.squeeze(small[0])),
        Step(f"flatten({n})", lambda: x.flatten()), Step(f"broadcast_to({n}, {text(wide)})", lambda: np.broadcast_to(x, wide)),
        Step(f"tile({n}, {text(reps)})", lambda: np.tile(x, reps)), Step(f"flip({n}{axis_text(along)})", lambda: np.flip(x, along)),
        Step(f"roll({n}, {shift}{axis_text(along)})", lambda: np.roll(x, shift, along)),
        Step(f"repeat({n}, {abs(shift)}{axis_text(along)})", lambda: np.repeat(x, abs(shift), along)),
        Step(f"pad({n}, {abs(shift)}, constant_values=7)", lambda: np.pad(x, abs(shift), constant_values=7)),
    )


def arithmetic(env):
    (n, x), (m, y) = operand(env), operand(env)
    if chance(0.3):
        y = pick(2.0, -0.5, 3.0, 0.0, True)
        m = f"({text(y)})"
        if chance(0.3):
            (n, x), (m, y) = (m, y), (n, x)
    sign, f, rough = pick(
        ("+", np.add, 0), ("-", np.subtract, 0), ("*", np.multiply, 0), ("/", np.divide, 0), ("//", np.floor_divide, 0), ("%", np.remainder, 0), ("^", np.power, 1))
    return Step(f"{n} {sign} {m}", lambda: together(x, y, f), rough=bool(rough))


def compared(env):
    (n, x), (m, y) = operand(env), operand(env)
    sign, f = pick(("==", np.equal), ("!=", np.not_equal), ("<", np.less), ("<=", np.less_equal), (">", np.greater), (">=", np.greater_equal))
    c, z = operand(env)
    return pick(
        Step(f"{n} {sign} {m}", lambda: together(x, y, f)), Step(f"maximum({n}, {m})", lambda: extreme(x, y, np.maximum), rough=True),
        Step(f"minimum({n}, {m})", lambda: extreme(x, y, np.minimum), rough=True),
        Step(f"where({c} > 0, {n}, {m})", lambda: together(x, y, lambda a, b: np.where(z > 0, a, b)) if x.dtype != bool or y.dtype != bool else np.where(z > 0, x, y)),
        Step(f"not ({n} > 0)", lambda: ~(x > 0)), Step(f"({n} > 0) and ({m} > 1)", lambda: (x > 0) & (y > 1)), Step(f"({n} > 0) or ({m} > 1)", lambda: (x > 0) | (y > 1)),
        Step(f"isnan({n})", lambda: np.isnan(numbers(x))), Step(f"isfinite({n})", lambda: np.isfinite(numbers(x))),
        Step(f"clip({n}, -1, 2)", lambda: np.clip(numbers(x), -1, 2)),
        Step(f"f32({n})", lambda: x.astype("f4")), Step(f"bool({n})", lambda: x.astype(bool)), Step(f"f64({n})", lambda: x.astype("f8")),
    )


def function(env):
    n, x = operand(env)
    name, f, rough = pick(
        ("abs", np.abs, 0), ("sign", np.sign, 0), ("floor", np.floor, 0), ("ceil", np.ceil, 0), ("trunc", np.trunc, 0), ("round", np.round, 0),
        ("sqrt", np.sqrt, 0), ("exp", np.exp, 1), ("log1p", np.log1p, 1), ("sin", np.sin, 1), ("tanh", np.tanh, 1), ("atan", np.arctan, 1))
    return Step(f"{name}({n})", lambda: f(numbers(x)), rough=bool(rough))


def reduced(env):
    n, x = operand(env)
    axis = axis_of(x)
    if x.ndim > 1 and chance(0.3):
        axis = tuple(int(i) for i in rng.permutation(x.ndim)[: whole(1, x.ndim)])
    keep = chance(0.3)
    name = pick("sum", "prod", "mean", "std", "var", "max", "min", "any", "all", "argmax", "argmin", "cumsum", "cumprod", "median", "quantile", "norm")
    if name in ("argmax", "argmin", "cumsum", "cumprod", "median", "quantile", "norm") and isinstance(axis, tuple):
        axis = axis[0]
    kept = f", keepdims={text(keep)}" if name[:3] != "cum" and keep else ""
    more = {"keepdims": True} if kept else {}
    f = getattr(np, name if name != "norm" else "sum")
    values = numbers(x)
    if name in ("median", "quantile", "norm", "argmax", "argmin") and x.size == 0:
        return function(env)
    if name in ("median", "quantile") and np.isinf(values).any():
        # page: what lies between an infinite and a finite element is infinite, not nan.
        return function(env)
    if name == "quantile":
        return Step(f"quantile({n}, 0.3{axis_text(axis)}{kept})", lambda: np.quantile(values, 0.3, axis=axis, **more), rough=True)
    if name == "norm":
        return Step(f"norm({n}{axis_text(axis)}{kept})", lambda: np.sqrt(np.sum(values.astype("f8") ** 2, axis=axis, **more)).astype(values.dtype), rough=True)
    if name in ("cumsum", "cumprod", "sum", "prod", "mean", "std", "var"):
        # page: reductions of f32 arrays are at least as accurate as pairwise sums; the reference is summed in f64.
        return Step(f"{name}({n}{axis_text(axis)}{kept})", lambda: f(values.astype("f8"), axis=axis, **more).astype(values.dtype), rough=True)
    if name in ("any", "all"):
        return Step(f"{name}({n}{axis_text(axis)}{kept})", lambda: np.asarray(f(x, axis=axis, **more)).astype(bool)[()])
    def reduce():
        # page: where the result has no elements none is missing.
        is_empty = x.size == 0 and name in ("max", "min") and np.sum(x, axis=axis, **more).size == 0
        return np.sum(x, axis=axis, **more).astype(x.dtype) if is_empty else f(x, axis=axis, **more)
    return Step(f"{name}({n}{axis_text(axis)}{kept})", reduce, rough=name[:3] != "arg")


def ordered(env):
    n, x = operand(env)
    axis = axis_of(x, none=False)
    v = np.sort(rng.integers(-4, 5, whole(0, 5)).astype("f8"))
    counts = rng.integers(0, 5, whole(1, 6)).astype("f8")
    side = pick("left", "right")
    return pick(
        Step(f"sort({n}, axis={axis})", lambda: np.sort(x, axis, kind="stable")), Step(f"argsort({n}, axis={axis})", lambda: np.argsort(x, axis, kind="stable")),
        # Which zero stands for both is open, here and in extremes.
        Step(f"unique({n})", lambda: np.unique(x), rough=True), Step(f"nonzero({n})[0]", lambda: x.nonzero()[0]),
        Step(f"bincount({text(counts)}, minlength={len(v)})", lambda: np.bincount(counts.astype(int), minlength=len(v))),
        Step(f'searchsorted({text(v)}, {n}, "{side}")', lambda: np.searchsorted(v, numbers(x).astype("f8"), side)),
    )


def joined(env):
    (n, x), (m, y) = operand(env), operand(env)
    if chance(0.6):
        y, m = x, n
    axis = axis_of(x, none=False)
    parts = whole(1, 3)
    def mixed(f):
        return together(x, y, lambda a, b: f((a, b))) if x.dtype != y.dtype else f((x, y))
    return pick(
        Step(f"concat(({n}, {m}), axis={axis})", lambda: mixed(lambda p: np.concatenate(p, axis))),
        Step(f"stack(({n}, {m}), axis={axis})", lambda: mixed(lambda p: np.stack(p, axis))), Step(f"[{n}, {m}]", lambda: mixed(np.stack)) if x.shape == y.shape else function(env),
        Step(f"split({n}, {parts}, axis={axis})[0]", lambda: np.split(x, parts, axis)[0]),
        Step(f"{n} @ {m}", lambda: together(x, y, np.matmul), rough=True), Step(f"dot({n}, {m}')" if y.ndim > 1 else f"dot({n}, {m})", lambda: together(x, y.T, np.dot), rough=True),
        Step(f"outer({n}, {m})", lambda: together(x, y, np.outer)),
    )


def index(x):
    """A random index: its text, and what NumPy takes."""
    words, parts = [], []
    left, axis, lookup = x.ndim, 0, whole(1, 3)
    has_ellipsis = False
    while True:
        what = pick("int", "slice", "slice", "array", "mask", "none", "dots", "end")
        if what == "end" or left == 0 and what not in ("none", "dots"):
            if words:
                break
            what = "dots"
        size = x.shape[axis] if axis < x.ndim else 0
        if what == "int":
            i = whole(-size, size - 1) if size and chance(0.98) else size
            words.append(str(i)), parts.append(i)
        elif what == "slice":
            start, stop, step = (whole(-5, 5) if chance(0.5) else None for _ in range(3))
            step = 1 if step == 0 else step
            words.append(":".join("" if v is None else str(v) for v in (start, stop)) + ("" if step is None else f":{step}")), parts.append(slice(start, stop, step))
        elif what == "array":
            form = pick((lookup,), (lookup,), (1,), (2, lookup), (2, 1), (0,) if chance(0.2) else (lookup,))
            values = rng.integers(-size, size, form) if size and chance(0.98) else rng.integers(0, 2, form)
            words.append(text(values.astype("f8"))), parts.append(values)
        elif what == "mask":
            ranks = whole(1, left) if chance(0.3) else 1
            mask = rng.random(x.shape[axis : axis + ranks]) < 0.5
            words.append(text(mask)), parts.append(mask)
            left, axis = left - ranks, axis + ranks
            continue
        elif what == "none":
            words.append("none"), parts.append(None)
            continue
        elif has_ellipsis:
            continue
        else:
            has_ellipsis = True
            words.append("..."), parts.append(Ellipsis)
            # What follows counts from the end.
            axis = x.ndim - left if chance(0.3) else max(axis, x.ndim - whole(0, left))
            left = x.ndim - axis
            continue
        left, axis = left - 1, axis + 1
        if chance(0.2):
            break
    return ", ".join(words), tuple(parts)


def indexed(env):
    n, x = operand(env)
    words, parts = index(x)
    return Step(f"{n}[{words}]", lambda: x[fitting(parts, x.shape)])


def fitting(parts, shape):
    """The parts of an index. page: a mask has the shape of the axes that it stands for; NumPy lets one without elements pass where the
    result has none either."""
    takes = lambda part: 0 if part is None else part.ndim if getattr(part, "dtype", None) == bool else 1
    axis = 0
    for part in parts:
        if part is Ellipsis:
            axis = len(shape) - sum(takes(other) for other in parts[[p is Ellipsis for p in parts].index(True) + 1 :])
            continue
        if getattr(part, "dtype", None) == bool and part.shape != shape[axis : axis + part.ndim]:
            raise IndexError("a mask that does not fit")
        axis += takes(part)
    return parts


def assigned(env):
    n, x = operand(env)
    words, parts = index(x)
    value = pick(3.5, -1.0, True, None, None)
    if value is None:
        try:
            target = x[fitting(parts, x.shape)].shape
        except (IndexError, ValueError):
            target = ()
        target = tuple(s if chance(0.8) else 1 for s in target[whole(0, len(target)) if chance(0.3) else 0 :])
        value = array(target or (1,)) if chance(0.95) else array((7,))
    value_size = np.size(value)
    def run():
        y = x.copy()
        if isinstance(x[fitting(parts, x.shape)], np.generic) and value_size == 1:
            # page: what has one element fits where one is selected.
            y[parts] = np.asarray(value).item()
            return y
        y[parts] = value
        return y
    return Step(f"{n}[{words}] = {text(value)}", run, target=n)


def formatted(env):
    x = pick(0.0, -0.0, 12.0, -7.0, 1234567.0, 0.5, -2.675, 1e-7, 6.02e23, math.nan, -math.inf)
    spec = pick("", "", " ", "*", "0") if chance(0.5) else ""
    spec += pick("<", ">", "^", "=") if spec or chance(0.4) else ""
    spec += pick("", "", "+", "-", " ") + pick("", "", "0") + pick("", "8", "14", "21") + pick("", "", ",")
    letter = pick("f", "e", "g", "%", "d", "s")
    spec += (pick("", ".0", ".3") if letter in "feg%" else "") + letter
    if letter == "s":
        word = pick("", "word", "한글")
        return Step(f'format("{word}", "{spec}")', lambda: format(word, spec))

    def run():
        if letter != "d":
            return format(x, spec)
        if not math.isfinite(x) or x != int(x):
            raise ValueError
        # page: there is one kind of number, and a whole one is fit for `d`.
        return format(int(x), spec)

    return Step(f'format({text(x + 0.0 if letter == "d" else x)}, "{spec}")', run)


def operand(env):
    return env[int(rng.integers(len(env)))]


STEPS = [make, formatted, reshaped, axes_changed, axes_changed, arithmetic, arithmetic, compared, function, reduced, reduced, ordered, joined, indexed, indexed, indexed, assigned, assigned]


def program(number):
    """The lines of a program, its result (`None`: an error), and by how much that may differ: to 0 it must not."""
    env, lines = [], []
    for name in "ab"[: whole(1, 2)]:
        x = array()
        lines.append(f"{name} = {text(x)}")
        env.append((name, x))
    for step in range(whole(1, 4)):
        chosen = pick(*STEPS)(env)
        name = chosen.target or "cdef"[step]
        lines.append(chosen.text if chosen.target else f"{name} = {chosen.text}")
        try:
            value = chosen.value()
        except (ValueError, IndexError, TypeError):
            return lines + [f'print("@{number} no error")'], None, 0
        if isinstance(value, str):
            return lines + [f'print("@{number} " + repr({name}))'], value, 0
        value = np.asarray(value)
        value = value.astype("f8") if value.dtype.kind in "iu" else value
        env = [(n, x) for n, x in env if n != name] + [(name, value)]
        # page: one element is a number, and numbers are weak; what has been rounded may differ, and so may all that follows.
        if chosen.rough or value.ndim == 0:
            break
    sizes = [np.abs(x[np.isfinite(x)]).max(initial=0) for _, x in env]
    return lines + [f'print("@{number} " + repr({name}))'], value, max(float(max(sizes)), 1e-300) if chosen.rough else 0


def agrees(shown, wanted, rough):
    if isinstance(wanted, str):
        return shown == f'"{wanted}"'
    got = parsed(shown)
    if wanted.ndim == 0:
        if isinstance(got, np.ndarray):
            return False
        got, wanted = np.asarray(got, bool if isinstance(got, bool) else "f8"), wanted.astype(bool if wanted.dtype == bool else "f8"),
        single = True
    else:
        single = wanted.dtype == np.float32
    if not isinstance(got, np.ndarray) or got.dtype != wanted.dtype or got.shape != wanted.shape:
        return False
    if rough and wanted.dtype != bool:
        return np.allclose(got, wanted, rtol=1e-5 if single else 1e-10, atol=rough * (1e-6 if single else 1e-12), equal_nan=True)
    return bool(np.array_equal(got, wanted, equal_nan=wanted.dtype != bool) and (wanted.dtype == bool or np.array_equal(np.signbit(got[~np.isnan(got)]), np.signbit(wanted[~np.isnan(wanted)]))))


def outputs(programs):
    """What act shows for each program; `None` where it reports an error. One run goes on until the first error."""
    shown, next_one = {}, 0
    numbers = list(programs)
    while next_one < len(numbers):
        batch = numbers[next_one : next_one + 100]
        result = subprocess.run([act, "--no-warn", "-"], input="\n".join(line for i in batch for line in programs[i][0]), capture_output=True, text=True)
        if result.returncode not in (0, 1):
            sys.exit(f"act ended with status {result.returncode}: {result.stderr[-500:]}")
        lines = dict(line[1:].split(" ", 1) for line in re.split(r"\n(?=@)", result.stdout.strip()) if line.startswith("@"))
        done = len(batch)
        if result.returncode:
            # The program after the last one that showed something failed, or one that was meant to.
            done = next(k for k, i in enumerate(batch) if str(i) not in lines) + 1
            shown[batch[done - 1]] = None
            errors[batch[done - 1]] = result.stderr.split("\n")[0]
        for i in batch[:done]:
            if str(i) in lines:
                shown[i] = lines[str(i)]
        next_one += done
    return shown


errors = {}
programs = {i: program(i) for i in range(count)}
shown = outputs(programs)
failures = 0
for i, (lines, wanted, rough) in programs.items():
    got = shown.get(i)
    if wanted is None and got is None or wanted is not None and got is not None and agrees(got, wanted, rough):
        continue
    failures += 1
    if failures <= 20:
        print(f"program {i} of seed {seed}:", *lines, sep="\n    ")
        print("  act:  ", errors.get(i, "an error") if got is None else got.replace("\n", " "))
        print("  NumPy:", "an error" if wanted is None else wanted if isinstance(wanted, str) else f"{wanted.dtype} {wanted.shape} " + text(wanted if wanted.ndim else wanted[()]))
print(f"{count} programs of seed {seed}: " + ("all agree" if not failures else f"{failures} differ"))
sys.exit(bool(failures))
