#!/usr/bin/env python3
"""Write Tests/ActNetworkTests/Reference/*.txt: what PyTorch computes in float64 for layers, losses and optimisers.

    python3 Tools/reference/torch_networks.py        (needs torch)

A file is cases; a case is a line `case NAME key=value …`, then lines `array NAME SHAPE NUMBERS`.
"""
from pathlib import Path
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)
TARGET = Path(__file__).parents[2] / "Tests/ActNetworkTests/Reference"


class Writer:
    def __init__(self, name):
        self.name, self.lines = name, []

    def case(self, name, **settings):
        self.lines.append(" ".join(["case", name] + [f"{k}={v}" for k, v in settings.items()]))

    def array(self, name, value):
        value = np.asarray(value.detach() if isinstance(value, torch.Tensor) else value, dtype=np.float64)
        shape = ",".join(map(str, value.shape)) or "()"
        self.lines.append(" ".join(["array", name, shape] + [repr(float(v)) for v in value.ravel()]))

    def save(self):
        TARGET.mkdir(parents=True, exist_ok=True)
        path = TARGET / f"{self.name}.txt"
        path.write_text("# Written by Tools/reference/torch_networks.py\n" + "\n".join(self.lines) + "\n")
        print(path.name, path.stat().st_size, "bytes")


# --- layers ----------------------------------------------------------------------------------------------------------
w = Writer("layers")


def layer(name, x, f, parameters, settings=None, training=False, states=None, after=None):
    """parameters: {act's name: (tensor, how act has it)}; the gradients are of Σ output · weights, and `steps` ten steps down it."""
    x = x.requires_grad_(x.is_floating_point() and name != "Embedding")
    y = f(x)
    weights = torch.cos(torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)
    (y * weights).sum().backward()
    w.case(name, training=str(training).lower(), **(settings or {}))
    w.array("x", x)
    for key, (tensor, view) in parameters.items():
        w.array(key, view(tensor))
    for key, value in (states or {}).items():
        w.array("state." + key, value)
    w.array("y", y)
    if x.grad is not None:
        w.array("grad.x", x.grad)
    for key, (tensor, view) in parameters.items():
        w.array("grad." + key, view(tensor.grad))
    for key, value in (after or (lambda: {}))().items():
        w.array("after." + key, value)
    if parameters:
        sgd = torch.optim.SGD([tensor for tensor, _ in parameters.values()], 0.01, momentum=0.9)
        for _ in range(10):
            sgd.zero_grad(); (f(x) * weights).sum().backward(); sgd.step()
        for key, (tensor, view) in parameters.items():
            w.array("steps." + key, view(tensor))


same, transposed = lambda t: t, lambda t: t.T
for activation, f in (("identity", lambda v: v), ("relu", F.relu), ("gelu", F.gelu), ("tanh", torch.tanh), ("softmax", lambda v: F.softmax(v, -1))):
    m = nn.Linear(5, 4)
    layer("Dense", torch.randn(6, 5), lambda x: f(m(x)), {"W": (m.weight, transposed), "b": (m.bias, same)}, dict(inputs=5, outputs=4, activation=activation))
m = nn.Linear(3, 2, bias=False)
layer("Dense", torch.randn(2, 4, 3), m, {"W": (m.weight, transposed)}, dict(inputs=3, outputs=2, bias="false"))
m = nn.PReLU(); layer("PReLU", torch.randn(4, 3), m, {"alpha": (m.weight, same)})
m = nn.PReLU(3); layer("PReLU", torch.randn(4, 3), m, {"alpha": (m.weight, same)}, dict(n=3))
m = nn.PReLU(2); layer("PReLU", torch.randn(2, 2, 3, 3), m, {"alpha": (m.weight, same)}, dict(n=2))
W, b = torch.randn(3, 4, 2, requires_grad=True), torch.randn(3, 2, requires_grad=True)
layer("Maxout", torch.randn(5, 4), lambda x: (torch.einsum("ni,kio->kno", x, W) + b[:, None]).amax(0), {"W": (W, same), "b": (b, same)}, dict(inputs=4, outputs=2, pieces=3))
for size, stride, padding, shape in ((3, 1, 0, (2, 2, 6, 5)), (3, 2, 1, (2, 2, 7, 6)), (5, 1, 2, (3, 1, 5, 5)), (2, 3, 0, (1, 3, 8, 7)), (1, 1, 0, (2, 3, 2, 2)), (3, 1, 2, (9, 1, 2, 2)), (7, 1, 3, (2, 1, 1, 2))):
    m = nn.Conv2d(shape[1], 3, size, stride=stride, padding=padding)
    layer("Conv2D", torch.randn(shape), m, {"W": (m.weight, same), "b": (m.bias, same)}, dict(inputs=shape[1], outputs=3, kernel=size, stride=stride, padding=padding))
