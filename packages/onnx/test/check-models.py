"""Checks ONNX files with the format's own checker, shapes included.

    python3 test/check-models.py FILE...

A checker that is older than opset 21 (Debian's python3-onnx 1.12 knows 17) is shown the files with
older stamps, and without the axes of reductions, the only thing in them that it does not know.
"""
import sys

import onnx

OPSET, IR = 21, 10
known = onnx.defs.onnx_opset_version()


def as_older(model):
    model.ir_version = min(model.ir_version, onnx.IR_VERSION)
    for opset in model.opset_import:
        opset.version = min(opset.version, known)
    for node in model.graph.node:
        if node.op_type.startswith('Reduce') and node.op_type != 'ReduceSum':
            del node.input[1:]
    return model


for path in sys.argv[1:]:
    model = onnx.load(path)
    stamps = (model.ir_version, {o.domain: o.version for o in model.opset_import})
    assert stamps == (IR, {'': OPSET}), (path, stamps)
    onnx.checker.check_model(model if known >= OPSET else as_older(model), full_check=known >= OPSET)
print(f'onnx {onnx.__version__}: {len(sys.argv) - 1} models are valid')
