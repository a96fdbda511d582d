"""Small files by other programs' writers, into goldens/formats/: python test/goldens/makeFormats.py

Each holds the stack 1 + ix + 10 iy + 100 e of 5 x 4 pixels (x, y) at three energies, or its first image. Written with numpy 1.26 or 2, scipy 1.17, h5py
3.16, Pillow 12 and tifffile 2026.
"""

from pathlib import Path

import numpy as np
import scipy.io
import tifffile
from PIL import Image

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


def pictures():
    top = np.ascontiguousarray(xye[:, ::-1, :].transpose(2, 1, 0))
    for name, kind, compression in [
        ("plain16", "u2", None),
        ("lzw16", "u2", "tiff_lzw"),
        ("deflate32", "f4", "tiff_adobe_deflate"),
        ("packbits8", "u1", "packbits"),
    ]:
        image = Image.fromarray(top[0].astype(kind))
        image.save(OUT / f"{name}.tif", compression=compression)
    tifffile.imwrite(
        OUT / "tiles.tif",
        top.astype("f4"),
        byteorder=">",
        tile=(16, 16),
        photometric="minisblack",
        metadata=None,
        description="Bias: 45 mV",
    )
    tifffile.imwrite(
        OUT / "predictor.tif", top[0].astype("i2"), compression="zlib", predictor=True
    )
    # Long enough for codes of 12 bits and a table that is cleared.
    row, column = np.mgrid[:120, :200]
    steps = (31 * column**2 + 17 * row + row * column) % 9
    walk = steps.cumsum(axis=1).astype("u2")
    Image.fromarray(walk).save(OUT / "long.tif", compression="tiff_lzw")


if __name__ == "__main__":
    arrays()
    pictures()
