"""Dense(64, 32, tanhexp) >> Dense(32, 10)

Written by act. The weights are in net_keras.safetensors.
Run by itself it compares with what act computed (net_keras.check.safetensors).
"""
import os

import numpy as np
import keras
from keras import ops
from safetensors.numpy import load_file

here = os.path.dirname(os.path.abspath(__file__))
weights = {name: array for name, array in load_file(os.path.join(here, "net_keras.safetensors")).items()}


def tanhexp(x):
    return x * ops.tanh(ops.exp(x))


model = keras.Sequential([
    keras.layers.Dense(32),
    keras.layers.Activation(tanhexp),
    keras.layers.Dense(10),
])
model.build((None, 64))

model.layers[0].set_weights([weights["0.W"], weights["0.b"]])
model.layers[2].set_weights([weights["1.W"], weights["1.b"]])


if __name__ == "__main__":
    check = load_file(os.path.join(here, "net_keras.check.safetensors"))
    result = keras.ops.convert_to_numpy(model(check["x"]))
    print("largest difference:", np.abs(result.astype("f8") - check["model.result"]).max())
