"""A network of dendritic neurons that learns (HPC-Net of Zhang et al. 2023, Fig. 6).

data = load("digits")
recipe = PRESETS["quick"]
network = prepare(recipe, data)
for progress in train(Shortcut(network), data, recipe.learning):
    ...
"""

from engine.experiments.hpc_net.choosing import make_way
from engine.experiments.hpc_net.compartmental import Compartmental
from engine.experiments.hpc_net.data import Dataset, download, load
from engine.experiments.hpc_net.network import Network, Weights, make_network
from engine.experiments.hpc_net.rule import register_rule
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import (
    PRESETS,
    Encoding,
    HpcNet,
    Learning,
    Optimizer,
    Training,
    from_json,
    hidden_cell,
    to_json,
)
from engine.experiments.hpc_net.state import Evaluation, Progress, State
from engine.experiments.hpc_net.training import evaluate, prepare, start, train

__all__ = [
    "PRESETS",
    "Compartmental",
    "Dataset",
    "Encoding",
    "Evaluation",
    "HpcNet",
    "Learning",
    "Network",
    "Optimizer",
    "Progress",
    "Shortcut",
    "State",
    "Training",
    "Weights",
    "download",
    "evaluate",
    "from_json",
    "hidden_cell",
    "load",
    "make_network",
    "make_way",
    "prepare",
    "register_rule",
    "start",
    "to_json",
    "train",
]
