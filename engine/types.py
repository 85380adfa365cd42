"""Array aliases and the closed choices that several modules share."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]

NodeSet = Literal["neuron", "merged"]
"""NEURON's nodes (a massless one at every section end), or only those that matter."""

AxonPolicy = Literal["keep", "stub"]
"""Keep the reconstructed axon, or replace it by two cylinders of 30 µm as published models do."""

ScheduleMethod = Literal[
    "hines", "permute1", "permute2", "branches", "depth_levels", "height_levels", "dhs"
]

BackendName = Literal["auto", "cpu", "gpu", "auto-single", "gpu-single"]
"""With ``-single`` a GPU computes the membrane's currents and states in single precision."""

Precision = Literal["double", "single"]
