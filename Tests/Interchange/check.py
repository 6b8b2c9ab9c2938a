"""Arrays to act and back: every file that NumPy or safetensors writes must load bit for bit, and what act saves must come back so.

    python3 Tests/Interchange/check.py [ACT] [COUNT] [SEED]

Needs numpy and safetensors. For each format COUNT files are written with a seed, one run of act loads and saves them all, and the
results are compared here, bits and shapes. Then good files are changed at random places: what the formats' own readers refuse act must
refuse, and what act reads must be what they read.
"""
import csv, gzip, io, json, math, os, struct, subprocess, sys, tempfile, zlib
import numpy as np
from safetensors.numpy import load, load_file, save, save_file

act = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/act")
count = int(sys.argv[2]) if len(sys.argv) > 2 else 100
rng = np.random.default_rng(int(sys.argv[3]) if len(sys.argv) > 3 else 1)

WHOLE = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


def shape(least=0, most=4):
    """Any rank and size, scalars and empty arrays included."""
    rank = int(rng.integers(least, most + 1))
    return tuple(int(n) for n in rng.choice([0, 1, 2, 3, 5, 8, 13], size=rank, p=[0.06, 0.14, 0.2, 0.2, 0.2, 0.1, 0.1]))


def floats(kind, size):
    """Bit patterns of every sort: ordinary numbers, zeros of both signs, subnormal and extreme ones, infinities, NaN."""
    x = (rng.standard_normal(size) * 10.0 ** rng.integers(-30, 30, size=size)).astype(kind)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, np.finfo(kind).max, np.finfo(kind).tiny, np.finfo(kind).smallest_subnormal], kind)
    chosen = rng.random(size) < 0.2
    return np.where(chosen, rng.choice(special, size=size), x).astype(kind)


def array(kinds=("f8", "f4", "?") + tuple(WHOLE), least=0, most=4):
    kind = str(rng.choice(kinds))
    size = shape(least, most)
    if kind in ("f8", "f4", "f2"):
        return np.asarray(floats(kind, size))
    if kind == "?":
        return np.asarray(rng.random(size) < 0.5)
    info = np.iinfo(kind)
    # What a number of act holds exactly.
    low, high = max(info.min, -(2**53)), min(info.max, 2**53)
    return np.asarray(rng.integers(low, high, size=size, endpoint=True, dtype=np.int64)).astype(kind)


def held(x):
    """As act holds it: bools and f4 as they are, whole numbers as f8; a single number is a number, which is f8."""
    if x.ndim == 0 and x.dtype.kind != "b":
        return x.astype("f8")
    return x.astype(x.dtype.newbyteorder("=")) if x.dtype.kind == "b" or x.dtype.kind == "f" and x.dtype.itemsize == 4 else x.astype("f8")


def same(a, b):
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
        return False
    if a.dtype.kind == "f":
        # NaN is NaN, whatever its sign and payload.
        return a.dtype == b.dtype and np.array_equal(np.isnan(a), np.isnan(b)) and np.array_equal(
            np.where(np.isnan(a), 0, a).view(f"u{a.itemsize}"), np.where(np.isnan(b), 0, b).view(f"u{b.itemsize}"))
    return np.array_equal(a, b)


def run(program):
    with open("program.act", "w") as file:
        file.write(program)
    result = subprocess.run([act, "program.act"], capture_output=True, text=True)
    if result.returncode or result.stderr:
        print(result.stdout[-2000:], result.stderr[-2000:])
    return result.stdout


failures = 0


def report(name, wrong, extra=""):
    global failures
    failures += len(wrong)
    print(f"{name:24} {count - len(wrong)} of {count} right{extra}" + (f"; wrong: {wrong[:5]}" if wrong else ""))


def loop(source, target):
    return f'for i in range({count}) {{ save(load("{source}"), "{target}") }}\n'


def npy(name, make, write=np.save):
    arrays = [make() for _ in range(count)]
    for i, x in enumerate(arrays):
        with open(f"in{i}.npy", "wb") as file:
            write(file, x)
    run(loop("in{i}.npy", "out{i}.npy"))
    report(name, [i for i, x in enumerate(arrays) if not os.path.exists(f"out{i}.npy") or not same(held(x), np.load(f"out{i}.npy"))])


def order(x):
    return np.asfortranarray(x)


def swap(x):
    return x.astype(x.dtype.newbyteorder(">"))


def version2(file, x):
    np.lib.format.write_array(file, x, version=(2, 0))


