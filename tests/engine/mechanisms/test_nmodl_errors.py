"""Every refusal names file and line, what is wrong and a way out."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import MechanismError
from engine.mechanisms import emit_numba, library, load_mechanism, parse
from tests.engine.mechanisms.test_lowering import WINDING

GOOD = """\
NEURON {
    SUFFIX good
    USEION k READ ek WRITE ik
    RANGE gbar
}
PARAMETER {
    gbar = 0.1 (S/cm2)
}
STATE { n }
ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
    ninf
    tau (ms)
}
INITIAL {
    n = 0.5
}
BREAKPOINT {
    SOLVE states METHOD cnexp
    ik = gbar * n * (v - ek)
}
DERIVATIVE states {
    rates(v)
    n' = (ninf - n) / tau
}
PROCEDURE rates(u (mV)) {
    ninf = 1 / (1 + exp(-u / 5))
    tau = 2
}
"""


def line_of(text: str) -> int:
    return GOOD[: GOOD.index(text)].count("\n") + 1


# what is replaced, by what, words of the message
CASES = {
    "verbatim": (
        "    n = 0.5",
        "    VERBATIM\n    x = 1;\n    ENDVERBATIM",
        "VERBATIM",
        "NMODL statements",
    ),
    "kinetic": ("DERIVATIVE states", "KINETIC states", "KINETIC block has METHOD cnexp", "sparse"),
    "reaction": ("    n = 0.5", "    ~ n << (3)", "outside KINETIC", "move"),
    "no array": ("    n = 0.5", "    n[1] = 0.5", "'n' is no array", "n[n]"),
    "array size": ("STATE { n }", "STATE { n m[x] }", "size of array 'm' is x", "DEFINE"),
    "include": ("STATE { n }", 'INCLUDE "more.inc"', "INCLUDE", "paste"),
    "net_receive": ("STATE { n }", "STATE { n } NET_RECEIVE(w) { n = n + w }", "density", "POINT"),
    "net_send": ("    n = 0.5", "    net_send(1, 1)", "net_send", "NET_RECEIVE"),
    "pointer": ("    RANGE gbar", "    POINTER tau", "POINTER 'tau' is assigned", "read only"),
    "electrode": ("    RANGE gbar", "    ELECTRODE_CURRENT i", "never computes", "i ="),
    "from loop": ("    n = 0.5", "    FROM i = 0 TO gbar { n = n + 1 }", "bounds of FROM", "WHILE"),
    "array": ("    ninf\n", "    ninf[3]\n", "'ninf' is an array", "ninf[0]"),
    "function table": (
        "STATE { n }",
        "FUNCTION_TABLE f(v)\nSTATE { n }",
        "FUNCTION_TABLE",
        "FUNCTION",
    ),
    "steady state": (
        "SOLVE states METHOD cnexp",
        "SOLVE states STEADYSTATE sparse",
        "STEADYSTATE",
        "INITIAL",
    ),
    "method": ("METHOD cnexp", "METHOD adams", "METHOD adams", "derivimplicit"),
    "no method": (" METHOD cnexp", "", "no METHOD", "cnexp"),
    "write concentration": ("WRITE ik", "WRITE ik, ki", "'ki' is written", "make ki a STATE"),
    "wrong ion": ("READ ek", "READ ena", "no 'ena'", "ek"),
    "no derivative": ("(ninf - n) / tau", "fmod(n, 2)", "cannot be solved", "euler"),
    "unknown name": ("gbar * n * (v - ek)", "gbra * n * (v - ek)", "'gbra'", "did you mean 'gbar'"),
    "unknown target": ("    tau = 2", "    taau = 2", "'taau'", "did you mean 'tau'"),
    "unknown function": ("exp(-u / 5)", "expp(-u / 5)", "'expp'", "did you mean 'exp'"),
    "unknown procedure": ("    rates(v)", "    ratess(v)", "'ratess'", "did you mean 'rates'"),
    "argument count": ("    rates(v)", "    rates(v, 3)", "takes 1 argument", "call"),
    "built-in argument count": ("exp(-u / 5)", "exp(-u, 5)", "exp takes 1 argument", "call"),
    "recursion": ("    tau = 2", "    rates(u)", "calls itself", "recursion"),
    "assigned scalar": (
        "    tau = 2",
        "    celsius = 2",
        "'celsius' cannot be assigned",
        "ASSIGNED",
    ),
    "derivative of no state": ("    n' =", "    tau' =", "tau'", "STATE"),
    "unsolved": ("    SOLVE states METHOD cnexp\n", "", "never solved", "SOLVE states"),
    "solves nothing": ("SOLVE states", "SOLVE gates", "'gates'", "DERIVATIVE gates"),
    "undeclared range": ("RANGE gbar", "RANGE gbar, gmax", "'gmax'", "PARAMETER"),
    "current never computed": (
        "    ik = gbar * n * (v - ek)",
        "    tau = 1",
        "never computes",
        "ik =",
    ),
    "current read early": ("    ik = gbar *", "    ik = ik + gbar *", "read before", "first"),
    "twice": ("STATE { n }", "STATE { n gbar }", "declared twice", "keep one"),
    "two blocks": ("STATE { n }", "INITIAL { n = 1 }\nSTATE { n }", "second INITIAL", "join"),
    "syntax": ("    tau = 2", "    tau = 2 +", "not expected", "expected"),
    "character": ("    tau = 2", "    tau = 2 $", "'$'", "expected"),
}
ELSEWHERE = {
    "kinetic": line_of("    SOLVE"),
    "no derivative": line_of("DERIVATIVE"),
    "array": line_of("    ninf = "),
    "unsolved": line_of("DERIVATIVE") - 1,
    "syntax": line_of("    tau = 2") + 1,
    "two blocks": line_of("INITIAL") + 1,
    "derivative of no state": line_of("    n' ="),
    "current never computed": line_of("BREAKPOINT"),
    "electrode": line_of("BREAKPOINT"),
    "undeclared range": line_of("RANGE"),
}


@pytest.mark.parametrize("case", CASES)
def test_refusals(case):
    old, new, *words = CASES[case]
    assert old in GOOD
    with pytest.raises(MechanismError) as caught:
        parse(GOOD.replace(old, new, 1), "folder/bad.mod")
    message = str(caught.value)
    line = ELSEWHERE.get(case, line_of(old))
    assert re.match(rf"folder[/\\]bad\.mod:{line}: ", message), message
    for word in words:
        assert word in message, message
    assert "\n" not in message


def test_the_good_file_is_good():
    assert parse(GOOD, "good.mod").name == "good"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "NEURON"),
        (GOOD.replace("    SUFFIX good\n", ""), "SUFFIX"),
        (GOOD[: GOOD.index("BREAKPOINT")], "BREAKPOINT"),
        (GOOD[:-3], "'}' is missing"),
        (GOOD + "\nCOMMENT\nnever ends", "ENDCOMMENT"),
        (GOOD + "\nUNITS { Q = (parsec) (mile) }", "(parsec)"),
        ("\x00\x01\x02binary", "not expected"),
    ],
)
def test_whole_file_refusals(text, words):
    with pytest.raises(MechanismError, match=re.escape(words)):
        parse(text, "bad.mod")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(MechanismError, match="cannot be read"):
        load_mechanism(tmp_path / "none.mod")


def test_comments_may_hold_refused_words():
    comments = "COMMENT\nVERBATIM KINETIC\nENDCOMMENT\n: VERBATIM\n? POINTER\n"
    text = GOOD.replace("STATE { n }", comments + "STATE { n }")
    assert parse(text, "good.mod").states[0].name == "n"


def test_an_unknown_parameter_names_a_close_one():
    with pytest.raises(
        ValueError, match=r"mechanism 'hh' has no parameter 'gnabra'; did you mean 'gnabar'\?"
    ):
        library()["hh"].parameter("gnabra")


WORDS = re.findall(r"\w+|\s+|.", WINDING.read_text(encoding="utf-8"))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(WORDS) - 1),
            st.sampled_from(["", "{", "}", "(", "'", "0", "v", "SOLVE", "LOCAL", "\n", "µ", "IF"]),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(changes):
    """Words replaced at random: a mechanism or one sentence that names the file."""
    words = list(WORDS)
    for place, word in changes:
        words[place] = word
    try:
        mechanism = parse("".join(words), "damaged.mod")
    except MechanismError as refused:
        message = str(refused)
    else:
        message = "damaged.mod: "
        compile(emit_numba(mechanism), "damaged.py", "exec")
    assert message.startswith("damaged.mod:")
    assert "\n" not in message


def test_a_sum_of_thousands_is_refused():
    text = GOOD.replace("    tau = 2", "    tau = " + " + ".join(["1"] * 3000), 1)
    with pytest.raises(MechanismError, match=rf"long.mod:{line_of('    tau = 2')}: .*split it"):
        parse(text, "long.mod")
