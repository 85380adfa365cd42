"""Fixtures of the engine's tests."""

from pathlib import Path

import pytest

from tests.engine import neuron_library


@pytest.fixture(scope="session")
def compiled_library(h) -> Path:
    """A folder where NEURON has compiled the whole library."""
    return neuron_library.compiled(neuron_library.library_texts())
