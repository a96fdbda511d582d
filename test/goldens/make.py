"""Makes the goldens that test/goldens.test.ts compares the engine with:

    python3 test/goldens/make.py        # Debian: python3-torch, python3-numpy

Writes ops.safetensors (single ops: inputs, output, gradients) and vae.safetensors (ten training steps of a small autoencoder) beside
itself; same seeds, same files. Torch computes in float64, from inputs that are float32 numbers, so that the deviations
seen by the test are the engine's alone. What torch itself loses in float32 is printed: the measure for the test's tolerances.

Everything is stored in the engine's layouts: images B H W C, weights of convolutions O KH KW C, of transposed ones
Cin KH KW Cout. The leaves of torch's graph have these layouts too, so their gradients need no conversion.
"""

import json
import math
import struct
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

HERE = Path(__file__).parent


def nchw(t):
    """Ours to torch's: an image, or the weight of either convolution (O C KH KW, Cin Cout KH KW)."""
    return t.permute(0, 3, 1, 2)


def nhwc(t):
    return t.permute(0, 2, 3, 1)


def rotate(x, degrees):
    """Images B C H W about their centres, one angle each. affine_grid's coordinates are (column, row)."""
    a = torch.tensor(degrees, dtype=x.dtype) * (math.pi / 180)
    zero = torch.zeros_like(a)
    theta = torch.stack([a.cos(), -a.sin(), zero, a.sin(), a.cos(), zero], 1).view(-1, 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def kl_loss(mean, logvar):
    logvar = logvar.clamp(-30, 20)
    return -0.5 * (1 + logvar - mean**2 - logvar.exp()).mean()


def ops(dtype):
    """By name: "<case>/<input>", "<case>/y", and for a given "<case>/dy" the gradients "<case>/d<input>"."""
    rng = np.random.default_rng(1)
    stored = {}

    def uniform(*shape, low=-1.0, high=1.0):
        return rng.uniform(low, high, shape).astype(np.float32)

    def case(name, run, **inputs):
        leaves = {key: torch.tensor(value, dtype=dtype, requires_grad=True) for key, value in inputs.items()}
        y = run(**leaves)
        dy = uniform(*y.shape)
        y.backward(torch.tensor(dy, dtype=dtype))
        for key, leaf in leaves.items():
            stored[f"{name}/{key}"] = inputs[key]
            stored[f"{name}/d{key}"] = leaf.grad
        stored[f"{name}/y"] = y
        stored[f"{name}/dy"] = dy

    def conv(x, w, bias=None, stride=1, pad=(1, 1, 1, 1)):
        top, bottom, left, right = pad
        padded = F.pad(nchw(x), (left, right, top, bottom))
        return nhwc(F.conv2d(padded, nchw(w), bias, stride))

    def conv_transpose(x, w, bias=None):
        return nhwc(F.conv_transpose2d(nchw(x), nchw(w), bias, stride=2, padding=1))

    case("conv2d 4x4 s2 p1", lambda **t: conv(**t, stride=2), x=uniform(1, 8, 6, 5), w=uniform(6, 4, 4, 5))
    case("conv2d 3x3 p1", conv, x=uniform(1, 5, 7, 8), w=uniform(12, 3, 3, 8), bias=uniform(12))
    case("conv2d 3x3 s2 p0101", lambda **t: conv(**t, stride=2, pad=(0, 1, 0, 1)),
         x=uniform(2, 8, 6, 4), w=uniform(6, 3, 3, 4), bias=uniform(6))
    case("conv2d 4x3 s21 p2013", lambda **t: conv(**t, stride=(2, 1), pad=(2, 0, 1, 3)),
         x=uniform(1, 7, 6, 3), w=uniform(5, 4, 3, 3))
    case("conv2d relu", lambda **t: F.relu(conv(**t)), x=uniform(2, 6, 5, 6), w=uniform(9, 3, 3, 6), bias=uniform(9))
    case("convTranspose2d 4x4 s2 p1", conv_transpose, x=uniform(2, 4, 3, 8), w=uniform(8, 4, 4, 5), bias=uniform(5))
    case("convTranspose2d leakyRelu", lambda **t: F.leaky_relu(conv_transpose(**t)),
         x=uniform(1, 5, 3, 3), w=uniform(3, 4, 4, 8), bias=uniform(8))
    case("linear of few rows", lambda x, w, bias: F.linear(x, w, bias), x=uniform(5, 52), w=uniform(7, 52), bias=uniform(7))
    case("linear of many rows", lambda x, w, bias: F.linear(x, w, bias), x=uniform(40, 13), w=uniform(9, 13), bias=uniform(9))
    for name, act in ("groupNorm", lambda t: t), ("groupNorm silu", F.silu):
        case(name, lambda x, gamma, beta: nhwc(act(F.group_norm(nchw(x), 3, gamma, beta))),
             x=uniform(2, 3, 5, 12, high=3), gamma=uniform(12), beta=uniform(12))
    # One sample an angle.
    case("rotate", lambda x: nhwc(rotate(nchw(x), [90, -120, 33])), x=uniform(3, 9, 9, 2))
    case("mseLoss", lambda a, b: F.mse_loss(a, b).view(1), a=uniform(3, 5, 7, 3), b=uniform(3, 5, 7, 3))
    # On the limits of the clamp torch lets the gradient pass.
    low = np.array([-30, -30.5, -100, -29.5], np.float32)
    case("klLoss", lambda mean, logvar: kl_loss(mean, logvar).view(1),
         mean=uniform(60, high=3), logvar=np.append(uniform(56, low=-6, high=3), low))
    high = np.array([20, 20.5, 90, 19], np.float32)
    case("klLoss above", lambda mean, logvar: kl_loss(mean, logvar).view(1),
         mean=uniform(11), logvar=np.append(uniform(7, low=15, high=19), high))

    # Given gradients, some of which are clipped; weights after every step, and the norms and learning rates of the steps.
    steps, sizes = 8, {"p": (1,), "q": (5, 9), "r": (67,)}
    weights = {key: uniform(*shape) for key, shape in sizes.items()}
    gradients = {key: uniform(steps, *shape, high=0.5) * np.float32(0.1) for key, shape in sizes.items()}
    for g in gradients.values():
        g[::3] *= 9
    leaves = {key: torch.tensor(value, dtype=dtype, requires_grad=True) for key, value in weights.items()}
    adam = torch.optim.Adam(leaves.values(), lr=0.02)
    schedule = torch.optim.lr_scheduler.StepLR(adam, step_size=3, gamma=0.5)
    after, norms, rates = {key: [] for key in sizes}, [], []
    for step in range(steps):
        rates.append(adam.param_groups[0]["lr"])
        for key, leaf in leaves.items():
            leaf.grad = torch.tensor(gradients[key][step], dtype=dtype)
        norms.append(float(torch.nn.utils.clip_grad_norm_(leaves.values(), 1.0)))
        adam.step()
        schedule.step()
        for key, leaf in leaves.items():
            after[key].append(leaf.detach().clone())
    assert min(norms) < 0.9 and max(norms) > 1.1, norms
    for key in sizes:
        stored[f"adam/{key}"] = weights[key]
        stored[f"adam/d{key}"] = gradients[key]
        stored[f"adam/{key} after"] = torch.stack(after[key])
    stored["adam/lr"] = np.array(rates)
    return stored


def images():
    """Three kernels as a measurement might have them, B H W C: fading waves of 2-, 3- and 4-fold symmetry, and some noise."""
    rng = np.random.default_rng(2)
    axis = (np.arange(64) - 31.5) / 32
    x, y = np.meshgrid(axis, axis, indexing="ij")
    made = []
    for n, q in (2, 19), (3, 14), (4, 23):
        angles = 2 * np.pi * np.arange(n) / n + 0.3
        waves = sum(np.cos(q * (x * np.cos(a) + y * np.sin(a)) + 0.5) for a in angles) / n
        made.append(waves * np.exp(-3 * np.hypot(x, y)) + 0.02 * rng.normal(size=x.shape))
    return np.stack(made)[..., None].astype(np.float32)


STEPS, LATENT, HIDDEN = 10, 4, 12
GROUPS = 3
# name, kind, inputs, outputs, side of the kernel
LAYERS = [
    ("down1", "conv", 1, 6, 4),
    ("down2", "conv", 6, HIDDEN, 4),
    ("down3", "conv", HIDDEN, HIDDEN, 4),
    ("moments", "conv", HIDDEN, 2 * LATENT, 3),
    ("head", "conv", LATENT, HIDDEN, 3),
    ("up1", "transposed", HIDDEN, HIDDEN, 4),
    ("up2", "transposed", HIDDEN, 6, 4),
    ("up3", "transposed", 6, 1, 4),
]
NORMS = ["down2", "head", "up1"]


def initial_weights():
    rng = np.random.default_rng(3)
    weights = {}
    for name, kind, inputs, outputs, k in LAYERS:
        shape = (outputs, k, k, inputs) if kind == "conv" else (inputs, k, k, outputs)
        fan_in = inputs * k * k / (1 if kind == "conv" else 4)
        weights[f"{name}.weight"] = rng.normal(size=shape) * math.sqrt(2 / fan_in)
        weights[f"{name}.bias"] = 0.1 * rng.normal(size=outputs)
        if name in NORMS:
            weights[f"{name}.gamma"] = 1 + 0.1 * rng.normal(size=outputs)
            weights[f"{name}.beta"] = 0.1 * rng.normal(size=outputs)
    return {key: value.astype(np.float32) for key, value in weights.items()}


def forward(p, x, noise):
    """Images and noise B C H W to reconstruction, mean and log-variance."""

    def conv(name, t, stride=1):
        return F.conv2d(t, nchw(p[f"{name}.weight"]), p[f"{name}.bias"], stride, padding=1)

    def up(name, t):
        return F.conv_transpose2d(t, nchw(p[f"{name}.weight"]), p[f"{name}.bias"], stride=2, padding=1)

    def norm(name, t):
        return F.silu(F.group_norm(t, GROUPS, p[f"{name}.gamma"], p[f"{name}.beta"]))

    h = F.relu(conv("down1", x, 2))
    h = norm("down2", conv("down2", h, 2))
    h = F.leaky_relu(conv("down3", h, 2))
    mean, logvar = conv("moments", h).chunk(2, 1)
    z = mean + (0.5 * logvar.clamp(-30, 20)).exp() * noise
    h = norm("head", conv("head", z))
    h = norm("up1", up("up1", h))
    h = F.relu(up("up2", h))
    return up("up3", h), mean, logvar


def vae(dtype):
    """Ten steps; step k sees the images k and k + 1 (mod 3). loss: [step, (total, MSE, symmetry, KL)]."""
    rng = np.random.default_rng(4)
    data = images()
    noise = rng.normal(size=(STEPS, 2, 8, 8, LATENT)).astype(np.float32)
    # The angles that the classes of the two images allow, and a sign.
    angle = [180, 120, 90]
    degrees = np.array([[angle[(k + i) % 3] * (-1) ** (k // 3) for i in (0, 1)] for k in range(STEPS)], np.float32)
    weights = initial_weights()
    p = {key: torch.tensor(value, dtype=dtype, requires_grad=True) for key, value in weights.items()}
    adam = torch.optim.Adam(p.values(), lr=1e-3)
    losses, norms, gradients = [], [], {}
    middle = slice(12, 52)  # the central 40 x 40 pixels
    for k in range(STEPS):
        x = nchw(torch.tensor(data[[k % 3, (k + 1) % 3]], dtype=dtype))
        made, mean, logvar = forward(p, x, nchw(torch.tensor(noise[k], dtype=dtype)))
        mse = F.mse_loss(made, x)
        turned = rotate(made, degrees[k].tolist())
        symmetry = F.mse_loss(turned[:, :, middle, middle], x[:, :, middle, middle])
        kl = kl_loss(mean, logvar)
        loss = mse + 0.7 * symmetry + 1e-6 * kl
        adam.zero_grad()
        loss.backward()
        if k == 0:
            gradients = {key: leaf.grad.clone() for key, leaf in p.items()}
        norms.append(float(torch.nn.utils.clip_grad_norm_(p.values(), 1.0)))
        adam.step()
        losses.append([part.item() for part in (loss, mse, symmetry, kl)])
    if dtype == torch.float64:
        print("gradient norms:", " ".join(f"{n:.3g}" for n in norms))
        print("losses:", " ".join(f"{part[0]:.4g}" for part in losses))
    stored = {"images": data, "noise": noise, "degrees": degrees, "loss": np.array(losses)}
    for key in p:
        stored[f"{key}/before"] = weights[key]
        stored[f"{key}/gradient"] = gradients[key]
        stored[f"{key}/after"] = p[key]
    return stored


def array(value):
    value = value.detach().numpy() if isinstance(value, torch.Tensor) else value
    return np.ascontiguousarray(value, np.float32)


def write(path, tensors, half=False):
    """The safetensors format: 8 bytes of header length, a JSON header, the data, in single or half precision."""
    header, data = {"__metadata__": {"torch": torch.__version__}}, b""
    dtype = "F16" if half else "F32"
    for name, value in tensors.items():
        part = array(value).astype(np.float16 if half else np.float32).tobytes()
        shape = list(array(value).shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.set_num_threads(1)
    for name, make in ("ops", ops), ("vae", vae):
        exact, single = make(torch.float64), make(torch.float32)
        write(HERE / f"{name}.safetensors", exact)
        for key, value in exact.items():
            e, s = array(value), array(single[key])
            deviation = np.abs(e - s).max() / np.abs(e).max()
            if deviation > 0:
                print(f"torch in float32: {key:40} {deviation:.1e}")


if __name__ == "__main__":
    main()
