"""Dense(64, 32, tanhexp) >> Dense(32, 10)

Written by act. The weights are in net.safetensors.
Run by itself it compares with what act computed (net.check.safetensors).
"""
import os

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import nn

here = os.path.dirname(os.path.abspath(__file__))
weights = {name: torch.from_numpy(array).float() for name, array in load_file(os.path.join(here, "net.safetensors")).items()}


def tanhexp(x):
    return x * torch.tanh(torch.exp(x))


class Function(nn.Module):
    """A function between layers."""

    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return self.f(x)


model = nn.Sequential(
    nn.Linear(64, 32),
    Function(tanhexp),
    nn.Linear(32, 10),
)
model.eval()

model[0].weight.data = weights["0.W"].T.contiguous()
model[0].bias.data = weights["0.b"]
model[2].weight.data = weights["1.W"].T.contiguous()
model[2].bias.data = weights["1.b"]


if __name__ == "__main__":
    check = load_file(os.path.join(here, "net.check.safetensors"))
    result = model(torch.from_numpy(check["x"])).detach().numpy()
    print("largest difference:", np.abs(result.astype("f8") - check["model.result"]).max())
