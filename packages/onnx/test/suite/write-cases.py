"""Writes the node tests of the installed onnx package, which are newer than Debian's, for `pnpm onnx-suite`.

    pip install onnx && python3 packages/onnx/test/suite/write-cases.py FOLDER && pnpm onnx-suite FOLDER
"""
import sys
import types

from onnx.backend.test import cmd_tools
from onnx.backend.test.case import node

cases = node.collect_testcases(None)
cmd_tools.model_test = types.SimpleNamespace(collect_testcases=lambda: cases)
cmd_tools.generate_data(types.SimpleNamespace(output=sys.argv[1]))