m = nn.Conv2d(3, 3, 3, padding=1, groups=3)
layer("FReLU", torch.randn(2, 3, 5, 4), lambda x: torch.maximum(x, m(x)), {"W": (m.weight, same), "b": (m.bias, same)}, dict(channels=3))
layer("MaxPool2D", torch.randn(2, 3, 6, 5), nn.MaxPool2d(2), {})
layer("MaxPool2D", torch.randn(2, 1, 7, 7), nn.MaxPool2d(3, 2), {}, dict(size=3, stride=2))
layer("AvgPool2D", torch.randn(2, 3, 6, 4), nn.AvgPool2d(2), {})
layer("AvgPool2D", torch.randn(2, 2, 7, 6), nn.AvgPool2d(3, 2), {}, dict(size=3, stride=2))
layer("Flatten", torch.randn(2, 3, 2, 2), nn.Flatten(), {})
for shape, make in (((6, 4), nn.BatchNorm1d), ((3, 4, 2, 3), nn.BatchNorm2d)):
    for training in (True, False):
        m = make(4).train(training)
        nn.init.normal_(m.weight); nn.init.normal_(m.bias); m.running_mean.normal_(); m.running_var.uniform_(0.5, 2)
        layer("BatchNorm", 3 * torch.randn(shape) + 1, m, {"gamma": (m.weight, same), "beta": (m.bias, same)}, dict(features=4), training,
              {"mean": m.running_mean.clone(), "variance": m.running_var.clone()}, lambda: {"mean": m.running_mean, "variance": m.running_var} if training else {})
m = nn.LayerNorm(5); nn.init.normal_(m.weight); nn.init.normal_(m.bias)
layer("LayerNorm", torch.randn(2, 3, 5), m, {"gamma": (m.weight, same), "beta": (m.bias, same)}, dict(features=5))
m = nn.Embedding(6, 3)
layer("Embedding", torch.tensor([[1, 5], [0, 1]]), m, {"W": (m.weight, same)}, dict(count=6, size=3))
m = nn.Linear(3, 3)
layer("Residual", torch.randn(4, 3), lambda x: x + torch.tanh(m(x)), {"f.0.W": (m.weight, transposed), "f.0.b": (m.bias, same)}, dict(f="Dense"))
layer("Dropout", torch.randn(4, 3), nn.Dropout(0.25).eval(), {}, dict(rate=0.25))
w.save()

# --- losses ----------------------------------------------------------------------------------------------------------
w = Writer("losses")


def loss(name, p, t, f, **settings):
    p = p.clone().requires_grad_()
    value = f(p, t)
    value.backward()
    w.case(name, **settings); w.array("prediction", p); w.array("target", t); w.array("loss", value); w.array("gradient", p.grad)


