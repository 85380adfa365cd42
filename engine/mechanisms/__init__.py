"""Membrane mechanisms: NMODL in, numba and CUDA source out.

``.mod`` text → grammar → :class:`Source` → passes → :class:`Mechanism` → ``emit_numba`` /
``emit_cuda``.
"""

from engine.mechanisms.cache import cache_dir, compile_source
from engine.mechanisms.emit import arguments
from engine.mechanisms.emit_cuda import emit_cuda
from engine.mechanisms.emit_numba import emit_numba
from engine.mechanisms.loading import library, load_mechanism, parse
from engine.mechanisms.model import Argument, Mechanism
from engine.mechanisms.recording import record

__all__ = [
    "Argument",
    "Mechanism",
    "arguments",
    "cache_dir",
    "compile_source",
    "emit_cuda",
    "emit_numba",
    "library",
    "load_mechanism",
    "parse",
    "record",
]
