"""Write a morphology as SWC so that reading it gives the same points to the last bit."""

import gzip
import os
from pathlib import Path

import numpy as np

from engine.errors import MorphologyError
from engine.morphology.model import Morphology, Tag
from engine.morphology.pointwise import MARKER, is_pointwise


def write_swc(morphology: Morphology, path: str | Path) -> None:
    """Write one point a row, numbered from 1 in the morphology's order, gzipped if the name ends in
    ``.gz``.

    The file appears under its name only when it is complete. That every point is a compartment is
    written where the morphology says so. What SWC has no place for is not
    written: the outlines of a Neurolucida soma (its cylinder is), the notes, the cuts.

    Raises
    ------
    MorphologyError
        If the folder cannot be written to, or the morphology holds several somata, which SWC
        readers refuse.
    """
    path = Path(path)
    n_soma = np.count_nonzero((morphology.tag == Tag.SOMA) & (morphology.parent < 0))
    if n_soma > 1:
        raise MorphologyError(
            path,
            f"the morphology holds {n_soma} somata, but an SWC file holds one cell",
            "export each cell by itself",
        )
    name = " ".join(morphology.name.split())
    rows = zip(
        range(1, morphology.n_point + 1),
        morphology.tag.tolist(),
        morphology.xyz.tolist(),
        morphology.radius.tolist(),
        morphology.parent.tolist(),
        strict=True,
    )
    body = "".join(
        f"{i} {tag} {x!r} {y!r} {z!r} {radius!r} {parent + 1 if parent >= 0 else -1}\n"
        for i, tag, (x, y, z), radius, parent in rows
    )
    head = [name, "written by DendView; radii and coordinates in µm"]
    if is_pointwise(morphology):
        head.append(MARKER)
    head.append("id type x y z radius parent")
    data = ("".join(f"# {line}\n" for line in head) + body).encode()
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise MorphologyError(
            path, f"the file cannot be written ({reason})", "choose another folder"
        ) from None