a, b = torch.randn(4, 3), 2 * torch.randn(4, 3)
loss("mse", a, b, F.mse_loss); loss("mae", a, b, F.l1_loss); loss("huber", a, b, F.huber_loss); loss("huber", a, b, lambda p, t: F.huber_loss(p, t, delta=0.3), delta=0.3)
labels = torch.tensor([2, 0, 1, 2]); rows = F.softmax(torch.randn(4, 3), -1)
loss("cross_entropy", 5 * a, labels, F.cross_entropy); loss("cross_entropy", 5 * a, rows, F.cross_entropy)
loss("cross_entropy", torch.tensor([[800., -700., 3.], [0., 0., 0.]]), torch.tensor([1, 2]), F.cross_entropy)
loss("nll", F.log_softmax(a, -1), labels, F.nll_loss)
loss("nll", F.log_softmax(a, -1), rows, lambda p, t: -(p * t).sum(-1).mean())
bits = torch.tensor([[1., 0., 1.], [0., 1., 0.], [1., 1., 0.], [0.3, 0.5, 0.9]])
loss("bce", torch.sigmoid(a), bits, F.binary_cross_entropy); loss("bce_logits", a, bits, F.binary_cross_entropy_with_logits)
loss("bce_logits", torch.tensor([-60., 60., 0.]), torch.tensor([1., 0., 1.]), F.binary_cross_entropy_with_logits)
loss("hinge", a, torch.sign(b), lambda p, t: torch.relu(1 - t * p).mean())
q = F.softmax(b, -1)
loss("kl_div", rows, q, lambda p, t: (p * (p / t).log()).sum(-1).mean())
w.save()

# --- optimisers: ten steps down |A p - c|²/2 ---------------------------------------------------------------------------
w = Writer("optimizers")
A, c, start = torch.randn(6, 5), torch.randn(6), torch.randn(5)
w.case("problem"); w.array("A", A); w.array("c", c); w.array("start", start)


def optimizer(name, make, clip=None, **settings):
    p = start.clone().requires_grad_()
    step = make([p])
    for _ in range(10):
        step.zero_grad()
        (0.5 * ((A @ p - c) ** 2).sum()).backward()
        if clip: clip([p])
        step.step()
    w.case(name, **settings); w.array("p", p)


O = torch.optim
optimizer("SGD", lambda p: O.SGD(p, 0.01), lr=0.01)
optimizer("SGD", lambda p: O.SGD(p, 0.01, momentum=0.9), lr=0.01, momentum=0.9)
optimizer("SGD", lambda p: O.SGD(p, 0.01, momentum=0.9, nesterov=True, weight_decay=0.1), lr=0.01, momentum=0.9, nesterov=1, weight_decay=0.1)
optimizer("SGD", lambda p: O.SGD(p, 0.05), lambda p: nn.utils.clip_grad_norm_(p, 1.5), lr=0.05, clip_norm=1.5)
optimizer("SGD", lambda p: O.SGD(p, 0.05), lambda p: nn.utils.clip_grad_value_(p, 0.7), lr=0.05, clip_value=0.7)
optimizer("RMSProp", lambda p: O.RMSprop(p, 0.01), lr=0.01)
optimizer("RMSProp", lambda p: O.RMSprop(p, 0.01, alpha=0.9, momentum=0.5, weight_decay=0.1), lr=0.01, alpha=0.9, momentum=0.5, weight_decay=0.1)
optimizer("Adagrad", lambda p: O.Adagrad(p, 0.1), lr=0.1)
optimizer("Adagrad", lambda p: O.Adagrad(p, 0.1, weight_decay=0.05), lr=0.1, weight_decay=0.05)
optimizer("Adam", lambda p: O.Adam(p, 0.05), lr=0.05)
optimizer("Adam", lambda p: O.Adam(p, 0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1), lr=0.05, beta1=0.8, beta2=0.95, eps=1e-3, weight_decay=0.1)
optimizer("AdamW", lambda p: O.AdamW(p, 0.05), lr=0.05)
optimizer("AdamW", lambda p: O.AdamW(p, 0.05, weight_decay=0.2), lr=0.05, weight_decay=0.2)
optimizer("Nadam", lambda p: O.NAdam(p, 0.05), lr=0.05)
optimizer("Nadam", lambda p: O.NAdam(p, 0.05, weight_decay=0.1), lr=0.05, weight_decay=0.1)


class Lion(O.Optimizer):
    """Algorithm 2 of X. Chen et al. 2023, which PyTorch lacks."""

    def __init__(self, params, lr, betas=(0.9, 0.99), decay=0.0):
        super().__init__(params, {}); self.lr, self.betas, self.decay, self.m = lr, betas, decay, None

    @torch.no_grad()
    def step(self):
        p = self.param_groups[0]["params"][0]
        m = torch.zeros_like(p) if self.m is None else self.m
        p -= self.lr * (torch.sign(self.betas[0] * m + (1 - self.betas[0]) * p.grad) + self.decay * p)
        self.m = self.betas[1] * m + (1 - self.betas[1]) * p.grad


