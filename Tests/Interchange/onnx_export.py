"""Networks and functions as ONNX models: the format's own checker must pass each, and onnxruntime must give act's numbers.

    python3 Tests/Interchange/onnx_export.py [ACT]

Needs numpy, onnx and onnxruntime. Every layer and every activation function of Docs/reference.md, functions of many kinds, and the networks of
the examples. The batch axis is free: each model runs with two batch sizes. Numbers may differ by 1e-6 of the largest (f32).
"""
import os, sys, tempfile
import numpy as np, onnx, onnxruntime
from export_cases import CONFIGURED, EXAMPLES, FUNCTIONS, LAYERS, PRELUDE, execute, layers, literal, root, rows, shapes_literal

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
    program.append(f"save({callee}, \"{path}\", input={given})")
    program.append(f"save({{{', '.join(f'{n}: {n}' for n in names)}, y: {callee}({', '.join(names)})}}, \"{path}.npz\")")
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
for example, net, shape in EXAMPLES:
    with open(os.path.join(root, "examples", example + ".act"), encoding="utf-8") as file:
        lines = [file.read()]
    case(f"examples/{example}", f"exported = {net}", "exported", [shape], whole=example in ("transformer", "word2vec"), program=lines)
    execute(act, lines, folder)

worst, failed, calls = {}, [], {}
for name, path, tolerance, by_row in cases:
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        assert model.ir_version == 10 and model.opset_import[0].version == 20
        calls[name] = [f"{n.domain}.{n.op_type}" if n.domain else n.op_type for n in model.graph.node]
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        data = np.load(path + ".npz")
        inputs = session.get_inputs()
        for rows_ in (5, 2):
            if rows_ == 2 and not by_row:
                continue
            feed = {value.name: data[f"x{i}"][:rows_] for i, value in enumerate(inputs)}
            got, expected = session.run(None, feed)[0], data["y"][:rows_]
            assert got.shape == expected.shape, (got.shape, expected.shape)
            assert np.array_equal(np.isnan(got.astype("f8")), np.isnan(expected.astype("f8"))), "NaN in other places"
            scale = max(1.0, float(np.nanmax(np.abs(expected.astype("f8")), initial=0)))
            difference = float(np.nanmax(np.abs(got.astype("f8") - expected.astype("f8")), initial=0)) / scale
            worst[name] = max(worst.get(name, 0), difference)
            assert difference <= tolerance, f"differs by {difference:.2g}"
    except Exception as error:
        failed.append(f"{name}: {str(error)[:300]}")

assert calls.get("tanhexp") == ["act.tanhexp"], calls.get("tanhexp")
largest = sorted(worst.items(), key=lambda item: -item[1])[:3]
print(f"{len(cases)} models ({len(layers)} layers, {len(rows)} activation functions): {len(failed)} fail; largest differences",
      ", ".join(f"{value:.2g} ({name})" for name, value in largest))
for line in failed:
    print("  " + line)
sys.exit(1 if failed else 0)
