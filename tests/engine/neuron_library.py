"""Our own ``.mod`` files in NEURON: compiled once by its compiler, run in their own process."""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.mechanisms.cache import cache_dir
from engine.mechanisms.loading import LIBRARY

PREFIX = "our_"
"""Before the names that NEURON has built in, such as hh."""
_NAMED = re.compile(r"^(\s*(?:SUFFIX|POINT_PROCESS|ARTIFICIAL_CELL)\s+)(\w+)", re.MULTILINE)


def neuron_name(name: str) -> str:
    """What a mechanism of the library is called in NEURON."""
    from neuron import h

    return PREFIX + name if hasattr(h, name) or name in ("hh", "pas") else name


def compiled(files: dict[str, str]) -> Path:
    """A folder where NEURON has compiled ``.mod`` texts; kept from one test run to the next.

    Of several processes that ask at once, one compiles and the others wait.
    """
    compiler = Path(sys.executable).with_name("nrnivmodl")
    if not compiler.exists() or shutil.which("g++") is None:
        pytest.skip("nrnivmodl needs g++")
    key = hashlib.sha256(json.dumps([sys.version, files]).encode()).hexdigest()[:16]
    folder = cache_dir() / "nrnivmodl" / key
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "compiled"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            for name, text in files.items():
                (folder / f"{name}.mod").write_text(text)
            run = subprocess.run([str(compiler), "."], cwd=folder, capture_output=True, text=True)
            assert run.returncode == 0, run.stdout + run.stderr
            done.touch()
    return folder


def library_texts() -> dict[str, str]:
    """The library's files, renamed where NEURON has a mechanism of that name."""
    texts = {}
    for path in sorted(LIBRARY.glob("*.mod")):
        text = path.read_text(encoding="utf-8")
        texts[path.stem] = _NAMED.sub(lambda m: m[1] + neuron_name(m[2]), text)
    return texts


def run_script(folder: Path, script: str, given: Any, out: Path) -> dict[str, np.ndarray]:
    """Run a script where the mechanisms of a folder are known.

    It finds ``given`` (through JSON) and leaves arrays in the dictionary ``result``.
    """
    head = "import json, sys\nimport numpy as np\nfrom neuron import h\n"
    head += "h.load_file('stdrun.hoc'); h.load_file('import3d.hoc')\n"
    head += "given, result = json.loads(sys.stdin.read()), {}\n"
    tail = f"\nnp.savez({str(out)!r}, **result)\n"
    done = subprocess.run(
        [sys.executable, "-c", head + script + tail],
        cwd=folder,
        input=json.dumps(given),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with np.load(out) as data:
        return dict(data)
