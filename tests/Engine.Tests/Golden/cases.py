"""The layer configurations, each a small model in the project's model-file format."""


def conv(out, kernel, stride=1, padding=0, dilation=1, groups=1, bias=False, rounding="exact", type="conv"):
    layer = {"type": type, "out": out, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation,
             "groups": groups, "bias": bias, "rounding": rounding}
    return layer


def local(out, kernel, **options):
    layer = conv(out, kernel, bias=True, type="locallyConnected", **options)
    del layer["groups"]
    return layer


def pool(type, size, stride, padding=0, rounding="exact"):
    return {"type": type, "size": size, "stride": stride, "padding": padding, "rounding": rounding}


def layer_cases():
    """(name, batch, input C x H x W, layers, extra) of every case; the name is unique."""
    cases = []

    def add(batch, input, *layers, **extra):
        kind = extra.pop("kind", None) or next(layer["type"] for layer in layers if layer["type"] != "flatten")
        number = sum(case["kind"] == kind for case in cases) + 1
        cases.append({"name": f"{kind}-{number:02}", "kind": kind, "batch": batch, "input": list(input), "layers": list(layers), **extra})

    convolutions(add)
    pools(add)
    norms(add)
    for batch, input, out in ((1, (1, 1, 1), 1), (5, (17, 1, 1), 10), (5, (3, 5, 7), 17), (1, (64, 1, 1), 64), (5, (8, 7, 7), 10), (5, (64, 3, 3), 33)):
        add(batch, input, {"type": "flatten"}, {"type": "fullyConnected", "out": out})
    for batch, input in ((1, (1, 5, 7)), (5, (17, 6, 5)), (5, (64, 4, 4)), (5, (8, 1, 1))):
        add(batch, input, {"type": "relu"})
    for batch, classes, scale in ((1, 10, 1), (5, 10, 4), (5, 3, 1), (5, 100, 16), (5, 2, 64)):
        add(batch, (classes, 1, 1), kind="softmaxCrossEntropy", inputScale=scale)
    residuals(add)
    for batch, input, layer in (
            (1, (1, 5, 5), local(1, 3)), (5, (3, 7, 5), local(8, 3, padding=1)), (5, (8, 9, 9), local(3, 5, stride=2)),
            (5, (17, 6, 6), local(17, 1)), (1, (3, 9, 7), local(3, 3, dilation=2)), (5, (8, 8, 8), local(8, 3, stride=2, padding=1, rounding="floor")),
            (1, (64, 3, 3), local(8, 3, padding=1)), (1, (1, 13, 13), local(3, 7, stride=3))):
        add(batch, input, layer)
    return cases


def convolutions(add):
    for batch, input, layer in (
            # Kernel sizes and channels, stride 1.
            (1, (1, 5, 5), conv(1, 1)), (5, (3, 7, 5), conv(8, 1, bias=True)), (5, (8, 9, 9), conv(17, 1)),
            (1, (17, 8, 8), conv(64, 1)), (5, (64, 7, 7), conv(64, 1, bias=True)), (1, (64, 5, 5), conv(3, 1)),
            (1, (1, 9, 9), conv(8, 3, padding=1)), (5, (1, 13, 11), conv(1, 3, bias=True)), (5, (3, 8, 8), conv(64, 3, padding=1)),
            (5, (8, 11, 11), conv(8, 3, padding=1)), (1, (8, 7, 13), conv(17, 3, padding=1, bias=True)), (5, (17, 9, 9), conv(17, 3, padding=1)),
            (1, (17, 6, 6), conv(3, 3)), (5, (64, 8, 8), conv(64, 3, padding=1)), (1, (64, 12, 12), conv(64, 3, padding=1)),
            (1, (64, 5, 5), conv(8, 3, padding=2)), (5, (16, 16, 16), conv(16, 3, padding=1)), (1, (64, 2, 2), conv(64, 3, padding=1)),
            (5, (3, 4, 4), conv(8, 3, padding=1)), (1, (32, 14, 14), conv(64, 3, padding=1)), (1, (8, 3, 3), conv(8, 3)),
            (5, (1, 12, 12), conv(8, 5, padding=2)), (1, (3, 11, 11), conv(17, 5, bias=True)), (5, (8, 9, 7), conv(64, 5, padding=2)),
            (1, (64, 8, 8), conv(8, 5, padding=2)), (5, (6, 14, 14), conv(16, 5, bias=True)), (1, (17, 5, 5), conv(17, 5)),
            (5, (1, 13, 13), conv(3, 7, padding=3)), (1, (8, 9, 9), conv(17, 7, padding=3, bias=True)), (1, (64, 7, 7), conv(8, 7)),
            (5, (3, 15, 15), conv(8, 7, padding=1)),
            # Strides.
            (5, (3, 9, 9), conv(8, 1, stride=2)), (1, (64, 8, 8), conv(64, 1, stride=2, rounding="floor")), (5, (8, 10, 10), conv(3, 1, stride=3)),
            (5, (3, 9, 9), conv(17, 3, stride=2, padding=1, bias=True)), (1, (17, 11, 11), conv(8, 3, stride=2)), (5, (16, 8, 8), conv(32, 3, stride=2, padding=1, rounding="floor")),
            (1, (64, 7, 7), conv(64, 3, stride=2, padding=1)), (5, (8, 9, 12), conv(8, 3, stride=3)), (1, (1, 13, 13), conv(64, 3, stride=3, padding=1)),
            (5, (3, 11, 11), conv(8, 5, stride=2, padding=2, bias=True)), (1, (17, 14, 14), conv(17, 5, stride=3)), (1, (8, 12, 13), conv(8, 5, stride=2, padding=1, rounding="floor")),
            (5, (3, 15, 15), conv(8, 7, stride=2, padding=3)), (1, (1, 16, 16), conv(17, 7, stride=3)),
            # Dilation.
            (5, (3, 9, 9), conv(8, 3, padding=2, dilation=2)), (1, (8, 11, 11), conv(17, 3, dilation=3, bias=True)), (5, (17, 9, 9), conv(8, 3, stride=2, padding=2, dilation=2)),
            (1, (64, 7, 7), conv(64, 3, padding=2, dilation=2)), (1, (3, 13, 13), conv(8, 5, padding=4, dilation=2)), (1, (1, 15, 15), conv(8, 7, dilation=2)),
            # Groups and depthwise.
            (5, (8, 7, 7), conv(8, 3, padding=1, groups=8)), (1, (17, 9, 9), conv(17, 3, padding=1, groups=17, bias=True)), (1, (64, 8, 8), conv(64, 3, padding=1, groups=64)),
            (5, (3, 6, 6), conv(6, 3, groups=3)), (5, (8, 7, 7), conv(16, 3, padding=1, groups=2)), (1, (64, 6, 6), conv(64, 3, padding=1, groups=4, bias=True)),
            (5, (64, 5, 5), conv(8, 1, groups=8)), (1, (6, 9, 9), conv(9, 3, stride=2, padding=1, groups=3)), (5, (8, 11, 11), conv(8, 5, stride=3, padding=2, groups=8, rounding="floor")),
            (1, (8, 13, 13), conv(8, 3, padding=2, dilation=2, groups=8)), (1, (8, 9, 9), conv(24, 7, padding=3, groups=4)),
            # Pairs (height, width).
            (5, (3, 9, 7), conv(8, [3, 1], padding=[1, 0])), (1, (8, 7, 11), conv(17, [1, 5], padding=[0, 2], bias=True)),
            (5, (3, 11, 10), conv(8, [5, 3], stride=[2, 1], padding=[2, 1])), (1, (8, 10, 9), conv(8, 3, stride=[1, 2], padding=[2, 1], dilation=[2, 1]))):
        add(batch, input, layer)


