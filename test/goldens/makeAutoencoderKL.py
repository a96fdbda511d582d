"""Makes autoencoderKL.safetensors, which test/autoencoderKL.test.ts compares src/models/autoencoderKL.ts with:

    python3 test/goldens/makeAutoencoderKL.py        # Debian: python3-torch, python3-numpy

A tiny AutoencoderKL, written here from its definition with torch's own layers and with the names of the diffusers library (which is not needed), in float64
from inputs that are float32 numbers: its weights in the library's layout, what encoder and decoder make of an image and of a latent, the gradients of all
weights, and the weights after ten steps of Adam on MSE + beta KL. With `--pretrained` it writes instead a file with three colour channels in half
precision under the older names of the attention's layers, as published weights have them, to start from.
"""

import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from make import HERE, kl_loss, nhwc, write

CHANNELS, LAYERS, GROUPS, LATENT, STEPS = (4, 8), 1, 2, 4, 10


class Resnet(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, inputs, eps=1e-6)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = nn.GroupNorm(GROUPS, outputs, eps=1e-6)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        if inputs != outputs:
            self.conv_shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x)


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.group_norm = nn.GroupNorm(GROUPS, channels, eps=1e-6)
        self.to_q, self.to_k, self.to_v = (nn.Linear(channels, channels) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x):
        b, c, h, w = x.shape
        t = self.group_norm(x).flatten(2).transpose(1, 2)
        scores = self.to_q(t) @ self.to_k(t).transpose(1, 2) / c**0.5
        mixed = self.to_out[0](scores.softmax(-1) @ self.to_v(t))
        return x + mixed.transpose(1, 2).view(b, c, h, w)


class Middle(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.attentions = nn.ModuleList([Attention(channels)])
        self.resnets = nn.ModuleList([Resnet(channels, channels) for _ in range(2)])

    def forward(self, x):
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class Resample(nn.Module):
    def __init__(self, channels, up):
        super().__init__()
        self.up = up
        self.conv = nn.Conv2d(channels, channels, 3, stride=1 if up else 2, padding=1 if up else 0)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest") if self.up else F.pad(x, (0, 1, 0, 1)))


class Block(nn.Module):
    def __init__(self, inputs, outputs, layers, resampler):
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(inputs if j == 0 else outputs, outputs) for j in range(layers)])
        if resampler:
            setattr(self, resampler, nn.ModuleList([Resample(outputs, resampler == "upsamplers")]))
        self.resampler = resampler

    def forward(self, x):
        for resnet in self.resnets:
            x = resnet(x)
        return getattr(self, self.resampler)[0](x) if self.resampler else x


class Coder(nn.Module):
    """The encoder (inwards) or the decoder (outwards)."""

    def __init__(self, inputs, outputs, inwards):
        super().__init__()
        channels = CHANNELS if inwards else CHANNELS[::-1]
        last = len(channels) - 1
        kind, layers = ("downsamplers", LAYERS) if inwards else ("upsamplers", LAYERS + 1)
        blocks = nn.ModuleList(
            [Block(channels[max(i - 1, 0)], c, layers, kind if i < last else None) for i, c in enumerate(channels)])
        self.conv_in = nn.Conv2d(inputs, channels[0], 3, padding=1)
        setattr(self, "down_blocks" if inwards else "up_blocks", blocks)
        self.mid_block = Middle(channels[last if inwards else 0])
        self.conv_norm_out = nn.GroupNorm(GROUPS, channels[last], eps=1e-6)
        self.conv_out = nn.Conv2d(channels[last], outputs, 3, padding=1)
        self.inwards = inwards

    def forward(self, x):
        h = self.conv_in(x)
        if not self.inwards:
            h = self.mid_block(h)
        for block in self.down_blocks if self.inwards else self.up_blocks:
            h = block(h)
        if self.inwards:
            h = self.mid_block(h)
        return self.conv_out(F.silu(self.conv_norm_out(h)))


class AutoencoderKL(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.encoder = Coder(channels, 2 * LATENT, True)
        self.quant_conv = nn.Conv2d(2 * LATENT, 2 * LATENT, 1)
        self.post_quant_conv = nn.Conv2d(LATENT, LATENT, 1)
        self.decoder = Coder(LATENT, channels, False)

    def encode(self, x):
        return self.quant_conv(self.encoder(x)).chunk(2, 1)

    def decode(self, z):
        return self.decoder(self.post_quant_conv(z))


def seeded(channels, seed):
    """A network whose weights are float32 numbers, with norms and biases that are not 1 and 0."""
    network, rng = AutoencoderKL(channels), np.random.default_rng(seed)
    for name, p in network.named_parameters():
        fan_in = p[0].numel() if p.dim() > 1 else 1
        values = rng.normal(size=p.shape) / np.sqrt(fan_in) if p.dim() > 1 else 0.1 * rng.normal(size=p.shape)
        if "norm" in name and name.endswith("weight"):
            values = 1 + values
        p.data = torch.tensor(values.astype(np.float32))
    return network


def goldens():
    network = seeded(1, 5).double()
    rng = np.random.default_rng(6)

    def random(*shape):
        return torch.tensor(rng.normal(size=shape).astype(np.float32)).double()

    x, noise = random(2, 1, 16, 16), random(STEPS, 2, LATENT, 8, 8)
    stored = {"x": nhwc(x), "noise": noise.permute(0, 1, 3, 4, 2)}
    stored |= {f"weights/{name}": p.clone() for name, p in network.named_parameters()}
    with torch.no_grad():
        mean, logvar = network.encode(x)
        stored |= {"mean": nhwc(mean), "logvar": nhwc(logvar), "decoded": nhwc(network.decode(noise[0]))}
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for k in range(STEPS):
        mean, logvar = network.encode(x)
        z = mean + (0.5 * logvar.clamp(-30, 20)).exp() * noise[k]
        loss = F.mse_loss(network.decode(z), x) + 1e-2 * kl_loss(mean, logvar)
        adam.zero_grad()
        loss.backward()
        if k == 0:
            stored |= {f"gradients/{name}": p.grad.clone() for name, p in network.named_parameters()}
        adam.step()
        losses.append(loss.item())
    stored |= {f"after/{name}": p for name, p in network.named_parameters()}
    stored["losses"] = np.array(losses)
    return stored


def pretrained():
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    stored = {}
    for name, p in seeded(3, 7).named_parameters():
        for new, before in old.items():
            if f".{new}." in name:
                name = name.replace(f".{new}.", f".{before}.")
                p = p[:, :, None, None] if p.dim() == 2 else p
        stored[name] = p
    return stored


if __name__ == "__main__":
    torch.set_num_threads(1)
    if "--pretrained" in sys.argv:
        write(HERE / "pretrainedKL.safetensors", pretrained(), half=True)
    else:
        write(HERE / "autoencoderKL.safetensors", goldens())
