"""
Golden trajectories of the rules for which no package is at hand: every rule in plain Python, element by
element, beside the formulas of its paper, in double precision. `python3 rules.py` writes rules.json.

The start, the recorded gradients and the steps are those of trajectories.json.
"""

import json
import math
from pathlib import Path

here = Path(__file__).parent
recorded = json.loads((here / "trajectories.json").read_text())
zeros = {"vector": 7, "matrix": 6}


class NAdam:
    """Dozat 2016, algorithm 2, with the momentum schedule of section 3.6.1 of Sutskever's thesis, 2013."""

    defaults = dict(learningRate=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, momentumDecay=4e-3)

    def __init__(self, size):
        self.m = [0.0] * size
        self.v = [0.0] * size
        self.momenta = []

    def step(self, t, g, theta, o):
        mu = lambda k: o["beta1"] * (1 - 0.5 * 0.96 ** (k * o["momentumDecay"]))
        self.momenta.append(mu(t))
        product = math.prod(self.momenta)
        steps = []
        for i in range(len(g)):
            self.m[i] = o["beta1"] * self.m[i] + (1 - o["beta1"]) * g[i]
            self.v[i] = o["beta2"] * self.v[i] + (1 - o["beta2"]) * g[i] ** 2
            g_hat = g[i] / (1 - product)
            m_hat = self.m[i] / (1 - product * mu(t + 1))
            v_hat = self.v[i] / (1 - o["beta2"] ** t)
            m_bar = (1 - mu(t)) * g_hat + mu(t + 1) * m_hat
            steps.append(o["learningRate"] * m_bar / (math.sqrt(v_hat) + o["epsilon"]))
        return steps


class DiffGradNorm:
    """arXiv:2210.06364, algorithm of diffGradNorm; the average norm starts at 0, as in the authors' code."""

    defaults = dict(learningRate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, normDecay=0.95)

    def __init__(self, size):
        self.m = [0.0] * size
        self.v = [0.0] * size
        self.previous = [0.0] * size
        self.e = 0.0

    def step(self, t, g, theta, o):
        norm = math.sqrt(math.fsum(a * a for a in g))
        self.e = o["normDecay"] * self.e + (1 - o["normDecay"]) * norm
        s = [a / norm * self.e for a in g] if self.e > norm > 0 else g
        steps = []
        for i in range(len(g)):
            self.m[i] = o["beta1"] * self.m[i] + (1 - o["beta1"]) * s[i]
            self.v[i] = o["beta2"] * self.v[i] + (1 - o["beta2"]) * g[i] ** 2
            xi = 1 / (1 + math.exp(-abs(self.previous[i] - g[i])))
            rate = o["learningRate"] * math.sqrt(1 - o["beta2"] ** t) / (1 - o["beta1"] ** t)
            steps.append(rate * xi * self.m[i] / (math.sqrt(self.v[i]) + o["epsilon"]))
        self.previous = g
        return steps


class AdaBelief:
    """arXiv:2010.07468, algorithm 2."""

    defaults = dict(learningRate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-16)

    def __init__(self, size):
        self.m = [0.0] * size
        self.s = [0.0] * size

    def step(self, t, g, theta, o):
        steps = []
        for i in range(len(g)):
            self.m[i] = o["beta1"] * self.m[i] + (1 - o["beta1"]) * g[i]
            belief = (g[i] - self.m[i]) ** 2
            self.s[i] = o["beta2"] * self.s[i] + (1 - o["beta2"]) * belief + o["epsilon"]
            m_hat = self.m[i] / (1 - o["beta1"] ** t)
            s_hat = self.s[i] / (1 - o["beta2"] ** t)
            steps.append(o["learningRate"] * m_hat / (math.sqrt(s_hat) + o["epsilon"]))
        return steps


class Lion:
    """arXiv:2302.06675, algorithm 2."""

    defaults = dict(learningRate=1e-4, beta1=0.9, beta2=0.99)

    def __init__(self, size):
        self.m = [0.0] * size

    def step(self, t, g, theta, o):
        c = [o["beta1"] * m + (1 - o["beta1"]) * a for m, a in zip(self.m, g)]
        self.m = [o["beta2"] * m + (1 - o["beta2"]) * a for m, a in zip(self.m, g)]
        return [o["learningRate"] * ((x > 0) - (x < 0)) for x in c]


