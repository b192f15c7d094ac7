"""Loads a trained resnet20 into the definition in bench/peers/torch/nets.py by name and compares its logits with ours.

Usage: compare_logits.py MODEL.safetensors LOGITS.bin DATA_FOLDER. Fails unless all logits agree within 1e-4 of the largest
and the class is the same wherever the two best logits differ by more than that.
"""
import gzip
import json
import os
import struct
import sys

import numpy as np
import torch


def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__")
    data = content[8 + length:]
    return {name: torch.tensor(np.frombuffer(data[t["data_offsets"][0]:t["data_offsets"][1]], np.float32).reshape(t["shape"]).copy())
            for name, t in header.items()}


def read_images(path):
    with gzip.open(path) as file:
        content = file.read()
    count, height, width = struct.unpack(">3I", content[4:16])
    return np.frombuffer(content[16:], np.uint8).reshape(count, height, width)


def find_nets():
    folder = os.path.dirname(os.path.abspath(__file__))
    while not os.path.exists(os.path.join(folder, "bench", "peers", "torch", "nets.py")):
        folder = os.path.dirname(folder)
    return os.path.join(folder, "bench", "peers", "torch")


def main(model_path, logits_path, data_folder):
    sys.path.insert(0, find_nets())
    import nets
    model = nets.NETS["resnet20"][0]()
    missing = model.load_state_dict(read_safetensors(model_path), strict=False)
    assert not missing.unexpected_keys, missing
    assert all(name.endswith("num_batches_tracked") for name in missing.missing_keys), missing
    images = read_images(os.path.join(data_folder, "t10k-images-idx3-ubyte.gz"))
    x = torch.tensor((images / 255.0 - 0.2860) / 0.3530, dtype=torch.float32)[:, None]
    x = torch.nn.functional.pad(x, (2, 2, 2, 2)).repeat(1, 3, 1, 1)
    model.eval()
    with torch.no_grad():
        theirs = torch.cat([model(part) for part in x.split(250)]).numpy()
    ours = np.fromfile(logits_path, np.float32).reshape(theirs.shape)
    tolerance = 1e-4 * np.abs(theirs).max()
    worst = np.abs(ours - theirs).max()
    best = np.sort(theirs, axis=1)
    clear = best[:, -1] - best[:, -2] > tolerance
    same = ours.argmax(1) == theirs.argmax(1)
    print(f"{len(ours)} images compared, largest difference {worst:.2e} (allowed {tolerance:.2e})")
    assert worst <= tolerance and same[clear].all()


main(*sys.argv[1:])
