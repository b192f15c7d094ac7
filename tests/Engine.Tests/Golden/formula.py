"""The integer hash behind every golden input, weight and output gradient. Formula.cs is the same in C#."""
import numpy as np

CHOICE = 0x43484F49  # tensor id of the chosen element positions
LABEL = 0x4C41424C   # tensor id of the class labels


def mix(h):
    h = h ^ (h >> np.uint32(16))
    h = h * np.uint32(0x7FEB352D)
    h = h ^ (h >> np.uint32(15))
    h = h * np.uint32(0x846CA68B)
    return h ^ (h >> np.uint32(16))


def bits(seed, tensor, index):
    """32 hashed bits for (seed, tensor id, element index)."""
    with np.errstate(over="ignore"):
        key = mix(np.array([seed], np.uint32) * np.uint32(0x9E3779B9) + np.uint32(tensor))
        return mix(key + np.asarray(index, np.uint32) * np.uint32(0x85EBCA77))


def values(seed, tensor, shape, scale=1.0, offset=0.0):
    """float32 offset + scale * v, with v in [-1, 1) a multiple of 2^-23; each operation rounded to float32."""
    count = int(np.prod(shape))
    v = (bits(seed, tensor, np.arange(count, dtype=np.uint32)).view(np.int32) >> 8).astype(np.float32) * np.float32(2.0 ** -23)
    return (np.float32(offset) + np.float32(scale) * v).reshape(shape)


def labels(seed, batch, classes):
    return (bits(seed, LABEL, np.arange(batch)) % np.uint32(classes)).astype(np.int64)


def chosen(seed, count, limit=256):
    """Positions that are stored of a tensor of `count` elements: all of them, or `limit` (with repetition) by hash."""
    if count <= limit:
        return np.arange(count)
    return (bits(seed, CHOICE, np.arange(limit)) % np.uint32(count)).astype(np.int64)
