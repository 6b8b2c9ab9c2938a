"""The cases that the package onnx carries for those who run models, against act: each model is loaded with `load` and called.

    python3 Tests/Interchange/onnx_cases.py [ACT] [--only TEXT] [--list] [--sample FILE]

Cases of single operators (node) are made by onnx itself; the wheel holds small architectures (light) and models that PyTorch wrote. A case passes when every output has the expected shape
and values within the case's own tolerances. Fewer passes than `LEAST` says are an error. `--list` says why the others do not pass; `--sample` writes a hundred small ones to a file for
`make test`. Needs onnx.
"""
import argparse, collections, concurrent.futures, json, os, subprocess, sys, tempfile

import numpy as np
import onnx
from onnx import numpy_helper

LEAST = {"node": 1735, "light": 9, "pytorch": 117, "simple": 15}
AT_ONCE = 60  # cases for one process
SECONDS = 300

Case = collections.namedtuple("Case", "kind name model inputs outputs rtol atol")


def read(path, model, index, is_input):
    """A value beside a model: a tensor, a sequence or what may be missing."""
    with open(path, "rb") as file:
        data = file.read()
    infos = (model.graph.input if is_input else model.graph.output)
    kind = infos[index].type.WhichOneof("value") if index < len(infos) else "tensor_type"
    if kind == "sequence_type":
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if kind == "optional_type":
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    return numpy_helper.to_array(onnx.TensorProto.FromString(data))


def values(given):
    return [numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value for value in given]


def cases():
    from onnx.backend.test.case.node import collect_testcases

    for case in collect_testcases():
        for inputs, outputs in case.data_sets:
            yield Case("node", case.name, case.model.SerializeToString(), values(inputs), values(outputs), case.rtol, case.atol)
            break
    root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data")
    for kind, folders in (("pytorch", ("pytorch-converted", "pytorch-operator")), ("simple", ("simple",))):
        for folder in folders:
            for name in sorted(os.listdir(os.path.join(root, folder))):
                own = os.path.join(root, folder, name)
                with open(os.path.join(own, "model.onnx"), "rb") as file:
                    data = file.read()
                model, first = onnx.load_from_string(data), os.path.join(own, "test_data_set_0")
                files = sorted(os.listdir(first)) if os.path.isdir(first) else []
                inputs, outputs = ([name for name in files if name.startswith(what)] for what in ("input", "output"))
                yield Case(
                    kind, name, data, [read(os.path.join(first, f"input_{k}.pb"), model, k, True) for k in range(len(inputs))],
                    [read(os.path.join(first, f"output_{k}.pb"), model, k, False) for k in range(len(outputs))], 1e-3, 1e-4)
    folder = os.path.join(root, "light")
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".onnx")):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        model = onnx.load_from_string(data)
        known = {tensor.name for tensor in model.graph.initializer}
        shapes = [[size.dim_value for size in value.type.tensor_type.shape.dim] for value in model.graph.input if value.name not in known]
        # As onnx's own runner makes them.
        inputs = [(np.arange(np.prod(shape)) / np.prod(shape)).astype(np.float32).reshape(shape) for shape in shapes]
        outputs = [read(os.path.join(folder, name.replace(".onnx", "_output_0.pb")), model, 0, False)]
        yield Case("light", name[:-5], data, inputs, outputs, 1e-3, 1e-4)


def plain(array):
    """In a type that NumPy itself has: narrow floats and integers are those of another package."""
    array = np.asarray(array)
    if array.dtype.kind in "biuf" and array.dtype.itemsize > (1 if array.dtype.kind == "f" else 0):
        return array
    return array.astype(np.float32) if array.dtype.kind != "O" and array.dtype.kind != "U" else None


def source(value, path, files):
    """An expression for an input."""
    if value is None:
        return "none"
    if isinstance(value, list):
        return "(" + "".join(source(part, f"{path}_{k}", files) + ", " for k, part in enumerate(value)) + ")"
    array = plain(value)
    if array is None:
        return '"text"'
    files.append((path + ".npy", array))
    return f'load("{path}.npy")'


HEADER = """put(y, name) = {
    if type(y) == "list" { for i in range(len(y)) { put(y[i], "{name}_{i}") } } else if type(y) != "none" { save(y, "{name}.npy") }
}
"""


