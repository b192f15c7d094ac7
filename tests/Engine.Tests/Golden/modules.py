"""PyTorch modules for the layers of a case, and the two decisions of a net that rounding can flip."""
import os
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../bench/peers/torch"))
import nets  # noqa: E402


def pair(value):
    return tuple(value) if isinstance(value, list) else (value, value)


def output_size(shape, layer, kernel):
    """(H, W) of a window layer; refuses sizes that the case's rounding does not allow."""
    sizes, exact = [], True
    for axis in range(2):
        window = pair(layer.get("dilation", 1))[axis] * (pair(kernel)[axis] - 1) + 1
        span = shape[1 + axis] - window + 2 * pair(layer["padding"])[axis]
        exact = exact and span % pair(layer["stride"])[axis] == 0
        sizes.append(span // pair(layer["stride"])[axis] + 1)
    assert exact == (layer["rounding"] == "exact"), (shape, layer)
    return sizes


class LocallyConnected(nn.Module):
    """Unshared weights [K, C, R, S, Ho, Wo] and bias [K, Ho, Wo], as a product with unfolded patches."""

    def __init__(self, shape, layer):
        super().__init__()
        self.layer, kernel = layer, pair(layer["kernel"])
        self.size = output_size(shape, layer, layer["kernel"])
        self.weight = nn.Parameter(torch.zeros(layer["out"], shape[0], *kernel, *self.size))
        self.bias = nn.Parameter(torch.zeros(layer["out"], *self.size))

    def forward(self, x):
        option = {name: pair(self.layer[name]) for name in ("dilation", "padding", "stride")}
        patches = F.unfold(x, pair(self.layer["kernel"]), **option)
        weight = self.weight.flatten(4).flatten(1, 3)
        y = torch.einsum("njl,kjl->nkl", patches, weight)
        return y.reshape(x.shape[0], -1, *self.size) + self.bias


def build(shape, layer):
    """(module, output shape) of one layer over a C x H x W shape."""
    kind, (channels, height, width) = layer["type"], shape
    if kind == "conv":
        size = output_size(shape, layer, layer["kernel"])
        module = nn.Conv2d(channels, layer["out"], pair(layer["kernel"]), pair(layer["stride"]), pair(layer["padding"]),
                           pair(layer["dilation"]), layer["groups"], layer["bias"])
        return module, (layer["out"], *size)
    if kind == "locallyConnected":
        module = LocallyConnected(shape, layer)
        return module, (layer["out"], *module.size)
    if kind in ("maxPool", "avgPool"):
        pool = nn.MaxPool2d if kind == "maxPool" else nn.AvgPool2d
        size = output_size(shape, layer, layer["size"])
        return pool(pair(layer["size"]), pair(layer["stride"]), pair(layer["padding"])), (channels, *size)
    if kind == "residual":
        outputs, stride = layer["main"][0]["out"], layer["main"][0]["stride"]
        _, size = build(shape, layer["main"][0])
        module = nets.Residual(channels, outputs, stride)
        if "shortcut" in layer and module.shortcut is None:
            module.shortcut = nn.Sequential(nn.Conv2d(channels, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        return module, size
    if kind == "fullyConnected":
        return nn.Linear(channels * height * width, layer["out"]), (layer["out"], 1, 1)
    simple = {
        "globalAvgPool": lambda: (nn.AdaptiveAvgPool2d(1), (channels, 1, 1)),
        "batchNorm": lambda: (nn.BatchNorm2d(channels), shape),
        "layerNorm": lambda: (nn.LayerNorm(list(shape)), shape),
        "instanceNorm": lambda: (nn.InstanceNorm2d(channels, affine=True), shape),
        "groupNorm": lambda: (nn.GroupNorm(layer["groups"], channels), shape),
        "relu": lambda: (nn.ReLU(), shape),
        "flatten": lambda: (nn.Flatten(), (channels * height * width, 1, 1)),
    }
    return simple[kind]()


def sequential(shape, layers):
    modules = []
    for layer in layers:
        module, shape = build(shape, layer)
        modules.append(module)
    return nn.Sequential(*modules)


class Decisions:
    """Records the input of every ReLU and max pool while it is active."""

    def __enter__(self):
        self.seen, self.relu, self.pool = [], torch.relu, F.max_pool2d

        def relu(x):
            self.seen.append(("relu", x.detach(), ()))
            return self.relu(x)

        def pool(x, *options, **named):
            self.seen.append(("pool", x.detach(), (options, named)))
            return self.pool(x, *options, **named)

        torch.relu, F.max_pool2d = relu, pool
        return self

    def __exit__(self, *_):
        torch.relu, F.max_pool2d = self.relu, self.pool

    def gaps(self):
        """For every recorded layer: its input, and the smallest distance of a decision from flipping."""
        for kind, x, options in self.seen:
            yield x, x.abs().min().item() if kind == "relu" else pool_gap(x, *options)


def pool_gap(x, options, named):
    """Smallest difference between the two largest values of a window, over windows with a positive largest one:
    behind a ReLU a window of zeros passes no gradient on, whichever zero is taken."""
    names = ("kernel_size", "stride", "padding")
    values = {**dict(zip(names, options)), **{name: named[name] for name in names if name in named}}
    kernel, stride, padding = (values[name] for name in names)
    kernel, padding = (pair(v) if not isinstance(v, tuple) else v for v in (kernel, padding))
    padded = F.pad(x, (padding[1], padding[1], padding[0], padding[0]), value=-1e30)
    n, c, h, w = padded.shape
    windows = F.unfold(padded.reshape(n * c, 1, h, w), kernel, stride=stride)
    top = windows.topk(2, dim=1).values
    gap = (top[:, 0] - top[:, 1])[top[:, 0] > 0]
    return gap.min().item() if gap.numel() else float("inf")
