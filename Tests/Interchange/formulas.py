"""Formulas of functions and their derivatives, evaluated by mpmath with 30 digits, against the numbers that act computes.

    python3 Tests/Interchange/formulas.py [ACT] [COUNT] [SEED]
    python3 Tests/Interchange/formulas.py --write      (writes Tests/ActLanguageTests/Reference/derivations.txt)

Every elementwise activation, and COUNT (500) random compositions of up to four of them: the formulas of f, f' and f'' in the style "act",
read by Python, must have act's values at random points to 1e-13. Where rounding inside the composition makes the result uncertain, as the same
formula computed with 53 bits shows, that uncertainty is allowed besides. Then derivations: every line must have the value of the
one before at 30 points to 1e-12, lines with primes differentiated numerically. Needs mpmath.
"""
import json, os, random, re, subprocess, sys, tempfile
import mpmath
from mpmath import mp, mpf

mp.dps = 30
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Undefined(Exception):
    """0/0 and its like: where a formula has a hole that the function fills."""


def where(condition, then, otherwise):
    return then() if condition else otherwise()


def clip(x, low, high):
    return min(max(x, low), high)


def rounded(x):
    return mpf(int(mpmath.nint(x)))


FUNCTIONS = {
    "exp": mpmath.exp, "expm1": mpmath.expm1, "log": mpmath.log, "log1p": mpmath.log1p, "log2": lambda x: mpmath.log(x, 2), "log10": mpmath.log10,
    "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan, "asin": mpmath.asin, "acos": mpmath.acos, "atan": mpmath.atan, "sinh": mpmath.sinh,
    "cosh": mpmath.cosh, "tanh": mpmath.tanh, "asinh": mpmath.asinh, "acosh": mpmath.acosh, "atanh": mpmath.atanh, "erf": mpmath.erf, "erfc": mpmath.erfc,
    "sqrt": mpmath.sqrt, "abs": abs, "sign": mpmath.sign, "floor": mpmath.floor, "ceil": mpmath.ceil, "round": rounded,
    "trunc": lambda x: mpmath.sign(x) * mpmath.floor(abs(x)), "max": max, "min": min, "clip": clip, "atan2": mpmath.atan2, "where": where,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "log_sigmoid": lambda x: -mpmath.log1p(mpmath.exp(-x)), "sinc": lambda x: mpmath.sin(x) / x if x else mpf(1),
    "pi": mp.pi, "e": mp.e, "inf": mp.inf,
}


def python(text):
    """A formula of act as Python: powers, lazy choices, exact numbers, primes."""
    text = re.sub(r"\blambda\b", "lambda_", text.replace("^", "**"))
    # (x -> u)'(x)
    text = re.sub(r"\((\w+) -> ", r"D(lambda \1: ", text)
    text = re.sub(r"\)'\((\w+)\)", r", \1)", text)
    text = re.sub(r"(?<![\w.])(\d+\.?\d*(?:e[+-]?\d+)?)", r"mpf('\1')", text)
    return lazy(text)


def lazy(text):
    """where(c, a, b) looks at one of a and b."""
    result, position = "", 0
    while True:
        match = re.compile(r"\bwhere\(").search(text, position)
        if not match:
            return result + text[position:]
        parts, depth, start, i = [], 0, match.end(), match.end()
        while True:
            if text[i] in "([":
                depth += 1
            elif text[i] in ")]":
                if depth == 0:
                    break
                depth -= 1
            elif text[i] == "," and depth == 0:
                parts.append(text[start:i])
                start = i + 1
            i += 1
        parts.append(text[start:i])
        condition, then, otherwise = [lazy(part).strip() for part in parts]
        result += text[position:match.start()] + f"where({condition}, lambda: {then}, lambda: {otherwise})"
        position = i + 1


def function(text, names):
    """The formula as a function of x and what stands in `names`."""
    body = text.strip()
    if body.startswith("{"):
        *letters, last = body[1:-1].strip().split("; ")
        lines = [python(line) for line in letters]
        lines = [re.sub(r"^(\w+) = ", r"\1 = ", line) for line in lines] + ["return " + python(last)]
    else:
        lines = ["return " + python(body)]
    source = "def f(x):\n" + "".join(f"    {line}\n" for line in lines)
    scope = {**FUNCTIONS, **names, "mpf": mpf, "D": derivative}
    exec(source, scope)

    def f(x):
        try:
            return scope["f"](x)
        except ZeroDivisionError:
            raise Undefined

    return f


