"""Random programs whose derivatives are compared with those of JAX.

    python3 Tests/Interchange/derivatives.py [ACT] [COUNT] [SEED]

COUNT programs (1,000) are made with a seed: compositions of elementwise functions, activation functions, broadcasting, reductions,
products, indexing, sorting and choices, of numbers, vectors and matrices. Of each one derivative is taken: f', a gradient, a
Jacobian, a Hessian or the gradient of a gradient.

Two differences are no failures, because the page on the language states them: at a kink (where the derivative of JAX itself jumps
within a hair's breadth of the point), and where JAX has NaN because of a branch that was not selected.
"""
import json, os, random, subprocess, sys, tempfile
import jax

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np

act = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/act")
count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
rng = random.Random(seed)

# How act and JAX write the same. Every entry keeps values moderate, so that nothing overflows however deep programs nest.
UNARY = [
    ("sin({0})", "jnp.sin({0})"), ("cos({0})", "jnp.cos({0})"), ("tanh({0})", "jnp.tanh({0})"), ("exp(-abs({0}))", "jnp.exp(-jnp.abs({0}))"),
    ("log(1 + {0}^2)", "jnp.log(1 + ({0})**2)"), ("log1p(abs({0}))", "jnp.log1p(jnp.abs({0}))"), ("sqrt({0}^2 + 0.3)", "jnp.sqrt(({0})**2 + 0.3)"),
    ("atan({0})", "jnp.arctan({0})"), ("erf({0})", "jax.scipy.special.erf({0})"), ("abs({0})", "jnp.abs({0})"), ("-{0}", "-({0})"),
    ("expm1(tanh({0}))", "jnp.expm1(jnp.tanh({0}))"), ("sinh(sin({0}))", "jnp.sinh(jnp.sin({0}))"), ("cosh(cos({0}))", "jnp.cosh(jnp.cos({0}))"),
    ("tan(0.5 * sin({0}))", "jnp.tan(0.5 * jnp.sin({0}))"), ("asin(0.9 * sin({0}))", "jnp.arcsin(0.9 * jnp.sin({0}))"),
    ("acos(0.9 * cos({0}))", "jnp.arccos(0.9 * jnp.cos({0}))"), ("log2(2 + abs({0}))", "jnp.log2(2 + jnp.abs({0}))"),
    ("floor({0})", "jnp.floor({0})"), ("round({0})", "jnp.round({0})"), ("sign({0})", "jnp.sign({0})"), ("trunc({0})", "jnp.trunc({0})"),
    ("clip({0}, -0.7, 0.9)", "jnp.clip({0}, -0.7, 0.9)"), ("{0}^2", "({0})**2"), ("{0}^3", "({0})**3"), ("abs({0})^1.7", "jnp.abs({0})**1.7"),
    ("2^tanh({0})", "2.0**jnp.tanh({0})"), ("1 / (1 + {0}^2)", "1 / (1 + ({0})**2)"), ("{0} % 0.7", "jnp.mod({0}, 0.7)"),
    ("relu({0})", "jax.nn.relu({0})"), ("relu6({0})", "jax.nn.relu6({0})"), ("sigmoid({0})", "jax.nn.sigmoid({0})"), ("silu({0})", "jax.nn.silu({0})"),
    ("gelu({0})", "jax.nn.gelu({0}, approximate=False)"), ("gelu_tanh({0})", "jax.nn.gelu({0}, approximate=True)"), ("softplus({0})", "jax.nn.softplus({0})"),
    ("log_sigmoid({0})", "jax.nn.log_sigmoid({0})"), ("elu({0})", "jax.nn.elu({0})"), ("celu({0}, 0.8)", "jax.nn.celu({0}, 0.8)"), ("selu({0})", "jax.nn.selu({0})"),
    ("leaky_relu({0}, 0.2)", "jax.nn.leaky_relu({0}, 0.2)"), ("softsign({0})", "jax.nn.soft_sign({0})"), ("mish({0})", "jax.nn.mish({0})"),
    ("hard_tanh({0})", "jax.nn.hard_tanh({0})"), ("hard_swish({0})", "jax.nn.hard_silu({0})"), ("hard_sigmoid({0})", "jax.nn.hard_sigmoid({0})"),
    ("squareplus({0})", "jax.nn.squareplus({0})"), ("sparse_plus({0})", "jax.nn.sparse_plus({0})"), ("sinc({0})", "jnp.sinc(({0}) / jnp.pi)"),
    ("f64(isfinite({0})) * {0}", "jnp.isfinite({0}) * ({0})"),
]
BINARY = [
    ("{0} + {1}", "({0}) + ({1})"), ("{0} - {1}", "({0}) - ({1})"), ("{0} * {1}", "({0}) * ({1})"), ("{0} / (1.5 + abs({1}))", "({0}) / (1.5 + jnp.abs({1}))"),
    ("max({0}, {1})", "jnp.maximum({0}, {1})"), ("minimum({0}, {1})", "jnp.minimum({0}, {1})"), ("hypot({0}, {1} + 2)", "jnp.hypot({0}, ({1}) + 2)"),
    ("atan2({0}, 1 + {1}^2)", "jnp.arctan2({0}, 1 + ({1})**2)"), ("(0.5 + abs({0}))^tanh({1})", "(0.5 + jnp.abs({0}))**jnp.tanh({1})"),
    ("where({0} > {1}, {0}^2, sin({1}))", "jnp.where(({0}) > ({1}), ({0})**2, jnp.sin({1}))"),
    ("where({0} > 0, sqrt(abs({0})), {1})", "jnp.where(({0}) > 0, jnp.sqrt(jnp.abs({0})), {1})"),
    ("{0} % (1.3 + {1}^2)", "jnp.mod({0}, 1.3 + ({1})**2)"),
]
# Of arrays with at least one axis; {n} is the size of the first.
WHOLE = [
    ("sum({0})", "jnp.sum({0})"), ("mean({0}, axis=0)", "jnp.mean({0}, axis=0)"), ("sum({0}, axis=-1)", "jnp.sum({0}, axis=-1)"),
    ("mean({0}, axis=-1, keepdims=true)", "jnp.mean({0}, axis=-1, keepdims=True)"), ("max({0}, axis=-1)", "jnp.max({0}, axis=-1)"), ("min({0})", "jnp.min({0})"),
    ("prod(tanh({0}))", "jnp.prod(jnp.tanh({0}))"), ("std({0} + 0.3 * {0}^2)", "jnp.std(({0}) + 0.3 * ({0})**2)"), ("var({0}, axis=0)", "jnp.var({0}, axis=0)"),
    ("norm({0})", "jnp.sqrt(jnp.sum(({0})**2))"), ("logsumexp({0}, axis=-1)", "jax.scipy.special.logsumexp({0}, axis=-1)"), ("logsumexp({0})", "jax.scipy.special.logsumexp({0})"),
    ("softmax({0})", "jax.nn.softmax({0})"), ("softmax({0}, axis=0)", "jax.nn.softmax({0}, axis=0)"), ("log_softmax({0})", "jax.nn.log_softmax({0})"),
    ("cumsum({0}, axis=0)", "jnp.cumsum({0}, axis=0)"), ("cumprod(1 + 0.2 * sin({0}), axis=-1)", "jnp.cumprod(1 + 0.2 * jnp.sin({0}), axis=-1)"),
    ("sort({0})", "jnp.sort({0})"), ("sort({0}, axis=0)", "jnp.sort({0}, axis=0)"), ("median({0})", "jnp.median({0})"), ("quantile({0}, 0.3)", "jnp.quantile({0}, 0.3)"),
    ("flip({0})", "jnp.flip({0})"), ("roll({0}, 1)", "jnp.roll({0}, 1)"), ("transpose({0})", "jnp.transpose({0})"), ("flatten({0})", "jnp.ravel({0})"),
    ("{0}[0]", "({0})[0]"), ("{0}[-1]", "({0})[-1]"), ("{0}[::-1]", "({0})[::-1]"), ("{0}[1:]", "({0})[1:]"), ("{0}[[0, -1, 0]]", "({0})[jnp.array([0, -1, 0])]"),
    ("{0}[:, none]", "({0})[:, None]"), ("expand_dims({0}, 0)", "jnp.expand_dims({0}, 0)"), ("concat(({0}, sin({0})), axis=0)", "jnp.concatenate(({0}, jnp.sin({0})), axis=0)"),
    ("stack(({0}, {0}^2))", "jnp.stack(({0}, ({0})**2))"), ("pad({0}, 1, constant_values=0.5)", "jnp.pad({0}, 1, constant_values=0.5)"), ("tile({0}, 2)", "jnp.tile({0}, 2)"),
    ("repeat({0}, 2, axis=0)", "jnp.repeat({0}, 2, axis=0)"), ("outer({0}, {0})", "jnp.outer({0}, {0})"), ("{0} * f64(argmax({0}))", "({0}) * jnp.argmax({0})"),
    ("{0}[argsort({0}[:, none][:, 0].flatten())[0] % {n}]", "({0})[jnp.argsort(({0})[:, None][:, 0].ravel())[0] % {n}]"),
]
# Of matrices, square ones that are well away from singular.
SQUARE = [("eye({n}) * 3 + 0.3 * tanh({0})", "jnp.eye({n}) * 3 + 0.3 * jnp.tanh({0})")]
OF_SQUARE = [
    ("det({0})", "jnp.linalg.det({0})"), ("inv({0})", "jnp.linalg.inv({0})"), ("trace({0})", "jnp.trace({0})"), ("{0} @ {0}", "({0}) @ ({0})"),
    ("solve({0}, {0}[0])", "jnp.linalg.solve({0}, ({0})[0])"),
]
LIMIT = 400


