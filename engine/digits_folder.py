"""Write the bundled digits into ``sample_models/`` from scikit-learn's copy of them.

    python -m engine.digits_folder        # needs scikit-learn; writes the same bytes again

The digits are the test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
C. Kaynak (UCI Machine Learning Repository, 1998, CC BY 4.0).
"""

import gzip
import struct
from io import BytesIO
from pathlib import Path

import numpy as np

from engine.morphology.samples import folder


def idx_bytes(values: np.ndarray) -> bytes:
    """A gzip-packed IDX file of bytes, the same for the same values."""
    head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    packed = BytesIO()
    with gzip.GzipFile("", "wb", 9, packed, mtime=0) as file:
        file.write(head + np.ascontiguousarray(values, np.uint8).tobytes())
    return packed.getvalue()


def write_digits(images: np.ndarray, labels: np.ndarray, target: Path) -> None:
    """Write images (n, 8, 8) and labels (n,)."""
    (target / "digits-images.gz").write_bytes(idx_bytes(images))
    (target / "digits-labels.gz").write_bytes(idx_bytes(labels))


if __name__ == "__main__":
    from sklearn.datasets import load_digits

    digits = load_digits()
    write_digits(digits.images, digits.target, folder())
