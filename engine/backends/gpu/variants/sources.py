"""The CUDA text of the solves, with what it includes put in place."""

import re
from functools import cache
from importlib.resources import files

_INCLUDE = re.compile(r'^#include "([\w.]+)"\n', re.MULTILINE)


@cache
def cuda_source(name: str) -> str:
    """Text of ``engine/backends/cuda/NAME``, each included file once."""
    seen: set[str] = set()

    def put(match: re.Match[str]) -> str:
        return read(match[1])

    def read(file: str) -> str:
        if file in seen:
            return ""
        seen.add(file)
        text = files("engine.backends.cuda").joinpath(file).read_text(encoding="utf-8")
        return _INCLUDE.sub(put, text.replace("#pragma once\n", ""))

    return read(name)
