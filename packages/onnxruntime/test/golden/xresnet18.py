"""Trains XResNet-18 with diffGrad in PyTorch, and writes xresnet18.json: the losses of 30 steps.

    npx tsx --conditions=@diffgrad/source test/golden/write-xresnet18.ts /tmp/xresnet18.onnx
    python3 test/golden/xresnet18.py /tmp/xresnet18.onnx

Needs Debian's python3-torch and python3-onnx. Written with PyTorch 1.13.0a0, onnx 1.12.0.
"""
import json
import pathlib
import sys

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

BATCH, SIZE, CLASSES, STEPS = 8, 64, 10, 30
state = 18


def pixels(count):
    """A linear congruential generator, the same as in the test."""
    global state
    out = np.empty(count, np.float32)
    for i in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        out[i] = state / 2**31 - 1
    return torch.tensor(out)


model = onnx.load(sys.argv[1])
start = {t.name: torch.tensor(numpy_helper.to_array(t)) for t in model.graph.initializer}
names = [n for n in start if n.endswith(('.weight', '.bias'))]
batches = [
    (pixels(BATCH * 3 * SIZE * SIZE).reshape(BATCH, 3, SIZE, SIZE),
     (torch.arange(BATCH) + k) % CLASSES)
    for k in range(4)
]


def conv_norm(x, at, stride=1):
    w = p[f'{at}0.weight']
    x = F.conv2d(x, w, stride=stride, padding=w.shape[2] // 2)
    mean, var = p[f'{at}1.running_mean'], p[f'{at}1.running_var']
    return F.batch_norm(x, mean, var, p[f'{at}1.weight'], p[f'{at}1.bias'], training=True)


def forward(x):
    for i in range(3):
        x = F.relu(conv_norm(x, f'0.{i}.0.', 2 if i == 0 else 1))
    x = F.max_pool2d(x, 3, 2, 1)
    for stage in range(4):
        for block in range(2):
            at = f'{stage + 2}.{block}.0.'
            stride = 2 if stage > 0 and block == 0 else 1
            y = F.relu(conv_norm(x, f'{at}branch.0.0.', stride))
            y = conv_norm(y, f'{at}branch.1.')
            if stride == 2:
                x = conv_norm(F.avg_pool2d(x, 2), f'{at}shortcut.1.')
            x = F.relu(x + y)
    x = x.mean((2, 3))
    return F.linear(x, p['7.weight'], p['7.bias'])


def train(friction):
    """The losses of diffGrad; without friction, of Adam at half the learning rate."""
    global p
    p = {n: t.clone() for n, t in start.items()}
    for n in names:
        p[n].requires_grad_()
    optimizer_state = {n: [torch.zeros_like(start[n]) for _ in range(3)] for n in names}
    losses = []
    for t in range(1, STEPS + 1):
        x, target = batches[(t - 1) % 4]
        loss = F.cross_entropy(forward(x), target)
        losses.append(float(loss.detach().double()))
        grads = dict(zip(names, torch.autograd.grad(loss, [p[n] for n in names])))
        alpha = 1e-4 * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
        with torch.no_grad():
            for n, g in grads.items():
                m, v, previous = optimizer_state[n]
                m.mul_(0.9).add_(g, alpha=0.1)
                v.mul_(0.999).addcmul_(g, g, value=0.001)
                xi = torch.sigmoid((previous - g).abs()) if friction else 0.5
                p[n].sub_(alpha * xi * m / (v.sqrt() + 1e-8))
                previous.copy_(g)
    return losses


expected = {'losses': train(True), 'withoutFriction': train(False)}
out = pathlib.Path(__file__).with_suffix('.json')
out.write_text(json.dumps(expected, indent=2) + '\n')
print(out, expected)
