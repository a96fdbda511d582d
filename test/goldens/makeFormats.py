"""Small files by other programs' writers, into goldens/formats/: python test/goldens/makeFormats.py

Each holds the stack 1 + ix + 10 iy + 100 e of 5 x 4 pixels (x, y) at three energies, or its first image. Written with numpy 1.26 or 2, scipy 1.17, h5py
3.16, Pillow 12 and tifffile 2026.
"""

from pathlib import Path

import numpy as np
import scipy.io

OUT = Path(__file__).parent / "formats"
OUT.mkdir(exist_ok=True)

x, y, e = np.meshgrid(np.arange(5), np.arange(4), np.arange(3), indexing="ij")
xye = (1 + x + 10 * y + 100 * e).astype(float)
exy = np.ascontiguousarray(xye.transpose(2, 0, 1))
energies = np.array([-0.01, 0.0, 0.02])
topography = xye[:, :, 0] * 1e-10


def arrays():
    np.savez(
        OUT / "stored.npz",
        didv=exy.astype(np.float32),
        energy=energies,
        z=topography,
        note="a text",
    )
    np.savez_compressed(
        OUT / "deflated.npz",
        didv=np.asfortranarray(xye.astype(">i2")),
        bias_mV=1000 * energies,
    )
    np.savez(OUT / "vectors.npz", energy=energies)
    matlab = {
        "didv": xye,
        "E": energies,
        "z": topography,
        "comment": "cold tip",
        "spectrum": np.array([1 + 2j, 3]),
        "other": np.ones((7, 2), np.uint8),
    }
    scipy.io.savemat(OUT / "plain.mat", matlab)
    scipy.io.savemat(
        OUT / "packed.mat",
        {"run": {"map": xye.astype(np.int16), "en": energies}},
        do_compression=True,
    )


if __name__ == "__main__":
    arrays()
