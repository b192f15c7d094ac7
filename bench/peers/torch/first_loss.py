"""Usage: first_loss.py NET FOLDER [BATCH=128]. Run with the system Python: /usr/bin/python3.

Writes random weights (FOLDER/model.safetensors) and a random batch (FOLDER/input.safetensors), and prints PyTorch's mean
cross-entropy of it in training mode, in float64 and float32. `convnet bench engine --weights ... --input ...` starts from both files.
"""
import json
import struct
import sys
import torch
from nets import ALL


def write_safetensors(path, tensors):
    """name -> tensor, as float32: the header's length, the header in JSON, the data."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().float().contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


name, folder = sys.argv[1], sys.argv[2]
batch = int(sys.argv[3]) if len(sys.argv) > 3 else 128
build, channels, side = ALL[name]
torch.set_num_threads(1)
torch.manual_seed(1)
model = build()
images, labels = torch.randn(batch, channels, side, side), torch.randint(0, 10, (batch,))
write_safetensors(f"{folder}/model.safetensors", {n: t for n, t in model.state_dict().items() if not n.endswith("num_batches_tracked")})
write_safetensors(f"{folder}/input.safetensors", {"images": images, "labels": labels})
losses = []
with torch.no_grad():
    for dtype in (torch.float32, torch.float64):
        losses.append(torch.nn.functional.cross_entropy(model.to(dtype)(images.to(dtype)), labels).item())
print(*losses)
