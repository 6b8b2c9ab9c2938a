"""Dense(64, 32, tanhexp) >> Dense(32, 10)

Written by act. The weights are in net_jax.safetensors.
Run by itself it compares with what act computed (net_jax.check.safetensors).
"""
import os

import numpy as np
import jax
import jax.numpy as jnp
from safetensors.numpy import load_file

here = os.path.dirname(os.path.abspath(__file__))
weights = {name: jnp.asarray(array, jnp.float32) for name, array in load_file(os.path.join(here, "net_jax.safetensors")).items()}


def tanhexp(x):
    return x * jnp.tanh(jnp.exp(x))


def model(x):
    # Dense(64, 32, tanhexp)
    x = tanhexp(x @ weights["0.W"] + weights["0.b"])
    # Dense(32, 10)
    x = x @ weights["1.W"] + weights["1.b"]
    return x


if __name__ == "__main__":
    check = load_file(os.path.join(here, "net_jax.check.safetensors"))
    result = np.asarray(jax.jit(model)(check["x"]))
    print("largest difference:", np.abs(result.astype("f8") - check["model.result"]).max())
