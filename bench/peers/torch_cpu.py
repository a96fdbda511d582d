"""The work of work.ts in torch on the CPU: the yardstick of a mature library, and a second opinion on the results."""

import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(os.cpu_count())


def values(count, seed):
    i = np.arange(count, dtype=np.uint32)
    h = (i + np.uint32(1)) * np.uint32(0x9E3779B1)
    h ^= np.uint32((seed + 1) * 0x85EBCA6B & 0xFFFFFFFF)
    h = (h ^ (h >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    h = (h ^ (h >> np.uint32(12))) * np.uint32(0x297A2D39)
    h ^= h >> np.uint32(15)
    return torch.from_numpy((h.view(np.int32) / 2.0**31).astype(np.float32))


def images(data, *shape):
    return data.reshape(shape).permute(0, 3, 1, 2).contiguous()


def sample(data):
    flat = data.permute(0, 2, 3, 1).reshape(-1) if data.dim() == 4 else data.reshape(-1)
    return [flat[int((i + 0.5) * len(flat) / 16)].item() for i in range(16)]


def measure(run, check=None):
    rounds = []
    for _ in range(10):
        start = time.perf_counter()
        result = run()
        rounds.append(((time.perf_counter() - start) * 1000, result))
    warm = sorted(ms for ms, _ in rounds[3:])
    return {
        "cold": rounds[0][0],
        "median": warm[3],
        "least": warm[0],
        "most": warm[-1],
        "check": check() if check else [result for _, result in rounds],
    }


def gemm(work):
    n = work["GEMM"]
    a, b = (values(n * n, seed).reshape(n, n) for seed in (1, 2))
    return measure(lambda: a @ b, lambda: sample(a @ b))


def convolution(work, gradients):
    c = work["CONV"]
    shape = [c["batch"], c["size"], c["size"], c["channels"]]
    x, dy = (images(values(int(np.prod(shape)), seed), *shape) for seed in (3, 5))
    k = [c["channels"], c["kernel"], c["kernel"], c["channels"]]
    w = images(values(int(np.prod(k)), 4), *k)
    if not gradients:
        with torch.no_grad():
            run = lambda: F.conv2d(x, w, padding=1)
            return measure(run, lambda: sample(run()))
    x.requires_grad_()
    w.requires_grad_()
    run = lambda: torch.autograd.grad(F.conv2d(x, w, padding=1), (x, w), dy)
    return measure(run, lambda: [v for g in run() for v in sample(g)])


def step(work):
    p = {}
    for i, layer in enumerate(work["LAYERS"]):
        shape = layer["shape"]
        gain = (3 / (layer["kernel"] ** 2 * layer["inputs"])) ** 0.5
        w = images(values(int(np.prod(shape)), 10 + i) * gain, *shape)
        b = torch.zeros(layer["outputs"])
        p[layer["name"]] = (w.requires_grad_(), b.requires_grad_())
    batch = work["BATCH"]
    target = images(values(batch * 4096, 6), batch, 64, 64, 1)
    noise = images(values(batch * 256, 7), batch, 8, 8, 4)
    a = work["ADAM"]
    adam = torch.optim.Adam(
        [t for pair in p.values() for t in pair], a["lr"], (a["beta1"], a["beta2"]), a["eps"]
    )

    def run():
        h = target
        for name in ("down1", "down2", "down3"):
            h = F.relu(F.conv2d(h, *p[name], stride=2, padding=1))
        mean = F.conv2d(h, *p["mean"], padding=1)
        logvar = F.conv2d(h, *p["logvar"], padding=1).clamp(-30, 20)
        z = mean + noise * torch.exp(0.5 * logvar)
        for name in ("up1", "up2", "up3"):
            z = F.relu(F.conv_transpose2d(z, *p[name], stride=2, padding=1))
        image = F.conv2d(z, *p["out"], padding=1)
        kl = -0.5 * torch.mean(1 + logvar - mean**2 - logvar.exp())
        loss = F.mse_loss(image, target) + work["BETA"] * kl
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    return measure(run)


work = json.load(sys.stdin)
runs = {
    "gemm": gemm,
    "conv": lambda w: convolution(w, False),
    "convGradients": lambda w: convolution(w, True),
    "step": step,
}
print(json.dumps({"version": torch.__version__}), flush=True)
for name in work["works"]:
    print(json.dumps({"work": name, **runs[name](work)}), flush=True)
