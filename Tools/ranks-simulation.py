#!/usr/bin/env python3
"""Where several machines pay: the time of a training step for 1 to 512 ranks, computed.

    Tools/ranks-simulation.py [--act ACT] [--write]

The time that one rank needs for a batch, cut into as many parts as there may be ranks, is measured with ACT where it is given, else taken
from the table below. The network is assumed. A step of n ranks is then

    step(n) = (compute + update) of the rank with most parts + 2 exchanges' latency + time of the gradients' bytes,

where an exchange takes latency * ceil(log2 n) by MPI and the busiest link of MPI carries 2 P (1 - 1/n) bytes each way, that of rank 0 by TCP
(n - 1) P. The update of parameters is done by every rank. --write puts the table into Docs/ranks.md.
"""
import argparse, math, os, re, subprocess, sys

RANKS = [1, 2, 8, 64, 512]
# name: (latency of a message in s, bytes a second)
NETWORKS = {"1 Gbit/s Ethernet": (50e-6, 117e6), "25 Gbit/s Ethernet": (15e-6, 2.9e9), "200 Gbit/s InfiniBand": (2e-6, 23e9)}
# name: (program that makes net, x, y and loss; rows of a batch; bytes of a parameter)
NETS = {
    "digits, 64-32-10": ("net = Dense(64, 32, relu) >> Dense(32, 10); x = randn({rows}, 64); y = randint(0, 10, {rows})", 512, 4),
    "MNIST, 784-512-10": ("net = Dense(784, 512, relu) >> Dense(512, 10); x = randn({rows}, 784); y = randint(0, 10, {rows})", 512, 4),
    "LeNet": (
        "net = Conv2D(1, 6, 5, padding=2) >> relu >> MaxPool2D(2) >> Conv2D(6, 16, 5) >> relu >> MaxPool2D(2) >> Flatten() >> Dense(400, 120, relu) >> Dense(120, 84, relu) >> Dense(84, 10); x = randn({rows}, 1, 28, 28); y = randint(0, 10, {rows})",
        512, 4),
    "1024 wide, 8 layers": (
        "net = Dense(1024, 1024, relu); for i in range(7) {{ net = net >> Dense(1024, 1024, relu) }}; x = randn({rows}, 1024); y = randint(0, 1024, {rows})", 4096, 4),
}
# Measured on one core with --threads 1: seconds for a row, seconds for an update, parameters. See --act.
MEASURED = {
    "digits, 64-32-10": (7.62e-07, 1.62e-4, 2410), "MNIST, 784-512-10": (2.16e-4, 0.0139, 407050), "LeNet": (7.86e-4, 0.0678, 61706),
    "1024 wide, 8 layers": (0.00312, 0.105, 8396800),
}


def measured(act, name):
    """(seconds a row, seconds an update, parameters): from two batches of different sizes."""
    program, rows, _ = NETS[name]
    rows = min(rows, 512)
    times = []
    for size in (rows // 4, rows):
        # Four steps, each of one batch; the shortest of three runs.
        text = f"seed(1); {program.format(rows=size)}\nprint(timeit(() -> fit(net, x, y, cross_entropy, Adam(1e-3), epochs=4, batch={size}, progress=false), runs=3).min / 4)\nprint(len(flatten(net)))"
        output = subprocess.run([act, "--threads", "1", "--no-warn", "-e", text], capture_output=True, text=True)
        if output.returncode:
            sys.exit(output.stderr)
        seconds, parameters = output.stdout.split()
        times.append((size, float(seconds)))
    (small, first), (large, second) = times
    if second < 1.2 * first:
        sys.exit(f"{name}: a batch of {large} rows took {second:.3g} s and one of {small} rows {first:.3g} s: something else runs on this machine")
    row = max((second - first) / (large - small), 1e-9)
    return row, max(first - small * row, 1e-6), int(float(parameters))


def step(n, network, kind, row, update, parameters, rows, unit):
    latency, speed = NETWORKS[network]
    # A part of a batch has two rows at least.
    compute = math.ceil(rows / min(n, rows // 2)) * row + update
    if n == 1:
        return compute
    size = parameters * unit
    if kind == "MPI":
        return compute + 4 * latency * math.ceil(math.log2(n)) + 2 * size * (1 - 1 / n) / speed
    return compute + 4 * latency + 2 * (n - 1) * size / speed


def table(times):
    lines = ["| network | batch | step of one rank | connected by | " + " | ".join(f"{n} ranks" for n in RANKS[1:]) + " |",
             "| --- | --- | --- | --- | " + " | ".join("---" for _ in RANKS[1:]) + " |"]
    for name, (row, update, parameters) in times.items():
        _, rows, unit = NETS[name]
        one = step(1, next(iter(NETWORKS)), "MPI", row, update, parameters, rows, unit)
        for network in NETWORKS:
            for kind in ("MPI", "TCP") if network == "25 Gbit/s Ethernet" else ("MPI",):
                gains = [one / step(n, network, kind, row, update, parameters, rows, unit) for n in RANKS[1:]]
                words = [f"**{gain:.1f}×**" if gain >= n / 2 else f"{gain:.1f}×" if gain >= 0.095 else f"{gain:.2g}×" for gain, n in zip(gains, RANKS[1:])]
                lines.append(f"| {name} ({parameters:,} parameters) | {rows} | {f'{one * 1e3:.3g} ms' if one < 1 else f'{one:.3g} s'} | {kind}, {network} | {' | '.join(words)} |")
    return "\n".join(lines)


arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
arguments.add_argument("--act", help="measures with this program")
arguments.add_argument("--write", action="store_true", help="puts the table into Docs/ranks.md")
given = arguments.parse_args()
times = {name: measured(given.act, name) for name in NETS} if given.act else MEASURED
if given.act:
    print("MEASURED =", {name: (float(f"{row:.3g}"), float(f"{update:.3g}"), count) for name, (row, update, count) in times.items()})
text = table(times)
print(text)
if given.write:
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Docs", "ranks.md")
    old = open(page).read()
    open(page, "w").write(re.sub(r"(<!-- simulation -->\n).*?(<!-- end of simulation -->)", lambda found: found[1] + text + "\n" + found[2], old, flags=re.S))
