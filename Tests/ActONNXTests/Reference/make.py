"""Makes small models with the package onnx, field by field, as act writes them: what ExportTests compares bytes with.

    python3 Tests/ActONNXTests/Reference/make.py
"""
import os, struct
import onnx

here = os.path.dirname(os.path.abspath(__file__))


def model(functions=False):
    made = onnx.ModelProto(ir_version=10, producer_name="act")
    made.graph.name = "act"
    made.opset_import.add(version=20)
    if functions:
        made.opset_import.add(domain="act", version=1)
    return made


def node(owner, operation, inputs, output, domain="", **attributes):
    made = owner.node.add(name=output if isinstance(output, str) else output[0], op_type=operation, input=inputs, output=[output] if isinstance(output, str) else output)
    if domain:
        made.domain = domain
    for name, value in attributes.items():
        attribute = made.attribute.add(name=name)
        if isinstance(value, int):
            attribute.i, attribute.type = value, onnx.AttributeProto.INT
        else:
            attribute.ref_attr_name, attribute.type = value, onnx.AttributeProto.INT
    return made


def info(owner, name, *sizes):
    value = owner.add(name=name)
    value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    for size in sizes:
        dimension = value.type.tensor_type.shape.dim.add()
        if isinstance(size, str):
            dimension.dim_param = size
        else:
            dimension.dim_value = size


def tensor(graph, name, shape, values):
    graph.initializer.add(dims=shape, data_type=onnx.TensorProto.FLOAT, name=name, raw_data=struct.pack(f"<{len(values)}f", *values))


def save(made, name):
    onnx.checker.check_model(made, full_check=True)
    with open(os.path.join(here, name + ".onnx"), "wb") as file:
        file.write(made.SerializeToString(deterministic=True))


dense = model()
node(dense.graph, "MatMul", ["x", "0.W"], "0/matmul")
node(dense.graph, "Add", ["0/matmul", "0.b"], "0/add")
node(dense.graph, "Relu", ["0/add"], "y")
info(dense.graph.input, "x", "N", 2)
info(dense.graph.output, "y", "N", 1)
tensor(dense.graph, "0.W", [2, 1], [0.5, -2])
tensor(dense.graph, "0.b", [1], [0.25])
save(dense, "dense")

row = model(functions=True)
node(row.graph, "tanhexp", ["x"], "y", domain="act")
info(row.graph.input, "x", "N", 2)
info(row.graph.output, "y", "N", 2)
body = row.functions.add(name="tanhexp", domain="act", input=["x"], output=["y"])
node(body, "Exp", ["x"], "exp")
node(body, "Tanh", ["exp"], "tanh")
node(body, "Mul", ["x", "tanh"], "y")
body.opset_import.add(version=20)
save(row, "tanhexp")

gate = model(functions=True)
node(gate.graph, "glu", ["x"], "y", domain="act", axis=1)
info(gate.graph.input, "x", "N", 2)
info(gate.graph.output, "y", "N", 1)
body = gate.functions.add(name="glu", domain="act", input=["x"], output=["y"])
node(body, "Split", ["x"], ["a", "b"], axis="axis", num_outputs=2)
node(body, "Sigmoid", ["b"], "sigmoid")
node(body, "Mul", ["a", "sigmoid"], "y")
body.opset_import.add(version=20)
default = body.attribute_proto.add(name="axis", i=-1, type=onnx.AttributeProto.INT)
save(gate, "glu")
