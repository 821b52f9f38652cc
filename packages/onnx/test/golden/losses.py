"""What PyTorch's losses are, and their gradients: writes losses.json beside itself.

    /usr/bin/python3 test/golden/losses.py

Needs Debian's python3-torch. Written with PyTorch 1.13.0a0.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(4)
logits = torch.randn(4, 5, dtype=torch.float64) * 2
image = torch.randn(2, 3, 2, 2, dtype=torch.float64)
classes, pixels = torch.tensor([1, 4, 0, 1]), torch.randint(0, 3, (2, 2, 2))
weights = torch.tensor([0.5, 2.0, 1.0, 0.25, 3.0], dtype=torch.float64)
mixed = 0.3 * F.one_hot(classes, 5) + 0.7 * F.one_hot(classes.flip(0), 5)
smooth = dict(label_smoothing=0.1)
target = torch.rand(4, 5, dtype=torch.float64)
tokens = torch.randn(2, 3, 5, dtype=torch.float64)
labels = torch.tensor([[1, -100, 0], [4, 2, -100]])


def of_tokens(**options):
    """Classes on the last axis, where PyTorch has them on axis 1."""
    return lambda y, t: F.cross_entropy(y.transpose(1, 2), t, ignore_index=-100, **options)


def contrastive(pairs, _):
    """CLIP's loss of pairs of embeddings, at temperature 0.1."""
    a, b = F.normalize(pairs[0], dim=1), F.normalize(pairs[1], dim=1)
    similarity, same = a @ b.T / 0.1, torch.arange(len(a))
    return (F.cross_entropy(similarity, same) + F.cross_entropy(similarity.T, same)) / 2


cases = {
    'classes': (logits, classes, F.cross_entropy),
    'smoothed': (logits, classes, lambda y, t: F.cross_entropy(y, t, **smooth)),
    'weighted': (logits, classes, lambda y, t: F.cross_entropy(y, t, weights)),
    'weighted, smoothed': (logits, classes, lambda y, t: F.cross_entropy(y, t, weights, **smooth)),
    'mixed': (logits, mixed.double(), F.cross_entropy),
    'mixed, weighted, smoothed': (
        logits, mixed.double(), lambda y, t: F.cross_entropy(y, t, weights, **smooth)),
    'pixels': (image, pixels, F.cross_entropy),
    'squared': (logits, target, F.mse_loss),
    'binary': (torch.cat([logits[:3] * 40, torch.zeros(1, 5).double()]), target,
               F.binary_cross_entropy_with_logits),
    'absolute': (logits, target, F.l1_loss),
    'Huber': (logits, target, lambda y, t: F.huber_loss(y, t, delta=0.5)),
    'tokens': (tokens, labels, of_tokens()),
    'tokens, weighted': (tokens, labels, of_tokens(weight=weights)),
    'tokens, weighted, smoothed': (tokens, labels, of_tokens(weight=weights, **smooth)),
    'tokens, smoothed': (tokens, labels, of_tokens(**smooth)),
    'contrastive': (tokens, torch.zeros(0), contrastive),
}


def rounded(tensor):
    return [float(f'{v:.9g}') for v in tensor.flatten().tolist()]


expected = {}
for name, (y, t, loss) in cases.items():
    y = y.clone().requires_grad_()
    value = loss(y, t)
    (gradient,) = torch.autograd.grad(value, y)
    expected[name] = {
        'shape': list(y.shape), 'output': rounded(y), 'target': rounded(t),
        'loss': float(value), 'gradient': rounded(gradient),
    }
out = pathlib.Path(__file__).with_suffix('.json')
out.write_text(json.dumps(expected, separators=(',', ':')) + '\n')