def run(act, batch):
    """{number: None or why not} for (number, case) pairs."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        programs = []
        for number, case in batch:
            with open(os.path.join(folder, f"{number}.onnx"), "wb") as file:
                file.write(case.model)
            files = []
            arguments = ", ".join(source(value, f"{number}_in{k}", files) for k, value in enumerate(case.inputs))
            for path, array in files:
                np.save(os.path.join(folder, path), array)
            programs.append((number, case, f'print("case {number}")\nnet{number} = load("{number}.onnx")\nput(net{number}({arguments}), "{number}_out")\nunset net{number}\n'))
        while programs:
            with open(os.path.join(folder, "run.act"), "w") as file:
                file.write(HEADER + "".join(text for _, _, text in programs))
            try:
                done = subprocess.run([act, "--no-warn", "run.act"], cwd=folder, capture_output=True, text=True, timeout=SECONDS)
                said, error, failed = done.stdout, done.stderr, done.returncode != 0
            except subprocess.TimeoutExpired as late:
                said, error, failed = (late.stdout or b"").decode(), "error: it takes too long", True
            begun = len([line for line in said.splitlines() if line.startswith("case ")])
            for number, case, _ in programs[: begun - 1 if failed else begun]:
                results[number] = compare(folder, number, case)
            if not failed:
                break
            if begun == 0:
                raise SystemExit(f"act does not run the cases: {error}")
            title = next((line for line in error.splitlines() if line.startswith("error")), error[:200])
            results[programs[begun - 1][0]] = title.replace(f"`{programs[begun - 1][0]}.onnx`: ", "")
            programs = programs[begun:]
    return results


def compare(folder, number, case):
    def look(expected, path):
        if expected is None:
            return None
        if isinstance(expected, list):
            return next((fault for fault in (look(part, f"{path}_{k}") for k, part in enumerate(expected)) if fault), None)
        try:
            found = np.load(os.path.join(folder, path + ".npy"))
        except OSError:
            return "an output is missing"
        expected = plain(expected)
        if expected is None:
            return "an output is text"
        if found.shape != expected.shape:
            return f"the shape is {found.shape}, not {expected.shape}"
        if not np.allclose(found.astype(np.float64), expected.astype(np.float64), rtol=case.rtol, atol=case.atol, equal_nan=True):
            return "the values differ"
        return None

    outputs = case.outputs
    if len(outputs) == 1:
        return look(outputs[0], f"{number}_out")
    return look(list(outputs), f"{number}_out")


def sample(path, chosen):
    """A hundred small cases with inputs and outputs in one safetensors file: `N.model` holds bytes, `N.in.K` and `N.out.K` arrays; the metadata name and bound them."""
    from safetensors.numpy import save_file

    arrays, metadata = {}, {}
    for number, case in enumerate(chosen):
        arrays[f"{number}.model"] = np.frombuffer(case.model, np.uint8)
        for what, values in (("in", case.inputs), ("out", case.outputs)):
            for k, value in enumerate(values):
                arrays[f"{number}.{what}.{k}"] = np.array(plain(value), order="C")
        metadata[str(number)] = json.dumps({"name": case.name, "inputs": len(case.inputs), "outputs": len(case.outputs), "rtol": case.rtol, "atol": case.atol})
    save_file(arrays, path, metadata)


def choose(passed):
    """Small cases, as many kinds of operators as can be."""
    def is_small(case):
        values = case.inputs + case.outputs
        if case.kind != "node" or len(case.model) > 4000 or any(value is None or isinstance(value, list) or plain(value) is None for value in values):
            return False
        return sum(np.asarray(value).size for value in values) < 600

    small = [case for case in passed if is_small(case)]
    met, chosen = collections.Counter(), []
    for case in sorted(small, key=lambda case: (case.name.endswith("expanded"), len(case.name), case.name)):
        kinds = {node.op_type for node in onnx.load_from_string(case.model).graph.node}
        if not any(met[kind] for kind in kinds) and len(chosen) < 100:
            met.update(kinds)
            chosen.append(case)
    rest = [case for case in small if case not in chosen]
    return chosen + rest[: 100 - len(chosen)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("act", nargs="?", default=".build/release/act")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--sample")
    options = parser.parse_args()
    act = os.path.abspath(options.act)
    all_cases = [case for case in cases() if options.only in f"{case.kind} {case.name}"]
    numbered = list(enumerate(all_cases))
    batches = [numbered[start : start + AT_ONCE] for start in range(0, len(numbered), AT_ONCE)]
    results = {}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for part in pool.map(lambda batch: run(act, batch), batches):
            results.update(part)
    totals, passes = collections.Counter(case.kind for case in all_cases), collections.Counter(case.kind for number, case in numbered if results[number] is None)
    if options.list:
        for number, case in numbered:
            if results[number]:
                print(f"{case.kind} {case.name}: {results[number]}")
    if options.sample:
        sample(options.sample, choose([case for number, case in numbered if results[number] is None]))
    for kind in sorted(totals):
        print(f"onnx {kind}: {passes[kind]} of {totals[kind]} cases pass")
    if not options.only and any(passes[kind] < least for kind, least in LEAST.items()):
        sys.exit(f"fewer cases pass than {LEAST}")


if __name__ == "__main__":
    main()
