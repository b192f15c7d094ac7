#!/usr/bin/env python3
"""Makes data/fashion-mnist-mini: the first 12,000 training and the first 2,000 test images of Fashion-MNIST.

Source: the Debian package dataset-fashion-mnist, or another folder with the four original files as the first argument.
The same input gives the same IDX content; the gzip headers hold neither a name nor a time.
"""
import gzip
import pathlib
import struct
import sys

source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
target = pathlib.Path(__file__).resolve().parent / "fashion-mnist-mini"
target.mkdir(exist_ok=True)


def take(name, dimensions, count):
    data = gzip.decompress((source / (name + ".gz")).read_bytes())
    sizes = list(struct.unpack_from(f">{dimensions}I", data, 4))
    header = 4 + 4 * dimensions
    item = 1
    for size in sizes[1:]:
        item *= size
    if data[:4] != bytes([0, 0, 8, dimensions]) or len(data) != header + sizes[0] * item or sizes[0] < count:
        sys.exit(f"{source / name}.gz is not the expected IDX file")
    sizes[0] = count
    idx = data[:4] + struct.pack(f">{dimensions}I", *sizes) + data[header:header + count * item]
    (target / (name + ".gz")).write_bytes(gzip.compress(idx, compresslevel=9, mtime=0))


take("train-images-idx3-ubyte", 3, 12_000)
take("train-labels-idx1-ubyte", 1, 12_000)
take("t10k-images-idx3-ubyte", 3, 2_000)
take("t10k-labels-idx1-ubyte", 1, 2_000)
