"""Networks and functions as modules of PyTorch, JAX and Keras: run there, they must give act's numbers.

    python3 Tests/Interchange/sources.py [ACT] [FRAMEWORK…]

Needs numpy, safetensors and the frameworks; one that cannot be imported is left out, and said so. The cases are those of onnx_export.py. Each
module is imported and runs with two batch sizes; some are run by themselves too. Numbers may differ by 1e-5 of the largest (f32).
"""
import importlib.util, os, subprocess, sys, tempfile
os.environ.setdefault("KERAS_BACKEND", "jax")
import numpy as np
from safetensors.numpy import load_file
from export_cases import CONFIGURED, EXAMPLES, FUNCTIONS, LAYERS, PRELUDE, execute, root, rows, shapes_literal

act = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/act")
folder = tempfile.mkdtemp()


def usable(name):
    try:
        __import__(name)
        return True
    except Exception as error:
        print(f"{name} is left out: it cannot be imported ({str(error)[:80]})")
        return False


frameworks = [name for name in (sys.argv[2:] or ["torch", "jax", "keras"]) if usable(name)]
cases = []
program = [PRELUDE]


def case(name, definition, callee, shapes, program, by_row=True):
    given = shapes_literal(shapes)
    program.append(definition)
    for framework in frameworks:
        program.append(f"save({callee}, \"{folder}/case{len(cases)}_{framework}.py\", framework=\"{framework}\", input={given})")
    cases.append((name, by_row))


for net, shape in LAYERS:
    case(net, f"net = stirred({net})", "net", [shape], program)
for name in rows:
    if name != "maxout":  # it takes weights: the layer Maxout is above
        case(name, f"net = Dense(6, 4, init=\"glorot_uniform\") >> {name}", "net", [(6,)], program)
for text in CONFIGURED:
    case(text, f"net = Dense(6, 6) >> {text}", "net", [(4, 6)], program)
for definition, shapes, by_row in FUNCTIONS:
    case(definition, definition, "f", shapes, program, by_row)


execute(act, program, folder)
for example, net, shape, whole in EXAMPLES:
    with open(os.path.join(root, "examples", example + ".act"), encoding="utf-8") as file:
        lines = [file.read()]
    case(f"examples/{example}: {net}", f"exported = {net}", "exported", [shape], lines)
    execute(act, lines, folder)


def run(framework, model, inputs):
    if framework == "torch":
        import torch
        return model(*[torch.from_numpy(x) for x in inputs]).detach().numpy()
    if framework == "keras":
        import keras
        return keras.ops.convert_to_numpy(model(*inputs))
    return np.asarray(model(*inputs))


failures = 0
for framework in frameworks:
    failed, worst = [], {}
    for number, (name, by_row) in enumerate(cases):
        stem = f"case{number}_{framework}"
        try:
            spec = importlib.util.spec_from_file_location(stem, os.path.join(folder, stem + ".py"))
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            check = load_file(os.path.join(folder, stem + ".check.safetensors"))
            expected = check.pop("model.result")
            for count in (4, 2) if by_row else (4,):
                got, wanted = run(framework, module.model, [x[:count] for x in check.values()]), expected[:count] if count < 4 else expected
                assert got.shape == wanted.shape, (got.shape, wanted.shape)
                got, wanted = got.astype("f8"), wanted.astype("f8")
                assert np.array_equal(np.isnan(got), np.isnan(wanted)), "NaN in other places"
                difference = float(np.nanmax(np.abs(got - wanted), initial=0)) / max(1.0, float(np.nanmax(np.abs(wanted), initial=0)))
                worst[name] = max(worst.get(name, 0), difference)
                assert difference <= 1e-5, f"differs by {difference:.2g}"
        except Exception as error:
            failed.append(f"{name} ({stem}): {type(error).__name__} {str(error)[:200]}")
    for number in (0, len(LAYERS) + 5, len(cases) - 3):
        alone = subprocess.run([sys.executable, os.path.join(folder, f"case{number}_{framework}.py")], capture_output=True, text=True)
        if alone.returncode or not alone.stdout.startswith("largest difference: "):
            failed.append(f"{cases[number][0]}, run by itself: {alone.stdout}{alone.stderr[-300:]}")
    largest = sorted(worst.items(), key=lambda item: -item[1])[:3]
    print(f"{framework}: {len(cases)} modules, {len(failed)} fail; largest differences", ", ".join(f"{value:.2g} ({name})" for name, value in largest))
    for line in failed:
        print("  " + line)
    failures += len(failed)
sys.exit(1 if failures else 0)
