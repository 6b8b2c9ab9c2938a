"""What is written for other programs, and compared there: every layer and activation function, functions of many kinds, networks of the examples."""
import os, re, subprocess, sys

root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
with open(os.path.join(root, "Docs", "reference.md"), encoding="utf-8") as file:
    reference = file.read()

# (network, shape of one input); of layers each name of the reference must occur.
LAYERS = [
    ("Dense(5, 4, relu)", (5,)), ("Dense(5, 4, bias=false)", (5,)), ("Dense(5, 4, tanh)", (3, 5)), ("Dense(2, 2, init=\"he_normal\", dtype=\"f64\")", (2,)),
    ("Maxout(5, 4, pieces=3)", (5,)), ("Maxout(5, 4)", (3, 5)),
    ("PReLU()", (5,)), ("PReLU(3)", (3, 4, 4)), ("PReLU(5)", (3, 5)),
    ("Conv1D(2, 4, 3, relu, padding=1)", (2, 9)), ("Conv1D(2, 4, 3, padding=(4, 0), dilation=2)", (2, 9)),
    ("Conv2D(4, 6, (3, 2), gelu, stride=2, padding=\"same\", groups=2)", (4, 9, 8)), ("Conv2D(1, 2, 5, bias=false)", (1, 8, 8)),
    ("Conv3D(2, 3, (1, 3, 2), stride=(1, 2, 1), padding=(0, 1, 0))", (2, 3, 7, 6)),
    ("ConvTranspose1D(3, 2, 4, stride=2, padding=1)", (3, 6)), ("ConvTranspose1D(3, 2, 2, stride=3, padding=\"same\")", (3, 6)),
    ("ConvTranspose2D(4, 2, 3, silu, stride=2, padding=1, output_padding=1, groups=2)", (4, 5, 4)),
    ("ConvTranspose3D(2, 3, (2, 1, 3), dilation=(1, 1, 2))", (2, 3, 2, 4)),
    ("FReLU(3)", (3, 6, 5)),
    ("Flatten()", (2, 3, 4)), ("Flatten()", (6,)),
    ("MaxPool1D(3, stride=2, ceil=true)", (2, 8)), ("MaxPool2D(2)", (2, 7, 6)), ("MaxPool2D((3, 2), stride=1, padding=1, dilation=2)", (2, 8, 8)),
    ("MaxPool2D(2, padding=2, dilation=4)", (2, 8, 8)), ("MaxPool3D(2, ceil=true)", (2, 5, 4, 5)),
    ("AvgPool1D(2, padding=1)", (2, 6)), ("AvgPool2D(2)", (2, 6, 6)), ("AvgPool2D(3, stride=2, padding=1, count_padding=false)", (2, 7, 7)),
    ("AvgPool2D(3, stride=2, padding=1, ceil=true)", (2, 8, 8)), ("AvgPool3D(2, dilation=2)", (2, 5, 6, 5)),
    ("GlobalAvgPool()", (3, 4, 5)), ("GlobalAvgPool()", (3, 7)),
    ("Upsample2D(3)", (2, 3, 4)), ("Upsample2D(2, mode=\"bilinear\")", (2, 3, 4)),
    ("BatchNorm(5)", (5,)), ("BatchNorm(3, eps=0.01)", (3, 4, 5)),
    ("LayerNorm(5)", (4, 5)), ("LayerNorm((4, 5), eps=0.001)", (3, 4, 5)),
    ("RMSNorm(5)", (4, 5)), ("RMSNorm((4, 5))", (3, 4, 5)),
    ("GroupNorm(2, 6)", (6, 4, 3)), ("GroupNorm(2, 6)", (6,)), ("InstanceNorm(3)", (3, 4, 5)), ("InstanceNorm(3)", (3, 7)),
    ("Attention(8)", (5, 8)), ("Attention(8, heads=2, causal=true)", (5, 8)), ("Attention(6, heads=3, bias=false)", (4, 6)),
    ("Positions(5, 4)", (5, 4)), ("Positions(9, 4)", (5, 4)),
    ("RNN(3, 4)", (6, 3)), ("RNN(3, 4, activation=relu, sequences=false)", (6, 3)), ("RNN(3, 4, activation=mish)", (4, 3)),
    ("GRU(3, 4)", (6, 3)), ("GRU(3, 4, sequences=false, bias=false)", (6, 3)),
    ("LSTM(3, 4)", (6, 3)), ("LSTM(3, 4, sequences=false)", (6, 3)),
    ("Dropout(0.5) >> Dense(5, 4)", (5,)),
    ("Embedding(10, 4)", (6,)), ("Embedding(10, 4) >> LSTM(4, 3, sequences=false) >> Dense(3, 2)", (6,)),
    ("Residual(Dense(5, 5, gelu) >> Dense(5, 5))", (5,)),
    ("Branch(Dense(5, 3, relu), Dense(5, 2) >> tanh)", (5,)), ("Branch(Conv2D(2, 3, 1), identity)", (2, 4, 4)),
    ("Branch(tanh, sigmoid, join=\"product\")", (5,)), ("Branch(Dense(5, 3), Dense(5, 3), join=\"sum\")", (5,)),
    ("freeze(Dense(5, 4)) >> softmax", (5,)),
    # Layers of the program's own, functions between layers.
    ("Scaled(5) >> Dense(5, 2)", (5,)), ("Odd(4)", (4,)), ("Wrapped(5)", (5,)),
    ("Dense(5, 6) >> (x -> x.reshape(-1, 2, 3)) >> (x -> sum(x, axis=1))", (5,)), ("double >> Dense(5, 2)", (5,)),
    ("Conv2D(1, 2, 3) >> (x -> where(x > 0, x, exp(x) - 1)) >> Flatten()", (1, 6, 6)),
]

