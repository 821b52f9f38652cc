"""Trains XResNet-18 with diffGrad in PyTorch, and writes xresnet18.json, the expected values of the test.

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

BATCH, SIZE, CLASSES, STEPS = 8, 64, 10, 8


def pixels(count):
    """A linear congruential generator, the same as in the test."""
    state, out = 18, np.empty(count, np.float32)
    for i in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        out[i] = state / 2**31 - 1
    return out


model = onnx.load(sys.argv[1])
p = {t.name: torch.tensor(numpy_helper.to_array(t)) for t in model.graph.initializer}
names = [n for n, t in p.items() if n.endswith(('.weight', '.bias'))]
for n in names:
    p[n].requires_grad_()


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


def sample(tensor):
    flat = tensor.detach().double().flatten()
    step = max(flat.numel() // 24, 1)
    return [float(f'{v:.9g}') for v in flat[::step][:24].tolist()]


def norm(tensor):
    return float(tensor.detach().double().norm())


x = torch.tensor(pixels(BATCH * 3 * SIZE * SIZE)).reshape(BATCH, 3, SIZE, SIZE)
target = torch.arange(BATCH) % CLASSES
start = {n: p[n].detach().clone() for n in names}
memory = {n: [torch.zeros_like(start[n]) for _ in range(3)] for n in names}
losses, logits, gradients = [], None, {}
for t in range(1, STEPS + 1):
    y = forward(x)
    loss = F.cross_entropy(y, target)
    losses.append(float(loss.detach().double()))
    grads = dict(zip(names, torch.autograd.grad(loss, [p[n] for n in names])))
    if t == 1:
        logits = y.detach()
        gradients = {n: {'norm': norm(g), 'sample': sample(g)} for n, g in grads.items()}
    alpha = 1e-4 * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
    with torch.no_grad():
        for n, g in grads.items():
            m, v, previous = memory[n]
            m.mul_(0.9).add_(g, alpha=0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            xi = torch.sigmoid((previous - g).abs())
            p[n].sub_(alpha * xi * m / (v.sqrt() + 1e-8))
            previous.copy_(g)

expected = {
    'losses': losses,
    'logits': [float(f'{v:.9g}') for v in logits.flatten().tolist()],
    'gradients': gradients,
    'parameters': {
        n: {'moved': norm(p[n] - start[n]), 'sample': sample(p[n])} for n in names
    },
    'runningMeans': {
        n: sample(v) for n, v in p.items() if n.endswith('running_mean')
    },
}
out = pathlib.Path(__file__).with_suffix('.json')
out.write_text(json.dumps(expected, separators=(',', ':')) + '\n')
print(out, out.stat().st_size, losses)