class Program:
    """One function of x, as act and as JAX write it, with the numbers it is taken at."""

    def __init__(self):
        shape = rng.choice([(), (), (1,), (2,), (3,), (5,), (2, 2), (2, 3), (3, 3), (1, 3), (3, 1)])
        self.x = np.array([round(rng.uniform(-2, 2), 3) for _ in range(int(np.prod(shape)))]).reshape(shape)
        self.constants = [np.array([round(rng.uniform(-2, 2), 2) for _ in range(n)]) for n in (1, 2, 3)]
        pool = [("x", "x")]
        for _ in range(rng.randint(1, 7)):
            step = self.step(pool)
            if step is not None:
                pool.append(step)
        self.act, self.jax = pool[-1]
        # Every value that was computed takes part in some programs.
        if rng.random() < 0.3 and len(pool) > 2:
            early = rng.choice(pool)
            self.act, self.jax = f"sum({early[0]}) + sum({self.act})", f"jnp.sum({early[1]}) + jnp.sum({self.jax})"
        kind = rng.choice(["prime", "grad", "grad", "jacobian", "hessian", "twice"])
        value = self.value(self.jax)
        self.kind = kind
        if kind in ("grad", "hessian", "twice") and value.ndim > 0:
            self.act, self.jax = f"sum(sin({self.act}))", f"jnp.sum(jnp.sin({self.jax}))"
        if kind in ("jacobian", "hessian") and max(value.size, 1) * self.x.size > LIMIT:
            self.kind = "prime"

    def step(self, pool):
        table = rng.choice([UNARY, UNARY, BINARY, WHOLE, WHOLE, SQUARE])
        a = rng.choice(pool[-3:])
        shape = self.value(a[1]).shape
        if table is SQUARE:
            if len(shape) != 2 or shape[0] != shape[1]:
                return None
            inner = tuple(text.format(side, n=shape[0]) for text, side in zip(SQUARE[0], a))
            return self.fitting(rng.choice(OF_SQUARE), [tuple(f"({text})" for text in inner)], shape)
        if table is WHOLE and not shape:
            return None
        other = rng.choice(pool) if rng.random() < 0.6 else self.constant()
        return self.fitting(rng.choice(table), [a, other], shape)

    def constant(self):
        if rng.random() < 0.5:
            number = str(round(rng.uniform(-2, 2), 2))
            return f"({number})", f"({number})"
        values = rng.choice(self.constants).tolist()
        return str(values), f"jnp.array({values})"

    def fitting(self, entry, operands, shape):
        """The entry with the operands in place, if both sides take them."""
        parts = [f"({text})" if not text.isidentifier() else text for text, _ in operands]
        text = entry[0].format(*parts, n=shape[0] if shape else 0)
        code = entry[1].format(*[code for _, code in operands], n=shape[0] if shape else 0)
        try:
            value = self.value(code)
        except (ValueError, TypeError, IndexError):
            return None
        if value.size == 0 or value.size > LIMIT or not np.all(np.isfinite(value)) or np.max(np.abs(value)) > 1e6 or len(text) > 1500:
            return None
        return text, code

    def value(self, code):
        return np.asarray(eval(code, {"jnp": jnp, "jax": jax, "x": jnp.asarray(self.x)}))

    def source(self):
        x = json.dumps(self.x.tolist())
        derivative = {"prime": "f'(x)", "grad": "grad(f)(x)", "jacobian": "jacobian(f)(x)", "hessian": "hessian(f)(x)",
                      "twice": "grad(x -> sum(cos(grad(f)(x))))(x)"}[self.kind]
        return f"f = x -> {self.act}\nx = {x}\nprint(to_json({derivative}))\n"

    def expected(self, x):
        def f(x):
            return eval(self.jax, {"jnp": jnp, "jax": jax, "x": x}) * 1.0
        if self.kind == "grad":
            return jax.grad(f)(x)
        if self.kind == "hessian":
            return jax.hessian(f)(x)
        if self.kind == "twice":
            return jax.grad(lambda x: jnp.sum(jnp.cos(jax.grad(f)(x))))(x)
        jacobian = jax.jacrev(f)(x)
        return jacobian