# Functions: (definition of f, shape of each input, whether a row of the result hangs on that row of the inputs alone).
FUNCTIONS = [
    ("f(x) = x^2 + 3 * x - 1", [(4,)], True), ("f(x) = x % 3 + x // 2", [(4,)], True), ("f(x) = where(x > 0, log(1 + x), -sqrt(-x))", [(4,)], True),
    ("f(x) = max(x, axis=1) - min(x, axis=1)", [(4,)], True), ("f(x) = prod(x, axis=1)", [(4,)], True),
    ("f(x) = mean(x, axis=-1, keepdims=true) + var(x, axis=1, keepdims=true)", [(4, 5)], True),
    ("f(x) = softmax(x @ swapaxes(x, -1, -2))", [(4, 3)], True), ("f(x) = cumsum(x, axis=1) + cumprod(x, axis=1)", [(5,)], True),
    ("f(x) = x[:, ::-1] * 2 + x[:, [3, 2, 1, 0]]", [(4,)], True), ("f(x) = concat([x[:, 0:2], x[:, 2:4] * 2], axis=1)", [(4,)], True),
    ("f(x) = x[::-1]", [(3,)], False),
    ("f(x, y) = x * y + atan2(x, y) + hypot(x, y)", [(3,), (3,)], True), ("f(x, y) = einsum(\"nij,njk->nik\", x, y)", [(2, 3), (3, 2)], True),
    ("f(x) = logsumexp(x, axis=1)", [(4,)], True), ("f(x) = log_softmax(x)", [(4,)], True),
    ("f(x) = trunc(x) + round(x) + floor(x) + ceil(x)", [(4,)], True), ("f(x) = log1p(abs(x)) + expm1(x) + log2(abs(x)) + log10(abs(x))", [(4,)], True),
    ("f(x) = any(x > 0, axis=1)", [(4,)], True), ("f(x) = isfinite(x) and x > 0", [(4,)], True),
    ("f(x) = sin(x) * cos(x) + tan(x) + asinh(x) + atanh(x / 20) + acosh(1 + abs(x))", [(4,)], True),
    # Names that would end a text of Python.
    ("r = {\"a\\\"b\": randn(4), \"c\\\\d\": randn(4)}\nf(x) = x * r[\"a\\\"b\"] + r[\"c\\\\d\"]", [(4,)], True),
    ("f(x) = squareplus(x, b=2) + snake(x, a=3) + star_relu(x)", [(4,)], True), ("net = Dense(4, 3, tanh) >> Dense(3, 2)\nf(x) = net(x) * 2", [(4,)], True),
    ("f(x) = conv(x, reshape(range(18) - 9, 2, 1, 3, 3), padding=1)", [(1, 5, 5)], True), ("f(x) = attend(x, x, x, heads=2)", [(5, 4)], True),
    ("f(x) = norm(x, axis=1)", [(4,)], True), ("g(x) = sum(x^3)\nf(x) = grad(g)(x)", [(4,)], True), ("f(x) = grad(y -> sum(y[:, 1:] * y[:, :-1]))(x)", [(4,)], True),
    ("f(x) = grad(y -> sum(y[:, 1::3, ::-2]^3))(x)", [(6, 5)], True),
    # Numbers that hang on how many rows there are.
    ("f(x) = x - mean(x, axis=0)", [(4,)], False), ("f(x) = var(x, axis=0) + mean(x)", [(4,)], False), ("f(x) = x / len(x) + x * (1 / (2 * len(x) + 1))", [(4,)], False),
    # Order.
    ("f(x) = sort(x)", [(5,)], True), ("f(x) = sort(x, axis=0)", [(2, 3)], False), ("f(x) = sort(x, axis=none)", [(3,)], False), ("f(x) = argsort(x, axis=1)", [(5, 2)], True),
    ("f(x) = argsort(x, axis=0) + argmax(x)", [(3,)], False), ("f(x) = argmax(x, axis=1)", [(5,)], True), ("f(x) = argmin(x, axis=1, keepdims=true)", [(5,)], True),
    ("f(x) = top_k(x, 2)[0] + top_k(x, 3)[1][:, :2]", [(5,)], True), ("f(x) = median(x, axis=1) + quantile(x, 0.3, axis=1)", [(5,)], True),
    ("f(x) = one_hot(argmax(x, axis=1), 5)", [(5,)], True), ("f(x) = grad(y -> sum(sort(y, axis=1)[:, 1:]^2))(x)", [(4,)], True),
    # Matrices.
    ("f(x) = det(x)", [(3, 3)], True), ("f(x) = inv(x + 30 * eye(3))", [(3, 3)], True), ("f(x, y) = solve(x + 30 * eye(3), y)", [(3, 3), (3, 2)], True),
    ("f(x) = x @ [[2]] + [[1]]", [(1,)], True), ("f(x) = slogdet(x)[0]", [(3, 3)], True), ("f(x) = slogdet(x + 30 * eye(3))[1]", [(3, 3)], True),
    ("f(x) = cholesky(x @ swapaxes(x, 1, 2) + 30 * eye(3))", [(3, 3)], True), ("f(x) = qr(x + 30 * eye(3))[0]", [(3, 3)], True),
    ("f(x) = qr(x + 30 * eye(4, 3))[1]", [(4, 3)], True), ("f(x) = cbrt(x)", [(4,)], True),
    ("f = sigmoid'", [(4,)], True), ("f = gelu'", [(4,)], True), ("f = mish'", [(4,)], True), ("f = (x -> x * tanh(x))''", [(4,)], True),
]

