"""Neurolucida ASC: parentheses around outlines and trees; markers, spines and pictures are passed
over.

One reader serves every file. MorphIO would be the second opinion, but it refuses valid files with
several outlines of the soma, joins branches and drops doubled points, so that NEURON's sections
could not be told from what it returns; the tests compare with it where it reads a file. No
recursion: branches may be nested at any depth.
"""

import numpy as np

from engine.morphology.asc_tokens import Token, tokens
from engine.morphology.contour import Soma, somata
from engine.morphology.model import Morphology, Tag
from engine.morphology.problems import Problem, Refusal, as_notes, refuse
from engine.morphology.swc_checks import FAR
from engine.types import FloatArray

_SOMA_NAMES = {"cellbody", "cell body", "soma"}
_TAGS = {"axon": Tag.AXON, "dendrite": Tag.BASAL, "apical": Tag.APICAL}
_CLOSE = "save the file again in Neurolucida, or complete it in a text editor"
MIN_OUTLINE = 3


class _Tree:
    """Points of all trees, growing."""

    def __init__(self) -> None:
        self.values: list[tuple[float, float, float, float]] = []
        self.parent: list[int] = []
        self.tag: list[int] = []
        self.at: list[int] = []
        self.branch_start: list[int] = []

    def cut_back(self, n: int) -> None:
        for column in (self.values, self.parent, self.tag, self.at):
            del column[n:]
        self.branch_start = [i for i in self.branch_start if i < n]


def read(text: str, name: str) -> tuple[Morphology | None, list[Problem]]:
    """The morphology of a file's text, and its problems; None where an error forbids it."""
    reader = _Reader(text)
    try:
        reader.read_objects()
        reader.check()
    except Refusal as refusal:
        reader.problems.append(refusal.problem)
    if any(p.severity == "error" for p in reader.problems):
        return None, reader.problems
    return reader.build(name), reader.problems


