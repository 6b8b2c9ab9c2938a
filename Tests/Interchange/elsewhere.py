"""The page Docs/taking-it-elsewhere.md, followed to the end: its programs of act write files, and its other blocks hold for them.

    python3 Tests/Interchange/elsewhere.py [ACT]

A block that imports something is a program of Python and runs; one that begins with `$ python` is a command and what it says, numbers apart;
one of variables and commands starts ranks, all at once, whose file must be the one that a single process made; any other is a part of a module
that act has written. Each module runs by itself where its framework is installed; what is missing is said.
"""
import importlib.util, os, re, shutil, socket, subprocess, sys, tempfile

root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
act = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/act")
failures, counts, skipped = [], {"programs": 0, "commands": 0, "ranks": 0, "parts of modules": 0, "modules": 0}, set()


def needs(text):
    """The first package that a program of Python imports and that is missing."""
    names = re.findall(r"^\s*(?:import|from) (\w+)(?:.*, (\w+))*", text, re.M)
    return next((name for pair in names for name in pair if name and importlib.util.find_spec(name) is None), None)


def run(command, folder):
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={**os.environ, "KERAS_BACKEND": "jax"})
    return run.returncode, run.stdout, run.stderr


def ranks(commands, program, folder):
    """Starts a command for each rank, on this machine, and compares what rank 0 saves with what is there."""
    with open(os.path.join(folder, "train.act"), "w", encoding="utf-8") as file:
        file.write(program)
    saved = os.path.join(folder, re.search(r'save\(.*"(.*?)"\)', program)[1])
    with open(saved, "rb") as file:
        expected = file.read()
    os.remove(saved)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    commands = [re.sub(r"\b10\.0\.0\.1\b", "127.0.0.1", command.removeprefix("$ ")).replace(" act ", f" MASTER_PORT={port} {act} ") for command in commands]
    started = [subprocess.Popen(command, shell=True, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for command in commands]
    output = "".join(process.communicate(timeout=300)[0] for process in started)
    counts["ranks"] += len(started)
    if any(process.returncode for process in started) or not os.path.exists(saved) or open(saved, "rb").read() != expected:
        failures.append(f"{commands} do not save what one process does: {output}")


def shape(text):
    """A text with any number for each number."""
    return re.sub(r"\d[\d.e+-]*", "0", text.strip())


def module(path, folder):
    """Runs a module of a framework; gives what it printed, none where the framework is missing."""
    with open(os.path.join(folder, path), encoding="utf-8") as file:
        missing = needs(file.read())
    if missing:
        skipped.add(missing)
        return None
    counts["modules"] += 1
    status, output, error = run([sys.executable, path], folder)
    found = re.fullmatch(r"largest difference: (\S+)\n", output)
    if status or not found or float(found[1]) > 1e-5:
        failures.append(f"{path}: {output}{error[-500:]}")
    return output


with tempfile.TemporaryDirectory() as folder:
    page = shutil.copy(os.path.join(root, "Docs", "taking-it-elsewhere.md"), folder)
    status, output, error = run([act, "test", page], folder)
    if status:
        failures.append(output + error)
    with open(page, encoding="utf-8") as file:
        text = file.read()
    program = re.search(r"`train\.act`:\n\n```act\n(.*?)^```$", text, flags=re.M | re.S)[1]
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    modules = {name: open(os.path.join(folder, name), encoding="utf-8").read() for name in sorted(os.listdir(folder)) if name.endswith(".py")}
    # Indented lines, with what is empty between them.
    for block in re.findall(r"^\n((?:    .*\n|\n(?=    ))+)", text, re.M):
        block = re.sub(r"^    ", "", block, flags=re.M)
        if block.startswith("$ python "):
            command, expected = block[len("$ python "):].split("\n", 1)
            counts["commands"] += 1
            output = module(command.strip(), folder)
            if output is not None and shape(output) != shape(expected):
                failures.append(f"{block}gave {output}")
        elif block.startswith("$ "):
            ranks(block.splitlines(), program, folder)
        elif block.startswith("import"):
            missing = needs(block)
            if missing:
                skipped.add(missing)
                continue
            counts["programs"] += 1
            status, output, error = run([sys.executable, "-c", block], folder)
            expected = "".join(line + "\n" for line in re.findall(r"^print\(.*#\s*(.*)$", block, re.M))
            if status or output != expected:
                failures.append(f"{block}gave {output}{error[-500:]}")
        else:
            counts["parts of modules"] += 1
            lines = [line.strip() for line in block.splitlines() if line.strip()]
            for source in modules.values():
                rest = iter(line.strip() for line in source.splitlines())
                if all(line in rest for line in lines):
                    break
            else:
                failures.append(f"no module has\n{block}")
    for name in modules:
        module(name, folder)
print("the page: " + ", ".join(f"{count} {name}" for name, count in counts.items()) + f"; {len(failures)} fail")
for name in sorted(skipped):
    print(f"skipped: what needs {name}, which is not installed")
for failure in failures:
    print(failure)
sys.exit(1 if failures else 0)