def derivative(f, x):
    with mpmath.workdps(60):
        return mpmath.diff(f, x, h=mpf(10) ** -20)


def compare(act, count, seed):
    rng = random.Random(seed)
    table = open(os.path.join(root, "Docs", "reference.md"), encoding="utf-8").read()
    rows = [name for name in re.findall(r"^\| `(\w+)` \|", table, re.M)]
    rows = [(name, signature) for name, (text, signature) in ask(act, rows).items() if text != f"{name}(x)"]
    cases = [(name, signature) for name, signature in rows]
    plain = [name for name, _ in rows if name not in ("step", "sign")]
    for _ in range(count):
        names = [rng.choice(plain) for _ in range(rng.randint(2, 4))]
        text = "x"
        for name in names:
            text = f"{name}({text})"
        cases.append((f"(x -> {text})", ""))
    points = [[rng.uniform(-3, 3) for _ in range(6)] for _ in cases]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "formulas.act")
        with open(path, "w", encoding="utf-8") as file:
            file.write("list(f, xs) = [f(x) for x in xs]\n")
            for (name, _), xs in zip(cases, points):
                for primes in ("", "'", "''"):
                    f = name + primes
                    file.write(f"print(to_json({{f: formula({f}, style=\"act\"), y: list({f}, {xs!r})}}))\n")
        answer = subprocess.run([act, "--no-warn", path], capture_output=True, text=True)
        if answer.returncode:
            sys.exit(answer.stderr)
    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    worst, holes, uncertain, failures, compared = 0.0, 0, 0, [], 0
    for k, ((name, signature), xs) in enumerate(zip(cases, points)):
        defaults = dict(re.findall(r"(\w+)=([^,)]+)", signature))
        names = {"lambda_" if key == "lambda" else key: mpf(eval(value)) for key, value in defaults.items()}
        own = {}
        for order in range(3):
            text, values = answers[3 * k + order]["f"], answers[3 * k + order]["y"]
            scope = {**names, **own}
            f = function(text, scope)
            if order == 0 and not name.startswith("("):
                own[name] = lambda x, *rest, f=f: f(x)
            for x, value in zip(xs, values):
                try:
                    exact = f(mpf(x))
                except Undefined:
                    holes += 1
                    continue
                value = mpf(value) if not isinstance(value, str) else mpf(value.replace("Infinity", "inf").replace("NaN", "nan"))
                scale = max(abs(exact), mpf(10) ** -290)
                difference = abs(value - exact)
                compared += 1
                if difference <= mpf("1e-13") * scale:
                    worst = max(worst, float(difference / scale))
                    continue
                if difference <= mpf("1e-13") * abs(exact) + doubt(f, text, scope, own, name, x, exact):
                    uncertain += 1
                    continue
                failures.append(f"{name}{chr(39) * order} at {x!r}: act {mpmath.nstr(value, 17)}, formula {mpmath.nstr(exact, 17)}: {text[:200]}")
    print(f"{len(cases)} functions, {compared} values: worst {worst:.2g}; {uncertain} within the rounding of 53 bits, {holes} holes")
    for failure in failures[:20]:
        print(failure)
    return not failures and uncertain < compared / 20


def doubt(f, text, scope, own, name, x, exact):
    """How uncertain a value is for rounding: that of the formula at neighbouring doubles and with 53 bits."""
    largest = mpf(0)
    for moved in (mpf(x) * (1 + mpf(2) ** -51), mpf(x) * (1 - mpf(2) ** -51)):
        try:
            largest = max(largest, abs(f(moved) - exact))
        except Undefined:
            pass
    with mpmath.workprec(53):
        try:
            largest = max(largest, abs(f(mpf(x)) - exact))
        except Undefined:
            pass
    return 30 * largest


def ask(act, names):
    """The formula and the signature of each of some names that has a formula."""
    found = {}
    for name in names:
        answer = subprocess.run([act, "-e", f"print(formula({name}, style=\"act\")); print({name})"], capture_output=True, text=True)
        if answer.returncode == 0:
            text, signature = answer.stdout.splitlines()[:2]
            found[name] = (text, signature)
    return found