def close(ours, theirs, slack=1e-8):
    scale = np.maximum(np.abs(theirs), 1e-3 * max(1.0, float(np.max(np.abs(theirs), initial=0, where=np.isfinite(theirs)))))
    return np.all((np.abs(ours - theirs) <= slack * scale) | (ours == theirs) | np.isnan(ours) & np.isnan(theirs))


def shaped(program, ours, theirs):
    """f' of an elementwise function is the diagonal of the Jacobian, which is what JAX computes."""
    if program.kind == "prime" and ours.shape == program.x.shape and ours.shape != theirs.shape:
        n = program.x.size
        matrix = theirs.reshape(n, n)
        if np.all(matrix - np.diag(np.diag(matrix)) == 0):
            return np.diag(matrix).reshape(ours.shape)
    return theirs


def numbers(text):
    return np.array(json.loads(text.replace('"NaN"', "NaN").replace('"-Infinity"', "-Infinity").replace('"Infinity"', "Infinity")), dtype=float)


def judge(program, path):
    """What is wrong, or None; and whether the point is one where the language page decides."""
    with open(path, "w") as file:
        file.write(program.source())
    run = subprocess.run([act, path], capture_output=True, text=True, timeout=120)
    if run.returncode != 0:
        return run.stderr.strip()[:600]
    ours = numbers(run.stdout)
    x = jnp.asarray(program.x)
    theirs = shaped(program, ours, np.asarray(program.expected(x)))
    if ours.shape != theirs.shape:
        return f"shape {ours.shape}, not {theirs.shape}"
    if close(ours, theirs):
        return None
    # Selected branches alone count here; JAX multiplies the others by 0.
    known = ~np.isnan(theirs)
    if not known.all() and not np.isnan(ours).any() and close(ours[known], theirs[known]):
        return ""
    near = [shaped(program, ours, np.asarray(program.expected(x + h * direction)))
            for h in (1e-7, -1e-7) for direction in (1.0, np.resize([1.0, -1.0, -1.0], x.shape))]
    if not all(close(side, theirs, 1e-4) for side in near):
        return ""
    return f"act {ours.tolist()}\n  JAX {theirs.tolist()}"


def main():
    failures = decided = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            program = Program()
            fault = judge(program, os.path.join(folder, "program.act"))
            if fault == "":
                decided += 1
            elif fault is not None:
                failures += 1
                print(f"program {number}: {program.kind}\n{program.source()}  {fault}\n", flush=True)
    print(f"derivatives against JAX: {count} programs with seed {seed}, {decided} at kinks or singular points, {failures} failures")
    sys.exit(1 if failures else 0)


main()