# What has no form in ONNX, and a part of what act says: (function, shape of the input, part of the message).
REFUSED = [
    (f"f(x) = {call}", shape, part) for calls, shape, part in [
        (("svd(x)[1]", "eigh(x)[0]", "pinv(x)", "lstsq(x, x)", "matrix_rank(x)"), (3, 3), "has no form in ONNX"),
        (("max_pool(x, 2, indices=true)[1]",), (1, 4, 4), "has no form in ONNX"), (("gamma(x)", "lgamma(x)"), (3,), "has no form in ONNX"),
        (("unique(x)",), (3,), "has no form in ONNX"),
        (("x[x > 0]", "bincount(floor(x))", "histogram(x)[0]", "searchsorted([1, 2], x)", "if x[0, 0] > 0 { x } else { -x }", "x[number(\"{x[0, 0]}\")]"), (3,), "value of an element"),
        (("nonzero(x)[0]",), (3,), "left open"),
        (("map(relu, x)", "stack([r for r in x])", "reduce((a, b) -> a + b, x)", "scan((c, r) -> (c + r, c), zeros(3), x)[1]", "cumprod(x, axis=0)", "trace(x)", "len(x)^2 * x",
          "median(x, axis=0)", "range(len(x))", "take_along(x, argsort(x, axis=1), axis=1)"), (3,), "left open"),
        (("x + rand()", "{ seed(1); x }", "x + choice(3)"), (3,), "random draw"), (("x + load(\"x.npy\")", "{ save(1, \"y.json\"); x }"), (3,), "a file has"),
        (("x + clock()", "x + timeit(() -> 1, runs=1).min"), (3,), "the time has"), (("x + rank()", "all_sum(x)"), (3,), "other processes"),
        (("{ print(\"now\"); x }", "{ show(1); x }", "{ help(\"relu\"); x }", "{ why(1 + 1); x }", "{ summary(net); x }"), (3,), "written and shown"),
    ] for call in calls
]