def npz():
    tables = [{f"a{k}_é" if k == 1 else f"a{k}": array() for k in range(rng.integers(1, 5))} for _ in range(count)]
    for i, table in enumerate(tables):
        (np.savez_compressed if i % 2 else np.savez)(f"in{i}.npz", **table)
    run(loop("in{i}.npz", "out{i}.npz"))
    wrong = []
    for i, table in enumerate(tables):
        back = np.load(f"out{i}.npz")
        if list(back.keys()) != list(table) or not all(same(held(x), back[key]) for key, x in table.items()):
            wrong.append(i)
    report("npz", wrong)


def separated(suffix, mark):
    arrays = [array(("f8",), 2, 2) for _ in range(count)]
    arrays = [x if x.size else np.ones((2, 3)) for x in arrays]
    for i, x in enumerate(arrays):
        np.savetxt(f"in{i}{suffix}", x, delimiter=mark, fmt="%.17g")
    run(loop("in{i}" + suffix, "out{i}" + suffix) + loop("in{i}" + suffix, "out{i}.npy"))
    report(suffix[1:], [
        i for i, x in enumerate(arrays)
        if not same(x, np.load(f"out{i}.npy")) or not same(x, np.loadtxt(f"out{i}{suffix}", delimiter=mark, ndmin=2))])


