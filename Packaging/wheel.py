"""Makes a wheel of a program that is built: `pip install` then gives act, its kernel for Jupyter and its lexer for Pygments.

    python3 Packaging/wheel.py ACT FOLDER

Needs nothing but Python. The wheel says which C library it needs at least, by the symbols that the program uses.
https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""
import base64, hashlib, os, platform, re, subprocess, sys, tempfile, time, zipfile

act, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
version = subprocess.run([act, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
stem = f"act_lang-{version}"


def tag():
    machine = platform.machine()
    if sys.platform == "darwin":
        return f"py3-none-macosx_15_0_{machine}"
    symbols = subprocess.run(["objdump", "-T", act], capture_output=True, text=True, check=True).stdout
    libc = max(tuple(map(int, found)) for found in re.findall(r"GLIBC_(\d+)\.(\d+)", symbols))
    return f"py3-none-manylinux_{libc[0]}_{libc[1]}_{machine}"


def text(*path):
    with open(os.path.join(root, *path), encoding="utf-8") as file:
        return file.read()


def share():
    """Manual page, completions and the kernel, as they lie in an installation. The kernel starts the program by its place beside the description."""
    with tempfile.TemporaryDirectory() as stage:
        environment = {**os.environ, "PROGRAM": "{resource_dir}/../../../../bin/act", "LEXER": "act"}
        subprocess.run([os.path.join(root, "Packaging", "stage"), act, stage, ""], check=True, env=environment)
        for place, _, names in sorted(os.walk(os.path.join(stage, "share"))):
            for name in sorted(names):
                path = os.path.join(place, name)
                with open(path, "rb") as file:
                    yield os.path.relpath(path, stage), file.read()


metadata = f"""Metadata-Version: 2.1
Name: act-lang
Version: {version}
Summary: A small array language for activation functions and neural-network layers
License: MIT
Keywords: array language,activation functions,automatic differentiation,neural networks,jupyter kernel
Classifier: Development Status :: 4 - Beta
Classifier: Framework :: Jupyter
Classifier: Intended Audience :: Science/Research
Classifier: License :: OSI Approved :: MIT License
Classifier: Topic :: Scientific/Engineering :: Mathematics
Requires-Python: >=3.8
Description-Content-Type: text/markdown

{text("README.md")}"""
with open(act, "rb") as file:
    program = file.read()
files = [
    ("act_lang/__init__.py", f'"""act, a small array language. The program is `act`; `act_lang.pygments` colours its programs."""\n\n__version__ = "{version}"\n', 0o644),
    ("act_lang/pygments.py", text("Editors", "pygments", "act_lang", "pygments.py"), 0o644),
    (f"{stem}.data/scripts/act", program, 0o755),
    *((f"{stem}.data/data/{name}", content, 0o644) for name, content in share()),
    (f"{stem}.dist-info/METADATA", metadata, 0o644),
    (f"{stem}.dist-info/WHEEL", f"Wheel-Version: 1.0\nGenerator: act\nRoot-Is-Purelib: false\nTag: {tag()}\n", 0o644),
    (f"{stem}.dist-info/entry_points.txt", "[pygments.lexers]\nact = act_lang.pygments:ActLexer\n", 0o644),
    (f"{stem}.dist-info/LICENSE", text("LICENSE"), 0o644),
]
moment = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))[:6]
os.makedirs(folder, exist_ok=True)
path = os.path.join(folder, f"{stem}-{tag()}.whl")
record = []
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
    def put(name, content, mode):
        content = content.encode() if isinstance(content, str) else content
        entry = zipfile.ZipInfo(name, moment)
        # With the bits of a regular file: without them pip takes the mode for none.
        entry.external_attr = (0o100000 | mode) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        wheel.writestr(entry, content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(content)}\n")

    for name, content, mode in files:
        put(name, content, mode)
    put(f"{stem}.dist-info/RECORD", "".join(record) + f"{stem}.dist-info/RECORD,,\n", 0o644)
print(path)
