"""Our readers against other programs': python test/goldens/compareReaders.py FILE...

Of each file, every image that we read is looked for among the arrays that another reader finds in it, in each of the eight ways that an image can lie. Needs
numpy, scipy, h5py and tifffile; gwyfile for .gwy, igor2 for .ibw, spym for .sm4. Formats without a reader for Python have a few lines here, from the published
definitions.
"""

import base64
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def gwy(path):
    import gwyfile

    tree = gwyfile.load(str(path))
    for value in tree.values():
        if not hasattr(value, "name"):
            continue
        if value.name == "GwyDataField":
            yield value["data"].reshape(value["yres"], value["xres"])
        if value.name == "GwyBrick":
            shape = value["zres"], value["yres"], value["xres"]
            yield from value["data"].reshape(shape)


def ibw(path):
    from igor2 import binarywave

    data = binarywave.load(str(path))["wave"]["wData"]
    yield from layers(data)


def layers(data):
    """Of three indices the shortest counts the images, or any where that is not plain."""
    if data.ndim == 2:
        yield data
    if data.ndim == 3:
        for axis in range(3):
            yield from np.moveaxis(data, axis, 0)


def hdf5(path):
    import h5py

    found = []
    with h5py.File(path) as f:
        f.visititems(
            lambda _, v: (
                found.append(v[()])
                if isinstance(v, h5py.Dataset)
                and v.ndim in (2, 3)
                and v.dtype.kind in "iuf"
                else None
            )
        )
    for data in found:
        yield from layers(data)


def mat(path):
    import h5py
    import scipy.io

    if h5py.is_hdf5(path):
        yield from hdf5(path)
        return
    stack = list(scipy.io.loadmat(path).values())
    while stack:
        value = stack.pop()
        if not isinstance(value, np.ndarray):
            continue
        if value.dtype.names:
            stack += [v for name in value.dtype.names for v in value[name].ravel()]
        elif value.dtype.kind in "iuf":
            yield from layers(value)


def npz(path):
    with np.load(path) as values:
        for name in values.files:
            if values[name].dtype.kind in "iuf":
                yield from layers(values[name])


def tiff(path):
    import tifffile

    with tifffile.TiffFile(path) as f:
        for page in f.pages:
            yield page.asarray()


def sm4(path):
    from spym.io.rhksm4._sm4 import RHKsm4

    for page in RHKsm4(str(path)):
        yield from layers(np.asarray(page.data))


def gsf(path):
    raw = path.read_bytes()
    head = raw[: raw.index(b"\0")].decode()
    at = len(head) + 4 - len(head) % 4
    nx, ny = (int(re.search(rf"{k}\s*=\s*(\d+)", head)[1]) for k in ("XRes", "YRes"))
    yield np.frombuffer(raw, "<f4", nx * ny, at).reshape(ny, nx)


def createc(path):
    raw = path.read_bytes()
    head = raw[:16384].decode("latin1")
    nx, ny = (int(re.search(rf"Num\.{k} / .*?=(\d+)", head)[1]) for k in "XY")
    at = 16384 if raw[16384] == 0x78 else raw.index(b"DATA") + 4
    values = np.frombuffer(zlib.decompressobj().decompress(raw[at:])[4:], "u1")
    values = values[: len(values) // 4 * 4].view("<f4")
    for k in range(len(values) // (nx * ny)):
        yield values[k * nx * ny : (k + 1) * nx * ny].reshape(ny, nx)


def wsxm(path):
    raw = path.read_bytes()
    head = raw[: raw.index(b"[Header end]") + 14].decode("latin1")
    size = int(re.search(r"Image header size: (\d+)", head)[1])
    ny, nx = (int(re.search(rf"Number of {k}: (\d+)", head)[1]) for k in ("rows", "columns"))
    kind = "<f8" if "double" in head.split("Image Data Type:")[-1][:12] else "<i2"
    yield np.frombuffer(raw, kind, nx * ny, size).reshape(ny, nx)


def sxm(path):
    raw = path.read_bytes()
    head = raw[: raw.index(b":SCANIT_END:")].decode("latin1")
    nx, ny = (int(v) for v in re.search(r":SCAN_PIXELS:\s+(\d+)\s+(\d+)", head).groups())
    at = raw.index(b"\x1a\x04") + 2
    values = np.frombuffer(raw[at:], ">f4")
    yield from values[: len(values) // (nx * ny) * nx * ny].reshape(-1, ny, nx)


def grid(path):
    raw = path.read_bytes()
    end = raw.index(b":HEADER_END:")
    head = raw[:end].decode("latin1")
    nx, ny = (int(v) for v in re.search(r'Grid dim="(\d+) x (\d+)', head).groups())
    before, points = (
        int(re.search(rf"{k}=(\d+)", head)[1]) for k in (r"4 byte\)", "Points")
    )
    values = np.frombuffer(raw[raw.index(b"\n", end) + 1 :], ">f4")
    values = values.reshape(ny, nx, -1)
    yield from np.moveaxis(values, 2, 0)
    assert (values.shape[2] - before) % points == 0


READERS = {
    "3ds": grid,
    "gwy": gwy,
    "ibw": ibw,
    "nexus": hdf5,
    "hdf5": hdf5,
    "mat": mat,
    "npz": npz,
    "npy": lambda path: layers(np.load(path)),
    "tiff": tiff,
    "sm4": sm4,
    "gsf": gsf,
    "createc": createc,
    "wsxm": wsxm,
    "sxm": sxm,
}
WAYS = [
    ("", lambda a: a),
    ("x back", lambda a: a[::-1]),
    ("y back", lambda a: a[:, ::-1]),
    ("x, y back", lambda a: a[::-1, ::-1]),
]


def off(ours, theirs):
    """Largest deviation over the largest value, after the scale and offset that fit best; and whether both are one and nothing."""
    a, b = ours.ravel().astype(float), theirs.ravel().astype(float)
    good = np.isfinite(a) & np.isfinite(b)
    if good.sum() < 2:
        return np.inf, True
    top = np.abs(b[good]).max()
    plain = np.abs(a[good] - b[good]).max() / top if top else np.inf
    if plain < 1e-5 or np.ptp(b[good]) == 0:
        return plain, np.isfinite(plain)
    scale, offset = np.polyfit(b[good], a[good], 1)
    height = np.ptp(a[good]) or 1
    return np.abs(scale * b[good] + offset - a[good]).max() / height, False


def compare(said):
    shape = said["nx"], said["ny"]
    theirs = list(READERS[said["format"]](Path(said["file"])))
    worst, ways, scaled, count = 0.0, set(), False, 0
    for channel in said["channels"]:
        for packed in channel["images"]:
            ours = np.frombuffer(base64.b64decode(packed), "<f4").reshape(shape)
            best = (True, np.inf, "nothing like it")
            for array in theirs:
                for turned, rows in ((array.T, "rows first"), (array, "x first")):
                    if turned.shape != shape:
                        continue
                    for way, move in WAYS:
                        share, same = off(ours, move(turned))
                        best = min(best, (not same, share, f"{rows} {way}".strip()))
            worst = max(worst, best[1])
            ways.add(best[2])
            scaled |= best[0]
            count += 1
    print(
        f"{Path(said['file']).name}: {said['format']}, {count} images of {shape[0]} x {shape[1]}, {worst:.0e}"
        f"{' after a scale' if scaled else ''}; they have {', '.join(sorted(ways))}"
    )


if __name__ == "__main__":
    out = subprocess.run(
        ["node", HERE / "readOut.ts", *sys.argv[1:]],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in out.splitlines():
        compare(json.loads(line))