# The networks and functions of the examples: (example, expression, shape of one input, whether inputs are whole numbers). One whose network stays inside a function
# is made here as it is there.
EXAMPLES = [
    ("autoencoder", "net", (64,), False), ("custom_layer", "net", (2,), False), ("derivatives", "swish''", (4,), False), ("digits", "net", (64,), False),
    ("dot_and_matmul", "x -> x @ W1 @ W1'", (2,), False), ("formulas", "leaky'", (4,), False), ("gan", "maker >> judge", (4,), False), ("gradient_flow", "nets.batch_norm", (16,), False), ("gradient_flow", "nets.residual", (16,), False),
    ("gradient_flow", "nets.too_large", (16,), False), ("kan", "net", (2,), False), ("lstm", "LSTM(2, 16, sequences=false) >> Dense(16, 1)", (20, 2), False),
    ("maml", "adapted(start, tests[0])", (1,), False), ("mnist", "Dense(784, 512, relu) >> Dense(512, 10)", (784,), False), ("moe", "net", (1,), False),
    ("onnx", "trained", (2,), False), ("output_layers", "h -> softmax(h @ W)", (3,), False), ("pinn", "net", (2,), False), ("policy_gradient", "policy", (4,), False),
    ("policy_gradient", "s -> move(s, where(sigmoid(policy(s)[:, 0]) > 0.5, 1, -1))", (4,), False), ("ranks", "net", (64,), False), ("regression", "trained", (1,), False),
    ("relu_family", "x -> maxout(x, W, [[0], [0]])", (1,), False), ("spiral", "net", (2,), False), ("three_layer_network", "x -> forward(x, net)", (3,), False),
    ("softmax", "x -> exp(x) / sum(exp(x), axis=1, keepdims=true)", (3,), False), ("step_and_sigmoid", "step_func", (4,), False), ("tanh", "my_tanh", (4,), False), ("tour", "x -> forward(net, x)", (2,), False), ("transformer", "net", (8,), True), ("vae", "x -> net(x).pixels", (64,), False),
    ("vanishing_gradient", "deep(sigmoid, 20)", (3,), False), ("word2vec", "net", (), True), ("xor", "two", (2,), False),
]

PRELUDE = """seed(3)
layer Scaled(n) {
    w = 1.5 * ones(n)
    x -> w * x
}
# Words of Python, and names that layers of the frameworks have themselves.
layer Odd(n) {
    training = 2 * ones(n)
    name = 3 * ones(n)
    lambda = randn(n)
    x -> x * training + name * lambda
}
layer Wrapped(n) {
    inner = Dense(n, n, tanh)
    x -> x + inner(x)
}
double(x) = 2 * x
# Biases, gammas and statistics that are not 0 and 1.
stirred(net) = {
    v = flatten(net)
    if len(v) > 0 { net = unflatten(v + 0.3 * randn(len(v)), net) }
    net
}
"""


def section(title):
    start = reference.index(f"\n## {title}\n")
    end = reference.find("\n## ", start + 4)
    return reference[start:end if end > 0 else len(reference)]


rows = re.findall(r"^\| `(\w+)` \|", section("Activation functions"), re.M)
layers = re.findall(r"^### `([A-Z]\w*)\(", section("Networks"), re.M)
# Layers come first; then optimisers, which begin with a capital too.
layers = layers[: layers.index("Branch") + 1]
missing = [name for name in layers if not any(re.search(rf"\b{name}\(", net) for net, _ in LAYERS)]
assert not missing, f"layers without a case: {missing}"
assert len(rows) >= 60, rows
examples = {name[:-4] for name in os.listdir(os.path.join(root, "examples")) if name.endswith(".act")}
missing = examples - {example for example, *_ in EXAMPLES}
assert not missing, f"examples without a case: {missing}"

CONFIGURED = [
    "leaky_relu(slope=0.3)", "elu(alpha=0.5)", "celu(alpha=2)", "softplus(beta=3)", "silu(beta=2)", "hard_tanh(lo=-2, hi=0.5)", "threshold(theta=1, value=-1)",
    "softmax(axis=1)", "glu(axis=1)", "crelu(axis=1)", "sparsemax(axis=1)", "hardmax(axis=1)", "hard_sigmoid(slope=0.2)", "soft_shrink(lambda=1)", "snake(a=2)",
    "siren(w=2)", "isru(a=3)", "trelu(theta=0.5)", "star_relu(s=2, b=-1)", "step(threshold=0.5)",
]


def literal(shape):
    return "[]" if not shape else "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def shapes_literal(shapes):
    """What `input=` is for one or several inputs of these shapes."""
    return literal(shapes[0]) if len(shapes) == 1 else "[" + ", ".join(literal(shape) for shape in shapes) + "]"


def execute(act, lines, folder):
    """Runs a program in a folder; ends with what it said if it fails."""
    run = subprocess.run([act, "-"], input="\n".join(lines), capture_output=True, text=True, cwd=folder)
    if run.returncode:
        sys.exit(run.stdout + run.stderr)
