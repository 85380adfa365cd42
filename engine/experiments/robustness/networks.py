"""Trained networks of the comparison as arrays: what they depend on, what an ANN answers.

Without PyTorch: a finished study can be asked again where it is not installed.
"""

import numpy as np

from engine.experiments.hpc_net.data import Dataset
from engine.experiments.robustness.pieces import Arrays, key_of
from engine.experiments.robustness.study import Study
from engine.types import FloatArray, IntArray


def surrogate_key(study: Study, data: Dataset) -> str:
    """What the surrogate's weights depend on."""
    return key_of(
        "surrogate",
        study.surrogate,
        study.seed,
        data.train,
        data.train_labels,
        data.levels,
        data.shape,
        len(data.classes),
    )


def ann_key(study: Study, data: Dataset, table: FloatArray, n_hidden: int, seed: int) -> str:
    """What an ANN's weights depend on; ``table`` is what it is given for every pixel value."""
    learned = data.train, data.train_labels
    return key_of("ann", study.ann, seed, *learned, table, data.shape, n_hidden, len(data.classes))


def ann_answers(trained: Arrays, table: FloatArray, images: np.ndarray) -> IntArray:
    """(n,) the class an ANN gives each image, from its arrays alone."""
    given = table.astype(np.float32)[images]
    hidden = given @ trained["net/1.weight"].T + trained["net/1.bias"]
    output = np.maximum(hidden, 0.0) @ trained["net/3.weight"].T + trained["net/3.bias"]
    return output.argmax(axis=1).astype(np.int32)