# Functions whose derivations are read line by line, with what they are in Python.
DERIVED = [
    ("x^3 - 2*x + 1", "x**3 - 2*x + 1"), ("x * tanh(x)", "x*tanh(x)"), ("1 / (1 + exp(-x))", "1/(1 + exp(-x))"),
    ("(exp(x) - exp(-x)) / (exp(x) + exp(-x))", "(exp(x) - exp(-x))/(exp(x) + exp(-x))"), ("exp(-x^2 / 2)", "exp(-x**2/2)"),
    ("sqrt(1 + x^2)", "sqrt(1 + x**2)"), ("x / (1 + abs(x))", "x/(1 + abs(x))"), ("log(1 + exp(x))", "log(1 + exp(x))"), ("x * sigmoid(x)", "x*sigmoid(x)"),
    ("x * sin(x)^2 * exp(x)", "x*sin(x)**2*exp(x)"), ("where(x > 0, x, exp(x) - 1)", "where(x > 0, lambda: x, lambda: exp(x) - 1)"),
    ("max(0.01 * x, x)", "max(mpf('0.01')*x, x)"), ("clip(x^2, 0.5, 2)", "clip(x**2, mpf('0.5'), 2)"), ("2^x + x^2", "2**x + x**2"), ("(1 + x^2)^x", "(1 + x**2)**x"),
    ("gelu(x)", "x*erfc(-x/sqrt(mpf(2)))/2"), ("mish(x)", "x*tanh(log1p(exp(x)))"), ("erf(atan(x)) / cosh(x)", "erf(atan(x))/cosh(x)"),
    ("(x^2 + 1) / (x^4 + 3)", "(x**2 + 1)/(x**4 + 3)"), ("log(2 + sin(3 * x))", "log(2 + sin(3*x))"), ("tan(x / 4)^3", "tan(x/4)**3"),
    ("where(abs(x) < 1, x^2, 2 * abs(x) - 1)", "where(abs(x) < 1, lambda: x**2, lambda: 2*abs(x) - 1)"), ("5", "mpf(5)"), ("asin(tanh(x)) * 3", "asin(tanh(x))*3"),
]
_rng = random.Random(7)
POINTS = [_rng.uniform(-2.5, 2.5) for _ in range(30)]


def slopes(text):
    f = eval("lambda x: " + text, {**FUNCTIONS, "mpf": mpf})
    return [derivative(f, mpf(x)) for x in POINTS]


def derivations(act):
    failures = 0
    for source, text in DERIVED:
        answer = subprocess.run([act, "-e", f"print(derive(x -> {source}, style=\"act\"))"], capture_output=True, text=True)
        if answer.returncode:
            sys.exit(answer.stderr)
        expected = slopes(text)
        for line in answer.stdout.splitlines():
            f = function(line.split("   #")[0], {})
            for x, y in zip(POINTS, expected):
                value = f(mpf(x))
                if abs(value - y) > mpf("1e-12") * max(1, abs(y)):
                    failures += 1
                    print(f"{source} at {x}: {mpmath.nstr(value, 15)}, not {mpmath.nstr(y, 15)}: {line}")
                    break
    print(f"{len(DERIVED)} derivations, {len(POINTS)} points: {failures} lines differ")
    return not failures


def write():
    """What the tests without Python compare with: a line for each function, then its slopes."""
    folder = os.path.join(root, "Tests", "ActLanguageTests", "Reference")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "derivations.txt"), "w", encoding="utf-8") as file:
        file.write("# Slopes of functions by mpmath with 30 digits; made by Tests/Interchange/formulas.py --write.\n")
        file.write("points " + " ".join(repr(x) for x in POINTS) + "\n")
        for source, text in DERIVED:
            file.write(f"{source}\n{' '.join(repr(float(y)) for y in slopes(text))}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        act = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(root, ".build", "release", "act"))
        count = int(sys.argv[2]) if len(sys.argv) > 2 else 500
        seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
        good = compare(act, count, seed)
        sys.exit(0 if derivations(act) and good else 1)