optimizer("Lion", lambda p: Lion(p, 0.02), lr=0.02)
optimizer("Lion", lambda p: Lion(p, 0.02, decay=0.1), lr=0.02, weight_decay=0.1)
w.save()

# --- a whole training: two epochs in order, batches of four ------------------------------------------------------------
w = Writer("training")
# No bias before BatchNorm: its gradient is 0 but for rounding, which Adam would enlarge.
net = nn.Sequential(nn.Linear(3, 6, bias=False), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3))
x, y = torch.randn(10, 3), torch.tensor([0, 2, 1, 1, 0, 2, 2, 0, 1, 0])
names = ["0.W", "1.gamma", "1.beta", "3.W", "3.b"]
view = lambda name, t: t.T if name.endswith("W") else t
w.case("start"); w.array("x", x); w.array("y", y)
for name, p in zip(names, net.parameters()): w.array(name, view(name, p))
step, losses = O.Adam(net.parameters(), 0.02), []
for epoch in range(2):
    total = 0
    for k in range(0, 10, 4):
        step.zero_grad(); value = F.cross_entropy(net(x[k:k + 4]), y[k:k + 4]); value.backward(); step.step()
        total += value.item() * len(x[k:k + 4])
    losses.append(total / 10)
w.case("end"); w.array("losses", np.array(losses))
for name, p in zip(names, net.parameters()): w.array(name, view(name, p))
w.array("1.mean", net[1].running_mean); w.array("1.variance", net[1].running_var)
w.array("output", net.eval()(x))
w.save()

# --- layers of sequences, and further layers of images, over random settings --------------------------------------------
torch.manual_seed(14)
rng = np.random.default_rng(14)
pick = lambda *values: values[rng.integers(len(values))]
some = lambda low, high: int(rng.integers(low, high + 1))
flag = lambda value: str(bool(value)).lower()


def drawn(m):
    """With every parameter drawn anew: what begins at 0 or 1 would hide faults."""
    for p in m.parameters(): nn.init.normal_(p, 0, 0.5)
    return m


w = Writer("sequences")
for _ in range(6):
    i, o, k, s, p, bias = some(1, 3), some(1, 4), some(1, 4), some(1, 3), some(0, 2), pick(True, True, False)
    m = drawn(nn.Conv1d(i, o, k, stride=s, padding=p, bias=bias))
    parameters = {"W": (m.weight, same)} | ({"b": (m.bias, same)} if bias else {})
    layer("Conv1D", torch.randn(some(1, 3), i, some(max(1, k - 2 * p), 8)), lambda x: torch.tanh(m(x)), parameters, dict(inputs=i, outputs=o, kernel=k, stride=s, padding=p, bias=flag(bias), activation="tanh"))


def recurrent(name, m, i, u, last, bias, **settings):
    parameters = {"W": (m.weight_ih_l0, transposed)} | ({"b": (m.bias_ih_l0, same)} if bias else {}) | {"U": (m.weight_hh_l0, transposed)} | ({"bU": (m.bias_hh_l0, same)} if bias else {})
    run = lambda x: m(x)[0][:, -1] if last else m(x)[0]
    layer(name, torch.randn(pick(1, 2, 9), some(1, 6), i), run, parameters, dict(inputs=i, units=u, sequences=flag(not last), bias=flag(bias)) | settings)


for _ in range(5):
    for name, kind in (("RNN", nn.RNN), ("GRU", nn.GRU), ("LSTM", nn.LSTM)):
        i, u, last, bias = some(1, 4), some(1, 5), pick(True, False), pick(True, True, False)
        activation = pick("tanh", "relu")
        options = dict(nonlinearity=activation) if name == "RNN" else {}
        recurrent(name, drawn(kind(i, u, batch_first=True, bias=bias, **options)), i, u, last, bias, **(dict(activation=activation) if name == "RNN" else {}))


