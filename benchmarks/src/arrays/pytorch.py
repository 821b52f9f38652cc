"""Child process: an optimizer of PyTorch on one thread. The protocol is in child-process.ts."""

import json
import sys
import time

import torch

name, sizes = sys.argv[1], json.loads(sys.argv[2])
torch.set_num_threads(1)
parameters = [torch.cos(torch.arange(n, dtype=torch.float32)) for n in sizes]
gradients = [0.01 * torch.sin(torch.arange(n, dtype=torch.float32)) for n in sizes]


def adam(foreach):
    trained = [p.requires_grad_() for p in parameters]
    for p, g in zip(trained, gradients):
        p.grad = g
    return torch.optim.Adam(trained, lr=1e-3, foreach=foreach).step


def diffgrad():
    """Eager diffGrad like the published implementations, with in-place operators."""
    state = [(torch.zeros_like(p), torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]
    t = 0

    @torch.no_grad()
    def step():
        nonlocal t
        t += 1
        step_size = 1e-3 * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
        for p, g, (m, v, previous) in zip(parameters, gradients, state):
            m.mul_(0.9).add_(g, alpha=0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            friction = (previous - g).abs_().sigmoid_()
            previous.copy_(g)
            p.addcdiv_(friction.mul_(m), v.sqrt().add_(1e-8), value=-step_size)

    return step


step = {
    "torch.optim.Adam": lambda: adam(False),
    "torch.optim.Adam (foreach)": lambda: adam(True),
    "torch diffGrad (eager)": diffgrad,
}[name]()
print("ready", flush=True)
for line in sys.stdin:
    steps = int(line)
    start = time.perf_counter()
    for _ in range(steps):
        step()
    print(1000 * (time.perf_counter() - start) / steps, flush=True)
