"""Small files by other programs' writers, into goldens/formats/: python test/goldens/makeFormats.py

Each holds the stack 1 + ix + 10 iy + 100 e of 5 x 4 pixels (x, y) at three energies, or its first image. Written with numpy 1.26 or 2, scipy 1.17, h5py
3.16, Pillow 12 and tifffile 2026.
"""

from pathlib import Path

import h5py
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


def hdf5():
    with h5py.File(OUT / "nexus.h5", "w") as f:
        f.attrs["NX_class"] = "NXroot"
        entry = f.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        bias = entry.create_dataset("instrument/sample_bias/bias_voltage", data=0.05)
        bias.attrs["units"] = "volt"
        entry["title"] = "FeSe"
        stack = entry.create_group("data")
        stack.attrs.update(NX_class="NXdata", signal="dIdV", axes=["y", "x", "energy"])
        down = np.ascontiguousarray(xye[:, ::-1, :].transpose(1, 0, 2))
        stack.create_dataset("dIdV", data=down, dtype=">f4").attrs["units"] = "siemens"
        for name, values, unit in [
            ("x", 2e-9 * np.arange(5), "meter"),
            ("y", 1e-9 * np.arange(4)[::-1], "meter"),
            ("energy", 1000 * energies, "mV"),
        ]:
            stack.create_dataset(name, data=values).attrs["units"] = unit
        height = entry.create_group("z_forward")
        height.attrs.update(NX_class="NXdata", signal="z", axes=["y", "x"])
        height.create_dataset("z", data=topography.T).attrs["units"] = "meter"
    with h5py.File(OUT / "arrays.h5", "w") as f:
        packed = dict(chunks=(2, 3, 4), compression="gzip", shuffle=True)
        f.create_dataset("run/didv", data=exy.astype("i2"), **packed)
        f.create_dataset("run/energy", data=energies)
        f.create_dataset("run/table", data=np.zeros(3, [("a", "f4"), ("b", "i4")]))
        f["run/comment"] = "cold tip"
        f["lost"] = h5py.SoftLink("/nowhere")
        f["elsewhere"] = h5py.ExternalLink("other.h5", "/x")
    with h5py.File(OUT / "matlab73.mat", "w", userblock_size=512) as f:
        # MATLAB writes an array's sizes in reverse order.
        for name, values in [("didv", xye.T), ("E", energies[:, None])]:
            f.create_dataset(name, data=values).attrs["MATLAB_class"] = np.bytes_(
                "double"
            )
        letters = np.frombuffer("cold tip".encode("utf-16le"), "u2")[:, None]
        f.create_dataset("comment", data=letters).attrs["MATLAB_class"] = np.bytes_(
            "char"
        )
        f.create_group("#refs#")["a"] = np.ones((9, 9))
    with open(OUT / "matlab73.mat", "r+b") as f:
        f.write(b"MATLAB 7.3 MAT-file, made for a test".ljust(124))
    with h5py.File(OUT / "hollow.h5", "w") as f:
        f.create_dataset(
            "a", (10**5, 10**5), "f8", chunks=(1000, 1000), compression="gzip"
        )


if __name__ == "__main__":
    arrays()
    pictures()
    hdf5()
