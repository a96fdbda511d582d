"""Plain ridge at a map's own resolution in numpy, to compare `evaluate --maps` with: python3 bench/maps.py DIR, a folder of `generate --maps`.

The kernels of all kinds, on windows of 64 A and zero beyond, are fitted together to the marked scatterers, all of amplitude 1. A robust cubic background and the
medians of the lines are taken away; what stands out by more than 20 sigma, and what is within 12 A of it, does not count."""
import json, pathlib, sys, time
import numpy as np

def flat(image, pixel):
    """The map without background and line offsets, and which of its pixels count."""
    measured = np.isfinite(image)
    x, y = np.meshgrid(*[np.linspace(-1, 1, n) for n in image.shape], indexing="ij")
    terms = np.stack([x**i * y**j for i in range(4) for j in range(4 - i)], -1)
    spread = lambda values: 1.4826 * np.median(abs(values[measured]))
    rest, trust = np.where(measured, image, 0), measured * 1.0
    for _ in range(8):
        fit = np.linalg.lstsq(terms[measured] * trust[measured, None], image[measured] * trust[measured], rcond=None)[0]
        rest = np.where(measured, image - terms @ fit, 0)
        trust = measured / np.maximum(1, abs(rest) / (2 * spread(rest))) ** 2
    lines = np.median(rest, 0)
    rest -= lines - [np.median(lines[max(0, j - 15):j + 16]) for j in range(len(lines))]
    out = abs(rest) > 20 * spread(rest)
    for _ in range(int(12 / pixel)):
        out = np.any([np.roll(out, by, axis) for axis in (0, 1) for by in (-1, 0, 1)], 0)
    return rest, measured & ~out

def ridge(image, counts, places, kinds, half, strength=0.02, steps=40):
    """Kernels [kind, 2 half + 1, 2 half + 1] by conjugate gradients; FFTs on a padded grid make the convolutions linear."""
    (nx, ny), shape = image.shape, [n + 2 * half + 2 for n in image.shape]
    k, l = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    comb = np.array([sum(np.exp(-2j * np.pi * (k * x + l * y)) for x, y in places[kinds == kind]) for kind in np.unique(kinds)])
    lags = (slice(None), *np.ix_(*[np.arange(-half, half + 1) % n for n in shape]))
    def model(kernels):
        padded = np.zeros((len(kernels), *shape))
        padded[lags] = kernels
        return np.fft.irfft2((np.fft.rfft2(padded) * comb).sum(0), shape)[:nx, :ny]
    adjoint = lambda values: np.fft.irfft2(np.fft.rfft2(values * counts, shape) * comb.conj(), shape)[lags]
    found, left, step, before = 0, adjoint(image), 0, 1
    for _ in range(steps):
        power = (left**2).sum()
        step, before = left + power / before * step, power
        pushed = adjoint(model(step)) + strength * len(kinds) * step
        length = power / (step * pushed).sum()
        found, left = found + length * step, left - length * pushed
    return found

folder, scores, times = pathlib.Path(sys.argv[1]), [], []
for name, entry in json.loads((folder / "truth.json").read_text())["maps"].items():
    image, pixel = np.load(folder / entry["file"]).astype(float), entry["pixel"]
    rows = [line.split(",") for line in (folder / entry["marks"]).read_text().splitlines() if line[:1] != "#"]
    x, y, kinds = [np.array([float(row[rows[0].index(column)]) for row in rows[1:]]) for column in ("x", "y", "kind")]
    start, half = time.perf_counter(), int(64 / pixel)
    places = np.stack([x, y], 1) / pixel + (np.array(image.shape) - 1) / 2
    found = ridge(*flat(image, pixel), places, kinds, half)
    times.append(time.perf_counter() - start)
    near = np.hypot(*np.mgrid[-half:half + 1, -half:half + 1]) <= 60 / pixel
    for kernel, file in zip(found, entry["kernels"]):
        truth = np.load(folder / file)
        middle = slice(len(truth) // 2 - half, len(truth) // 2 + half + 1)
        scores.append(np.corrcoef(kernel[near], truth[middle, middle][near])[0, 1])
        print(f"{name:12}  {times[-1]:5.1f} s  NCC within 60 A {scores[-1]:.4f}", flush=True)
print(f"{'mean':12}  {np.mean(times):5.1f} s  NCC within 60 A {np.mean(scores):.4f}")