def columns():
    """Headers, quotes, separators and line ends inside of fields."""
    words = ["plain", "with, comma", 'a "quoted" word', "two\nlines", "한글", " spaces ", "tab\there", "x" * 300]
    tables = []
    for i in range(count):
        rows = int(rng.integers(1, 8))
        tables.append((floats("f8", rows), [str(w) for w in rng.choice(words, size=rows)], floats("f8", rows)))
        with open(f"in{i}.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["number, first", "word", "단어"])
            for a, b, c in zip(*tables[-1]):
                writer.writerow([repr(float(a)), b, repr(float(c))])
    run(loop("in{i}.csv", "out{i}.csv"))
    wrong = []
    for i, table in enumerate(tables):
        with open(f"out{i}.csv", newline="") as file:
            rows = list(csv.reader(file))
        read = ([float(r[0]) for r in rows[1:]], [r[1] for r in rows[1:]], [float(r[2]) for r in rows[1:]])
        if rows[0] != ["number, first", "word", "단어"] or read[1] != table[1] or not same(np.array(read[0]), table[0]) or not same(np.array(read[2]), table[2]):
            wrong.append(i)
    report("csv with a header", wrong)


def value(depth=0):
    kind = int(rng.integers(0, 4 if depth > 3 else 7))
    if kind == 0:
        return float(floats("f8", (1,))[0]) if rng.random() < 0.7 else int(rng.integers(-(2**53), 2**53))
    if kind == 1:
        return bool(rng.random() < 0.5)
    if kind == 2:
        return None
    if kind == 3:
        return "".join(rng.choice(list("ab\"\\/\b\f\n\r\té한🙂\u2028\x7f{}"), size=rng.integers(0, 12)))
    if kind == 4:
        return [value(depth + 1) for _ in range(rng.integers(0, 5))]
    return {f"key {k}" + ("ü" if k == 1 else ""): value(depth + 1) for k in range(rng.integers(0, 4))}


def plain(x):
    """As it comes back: 1 for 1.0, names for what JSON lacks."""
    if isinstance(x, float) and (x != x or x in (np.inf, -np.inf)):
        return "NaN" if x != x else "Infinity" if x > 0 else "-Infinity"
    if isinstance(x, list):
        return [plain(y) for y in x]
    if isinstance(x, dict):
        return {key: plain(y) for key, y in x.items()}
    return x


def same_json(a, b):
    if isinstance(a, bool) or isinstance(b, bool) or a is None or isinstance(a, str):
        return type(a) is type(b) and a == b
    if isinstance(a, (int, float)):
        # A sign of zero counts.
        return isinstance(b, (int, float)) and a == b and np.signbit(float(a)) == np.signbit(float(b))
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(same_json(x, y) for x, y in zip(a, b))
    return isinstance(b, dict) and list(a) == list(b) and all(same_json(a[k], b[k]) for k in a)


def jsons():
    values = [plain(value()) for _ in range(count)]
    for i, x in enumerate(values):
        with open(f"in{i}.json", "w") as file:
            json.dump(x, file, ensure_ascii=bool(i % 2), indent=[None, 2][i % 3 == 0])
    run(loop("in{i}.json", "out{i}.json"))
    wrong = []
    for i, x in enumerate(values):
        with open(f"out{i}.json") as file:
            if not same_json(x, json.load(file)):
                wrong.append(i)
    report("json", wrong)


def texts():
    strings = ["".join(rng.choice(list("abc \"\\{}\n\té한🙂\u2028\x00\x7f"), size=rng.integers(0, 60))) for _ in range(count)]
    for i, x in enumerate(strings):
        with open(f"in{i}.txt", "w", newline="") as file:
            file.write(x)
    run(loop("in{i}.txt", "out{i}.txt"))
    report("txt", [i for i, x in enumerate(strings) if open(f"out{i}.txt", "rb").read() != x.encode()])


def idx():
    codes = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
    arrays = []
    for i in range(count):
        code = int(rng.choice(list(codes)))
        kind = codes[code]
        x = array((kind.lstrip(">"),), 1, 4)
        arrays.append(x)
        data = bytes([0, 0, code, x.ndim]) + b"".join(struct.pack(">I", n) for n in x.shape) + x.astype(kind).tobytes()
        name = f"in{i}-ubyte" + (".gz" if i % 2 else "")
        with open(name, "wb") as file:
            file.write(gzip.compress(data, compresslevel=i % 10) if i % 2 else data)
    run("".join(f'save(load("in{i}-ubyte{".gz" if i % 2 else ""}"), "out{i}.npy")\n' for i in range(count)))
    wrong = []
    for i, x in enumerate(arrays):
        back = np.load(f"out{i}.npy")
        # The bytes of images load as f32.
        expected = x.astype("f4") if x.dtype.itemsize == 1 else held(x)
        if not same(expected, back):
            wrong.append((i, x.dtype, back.dtype))
    report("idx", wrong)


def halves():
    """float16 and bfloat16, which load as f4. NumPy writes the bfloat16 of ml_dtypes as two bytes without a type."""
    arrays = []
    for i in range(count):
        bits = rng.integers(0, 65536, size=shape(1, 3), dtype=np.uint16)
        x = bits.view("f2") if i % 2 else bits.view("V2")
        arrays.append(bits.view("f2").astype("f4") if i % 2 else (bits.astype("u4") << 16).view("f4"))
        np.save(f"in{i}.npy", x)
        header = json.dumps({"x": {"dtype": "F16" if i % 2 else "BF16", "shape": bits.shape, "data_offsets": [0, bits.nbytes]}}).encode()
        with open(f"in{i}.safetensors", "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header + bits.tobytes())
    run(loop("in{i}.npy", "out{i}.npy") + f'for i in range({count}) {{ save(load("in{{i}}.safetensors").x, "out{{i}}s.npy") }}\n')
    report("float16, bfloat16", [i for i, x in enumerate(arrays) if not same(x, np.load(f"out{i}.npy")) or not same(x, np.load(f"out{i}s.npy"))])


def damaged(name, make, judge, equal, source, target, pieces, allowed=()):
    """Good files with a change or two. `judge` gives what the format's own reader finds, or raises. act may refuse more only where the
    reader's value is in `allowed` (types that act does not read)."""
    judged = []
    for i in range(count):
        data = bytearray(make())
        for _ in range(rng.integers(1, 3)):
            at = int(rng.integers(0, len(data))) if rng.random() < 0.2 else int(rng.integers(0, min(len(data), 160)))
            kind = rng.integers(0, 4)
            if kind == 0:
                data[at] = rng.integers(0, 256)
            elif kind == 1:
                del data[at:at + int(rng.integers(1, 4))]
            elif kind == 2:
                data[at:at] = pieces[rng.integers(0, len(pieces))]
            else:
                data += pieces[rng.integers(0, len(pieces))]
            if not data:
                data = bytearray(b" ")
        with open(source.format(i=i), "wb") as file:
            file.write(data)
        try:
            judged.append(judge(bytes(data)))
        except Exception as error:
            judged.append(error)
    wrong, refused = [], 0
    for i, value in enumerate(judged):
        out = target.format(i=i)
        if os.path.exists(out):
            os.remove(out)
        result = subprocess.run([act, "-e", f'save(load("{source.format(i=i)}"), "{out}")'], capture_output=True, text=True)
        if result.returncode not in (0, 1):
            wrong.append((i, "status", result.returncode))
        elif isinstance(value, Exception):
            refused += 1
            if result.returncode == 0:
                wrong.append((i, "accepted", str(value)[:60]))
        elif result.returncode == 1:
            if not any(words in result.stderr for words in allowed):
                wrong.append((i, "refused", result.stderr.split("\n")[0][:120]))
        elif not equal(value, out):
            wrong.append((i, "another value"))
    report(name, wrong, f" ({refused} to refuse)")


def strict_json(data):
    def refuse(word):
        raise ValueError(word)
    text = data.decode("utf-8")
    def whole(digits):
        if float(digits) != int(digits):
            raise ValueError("a whole number that f64 cannot hold")  # page: an error
        return float(digits)
    def fraction(digits):
        if math.isinf(float(digits)):
            raise ValueError("too large")  # page: an error
        return float(digits)
    def distinct(pairs):
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a name that stands twice")  # page: refused
        return dict(pairs)
    value = json.loads(text, parse_constant=refuse, parse_int=whole, parse_float=fraction, object_pairs_hook=distinct)
    json.dumps(value, ensure_ascii=False).encode("utf-8")  # half of a pair of surrogates is no character
    return value


def one_npy(data):
    file = io.BytesIO(data)
    value = np.load(file, allow_pickle=False)
    if file.read(1):
        raise ValueError("bytes after the end")  # page: refused
    return value


def equal_npy(value, path):
    return same(held(value) if value.dtype.kind != "V" else np.zeros(0), np.load(path)) if value.dtype.kind in "fiub" and value.dtype != np.float16 else True


def one_safetensors(data):
    names = []
    def distinct(pairs):
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("duplicate names")  # which the format forbids and its reader does not see
        return dict(pairs)
    value = load(data)
    length = struct.unpack("<Q", data[:8])[0]
    if data[8:9] != b"{":
        raise ValueError("the header begins with {")  # likewise
    json.loads(data[8:8 + length], object_pairs_hook=distinct)
    return value


def malformed():
    def buffer(write, *arguments):
        file = io.BytesIO()
        write(file, *arguments)
        return file.getvalue()
    damaged(
        "npy, changed", lambda: buffer(np.save, array(least=1)), one_npy, equal_npy, "in{i}.npy", "out{i}.npy",
        [b" ", b"'", b",", b"1", b"(", b"'x': 1, ", b"\0", b"True", b"L", b"\x02", b"-", b"."], ("its elements are", "cannot hold exactly", "memory", "header is damaged"))
    damaged(
        "safetensors, changed", lambda: save({f"t{k}": np.ascontiguousarray(array(("f8", "f4", "?", "i4"), 1, 3)) for k in range(rng.integers(1, 4))}), one_safetensors,
        lambda value, path: sorted(value) == sorted(load_file(path)) and all(same(held(x), load_file(path)[key]) for key, x in value.items()),
        "in{i}.safetensors", "out{i}.safetensors", [b" ", b"\0", b"0", b"1", b".0", b"-", b"[", b"}", b",", b'"', b'"a":1,', b"\n", b"\t", b"\x0c", b"e1"], ("which act does not read", "cannot hold exactly"))
    damaged(
        "json, changed", lambda: json.dumps(plain(value())).encode(), strict_json, lambda value, path: same_json(plain(value), json.load(open(path))),
        "in{i}.json", "out{i}.json", [b" ", b"\x0c", b"\x0b", b"\xa0", b"\xc2\xa0", b"0", b".", b"+", b"e", b"NaN", b",", b"]", b"\\ud800", b"\0", b"//"], ())
    def gz():
        return gzip.compress(bytes(rng.integers(97, 100, size=int(rng.integers(0, 40)), dtype=np.uint8)), mtime=0)
    def unpacked(data):
        # zlib itself: Python's reader of headers skips flags that RFC 1952 wants refused, and does not look at the header's checksum.
        out = b""
        while True:
            member = zlib.decompressobj(31)
            out += member.decompress(data)
            if not member.eof:
                raise ValueError("cut short")
            data = member.unused_data
            if not data.strip(b"\0"):
                return out
    damaged(
        "gz, changed", lambda: gz() + (gz() if rng.random() < 0.3 else b""), lambda data: unpacked(data).decode(), lambda value, path: open(path).read() == value,
        "in{i}.txt.gz", "out{i}.txt", [b"\0", b"\0\0", b"x", b"\x1f\x8b", b"\x1f"], ())


def safetensors():
    tables = []
    for i in range(count):
        table = {f"t{k}.weight": np.ascontiguousarray(array(("f8", "f4", "?") + tuple(WHOLE))) for k in range(rng.integers(1, 6))}
        tables.append(table)
        save_file(table, f"in{i}.safetensors", metadata={"by": "numpy", "text": "é\"한"} if i % 2 else None)
    run(loop("in{i}.safetensors", "out{i}.safetensors"))
    wrong = []
    for i, table in enumerate(tables):
        back = load_file(f"out{i}.safetensors")
        if sorted(back) != sorted(table) or not all(same(held(x), back[key]) for key, x in table.items()):
            wrong.append(i)
    report("safetensors", wrong)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    npy("npy", array)
    npy("npy big-endian", lambda: swap(array()))
    npy("npy Fortran order", lambda: order(array(least=2)))
    npy("npy both", lambda: order(swap(array(least=2))))
    npy("npy version 2", array, version2)
    npy("npy scalars", lambda: array(most=0))
    npy("npy without elements", lambda: np.zeros((0,) + shape(0, 3), rng.choice(["f8", "f4", "?"])))
    npz()
    separated(".csv", ",")
    separated(".tsv", "\t")
    columns()
    jsons()
    texts()
    idx()
    safetensors()
    halves()
    malformed()
print("all right" if not failures else f"{failures} wrong")
sys.exit(bool(failures))