class _Reader:
    """Walks through the tokens once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newlines = np.flatnonzero(np.frombuffer(text.encode("utf-32-le"), "<u4") == 10)
        self.tokens = list(tokens(text))
        self.i = 0
        self.tree = _Tree()
        self.outlines: list[list[tuple[float, float, float, float]]] = []
        self.problems: list[Problem] = []

    # tokens

    def line(self, at: int) -> int:
        return int(np.searchsorted(self.newlines, at, side="left")) + 1

    def row(self, at: int) -> str:
        start = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", at)
        return self.text[start : end if end >= 0 else None].strip()[:200]

    def fail(self, code: str, meaning: str, at: int, fix: str = _CLOSE) -> Refusal:
        return refuse(code, meaning, fix, self.line(at), self.row(at))

    def peek(self, ahead: int = 0) -> Token:
        i = self.i + ahead
        return self.tokens[i] if i < len(self.tokens) else Token("end", "", len(self.text))

    def skip(self, opened: Token, what: str, opener: str = "(", closer: str = ")") -> None:
        """Pass over everything up to the mark that closes ``opened``, which was just taken."""
        depth = 0
        while (token := self.peek()).kind != "end":
            self.i += 1
            if token.text == closer and depth == 0:
                return
            if token.kind == "mark":
                depth += (token.text == "(") - (token.text == ")")
                if depth < 0:
                    break
        raise self.fail(
            "format.unclosed",
            f"the {what} that begins here is never closed by '{closer}'",
            opened.at,
        )

    # grammar

    def read_objects(self) -> None:
        sets = 0
        while (token := self.peek()).kind != "end":
            self.i += 1
            following = self.peek()
            if token.text == ")" and sets:
                sets -= 1
            elif token.text == ",":
                continue
            elif token.text != "(":
                raise self.fail(
                    "format.stray",
                    f"'{token.text[:30]}' stands where an outline or a tree should begin",
                    token.at,
                )
            elif following.kind == "string":
                self.read_outline(token)
            elif following.text == "(" or following.kind == "point":
                self.read_tree(token)
            elif following.text.lower() == "set" and self.peek(1).kind == "string":
                self.i += 2
                sets += 1
            else:
                self.skip(token, "entry")
        if sets:
            raise self.fail(
                "format.unclosed", "a set is never closed by ')'", max(len(self.text) - 1, 0)
            )

    def read_outline(self, opened: Token) -> None:
        """``("name" properties points)``, kept where it is the soma's."""
        name = self.peek().text.strip('"').strip().lower()
        self.i += 1
        points, soma = [], name in _SOMA_NAMES
        while (token := self.peek()).text != ")":
            if token.kind == "end":
                raise self.fail(
                    "format.unclosed", "the outline that begins here is never closed", opened.at
                )
            self.i += 1
            if token.kind == "point":
                points.append((self.numbers(token, soma), token))
            elif token.text == "(":
                soma |= self.peek().text.lower() == "cellbody"
                if soma and self.peek().kind == "other":
                    raise self.malformed(token)
                self.skip(token, "property")
            elif token.text == "<":
                self.skip(token, "spine", "<", ">")
        self.i += 1
        if not soma:
            return
        values = [value for value, _ in points]
        n = len(values)
        if n >= MIN_OUTLINE and np.ptp(np.array(values)[:, :2], axis=0).max() > 0:
            self.outlines.append(values)
            return
        self.problems.append(
            Problem(
                "semantics.short_outline",
                f"the outline of the soma ({n} point{'s' * (n != 1)}) encloses nothing",
                "it was left out, as NEURON does; draw it with at least three points",
                self.line(opened.at),
                self.row(opened.at),
                "warning",
            )
        )

    def read_tree(self, opened: Token) -> None:
        """``(properties branch)``; a branch is points, then an end word or ``(branch | branch
        ...)``.
        """
        tree, begin = self.tree, len(self.tree.values)
        tag: int = Tag.UNDEFINED
        typed = ended = False
        end = fork = -1  # last point of this branch; where its siblings begin
        forks: list[tuple[int, Token]] = []
        fresh = True  # the next point begins a branch
        while True:
            token = self.peek()
            self.i += 1
            if token.kind == "point":
                if ended:
                    raise self.fail(
                        "topology.after_end",
                        "points follow after their branch has ended",
                        token.at,
                        "remove the end word before them, or the points",
                    )
                if fresh:
                    tree.branch_start.append(len(tree.values))
                tree.parent.append(end)
                tree.values.append(self.numbers(token, True))
                tree.tag.append(tag)
                tree.at.append(token.at)
                end, fresh = len(tree.values) - 1, False
            elif token.text == "(":
                following = self.peek()
                if following.text == "(" or following.kind == "point" or following.text == "|":
                    if ended:
                        raise self.fail(
                            "topology.after_end",
                            "a fork follows after its branch has ended",
                            token.at,
                            "remove the end word before it, or join two forks: (a | b | c)",
                        )
                    forks.append((fork, token))
                    fork, fresh, ended = end, True, False
                else:
                    if not typed and following.text.lower() in _TAGS:
                        tag, typed = _TAGS[following.text.lower()], True
                        tree.tag[begin:] = [tag] * (len(tree.tag) - begin)
                    if following.kind == "other":
                        raise self.malformed(token)
                    self.skip(token, "property")
            elif token.text == "|" and forks:
                end, fresh, ended = fork, True, False
            elif token.text == ")":
                if not forks:
                    return
                end, (fork, _) = fork, forks.pop()
                ended = True
            elif token.text == "<":
                self.skip(token, "spine", "<", ">")
            elif token.kind == "word":
                ended = True
            elif token.kind == "string" and len(tree.values) - begin == 1 and not forks:
                tree.cut_back(begin)  # a text written beside the cell
                self.skip(opened, "text")
                return
            elif token.kind == "end":
                raise self.fail(
                    "format.unclosed",
                    "the file ends within the tree that begins here "
                    f"({len(forks) + 1} parentheses are open)",
                    opened.at,
                )
            elif token.kind == "other" or token.text in "|>":
                raise self.malformed(token)

    def malformed(self, token: Token) -> Refusal:
        if token.text == "(":
            meaning = "the point that begins here is not complete"
        else:
            meaning = f"'{token.text[:30]}' does not belong into a tree"
        return self.fail("format.point", meaning, token.at, "write it as ( x y z diameter )")

    def numbers(self, token: Token, checked: bool) -> tuple[float, float, float, float]:
        x, y, z, d = (float(number or 0.0) for number in token.numbers)
        if checked and not all(map(np.isfinite, (x, y, z, d))):
            self.note_point(token, "geometry.not_finite", "a number of the point is not finite")
        elif checked and d < 0:
            self.note_point(token, "geometry.negative_radius", f"the point has the diameter {d:g}")
        elif checked and max(abs(x), abs(y), abs(z), d) > FAR:
            self.note_point(token, "geometry.too_far", "the point is farther out than any neuron")
        return x, y, z, d

    def note_point(self, token: Token, code: str, meaning: str) -> None:
        self.problems.append(
            Problem(
                code,
                meaning,
                "measure the point again or remove it",
                self.line(token.at),
                self.row(token.at),
            )
        )

    # what was read

    def check(self) -> None:
        tree = self.tree
        if not tree.values and not self.outlines:
            raise refuse(
                "format.no_points",
                "the file holds neither a tree nor an outline of a soma",
                "export the cell again from Neurolucida",
            )
        warn = self.problems.append
        zero = [i for i, value in enumerate(tree.values) if value[3] == 0]
        if zero:
            n = f"{len(zero)} points have" if len(zero) > 1 else "1 point has"
            warn(
                Problem(
                    "geometry.zero_radius",
                    f"{n} the diameter 0",
                    "cables take the diameter of the nearest point towards the soma that has one",
                    self.line(tree.at[zero[0]]),
                    self.row(tree.at[zero[0]]),
                    "warning",
                )
            )
        n_root = tree.parent.count(-1)
        if not self.outlines:
            meaning = "the file holds no outline of a soma"
            if n_root > 1:
                meaning += f", so its {n_root} trees are not joined"
            warn(
                Problem(
                    "semantics.no_soma", meaning, "each tree stays on its own", severity="warning"
                )
            )
        if any(not tag for tag in tree.tag):
            at = tree.at[tree.tag.index(0)]
            warn(
                Problem(
                    "semantics.untyped",
                    "a tree is marked neither as axon nor as dendrite",
                    "its sections are called dend_0",
                    self.line(at),
                    self.row(at),
                    "warning",
                )
            )

    def build(self, name: str) -> Morphology:
        """Somata first, as rows of disks; then the trees, hung on the middle disk of their soma."""
        outlines = [np.array(values) for values in self.outlines]
        cells = somata(outlines)
        if len(cells) > 1:
            self.problems.append(
                Problem(
                    "topology.several_roots",
                    f"the outlines make {len(cells)} somata apart from each other",
                    "each is a cell of its own with the trees nearest to it",
                    severity="warning",
                )
            )
        if any(cell.round for cell in cells):
            self.problems.append(
                Problem(
                    "geometry.flat_outline",
                    "an outline of the soma has no width",
                    "a sphere of the same circumference was taken",
                    severity="warning",
                )
            )
        values = np.array(self.tree.values, np.float64).reshape(-1, 4)
        parent = np.array(self.tree.parent, np.int64)
        n_disk = [len(cell.diameter) for cell in cells]
        n_soma = sum(n_disk)
        middle = np.concatenate([[0], np.cumsum(n_disk)[:-1]]) + np.array(n_disk) // 2
        root = np.flatnonzero(parent < 0)
        parent = np.where(parent < 0, -1, parent + n_soma)
        if cells and root.size:
            parent[root] = middle[[_nearest(cells, values[i, :3]) for i in root]]
        chains = [np.arange(n) + sum(n_disk[:k]) - 1 for k, n in enumerate(n_disk)]
        for chain in chains:
            chain[0] = -1
        own = np.array([self.line(at) for at in self.tree.at], np.int32)
        starts = np.array(self.tree.branch_start, np.int64) + n_soma
        parents = np.concatenate([*chains, parent]).astype(np.int32)
        n_child = np.bincount(parents[parents >= 0], minlength=len(parents))
        up = parents[starts]
        cuts = starts[(up >= n_soma) & (n_child[up] == 1)]
        return Morphology(
            xyz=np.concatenate([*(cell.xyz for cell in cells), values[:, :3]]),
            radius=np.concatenate([*(cell.diameter for cell in cells), values[:, 3]]) / 2,
            parent=parents,
            tag=np.concatenate([np.full(n_soma, Tag.SOMA), self.tree.tag]).astype(np.int32),
            line=np.concatenate([np.full(n_soma, -1), own]).astype(np.int32),
            name=name,
            source="asc",
            contours=tuple(outlines),
            notes=as_notes(self.problems),
            cuts=cuts.astype(np.int32),
        )


def _nearest(cells: list[Soma], stem: FloatArray) -> int:
    """The first soma in whose box a stem begins, else that with the nearest center."""
    for i, cell in enumerate(cells):
        if (cell.low <= stem[:2]).all() and (stem[:2] <= cell.high).all():
            return i
    return int(np.argmin([np.linalg.norm(stem - cell.center) for cell in cells]))