class Adan:
    """arXiv:2208.06677, algorithm 1, whose β are 1 − β here; the first change is 0, as in sail-sg/Adan."""

    defaults = dict(learningRate=1e-3, beta1=0.98, beta2=0.92, beta3=0.99, epsilon=1e-8)

    def __init__(self, size):
        self.m = [0.0] * size
        self.v = [0.0] * size
        self.n = [0.0] * size
        self.previous = None

    def step(self, t, g, theta, o):
        b1, b2, b3 = 1 - o["beta1"], 1 - o["beta2"], 1 - o["beta3"]
        previous = g if self.previous is None else self.previous
        self.previous = g
        steps = []
        for i in range(len(g)):
            change = g[i] - previous[i]
            self.m[i] = (1 - b1) * self.m[i] + b1 * g[i]
            self.v[i] = (1 - b2) * self.v[i] + b2 * change
            self.n[i] = (1 - b3) * self.n[i] + b3 * (g[i] + (1 - b2) * change) ** 2
            m_hat, v_hat, n_hat = (x[i] / (1 - (1 - b) ** t) for x, b in ((self.m, b1), (self.v, b2), (self.n, b3)))
            eta = o["learningRate"] / (math.sqrt(n_hat) + o["epsilon"])
            steps.append(eta * (m_hat + (1 - b2) * v_hat))
        return steps


class LAMB:
    """arXiv:1904.00962, algorithm 2, with φ(z) = z; a ratio with a norm of 0 is 1."""

    defaults = dict(learningRate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-6)

    def __init__(self, size):
        self.m = [0.0] * size
        self.v = [0.0] * size

    def step(self, t, g, theta, o):
        u = []
        for i in range(len(g)):
            self.m[i] = o["beta1"] * self.m[i] + (1 - o["beta1"]) * g[i]
            self.v[i] = o["beta2"] * self.v[i] + (1 - o["beta2"]) * g[i] ** 2
            r = self.m[i] / (1 - o["beta1"] ** t) / (math.sqrt(self.v[i] / (1 - o["beta2"] ** t)) + o["epsilon"])
            u.append(r + o["weightDecay"] * theta[i])
        norms = [math.sqrt(math.fsum(a * a for a in x)) for x in (theta, u)]
        ratio = norms[0] / norms[1] if all(norms) else 1
        return [o["learningRate"] * ratio * a for a in u]


class AngularGrad:
    """arXiv:2105.10190, with angles in radians; the previous gradient and the previous angle start at 0."""

    defaults = dict(learningRate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, angle="cos")

    def __init__(self, size):
        self.m = [0.0] * size
        self.v = [0.0] * size
        self.previous = [0.0] * size
        self.angle = [0.0] * size

    def step(self, t, g, theta, o):
        function = {"cos": math.cos, "tan": math.tan}[o["angle"]]
        steps = []
        for i in range(len(g)):
            self.m[i] = o["beta1"] * self.m[i] + (1 - o["beta1"]) * g[i]
            self.v[i] = o["beta2"] * self.v[i] + (1 - o["beta2"]) * g[i] ** 2
            p = self.previous[i]
            angle = math.atan2(abs(p - g[i]), abs(1 + p * g[i]))
            phi = 0.5 * math.tanh(abs(function(min(angle, self.angle[i])))) + 0.5
            self.angle[i] = angle
            rate = o["learningRate"] * math.sqrt(1 - o["beta2"] ** t) / (1 - o["beta1"] ** t)
            steps.append(rate * phi * self.m[i] / (math.sqrt(self.v[i]) + o["epsilon"]))
        self.previous = g
        return steps


class AdEMAMix:
    """arXiv:2409.03137, algorithm 1; the warm-up of β₃ by half-lives, as the paper derives it."""

    defaults = dict(learningRate=1e-3, beta1=0.9, beta2=0.999, beta3=0.9999, mix=5, mixWarmup=0, epsilon=1e-8)

    def __init__(self, size):
        self.m1 = [0.0] * size
        self.m2 = [0.0] * size
        self.nu = [0.0] * size

    def step(self, t, g, theta, o):
        half_life = lambda beta: math.log(0.5) / math.log(beta)
        alpha, beta3 = o["mix"], o["beta3"]
        if t < o["mixWarmup"]:
            s = t / o["mixWarmup"]
            alpha *= s
            beta3 = 0.5 ** (1 / ((1 - s) * half_life(o["beta1"]) + s * half_life(o["beta3"])))
        steps = []
        for i in range(len(g)):
            self.m1[i] = o["beta1"] * self.m1[i] + (1 - o["beta1"]) * g[i]
            self.m2[i] = beta3 * self.m2[i] + (1 - beta3) * g[i]
            self.nu[i] = o["beta2"] * self.nu[i] + (1 - o["beta2"]) * g[i] ** 2
            m_hat = self.m1[i] / (1 - o["beta1"] ** t)
            nu_hat = self.nu[i] / (1 - o["beta2"] ** t)
            steps.append(o["learningRate"] * (m_hat + alpha * self.m2[i]) / (math.sqrt(nu_hat) + o["epsilon"]))
        return steps