def pools(add):
    for kind in ("maxPool", "avgPool"):
        for batch, input, layer in (
                (1, (1, 8, 8), pool(kind, 2, 2)), (5, (3, 9, 9), pool(kind, 3, 2)), (5, (17, 7, 7), pool(kind, 3, 1, 1)),
                (1, (64, 6, 6), pool(kind, 2, 2)), (5, (8, 9, 9), pool(kind, 3, 3)), (1, (8, 7, 9), pool(kind, 3, 2, 1)),
                (5, (8, 7, 7), pool(kind, 2, 2, rounding="floor")), (1, (3, 10, 11), pool(kind, 5, 3, 2, rounding="floor")),
                (1, (17, 6, 8), pool(kind, [2, 4], [2, 4])), (5, (3, 8, 8), pool(kind, 7, 1, 3))):
            add(batch, input, layer)
    for batch, input in ((1, (1, 7, 7)), (5, (17, 5, 9)), (5, (64, 8, 8)), (1, (8, 1, 1))):
        add(batch, input, {"type": "globalAvgPool"})


def norms(add):
    batch_norm = {"type": "batchNorm"}
    for batch, input, layer, extra in (
            (5, (1, 5, 5), batch_norm, {}), (1, (3, 7, 9), batch_norm, {}), (5, (8, 6, 6), batch_norm, {"inputOffset": 4.0}),
            (5, (17, 4, 4), batch_norm, {"inputOffset": -2.0}), (1, (64, 8, 8), batch_norm, {}), (5, (64, 3, 3), batch_norm, {"inputScale": 8.0}),
            (5, (17, 1, 1), batch_norm, {}), (5, (8, 5, 5), batch_norm, {"cumulativeAfter": 0}), (5, (17, 3, 5), batch_norm, {"cumulativeAfter": 3}),
            (1, (3, 9, 9), batch_norm, {"cumulativeAfter": 9, "inputOffset": 1.0})):
        add(batch, input, layer, **extra)
    for kind, shapes in (
            ("layerNorm", ((1, (1, 5, 5)), (5, (3, 7, 5)), (5, (17, 3, 3)), (1, (64, 4, 4)), (5, (8, 6, 6)))),
            ("instanceNorm", ((1, (1, 5, 5)), (5, (3, 7, 5)), (5, (17, 3, 3)), (1, (64, 4, 4)), (5, (8, 6, 6))))):
        for index, (batch, input) in enumerate(shapes):
            add(batch, input, {"type": kind}, inputOffset=float(index))
    for batch, input, groups in ((1, (8, 5, 5), 2), (5, (3, 7, 5), 3), (5, (17, 3, 3), 1), (1, (64, 4, 4), 8), (5, (12, 5, 5), 4), (5, (8, 1, 1), 2)):
        add(batch, input, {"type": "groupNorm", "groups": groups}, inputOffset=0.5)


def residuals(add):
    def block(outputs, stride=1, projection=False, rounding="exact"):
        layer = {"type": "residual", "main": [
            conv(outputs, 3, stride, 1, rounding=rounding), {"type": "batchNorm"}, {"type": "relu"},
            conv(outputs, 3, 1, 1), {"type": "batchNorm"}]}
        if projection:
            layer["shortcut"] = [conv(outputs, 1, stride, rounding=rounding), {"type": "batchNorm"}]
        return layer

    for batch, input, layer in (
            (5, (8, 7, 7), block(8)), (5, (16, 8, 8), block(16)), (5, (3, 9, 9), block(17, 2, True)),
            (5, (16, 8, 8), block(32, 2, True, "floor")), (5, (8, 5, 5), block(16, 1, True)), (1, (1, 9, 9), block(1))):
        add(batch, input, layer)
