"""Child process: trains a workload in PyTorch with diffGrad, on two threads. The protocol is in child-process.ts.

Arguments: network, size, and the memory format of images and weights, contiguous or channels_last; then,
unless they are the CPU and 32, the device and the batch size.
"""
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

network, size = sys.argv[1], int(sys.argv[2])
device = torch.device(sys.argv[4] if len(sys.argv) > 4 else 'cpu')
BATCH = int(sys.argv[5]) if len(sys.argv) > 5 else 32
memory_format = {'contiguous': torch.contiguous_format, 'channels_last': torch.channels_last}[sys.argv[3]]
torch.set_num_threads(2)


def conv_norm(inputs, outputs, kernel=3, stride=1):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, bottleneck):
        super().__init__()
        self.branch = nn.Sequential(
            conv_norm(inputs, outputs // 4, 1), nn.ReLU(),
            conv_norm(outputs // 4, outputs // 4, 3, stride), nn.ReLU(),
            conv_norm(outputs // 4, outputs, 1),
        ) if bottleneck else nn.Sequential(
            conv_norm(inputs, outputs, 3, stride), nn.ReLU(), conv_norm(outputs, outputs))
        pool = [nn.AvgPool2d(stride)] if stride > 1 else []
        project = [conv_norm(inputs, outputs, 1)] if inputs != outputs else []
        self.shortcut = nn.Sequential(*pool, *project)

    def forward(self, x):
        return F.relu(self.branch(x) + self.shortcut(x))


def small():
    layers, inputs = [], 3
    for outputs in (16, 32, 64):
        layers += [nn.Conv2d(inputs, outputs, 3, 1, 1), nn.BatchNorm2d(outputs), nn.ReLU(),
                   nn.MaxPool2d(2)]
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def xresnet(counts, bottleneck=False):
    layers, inputs = [], 3
    for i, outputs in enumerate((32, 32, 64)):
        layers += [conv_norm(inputs, outputs, 3, 2 if i == 0 else 1), nn.ReLU()]
        inputs = outputs
    layers.append(nn.MaxPool2d(3, 2, 1))
    for i, width in enumerate((64, 128, 256, 512)):
        outputs = 4 * width if bottleneck else width
        for k in range(counts[i]):
            layers.append(Block(inputs, outputs, 2 if i > 0 and k == 0 else 1, bottleneck))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


networks = {
    'small': small,
    'xresnet18': lambda: xresnet((2, 2, 2, 2)),
    'xresnet50': lambda: xresnet((3, 4, 6, 3), bottleneck=True),
}
model = networks[network]().to(device, memory_format=memory_format)
parameters = list(model.parameters())
state = [[torch.zeros_like(p) for _ in range(3)] for p in parameters]
x = torch.randn(BATCH, 3, size, size).to(device, memory_format=memory_format)
target = torch.arange(BATCH, device=device) % 10
t = 0


def step():
    global t
    t += 1
    grads = torch.autograd.grad(F.cross_entropy(model(x), target), parameters)
    alpha = 1e-3 * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
    with torch.no_grad():
        for p, g, (m, v, previous) in zip(parameters, grads, state):
            m.mul_(0.9).add_(g, alpha=0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            xi = torch.sigmoid((previous - g).abs())
            p.sub_(alpha * xi * m / (v.sqrt() + 1e-8))
            previous.copy_(g)


print('ready', flush=True)
for line in sys.stdin:
    if line.strip() == 'memory':
        print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
        continue
    steps = int(line)
    start = time.perf_counter()
    for _ in range(steps):
        step()
    if device.type == 'cuda':
        torch.cuda.synchronize()
    print(1000 * (time.perf_counter() - start) / steps, flush=True)