class Softsign(nn.Module):
    """A plain cell with an activation that torch.nn.RNN lacks."""

    def __init__(self, i, u):
        super().__init__()
        self.weight_ih_l0, self.weight_hh_l0 = nn.Parameter(torch.randn(u, i)), nn.Parameter(torch.randn(u, u))
        self.bias_ih_l0, self.bias_hh_l0 = nn.Parameter(torch.randn(u)), nn.Parameter(torch.randn(u))

    def forward(self, x):
        h, all = torch.zeros(len(x), len(self.bias_hh_l0)), []
        for t in range(x.shape[1]):
            h = F.softsign(x[:, t] @ self.weight_ih_l0.T + self.bias_ih_l0 + h @ self.weight_hh_l0.T + self.bias_hh_l0)
            all.append(h)
        return torch.stack(all, 1), h


recurrent("RNN", Softsign(2, 3), 2, 3, False, True, activation="softsign")

for rows, time, size, heads, causal, bias in [(1, 1, 2, 1, True, True), (2, 150, 2, 2, True, True), (1, 140, 3, 1, False, True)] + [
        (some(1, 3), some(2, 6), h * some(1, 3), h, pick(True, False), pick(True, True, False)) for h in (1, 2, 3, 2, 1)]:
    m = drawn(nn.MultiheadAttention(size, heads, bias=bias, batch_first=True))
    mask = torch.triu(torch.ones(time, time, dtype=torch.bool), 1) if causal else None
    parameters = {"W": (m.in_proj_weight, transposed)} | ({"b": (m.in_proj_bias, same)} if bias else {}) | {"Wo": (m.out_proj.weight, transposed)} | ({"bo": (m.out_proj.bias, same)} if bias else {})
    layer("Attention", torch.randn(rows, time, size), lambda x: m(x, x, x, need_weights=False, attn_mask=mask)[0], parameters, dict(size=size, heads=heads, causal=flag(causal), bias=flag(bias)))
P = torch.randn(5, 3, requires_grad=True)
for time in (5, 2):
    layer("Positions", torch.randn(2, time, 3), lambda x: x + P[:x.shape[1]], {"W": (P, same)}, dict(length=5, size=3))
    P = torch.randn(5, 3, requires_grad=True)
w.save()

