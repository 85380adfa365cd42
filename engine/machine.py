"""What numbers were measured on."""

import platform
from pathlib import Path


def processor_name() -> str:
    """The processor as the system names it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return plain(line.partition(":")[2])
    except OSError:
        pass
    return plain(platform.processor() or platform.machine())


def plain(name: str) -> str:
    """``Intel Xeon`` from ``Intel(R) Xeon(R) Processor``, without what tells nothing."""
    for word in ("(R)", "(TM)", " Processor", " CPU"):
        name = name.replace(word, "")
    return " ".join(name.split())
