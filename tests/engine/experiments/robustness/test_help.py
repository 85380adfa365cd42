"""The help of the robustness study tells what the tables in the repository hold."""

from pathlib import Path

from engine.experiments.robustness import HELP, conclusion, from_json

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results"


def test_the_help_says_what_the_kept_results_say():
    """Every number of its third paragraph, from the tables in the repository."""
    kept = []
    for name in ("mnist", "fashion-mnist"):
        (path,) = RESULTS.glob(f"robustness_{name}_*.json")
        kept.append(from_json(path.read_text("utf-8"), path.name))
    said = HELP.split("\n\n")[2]
    leads, keeps, last, lost = [], [], [], []
    for one in kept:
        assert one.complete
        assert one.n_test == 2000
        by = {c.subject: c for c in one.curves if c.disturbance == "attack"}
        parts = conclusion(one).split(". ")
        leads.append(next(p for p in parts if p.startswith("Under attack")))
        behind = next(p for p in parts if p.startswith("Than the ANN behind the encoding"))
        assert "better at epsilon 0.14, 0.16, 0.18, 0.2; elsewhere" in behind
        passed = next(p for p in parts if p.startswith("Than the ANN behind encoding and"))
        better = [float(e) for e in passed.split("epsilon ")[1].split(";")[0].split(", ")]
        keeps.append(max(e for e in one.study.epsilons if e < better[0]))
        last.append([by[s].at(0.2).accuracy.value for s in ("hpc_net", "passed_ann")])
        for epsilon in (0.16, 0.18, 0.2):
            hidden, plain = by["encoded_ann"].at(epsilon), by["ann"].at(epsilon)
            assert hidden.spread[1] < plain.spread[0]
        pairs = [(p, by["moved"].at(p.epsilon)) for p in by["hpc_net"].points[1:]]
        lost.append({p.epsilon: 100 * (p.right - q.right) / p.n for p, q in pairs})
    points = [float(text.rsplit(", ", 1)[1].split()[0]) for text in leads]
    assert f"by up to {points[0]:.0f} and {points[1]:.0f} points" in said
    assert f"{kept[0].epoch} epochs, and one on Fashion-MNIST, {kept[1].epoch} epochs" in said
    assert f"the ANN keeps up to {keeps[0]:g} and {keeps[1]:g}" in said
    (a, b), (c, d) = [[100 * v for v in row] for row in last]
    assert f"({a:.0f} against {b:.0f} %, {c:.0f} against {d:.0f} % at 0.2)" in said
    assert "at none of the 10 sizes can the two be told apart" in conclusion(kept[0])
    assert f"({max(lost[0].values()):.1f} points less at most)" in said
    assert "fewer images right at 2 of the 10 sizes (epsilon 0.18, 0.2)" in conclusion(kept[1])
    assert f"{lost[1][0.18]:.1f} points at 0.18 and {lost[1][0.2]:.1f} at 0.2" in said
