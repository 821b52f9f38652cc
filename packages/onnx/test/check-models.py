"""Checks ONNX files with onnx.checker, shape inference included.

    python3 test/check-models.py FILE...

For a checker that is older than opset 21 (Debian's python3-onnx 1.12 supports 17), the files get an
older version, and reductions lose their axes input, the only part that it does not support.
"""
import sys

import onnx

OPSET, IR = 21, 10
supported = onnx.defs.onnx_opset_version()


def as_older(model):
    model.ir_version = min(model.ir_version, onnx.IR_VERSION)
    for opset in model.opset_import:
        opset.version = min(opset.version, supported)
    for node in model.graph.node:
        if node.op_type.startswith('Reduce') and node.op_type != 'ReduceSum':
            del node.input[1:]
    return model


for path in sys.argv[1:]:
    model = onnx.load(path)
    versions = (model.ir_version, {o.domain: o.version for o in model.opset_import})
    assert versions == (IR, {'': OPSET}), (path, versions)
    onnx.checker.check_model(model if supported >= OPSET else as_older(model), full_check=supported >= OPSET)
print(f'onnx {onnx.__version__}: {len(sys.argv) - 1} models are valid')
