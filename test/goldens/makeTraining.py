"""Makes training.safetensors, which test/torchTraining.test.ts compares the engine's optimisers, initial values, schedules and layers with:

    python3 test/goldens/makeTraining.py        # Debian: python3-torch, python3-numpy

Torch computes in float64, from inputs that are float32 numbers; layouts are the engine's, as in make.py.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from make import HERE, nhwc, write

RNG = np.random.default_rng(11)
STEPS, SIZES = 8, {"p": (1,), "q": (5, 9), "r": (67,)}


def uniform(*shape, low=-1.0, high=1.0):
    return RNG.uniform(low, high, shape).astype(np.float32)


def optimisers():
    """Given gradients; by name the weights after every step. In "groups" q has options of its own; in "clipped" gradients are clipped to norm 1 before."""
    weights = {key: uniform(*shape) for key, shape in SIZES.items()}
    gradients = {key: uniform(STEPS, *shape, high=0.5) for key, shape in SIZES.items()}
    stored = {f"weights/{key}": value for key, value in weights.items()}
    stored |= {f"gradients/{key}": value for key, value in gradients.items()}

    def run(name, make, clip=None):
        leaves = {key: torch.tensor(value, dtype=torch.float64, requires_grad=True) for key, value in weights.items()}
        optimiser = make(leaves)
        after, norms = {key: [] for key in SIZES}, []
        for step in range(STEPS):
            for key, leaf in leaves.items():
                leaf.grad = torch.tensor(gradients[key][step], dtype=torch.float64)
            if clip:
                norms.append(float(nn.utils.clip_grad_norm_(leaves.values(), clip)))
            optimiser.step()
            for key, leaf in leaves.items():
                after[key].append(leaf.detach().clone())
        for key in SIZES:
            stored[f"{name}/{key}"] = torch.stack(after[key])
        if clip:
            stored[f"{name}/norms"] = np.array(norms)

    def groups(leaves, **own):
        return [{"params": [leaves["p"], leaves["r"]]}, {"params": [leaves["q"]], **own}]

    optim = torch.optim
    run("sgd", lambda t: optim.SGD(t.values(), lr=0.1))
    run("sgd momentum", lambda t: optim.SGD(t.values(), lr=0.05, momentum=0.9, weight_decay=0.1))
    run("sgd nesterov", lambda t: optim.SGD(t.values(), lr=0.05, momentum=0.8, nesterov=True))
    run("sgd clipped", lambda t: optim.SGD(t.values(), lr=0.5, momentum=0.9), clip=1.0)
    run("sgd groups", lambda t: optim.SGD(groups(t, lr=0.2, momentum=0.5, weight_decay=0.1), lr=0.05, momentum=0.9))
    run("adam groups", lambda t: optim.Adam(groups(t, lr=0.05, betas=(0.5, 0.9)), lr=0.01, weight_decay=0.1))
    run("adamw groups", lambda t: optim.AdamW(groups(t, lr=0.05, weight_decay=0.5, eps=1e-3), lr=0.01))
    return stored


def rates():
    """A learning rate that rises for 5 steps and falls along a cosine to 0.1 of itself on the 20th."""
    leaf = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([leaf], lr=1.0)
    schedules = torch.optim.lr_scheduler
    rise = schedules.LinearLR(optimiser, start_factor=0.2, total_iters=4)
    fall = schedules.CosineAnnealingLR(optimiser, T_max=15, eta_min=0.1)
    both = schedules.SequentialLR(optimiser, [rise, fall], milestones=[5])
    found = []
    for _ in range(20):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        both.step()
    return {"rates": np.array(found)}


def initial():
    """Deviation and largest size of what torch draws, a hundred thousand at a time, and gains."""
    stored = {}
    shapes = {"linear": (250, 400), "conv": (50, 222, 3, 3), "transposed": (100, 63, 4, 4)}
    draws = {
        "kaimingUniform": (nn.init.kaiming_uniform_, {}),
        "kaimingUniform a fanOut": (nn.init.kaiming_uniform_, {"a": 2.0, "mode": "fan_out"}),
        "kaimingNormal": (nn.init.kaiming_normal_, {}),
        "kaimingNormal tanh": (nn.init.kaiming_normal_, {"nonlinearity": "tanh"}),
        "kaimingNormal relu fanOut": (nn.init.kaiming_normal_, {"nonlinearity": "relu", "mode": "fan_out"}),
        "xavierUniform": (nn.init.xavier_uniform_, {}),
        "xavierNormal gain": (nn.init.xavier_normal_, {"gain": 2.5}),
    }
    torch.manual_seed(1)
    for name, (draw, options) in draws.items():
        for kind, shape in shapes.items():
            values = draw(torch.empty(shape, dtype=torch.float64), **options)
            largest = values.abs().max() if "Uniform" in name else 0
            stored[f"init/{name}/{kind}"] = np.array([values.std(), largest])
    gains = [("linear",), ("sigmoid",), ("tanh",), ("relu",), ("leaky_relu",), ("leaky_relu", 0.3), ("selu",)]
    stored["init/gains"] = np.array([nn.init.calculate_gain(*gain) for gain in gains])
    layers = {"Linear": nn.Linear(400, 1000), "Conv2d": nn.Conv2d(50, 500, 4), "ConvTranspose2d": nn.ConvTranspose2d(50, 500, 4), "Embedding": nn.Embedding(500, 800)}
    for name, layer in layers.items():
        stored[f"init/{name}"] = np.array([part.std().item() for part in layer.parameters()])
    return stored


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 6, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.up = nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1)
        self.group = nn.GroupNorm(2, 4)
        self.table = nn.Embedding(5, 4)
        self.row = nn.LayerNorm(4)
        self.head = nn.Sequential(nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 3))

    def forward(self, x, number):
        h = self.group(self.up(F.relu(self.norm(self.conv(x)))))
        return self.head(self.row(h.mean((2, 3)) + self.table(number)))


def network():
    """A network of all layers before and after six steps, what it makes of a batch then, after eval(), and the losses."""
    torch.manual_seed(2)
    net = Net().double()
    with torch.no_grad():
        for part in net.parameters():
            part.copy_(part.float())

    def state(prefix):
        values = ((key, value) for key, value in net.state_dict().items() if value.is_floating_point())
        return {f"{prefix}/{key}": (nhwc(value) if value.dim() == 4 else value).clone() for key, value in values}

    images, numbers, labels = uniform(6, 3, 8, 8, 2), RNG.integers(0, 5, (6, 3)), RNG.integers(0, 3, (6, 3))
    stored = state("before") | {"x": images, "numbers": numbers, "labels": labels}
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-2)
    losses = []
    x = torch.tensor(images, dtype=torch.float64).permute(0, 1, 4, 2, 3)
    for step in range(6):
        optimiser.zero_grad()
        loss = F.cross_entropy(net(x[step], torch.tensor(numbers[step])), torch.tensor(labels[step]))
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    print("losses:", " ".join(f"{loss:.4g}" for loss in losses))
    net.eval()
    stored |= state("after")
    stored["losses"] = np.array(losses)
    stored["y"] = net(x[0], torch.tensor(numbers[0]))
    return {f"net/{key}": value for key, value in stored.items()}


def main():
    torch.set_num_threads(1)
    write(HERE / "training.safetensors", optimisers() | rates() | initial() | network())


if __name__ == "__main__":
    main()
