"""State dictionaries of PyTorch, with inputs and outputs, for the tests of `load(path, into=net)`. Run by hand: python3 Tests/ActNetworkTests/make_state_dicts.py. Needs torch and safetensors.

Each model gives `NAME.safetensors`, as `safetensors.torch.save_file(model.state_dict(), …)` writes it; `outputs.safetensors` holds `NAME.x` and `NAME.y`, what the model makes of x in
evaluation. All is f64.
"""
import os

import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Reference", "states")
os.makedirs(folder, exist_ok=True)


class Last(nn.Module):
    """A recurrent layer's states at every step."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


class Attends(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.attn = nn.MultiheadAttention(size, heads, batch_first=True)

    def forward(self, x):
        return self.attn(x, x, x, need_weights=False)[0]


class Block(nn.Module):
    """As transformers have it: the names of its parts have nothing to do with their order but for numbers."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 8)
        self.norm1 = nn.LayerNorm(8)
        self.self_attn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm2 = nn.LayerNorm(8)
        self.linear1 = nn.Linear(8, 16)
        self.linear2 = nn.Linear(16, 8)

    def forward(self, x):
        x = self.embed(x)
        y = self.norm1(x)
        x = x + self.self_attn(y, y, y, need_weights=False)[0]
        return x + self.linear2(torch.relu(self.linear1(self.norm2(x))))


models = {
    "mlp": (nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.PReLU(4), nn.Linear(4, 2, bias=False)), torch.randn(5, 3)),
    "conv": (
        nn.Sequential(
            nn.Conv2d(2, 4, (3, 5), padding=(1, 2), groups=2), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.ConvTranspose2d(4, 3, 2, stride=2), nn.GroupNorm(3, 3), nn.Flatten(),
            nn.Linear(108, 2)),
        torch.randn(3, 2, 6, 6)),
    "sequence": (nn.Sequential(nn.Conv1d(2, 4, 3, padding=1), nn.BatchNorm1d(4), nn.Conv1d(4, 4, 1), nn.BatchNorm1d(4)), torch.randn(3, 2, 7)),
    "rnn": (Last(nn.RNN(3, 4, num_layers=2, batch_first=True)), torch.randn(2, 5, 3)),
    "gru": (Last(nn.GRU(3, 4, batch_first=True)), torch.randn(2, 5, 3)),
    "lstm": (Last(nn.LSTM(4, 4, num_layers=3, batch_first=True)), torch.randn(2, 5, 4)),
    "attention": (Attends(8, 2), torch.randn(2, 5, 8)),
    "block": (Block(), torch.randint(0, 7, (2, 5))),
    # Twelve layers: as text 10 stands before 2.
    "deep": (nn.Sequential(*[layer for _ in range(12) for layer in (nn.Linear(3, 3), nn.Tanh())]), torch.randn(4, 3)),
}
outputs = {}
for name, (model, x) in models.items():
    for layer in model.modules():
        # Statistics and scales that are not those of a beginning.
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)):
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
    model.eval()
    with torch.no_grad():
        outputs[f"{name}.x"], outputs[f"{name}.y"] = x, model(x).contiguous()
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, os.path.join(folder, f"{name}.safetensors"))
save_file(outputs, os.path.join(folder, "outputs.safetensors"))
