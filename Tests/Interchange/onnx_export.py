"""Networks and functions as ONNX models: the format's own checker must pass each, and onnxruntime must give act's numbers.

    python3 Tests/Interchange/onnx_export.py [ACT]

Needs numpy, onnx and onnxruntime. Every layer and every activation function of Docs/reference.md, functions of many kinds, and the networks of
the examples. The batch axis is free: each model runs with two batch sizes. Numbers may differ by 1e-6 of the largest (f32). All are written
with f64 numbers too (`dtype="f64"`) and run where onnxruntime has its operators for these: functions to 1e-12, networks, whose numbers in act are
f32, to 1e-6.
"""
import os, re, subprocess, sys, tempfile
import numpy as np, onnx, onnxruntime
from export_cases import CONFIGURED, EXAMPLES, FUNCTIONS, LAYERS, PRELUDE, REFUSED, execute, layers, literal, root, rows, shapes_literal

act = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/act")

folder = tempfile.mkdtemp()
cases = []
program = [PRELUDE]


def case(name, definition, callee, shapes, whole=False, tolerance=1e-6, by_row=True, program=program):
    path = os.path.join(folder, f"{len(cases)}.onnx")
    names = [f"x{i}" for i in range(len(shapes))]
    program.append(definition)
    for variable, shape in zip(names, shapes):
        # A sine of high frequency loses digits of its argument.
        scale = 0.03 if "siren" in name else 3
        values = f"floor(rand{literal((5,) + shape)} * 5)" if whole else f"{scale} * randn{literal((5,) + shape)}"
        program.append(f"{variable} = f32({values})")
    given = shapes_literal(shapes)
    program.append(f"save({callee}, \"{path}\", input={given}); save({callee}, \"{path}.f64.onnx\", input={given}, dtype=\"f64\")")
    for suffix, convert in ("", "f32"), (".f64.onnx", "f64"):
        given = ", ".join(f"{convert}({n})" for n in names)
        program.append(f"save({{{', '.join(f'{n}: {convert}({n})' for n in names)}, y: {callee}({given})}}, \"{path}{suffix}.npz\")")
    cases.append((name, path, tolerance, by_row))


for net, shape in LAYERS:
    case(net, f"net = stirred({net})", "net", [shape], whole="Embedding" in net)
for name in rows:
    if name == "maxout":
        continue  # takes weights: the layer Maxout is above
    case(name, "", name, [(6,)])
    case(f"Dense >> {name}", f"net = Dense(6, 4, init=\"glorot_uniform\") >> {name}", "net", [(6,)])
for text in CONFIGURED:
    case(text, f"net = Dense(6, 6) >> {text}", "net", [(4, 6)])
for definition, shapes, by_row in FUNCTIONS:
    case(definition, definition, "f", shapes, tolerance=3e-6, by_row=by_row)


execute(act, program, folder)
refusals = []
for definition, shape, part in REFUSED:
    lines = ["net = Dense(2, 2)", definition, f"save(f, \"{folder}/refused.onnx\", input={literal(shape)})"]
    run = subprocess.run([act, "--no-warn", "-"], input="\n".join(lines), capture_output=True, text=True, cwd=folder)
    if run.returncode != 1 or part not in run.stderr or os.path.exists(os.path.join(folder, "refused.onnx")):
        refusals.append(f"{definition}: {run.stdout}{run.stderr[:300]}")
for example, net, shape, whole in EXAMPLES:
    with open(os.path.join(root, "examples", example + ".act"), encoding="utf-8") as file:
        lines = [file.read()]
    case(f"examples/{example}: {net}", f"exported = {net}", "exported", [shape], whole=whole, program=lines)
    execute(act, lines, folder)

worst, failed, calls, lacking = {}, [], {}, {}


def compare(name, path, tolerance, by_row):
    """How far a model is from act's numbers, at most."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 10 and model.opset_import[0].version == 20
    calls[name] = [f"{n.domain}.{n.op_type}" if n.domain else n.op_type for n in model.graph.node]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    data, largest = np.load(path + ".npz"), 0
    inputs = session.get_inputs()
    for count in (5, 2) if by_row else (5,):
        feed = {value.name: data[f"x{i}"][:count] for i, value in enumerate(inputs)}
        got, expected = session.run(None, feed)[0].astype("f8"), (data["y"] if count == 5 else data["y"][:count]).astype("f8")
        assert got.shape == expected.shape, (got.shape, expected.shape)
        assert np.array_equal(np.isnan(got), np.isnan(expected)), "NaN in other places"
        scale = max(1.0, float(np.nanmax(np.abs(expected), initial=0)))
        largest = max(largest, float(np.nanmax(np.abs(got - expected), initial=0)) / scale)
    assert largest <= tolerance, f"differs by {largest:.2g}"
    return largest


# Its numbers for the approximation of gelu by tanh are f32 there.
functions = {definition for definition, _, _ in FUNCTIONS if "Dense" not in definition} | set(rows) - {"gelu_tanh"}
for name, path, tolerance, by_row in cases:
    for wide in False, True:
        try:
            own = path + ".f64.onnx" if wide else path
            difference = compare(name, own, tolerance if not wide or name not in functions else 1e-12, by_row)
            if not wide:
                worst[name] = difference
        except Exception as error:
            lacks = wide and (re.search(r"implementation for (\w+)", str(error)) or re.search(r"(\w+) operator does not support double", str(error)))
            if lacks:
                lacking[lacks[1]] = lacking.get(lacks[1], 0) + 1
            else:
                failed.append(f"{name}{' (f64)' if wide else ''}: {str(error)[:300]}")

assert calls.get("tanhexp") == ["act.tanhexp"], calls.get("tanhexp")
largest = sorted(worst.items(), key=lambda item: -item[1])[:3]
print(f"{len(cases)} models ({len(layers)} layers, {len(rows)} activation functions): {len(failed)} fail; largest differences",
      ", ".join(f"{value:.2g} ({name})" for name, value in largest))
print(f"with f64 numbers {len(cases) - sum(lacking.values())} of them run; onnxruntime has no such " + ", ".join(f"{name} ({count})" for name, count in sorted(lacking.items())))
print(f"{len(REFUSED)} functions without a form: {len(refusals)} are not refused as they should be")
failed += refusals
for line in failed:
    print("  " + line)
sys.exit(1 if failed else 0)
