#!/usr/bin/python3
"""Usage: export.py NET FILE.onnx. Writes one of the reference networks as a model for evaluation, with random weights."""
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "torch"))
import nets

torch.manual_seed(1)
build, channels, side = nets.ALL[sys.argv[1]]
torch.onnx.export(build().eval(), torch.randn(2, channels, side, side), sys.argv[2], opset_version=13, input_names=["x"],
                  output_names=["y"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