class Adopt:
    """arXiv:2411.02853v3, with clipping: v₀ = g₀² and the steps counted after it. None where nothing moves."""

    defaults = dict(learningRate=1e-3, beta1=0.9, beta2=0.9999, epsilon=1e-6)

    def __init__(self, size):
        self.m = [0.0] * size
        self.v = None

    def step(self, t, g, theta, o):
        if self.v is None:
            self.v = [a * a for a in g]
            return None
        c = (t - 1) ** 0.25
        for i in range(len(g)):
            normed = g[i] / max(math.sqrt(self.v[i]), o["epsilon"])
            self.m[i] = o["beta1"] * self.m[i] + (1 - o["beta1"]) * min(max(normed, -c), c)
            self.v[i] = o["beta2"] * self.v[i] + (1 - o["beta2"]) * g[i] ** 2
        return [o["learningRate"] * a for a in self.m]


class ScheduleFreeSGD:
    """
    arXiv:2405.15682, equations 3 to 5, with all three sequences kept. Weights of the average are those of
    facebookresearch/schedule_free, sgd_schedulefree.py, with r = 0 and weight_lr_power = 2.
    """

    defaults = dict(learningRate=1, beta1=0.9)
    decays_inside = True

    def __init__(self, size):
        self.size = size
        self.x = self.z = None
        self.rates = []

    def direction(self, g, o):
        return g

    def rate(self, t, o):
        return o["learningRate"]

    def step(self, t, g, theta, o):
        if self.z is None:
            self.x = list(theta)
            self.z = list(theta)
        gamma = self.rate(t, o)
        self.rates.append(gamma)
        weights = [max(self.rates[: k + 1]) ** 2 for k in range(t)]
        c = weights[-1] / math.fsum(weights) if weights[-1] > 0 else 0
        moved = [d + o["decayed"] * y for d, y in zip(self.direction(g, o), theta)]
        self.z = [z - gamma * d for z, d in zip(self.z, moved)]
        self.x = [(1 - c) * x + c * z for x, z in zip(self.x, self.z)]
        y = [(1 - o["beta1"]) * z + o["beta1"] * x for x, z in zip(self.x, self.z)]
        return [old - new for old, new in zip(theta, y)]


class ScheduleFreeAdamW(ScheduleFreeSGD):
    """arXiv:2405.15682, algorithm 1, with the rates of facebookresearch/schedule_free, adamw_schedulefree.py."""

    defaults = dict(learningRate=2.5e-3, beta1=0.9, beta2=0.999, epsilon=1e-8)

    def __init__(self, size):
        super().__init__(size)
        self.v = [0.0] * size

    def direction(self, g, o):
        self.v = [o["beta2"] * v + (1 - o["beta2"]) * a**2 for v, a in zip(self.v, g)]
        return [a / (math.sqrt(v) + o["epsilon"]) for a, v in zip(g, self.v)]

    def rate(self, t, o):
        return o["learningRate"] * math.sqrt(1 - o["beta2"] ** t)


def linear(start, to, steps):
    return dict(kind="linear", **{"from": start}, to=to, steps=steps)


def at(option, t):
    """The value of an option, which may be a linear schedule, at step t."""
    if not isinstance(option, dict):
        return option
    return option["from"] + (option["to"] - option["from"]) * min((t - 1) / option["steps"], 1)


