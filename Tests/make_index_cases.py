"""Writes IndexCases.swift: what NumPy selects and assigns for random indices. Run: python3 Tests/make_index_cases.py > Tests/ActArrayTests/IndexCases.swift

A line is  shape | index parts | shape of the selection | its elements | the array after a[index] = 100, 101, ...
A part is an integer, a slice a:b:c, ..., none, @shape:numbers (an array) or ?shape:bits (a mask)."""
import random

import numpy as np

random.seed(20240611)


def array(shape):
    return np.arange(int(np.prod(shape)), dtype=float).reshape(shape)


def number(n):
    return random.randrange(-n, n) if n else 0


def slice_part(n):
    pick = lambda: random.choice([None, random.randrange(-n - 3, n + 4)])
    return slice(pick(), pick(), random.choice([None, None, 1, 2, -1, -2, 3, -7]))


def make(shape):
    parts, axis = [], 0
    advanced = random.random() < 0.6
    common = random.choice([(2,), (3,), (2, 2), (1,), (0,), (2, 1)])
    while axis < len(shape) and random.random() < 0.9:
        kind = random.random()
        n = shape[axis]
        if random.random() < 0.12:
            parts.append(None)
        if kind < 0.3 and n:
            parts.append(number(n))
            axis += 1
        elif kind < 0.65 or not advanced or not n:
            parts.append(slice_part(n))
            axis += 1
        elif kind < 0.9:
            s = random.choice([common, common[-1:], ()]) if common else ()
            parts.append(np.array([number(n) for _ in range(int(np.prod(s)))], dtype=int).reshape(s))
            axis += 1
        else:
            r = random.choice([1, 1, 2]) if axis + 1 < len(shape) else 1
            s = shape[axis:axis + r]
            parts.append(np.array([random.random() < 0.5 for _ in range(int(np.prod(s)))]).reshape(s))
            axis += r
    if random.random() < 0.25:
        parts.insert(random.randrange(len(parts) + 1), Ellipsis)
    return tuple(parts)


def text(p):
    if p is None: return "none"
    if p is Ellipsis: return "..."
    if isinstance(p, slice): return ":".join("" if v is None else str(v) for v in (p.start, p.stop, p.step))
    if isinstance(p, np.ndarray):
        mark = "?" if p.dtype == bool else "@"
        return f"{mark}{','.join(map(str, p.shape))}:{','.join(str(int(v)) for v in p.ravel())}"
    return str(p)


lines, seen = [], set()
shapes = [(5,), (7,), (3, 4), (4, 3), (2, 3, 4), (3, 2, 2), (2, 2, 3, 2), (0, 3), (3, 0)]
while len(lines) < 160:
    shape = random.choice(shapes)
    index = make(shape)
    a = array(shape)
    try:
        with np.errstate(all="ignore"):
            got = a[index]
    except IndexError:
        continue
    if got.size > 30: continue
    b = a.copy()
    b[index] = 100 + np.arange(got.size).reshape(got.shape)
    line = " | ".join([
        ",".join(map(str, shape)), " ; ".join(text(p) for p in index), ",".join(map(str, got.shape)),
        " ".join(str(int(v)) for v in np.ravel(got)), " ".join(str(int(v)) for v in np.ravel(b))])
    if line not in seen:
        seen.add(line)
        lines.append(line)

print("// Written by Tests/make_index_cases.py from NumPy " + np.__version__ + ".\n")
print('let indexCases = """')
for line in lines: print("    " + line)
print('    """')
