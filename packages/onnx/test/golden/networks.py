"""Trains networks and layers in PyTorch in double precision, and writes networks.json, the expected values
of networks.test.ts. Parameters, images and targets are pseudorandom functions of names, the same as there.

    python3 test/golden/networks.py

Needs Debian's python3-torch. Written with PyTorch 1.13.0a0. The names of modules are those of the layers.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import spectral_norm

STEPS = 8
# Learning rates. In narrow networks rounding errors grow faster.
RATES = {'narrow': 1e-4, 'full': 1e-3}
torch.set_default_dtype(torch.float64)


def noise(name, shape):
    """Numbers in [-1, 1): MurmurHash3's finalizer of a hash of the name plus the index."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    h = np.arange(int(np.prod(shape)), dtype=np.uint64) + seed & 0xFFFFFFFF
    h = (h ^ h >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ h >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    h ^= h >> 16
    return torch.tensor((h.astype(np.float64) / 2**31 - 1).astype(np.float32)).double().reshape(shape)


def initial(name, shape):
    """The initial value of a parameter or statistic. Branches and attention do not start at zero."""
    x = noise(name, shape)
    if name.endswith(('weight_u', 'weight_v')):
        return x / x.norm()
    if name.endswith('gamma'):
        return 0.01 + 0 * x
    if name.endswith('running_mean'):
        return 0 * x
    if name.endswith('running_var'):
        return 1 + 0 * x
    if len(shape) == 1:
        return (1 if name.endswith('weight') else 0) + 0.1 * x
    return x * (6 / np.prod(shape[1:])) ** 0.5


def conv_norm(i, o, k=3, stride=1):
    return nn.Sequential(nn.Conv2d(i, o, k, stride, k // 2, bias=False), nn.BatchNorm2d(o))


class Residual(nn.Module):
    def __init__(self, branch, shortcut):
        super().__init__()
        self.branch, self.shortcut = branch, shortcut

    def forward(self, x):
        return self.branch(x) + self.shortcut(x)


class SimpleSelfAttention(nn.Module):
    """fastai's, of images."""

    def __init__(self, n):
        super().__init__()
        self.projection = spectral_norm(nn.Conv1d(n, n, 1, bias=False))
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, image):
        x = image.reshape(*image.shape[:2], -1)
        xxt = torch.bmm(x, x.permute(0, 2, 1))
        return (self.gamma * torch.bmm(xxt, self.projection(x)) + x).reshape(image.shape)


def xresnet(blocks, expansion, act, width, stem=None, pool=None, stem_stride=2, attention=False):
    """fastai's XResNet: stages after the fourth have four times the channels of the first."""
    stem = stem or [width // 2, width // 2, width]
    ins = [3, *stem]
    layers = [
        nn.Sequential(*[
            nn.Sequential(conv_norm(ins[i], o, 3, stem_stride if i == 0 else 1), act())
            for i, o in enumerate(stem)
        ]),
        pool or nn.MaxPool2d(3, 2, 1),
    ]
    i = stem[-1]
    sizes = [width, 2 * width, 4 * width, 8 * width] + [4 * width] * (len(blocks) - 4)
    for stage, (h, n) in enumerate(zip(sizes, blocks)):
        made = []
        for b in range(n):
            stride, o = 2 if b == 0 and stage > 0 else 1, h * expansion
            kernels = [(h, 3, stride), (o, 3, 1)] if expansion == 1 else [(h, 1, 1), (h, 3, stride), (o, 1, 1)]
            branch, c = [], i
            for channels, k, s in kernels:
                branch.append(nn.Sequential(conv_norm(c, channels, k, s), act()))
                c = channels
            branch[-1] = branch[-1][0]
            if attention and stage == len(blocks) - 4 and b == n - 1:
                branch.append(SimpleSelfAttention(o))
            short = [nn.AvgPool2d(2, ceil_mode=True)] if stride == 2 else []
            short += [conv_norm(i, o, 1)] if i != o else []
            made.append(nn.Sequential(Residual(nn.Sequential(*branch), nn.Sequential(*short)), act()))
            i = o
        layers.append(nn.Sequential(*made))
    return nn.Sequential(*layers, Mean(), nn.Linear(i, 10))


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class SqueezeExcitation(nn.Sequential):
    def __init__(self, c, r):
        super().__init__(Mean(), nn.Linear(c, c // r), nn.ReLU(), nn.Linear(c // r, c))

    def forward(self, x):
        return x * torch.sigmoid(super().forward(x))[:, :, None, None]


def seresnet18(width, reduction):
    """SE-ResNet-18 of weiaicunzai/pytorch-cifar100."""
    layers, i = [nn.Sequential(conv_norm(3, width), nn.ReLU())], width
    for o, stride in ((width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)):
        made = []
        for s in (stride, 1):
            branch = nn.Sequential(nn.Sequential(conv_norm(i, o, 3, s), nn.ReLU()), conv_norm(o, o), SqueezeExcitation(o, reduction))
            short = conv_norm(i, o, 1, s) if s != 1 or i != o else nn.Identity()
            made.append(nn.Sequential(Residual(branch, short), nn.ReLU()))
            i = o
        layers.append(nn.Sequential(*made))
    return nn.Sequential(*layers, Mean(), nn.Linear(i, 10))


class MaxBlurPool(nn.Module):
    """kornia's MaxBlurPool2d."""

    def __init__(self, taps):
        super().__init__()
        row = torch.tensor((np.poly1d([1.0, 1.0]) ** (taps - 1)).coeffs)
        self.kernel, self.padding = torch.outer(row, row) / row.sum() ** 2, (taps - 1) // 2

    def forward(self, x):
        kernel = self.kernel.repeat(x.shape[1], 1, 1, 1)
        return F.conv2d(F.max_pool2d(x, 2, 1), kernel, padding=self.padding, stride=2, groups=x.shape[1])


def train(model, shape, optimizer, rate):
    """The losses of each step; the first outputs and gradients; the last statistics and evaluation."""
    state = model.state_dict()
    ours = {k: k.replace('weight_orig', 'weight') for k in state if 'num_batches' not in k}
    with torch.no_grad():
        for key, own in ours.items():
            state[key].copy_(initial(own, tuple(state[key].shape)))
    x = noise('input', shape)
    classify = model(x).ndim == 2
    with torch.no_grad():  # The forward has changed statistics.
        for key, own in ours.items():
            state[key].copy_(initial(own, tuple(state[key].shape)))
    model.train()
    names, parameters = zip(*model.named_parameters())
    memory = [[torch.zeros_like(p)] * 3 for p in parameters]
    result = {'losses': []}
    for t in range(1, STEPS + 1):
        y = model(x)
        target = torch.arange(shape[0]) % y.shape[1] if classify else noise('target', tuple(y.shape))
        loss = F.cross_entropy(y, target) if classify else F.mse_loss(y, target)
        grads = torch.autograd.grad(loss, parameters)
        result['losses'].append(number(loss))
        if t == 1:
            result['output'] = sample(y, 40)
            result['gradients'] = {ours[n]: [number(g.norm()), *sample(g, 2)] for n, g in zip(names, grads)}
        for i, (p, g) in enumerate(zip(parameters, grads)):
            m, v, previous = memory[i]
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            memory[i] = [m, v, g]
            c1, c2 = 1 - 0.9**t, 1 - 0.999**t
            if optimizer == 'diffGrad':  # ε is before the correction of v, as in the paper's code.
                step = c2**0.5 / c1 * torch.sigmoid((previous - g).abs()) * m / (v.sqrt() + 1e-8)
            else:
                step = m / c1 / ((v / c2).sqrt() + 1e-8)
            p.data = p.data - rate * step
    result['statistics'] = {ours[n]: sample(b, 2) for n, b in model.named_buffers() if n.endswith(('weight_u', 'weight_v'))}
    if 'running_var' not in str(list(state)):  # ONNX's running variances are others.
        result['evaluation'] = sample(model.eval()(x), 40)
    return result


def number(x):
    return float(f'{float(x.detach()):.8g}')


def sample(x, most):
    flat = x.detach().flatten()
    return [number(v) for v in flat[:: max(flat.numel() // most, 1)][:most]]


def cases(width):
    """Full width, or what npm test has time for."""
    full = width == 'full'
    channels, size = (64, 64) if full else (8, 32)
    images = (8, 3, size, size)
    yield 'seresnet18', seresnet18(channels, 16 if full else 4), (8, 3, 32, 32)
    yield 'xresnet50', xresnet([3, 4, 6, 3], 4, nn.Mish, channels, attention=True), images
    if full:
        return
    blur = MaxBlurPool(3)
    yield 'deep', xresnet([2, 2, 2, 2, 1, 1], 1, nn.ReLU, 4, pool=blur, attention=True), images
    small = dict(pool=nn.Identity(), stem_stride=1)
    yield 'deeper', xresnet([2, 2, 1, 1, 1, 1, 1, 1], 1, nn.ReLU, 4, **small), (8, 3, 16, 16)
    yield 'excitation', nn.Sequential(nn.Conv2d(3, 6, 3, 1, 1, bias=False), SqueezeExcitation(6, 2)), (2, 3, 5, 4)
    for taps in (2, 3, 4, 5):
        yield f'blur{taps}', nn.Sequential(nn.Conv2d(3, 2, 1, bias=False), MaxBlurPool(taps)), (2, 3, 10, 9)
    convolution = spectral_norm(nn.Conv2d(3, 4, 3, 2, 1))
    yield 'spectral', nn.Sequential(convolution, nn.ReLU(), Mean(), spectral_norm(nn.Linear(4, 3))), (5, 3, 6, 7)


golden = {
    width: {
        name: {
            **train(model, shape, 'diffGrad', rate),
            'adamLosses': train(model, shape, 'adam', rate)['losses'],
        }
        for name, model, shape in cases(width)
    }
    for width, rate in RATES.items()
}
path = pathlib.Path(__file__).with_name('networks.json')
path.write_text(json.dumps(golden, separators=(',', ':')) + '\n')