adaptive = dict(learningRate=0.004, beta1=0.95, beta2=0.99, epsilon=1e-6, weightDecay=0.1)
second = dict(learningRate=0.05, beta1=0.8, beta2=0.95, epsilon=1e-5, weightDecay=0.02)
slow = dict(learningRate=0.05, beta1=0.8, beta2=0.95, weightDecay=0.02)
free = dict(learningRate=0.05, beta1=0.6, weightDecay=0.02)
rules = {
    # name: (equations, weight decay by default, kind of decay, options of the cases)
    "NAdam": (NAdam, 0, "l2", adaptive, second),
    "NAdamW": (NAdam, 0.01, "decoupled", adaptive, second),
    "AdaBelief": (AdaBelief, 0, "decoupled", adaptive, second),
    "Lion": (Lion, 0, "decoupled", dict(learningRate=0.004, beta1=0.95, beta2=0.98, weightDecay=0.1), slow),
    "Adan": (Adan, 0, "proximal", {**adaptive, "beta3": 0.9}, {**second, "decay": "decoupled"}),
    "LAMB": (LAMB, 0.01, "scaled", adaptive, second),
    "AngularGrad": (AngularGrad, 0, "l2", {**adaptive, "angle": "tan"}, second),
    "AdEMAMix": (AdEMAMix, 0, "decoupled", {**adaptive, "beta3": 0.97, "mix": 4, "mixWarmup": 20}, second),
    "ADOPT": (Adopt, 0, "l2", adaptive, {**second, "decay": "decoupled"}),
    "diffGradNorm": (DiffGradNorm, 0, "l2", {**adaptive, "normDecay": 0.8}, second),
    "ScheduleFreeSGD": (ScheduleFreeSGD, 0, "l2", dict(learningRate=0.4, beta1=0.75, weightDecay=0.1), free),
    "ScheduleFreeAdamW": (ScheduleFreeAdamW, 0, "decoupled", adaptive, {**second, "decay": "l2"}),
}


def trajectory(name, options, matrix, gradients):
    equations, weight_decay, decay, *_ = rules[name]
    common = {**equations.defaults, "weightDecay": weight_decay, "decay": decay, **options}
    o = {"vector": common, "matrix": {**common, **(matrix or {})}}
    theta = {key: list(recorded["start"][key]) for key in zeros}
    rule = {key: equations(size) for key, size in zeros.items()}
    points, averages = [], []
    for t, row in enumerate(recorded["gradients"][gradients], 1):
        for key, g in {"vector": row[:7], "matrix": row[7:]}.items():
            now = {option: at(value, t) for option, value in o[key].items()}
            decayed = 0 if now["decay"] == "scaled" else now["weightDecay"]
            if now["decay"] == "l2":
                g = [a + decayed * x for a, x in zip(g, theta[key])]
                decayed = 0
            inside = getattr(equations, "decays_inside", False)
            steps = rule[key].step(t, g, theta[key], {**now, "decayed": decayed} if inside else now)
            if steps is None:
                continue
            shrinkage = 0 if inside else now["learningRate"] * decayed
            if now["decay"] == "proximal":
                theta[key] = [(x - step) / (1 + shrinkage) for x, step in zip(theta[key], steps)]
            else:
                theta[key] = [(1 - shrinkage) * x - step for x, step in zip(theta[key], steps)]
        if t in recorded["steps"]:
            points.append(theta["vector"] + theta["matrix"])
            averages.append([a for key in zeros for a in getattr(rule[key], "x", [])])
    return dict(trajectory=points, **(dict(averages=averages) if averages[0] else {}))


def case(name, gradients, options, dtype="float64", matrix=None):
    return {
        "source": f"rules.py {rules[name][0].__name__}",
        "rule": name,
        "dtype": dtype,
        "options": options,
        "gradients": gradients,
        **({"matrix": matrix} if matrix else {}),
        **trajectory(name, options, matrix, gradients),
    }


cases = []
for name, (_, _, _, own, matrix) in rules.items():
    cases += [
        case(name, "signflip", {}),
        case(name, "normal", own),
        case(name, "normal", {"learningRate": 0.01}, matrix=matrix),
        case(name, "normal", {**own, "learningRate": 30}),
        case(name, "mixed", {"learningRate": 0.1}, dtype="float32"),
    ]
for name in ("ScheduleFreeSGD", "ScheduleFreeAdamW"):
    own = rules[name][3]
    warmup = {**own, "learningRate": linear(0, 0.1, 10)}
    cases += [
        case(name, "normal", warmup, matrix={"learningRate": linear(0.1, 0, 50), "beta1": linear(0.5, 0.98, 20)}),
        case(name, "mixed", warmup, dtype="float32"),
    ]
rows = ",\n".join(json.dumps(one) for one in cases)
(here / "rules.json").write_text(f'{{ "cases": [\n{rows}\n] }}\n')
