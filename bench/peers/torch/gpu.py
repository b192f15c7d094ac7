"""Usage: gpu.py NET ... -- BATCH ...: training and evaluation images/s on a GPU, in fp32, TF32 and TF32 with channels_last, eager and as a CUDA graph."""
import sys
import time
import torch
import torch.nn as nn
from nets import NETS

ROUNDS, ROUND_SECONDS = 3, 0.3


def rate(step, batch):
    """images/s of the quickest of some rounds."""
    for _ in range(3):
        step()
    torch.cuda.synchronize()
    start = time.time()
    step()
    torch.cuda.synchronize()
    count = max(5, min(300, int(ROUND_SECONDS / max(time.time() - start, 1e-5))))
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.time()
        for _ in range(count):
            step()
        torch.cuda.synchronize()
        best = min(best, (time.time() - start) / count)
    return batch / best


def graph_of(step):
    """A replay of the step as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def measure(name, batch, tf32, channels_last):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    build, channels, side = NETS[name]
    torch.manual_seed(1)
    model = build().to("cuda")
    x = torch.randn(batch, channels, side, side, device="cuda")
    labels = torch.randint(0, 10, (batch,), device="cuda")
    if channels_last:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=5e-4, nesterov=True)

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss(model(x), labels).backward()
        optimizer.step()

    def evaluate():
        with torch.no_grad():
            model(x)

    rates = [rate(train, batch), rate(graph_of(train), batch)]
    model.eval()
    return rates + [rate(evaluate, batch), rate(graph_of(evaluate), batch)]


split = sys.argv.index("--")
torch.backends.cudnn.benchmark = True
print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name()}, cuDNN {torch.backends.cudnn.version()}, images/s\n")
print("| model, batch | mode | training, eager | graph | evaluation, eager | graph |")
print("|---|---|---:|---:|---:|---:|")
for name in sys.argv[1:split]:
    for batch in map(int, sys.argv[split + 1:]):
        for mode, tf32, channels_last in (("fp32", False, False), ("TF32", True, False), ("TF32, channels_last", True, True)):
            figures = " | ".join(f"{value:.0f}" for value in measure(name, batch, tf32, channels_last))
            print(f"| {name}, {batch} | {mode} | {figures} |", flush=True)