w = Writer("images")
for _ in range(6):
    i, o, k, s, bias = some(1, 3), some(1, 3), some(1, 4), some(1, 3), pick(True, True, False)
    p, extra = some(0, (k - 1) // 2), some(0, s - 1)
    m = drawn(nn.ConvTranspose2d(i, o, k, stride=s, padding=p, output_padding=extra, bias=bias))
    parameters = {"W": (m.weight, same)} | ({"b": (m.bias, same)} if bias else {})
    layer("ConvTranspose2D", torch.randn(some(1, 2), i, some(1, 4), some(2, 4)), lambda x: F.gelu(m(x)), parameters, dict(inputs=i, outputs=o, kernel=k, stride=s, padding=p, output_padding=extra, bias=flag(bias), activation="gelu"))
for mode in ("nearest", "bilinear", "bilinear"):
    factor = some(2, 3)
    m = nn.Upsample(scale_factor=factor, mode=mode, **({} if mode == "nearest" else dict(align_corners=False)))
    layer("Upsample2D", torch.randn(2, some(1, 2), some(1, 4), some(1, 4)), m, {}, dict(factor=factor, mode=mode))
for shape in ((2, 3, 4, 2), (3, 2, 5)):
    layer("GlobalAvgPool", torch.randn(shape), lambda x: x.flatten(2).mean(2), {})
for groups, shape in ((1, (2, 3)), (2, (3, 4, 2)), (3, (2, 6, 3, 2)), (2, (1, 2, 3, 2))):
    m = drawn(nn.GroupNorm(groups, shape[1], eps=1e-3))
    layer("GroupNorm", 2 * torch.randn(shape) + 1, m, {"gamma": (m.weight, same), "beta": (m.bias, same)}, dict(groups=groups, channels=shape[1], eps=1e-3))
for shape in ((3, 4), (2, 3, 5)):
    m = drawn(nn.RMSNorm(shape[-1], eps=1e-4))
    layer("RMSNorm", torch.randn(shape), m, {"gamma": (m.weight, same)}, dict(features=shape[-1], eps=1e-4))
for join, f in (("concat", lambda a, b: torch.cat([a, b], -1)), ("sum", torch.add), ("product", torch.mul)):
    m, n = nn.Linear(3, 2), nn.Linear(3, 2)
    parameters = {f"f{k}.0.{act}": (getattr(l, name), transposed if act == "W" else same) for k, l in enumerate((m, n)) for act, name in (("W", "weight"), ("b", "bias"))}
    layer("Branch", torch.randn(4, 3), lambda x: f(torch.tanh(m(x)), n(x)), parameters, dict(f="Dense", join=join))
w.save()

# --- windows of every kind, and norms over other axes, over random settings ------------------------------------------------
# Numbers along axes are written 3,5; pairs of padding 1:2,0:1.
torch.manual_seed(15)
rng = np.random.default_rng(15)
w = Writer("windows")
each = lambda low, high, rank: tuple(some(low, high) for _ in range(rank))
said = lambda values: ",".join(map(str, values)) if len(values) > 1 and len(set(values)) > 1 else str(values[0])
CONV, TURNED = (F.conv1d, F.conv2d, F.conv3d), (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
MAX, AVG = (F.max_pool1d, F.max_pool2d, F.max_pool3d), (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)


def weights(*shape): return (0.5 * torch.randn(shape)).requires_grad_()


for rank in (1, 1, 1, 2, 2, 2, 2, 3, 3):
    g = pick(1, 2, 3)
    i, o, k, s, d = g * some(1, 2), g * some(1, 2), each(1, 3, rank), each(1, 3 if rank < 3 else 2, rank), each(1, 2, rank)
    sides = [(some(0, 2), some(0, 2)) for _ in range(rank)]
    W, b = weights(o, i // g, *k), weights(o)
    size = [some((kk - 1) * dd + 1, 7 if rank < 3 else 5) for kk, dd in zip(k, d)]
    around = [n for pair in reversed(sides) for n in pair]
    f = lambda x: torch.tanh(CONV[rank - 1](F.pad(x, around), W, b, s, 0, d, g))
    padding = f"{sides[0][0]}:{sides[0][1]}" + ("," if rank == 1 else "") + "".join(f",{a}:{z}" for a, z in sides[1:])
    layer(f"Conv{rank}D", torch.randn(some(1, 2), i, *size), f, {"W": (W, same), "b": (b, same)},
          dict(inputs=i, outputs=o, kernel=said(k), stride=said(s), padding=padding, dilation=said(d), groups=g, activation="tanh"))
for rank in (1, 2, 2, 3):
    i, o, k, d = some(1, 2), some(1, 2), each(1, 4, rank), each(1, 2, rank)
    W = weights(o, i, *k)
    layer(f"Conv{rank}D", torch.randn(2, i, *each(3, 5, rank)), lambda x: CONV[rank - 1](x, W, None, 1, "same", d), {"W": (W, same)},
          dict(inputs=i, outputs=o, kernel=said(k), dilation=said(d), padding="same", bias="false"))
for rank in (1, 1, 2, 2, 2, 3):
    g = pick(1, 2)
    i, o, k, s, d = g * some(1, 2), g * some(1, 2), each(1, 3, rank), each(1, 3, rank), each(1, 2, rank)
    p = tuple(some(0, (kk - 1) * dd // 2) for kk, dd in zip(k, d))
    extra = tuple(some(0, ss - 1) for ss in s)
    W, b = weights(i, o // g, *k), weights(o)
    size = [some(2, 4 if rank < 3 else 3) for _ in range(rank)]
    layer(f"ConvTranspose{rank}D", torch.randn(some(1, 2), i, *size), lambda x: torch.tanh(TURNED[rank - 1](x, W, b, s, p, extra, g, d)), {"W": (W, same), "b": (b, same)},
          dict(inputs=i, outputs=o, kernel=said(k), stride=said(s), padding=said(p), output_padding=said(extra), dilation=said(d), groups=g, activation="tanh"))
for rank in (1, 1, 2, 2, 2, 3, 3):
    k, s, d, ceil = each(1, 3, rank), each(1, 3, rank), each(1, 2, rank), pick(True, False)
    p = tuple(some(0, kk // 2) for kk in k)
    x = torch.randn(2, 2, *[some((kk - 1) * dd + 1, 7 if rank < 3 else 5) for kk, dd in zip(k, d)])
    layer(f"MaxPool{rank}D", x, lambda x: MAX[rank - 1](x, k, s, p, d, ceil), {}, dict(size=said(k), stride=said(s), padding=said(p), dilation=said(d), ceil=flag(ceil)))
for rank in (1, 1, 2, 2, 2, 2, 3, 3):
    k, s, ceil, counts = each(1, 3, rank), each(1, 3, rank), pick(True, False), pick(True, False)
    p = tuple(some(0, kk // 2) for kk in k)
    x = torch.randn(2, 2, *[some(kk, 7 if rank < 3 else 5) for kk in k])
    layer(f"AvgPool{rank}D", x, lambda x: AVG[rank - 1](x, k, s, p, ceil, counts), {}, dict(size=said(k), stride=said(s), padding=said(p), ceil=flag(ceil), count_padding=flag(counts)))
for shape in ((3, 4, 5), (2, 3, 2, 3, 2)):
    for training in (True, False):
        m = drawn((nn.BatchNorm1d if len(shape) == 3 else nn.BatchNorm3d)(shape[1], eps=1e-3, momentum=0.2).train(training))
        m.running_mean.normal_(); m.running_var.uniform_(0.5, 2)
        layer("BatchNorm", 3 * torch.randn(shape) + 1, m, {"gamma": (m.weight, same), "beta": (m.bias, same)}, dict(features=shape[1], eps=1e-3, momentum=0.2), training,
              {"mean": m.running_mean.clone(), "variance": m.running_var.clone()}, lambda: {"mean": m.running_mean, "variance": m.running_var} if training else {})
for sizes in ((3, 4), (2, 3, 2)):
    m = drawn(nn.LayerNorm(sizes, eps=1e-3))
    layer("LayerNorm", 2 * torch.randn(2, *sizes) + 1, m, {"gamma": (m.weight, same), "beta": (m.bias, same)}, dict(features=",".join(map(str, sizes)), eps=1e-3))
    m = drawn(nn.RMSNorm(sizes, eps=1e-3))
    layer("RMSNorm", torch.randn(2, 2, *sizes), m, {"gamma": (m.weight, same)}, dict(features=",".join(map(str, sizes)), eps=1e-3))
for shape, make in (((2, 3, 5), nn.InstanceNorm1d), ((2, 2, 3, 4), nn.InstanceNorm2d), ((1, 2, 3, 2, 2), nn.InstanceNorm3d)):
    m = drawn(make(shape[1], eps=1e-3, affine=True))
    layer("InstanceNorm", 2 * torch.randn(shape) + 1, m, {"gamma": (m.weight, same), "beta": (m.bias, same)}, dict(channels=shape[1], eps=1e-3))
w.save()

# --- images looked at between their pixels ------------------------------------------------------------------------------
w = Writer("samples")
for rank in (2, 2, 3):
    for mode in ("bilinear", "nearest"):
        for beyond in ("zeros", "border", "reflection"):
            for corners in (True, False):
                x = torch.randn(2, 2, *each(1, 4, rank)).requires_grad_()
                grid = (1.7 * torch.randn(2, *each(1, 3, rank), rank)).requires_grad_()
                y = F.grid_sample(x, grid, mode, beyond, corners)
                (y * torch.cos(torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)).sum().backward()
                w.case("grid_sample", mode=mode, padding=beyond, align_corners=flag(corners))
                for name, value in (("x", x), ("grid", grid), ("y", y), ("grad.x", x.grad), ("grad.grid", grid.grad)): w.array(name, value)
w.save()
