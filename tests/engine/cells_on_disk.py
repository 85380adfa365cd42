"""Small cells written by the tests themselves, so that they need no data folder."""

from pathlib import Path

BALL_AND_STICK = """\
1 1 0 0 0 10 -1
2 3 10 0 0 1 1
3 3 110 0 0 1 2
4 3 210 10 0 0.8 3
5 3 310 10 0 0.6 4
"""

FORKED = """\
# soma, an axon, two basal stems, an apical that forks in three
1 1 0 0 0 9 -1
2 2 0 -9 0 0.5 1
3 2 0 -100 0 0.4 2
4 2 20 -220 0 0.3 3
5 3 9 0 0 1 1
6 3 80 0 0 0.9 5
7 3 150 40 0 0.5 6
8 3 150 -40 10 0.6 6
9 3 -9 0 0 1 1
10 3 -120 10 0 0.7 9
11 4 0 9 0 2 1
12 4 0 150 0 1.5 11
13 4 50 250 0 0.7 12
14 4 -50 260 0 0.6 12
15 4 0 270 30 0.8 12
16 4 0 400 60 0.5 15
"""


def write(folder: Path, text: str, name: str = "cell.swc") -> Path:
    """The text as a file of that name."""
    path = folder / name
    path.write_text(text, encoding="ascii")
    return path
