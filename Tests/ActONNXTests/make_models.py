"""Models for the tests, with outputs by onnxruntime. Run it by hand where they should change: python3 Tests/ActONNXTests/make_models.py. Needs onnx, onnxruntime and safetensors.

`network.onnx` is a small network as frameworks write them: convolution, normalisation, a way around, sizes computed of the input's shape, dropout, a product. `functions.onnx` calls functions
that it defines itself, one within the other, with an attribute. `smooth.onnx` is of f64. `two.onnx` takes two inputs and gives two outputs. `outside.onnx` keeps its weights in `outside.bin`. What onnxruntime computes is in
`models.safetensors`.
"""
import os

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import save_file

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Reference")
random = np.random.default_rng(1)
node, info = helper.make_node, helper.make_tensor_value_info


def array(name, *shape, scale=0.5):
    return numpy_helper.from_array((random.standard_normal(shape) * scale).astype(np.float32), name)


def whole(name, *numbers):
    return numpy_helper.from_array(np.array(numbers, np.int64), name)


def model(graph, functions=(), domains=()):
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20), *[helper.make_opsetid(name, 1) for name in domains]], functions=list(functions), ir_version=10)
    onnx.checker.check_model(made, full_check=True)
    return made


network = model(helper.make_graph(
    [
        node("Conv", ["x", "conv.weight", "conv.bias"], ["a"], "conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["a", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"], ["b"], "norm"),
        node("Relu", ["b"], ["c"]),
        node("Conv", ["c", "way.weight"], ["d"], "way", kernel_shape=[1, 1]),
        node("Tanh", ["d"], ["e"]),
        node("Add", ["c", "e"], ["f"]),
        node("MaxPool", ["f"], ["g"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Dropout", ["g", "rate"], ["h"]),
        node("Shape", ["h"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Unsqueeze", ["n", "zeros"], ["n1"]),
        node("Concat", ["n1", "rest"], ["to"], axis=0),
        node("Reshape", ["h", "to"], ["i"]),
        node("Gemm", ["i", "fc.weight", "fc.bias"], ["j"], "fc", transB=1),
        node("LogSoftmax", ["j"], ["y"]),
    ],
    "network", [info("x", TensorProto.FLOAT, ["N", 1, 6, 6])], [info("y", TensorProto.FLOAT, ["N", 3])],
    [
        array("conv.weight", 4, 1, 3, 3), array("conv.bias", 4), array("norm.weight", 4), array("norm.bias", 4), array("norm.running_mean", 4),
        numpy_helper.from_array(random.uniform(0.5, 2, 4).astype(np.float32), "norm.running_var"), array("way.weight", 4, 4, 1, 1), array("fc.weight", 3, 36), array("fc.bias", 3),
        numpy_helper.from_array(np.float32(0.25), "rate"), numpy_helper.from_array(np.int64(0), "zero"), whole("zeros", 0), whole("rest", -1),
    ]))

leaky = helper.make_function(
    "own", "leaky", ["v"], ["w"],
    [node("LeakyRelu", ["v"], ["t"]), node("Identity", ["t"], ["w"])], [helper.make_opsetid("", 20)], attributes=["alpha"])
leaky.node[0].attribute.append(onnx.AttributeProto(name="alpha", type=onnx.AttributeProto.FLOAT, ref_attr_name="alpha"))
twice = helper.make_function(
    "own", "twice", ["v"], ["w"],
    [node("leaky", ["v"], ["t"], domain="own", alpha=0.5), node("Add", ["t", "t"], ["w"])], [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)])
functions = model(helper.make_graph(
    [node("MatMul", ["x", "W"], ["t"]), node("twice", ["t"], ["y"], domain="own")], "functions", [info("x", TensorProto.FLOAT, ["N", 3])], [info("y", TensorProto.FLOAT, ["N", 2])],
    [array("W", 3, 2)]), [leaky, twice], ["own"])

two = model(helper.make_graph(
    [
        node("Gather", ["table", "words"], ["rows"]),
        node("Mul", ["rows", "mask"], ["kept"]),
        node("ReduceSum", ["kept", "one"], ["sum"], keepdims=0),
        node("ArgMax", ["sum"], ["largest"], axis=-1, keepdims=0),
    ],
    "two", [info("words", TensorProto.INT64, ["N", "T"]), info("mask", TensorProto.FLOAT, ["N", "T", 1])], [info("sum", TensorProto.FLOAT, ["N", 4]), info("largest", TensorProto.INT64, ["N"])],
    [array("table", 5, 4), whole("one", 1)]))

outside = model(helper.make_graph(
    [node("MatMul", ["x", "W"], ["y"])], "outside", [info("x", TensorProto.FLOAT, ["N", 40])], [info("y", TensorProto.FLOAT, ["N", 10])], [array("W", 40, 10)]))

def double(name, *shape):
    return numpy_helper.from_array(random.standard_normal(shape) * 0.5, name)


# Of f64, whose derivatives can be compared with differences.
D = TensorProto.DOUBLE
smooth = model(helper.make_graph(
    [
        node("LSTM", ["x", "W", "R", "B"], ["", "", "cell"], hidden_size=3),
        node("Squeeze", ["cell", "zero"], ["flat"]),
        node("Gemm", ["flat", "fc", "bias"], ["g"]),
        node("LayerNormalization", ["g", "scale"], ["l"]),
        node("Gelu", ["l"], ["h"]),
        node("Softmax", ["h"], ["p"]),
        node("Slice", ["p", "one", "end", "one"], ["q"]),
        node("ReduceL2", ["q", "one"], ["y"], keepdims=0),
    ],
    "smooth", [info("x", D, ["T", "N", 2])], [info("y", D, ["N"])],
    [
        double("W", 1, 12, 2), double("R", 1, 12, 3), double("B", 1, 24), double("fc", 3, 4), double("bias", 4), double("scale", 4), whole("zero", 0), whole("one", 1),
        whole("end", 4),
    ]))

arrays = {}
for name, made, inputs in (
    ("network", network, {"x": random.standard_normal((5, 1, 6, 6)).astype(np.float32)}),
    ("functions", functions, {"x": random.standard_normal((4, 3)).astype(np.float32)}),
    ("two", two, {"words": np.array([[1, 0, 4], [2, 2, 3]], np.int64), "mask": random.uniform(0, 1, (2, 3, 1)).astype(np.float32)}),
    ("smooth", smooth, {"x": random.standard_normal((4, 3, 2))}),
    ("outside", outside, {"x": random.standard_normal((2, 40)).astype(np.float32)}),
):
    for key, value in inputs.items():
        arrays[f"{name}.{key}"] = value
    # onnxruntime lacks some operators in f64; onnx's own evaluator has no functions with attributes.
    session = ReferenceEvaluator(made) if name == "smooth" else onnxruntime.InferenceSession(made.SerializeToString())
    for key, value in zip([value.name for value in made.graph.output], session.run(None, inputs)):
        arrays[f"{name}.{key}"] = np.ascontiguousarray(value)
    path = os.path.join(folder, f"{name}.onnx")
    if name == "outside":
        if os.path.exists(os.path.join(folder, "outside.bin")):
            os.remove(os.path.join(folder, "outside.bin"))
        onnx.save(made, path, save_as_external_data=True, location="outside.bin", size_threshold=0)
    else:
        onnx.save(made, path)
save_file(arrays, os.path.join(folder, "models.safetensors"))
