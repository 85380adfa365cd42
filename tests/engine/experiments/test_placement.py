"""Synapses where the publication puts them, with numbers that depend on their key alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UserError
from engine.experiments.placement import (
    BLOCK,
    Cable,
    Key,
    Stream,
    cable_of,
    clustered,
    distributed,
    factors,
    poisson_trains,
)
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections

CABLE = Cable(("a", "b", "c"), np.array([300.0, 8.0, 92.0]))
KEY = Key(7, (0, 100), 3)


def test_distributed_places_are_as_dense_on_every_section():
    sites = distributed(CABLE, 40_000, KEY, Stream.STIMULUS)
    share = [sum(site.section == name for site in sites) / len(sites) for name in "abc"]
    np.testing.assert_allclose(share, CABLE.length / 400, atol=0.012)  # four standard errors
    x = np.array([site.x for site in sites if site.section == "a"])
    assert x.min() >= 0
    assert x.max() <= 1
    counts = np.histogram(x, 10, (0, 1))[0]
    expected = len(x) / 10
    assert ((counts - expected) ** 2 / expected).sum() < 27.9  # χ² of 9 degrees, one in a thousand


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_clusters_keep_to_a_window_of_one_section(trial):
    key = Key(1, (1, 60), trial)
    sites = clustered(CABLE, 3, 20, 20.0, key, Stream.STIMULUS)
    assert len(sites) == 60
    length = dict(zip(CABLE.names, CABLE.length, strict=True))
    for k in range(3):
        group = sites[20 * k : 20 * k + 20]
        (section,) = {site.section for site in group}
        place = np.array([site.x for site in group]) * length[section]
        assert np.ptp(place) <= min(20.0, length[section])
        assert place.min() >= 0
        assert place.max() <= length[section] * (1 + 1e-12)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.sampled_from(list(Stream)))
@settings(max_examples=40, deadline=None)
def test_generators_at_once_are_those_one_by_one(seed, trial, stream):
    key = Key(seed, (1, 240), trial)
    for number, draw in enumerate(key.generators(stream, 5)):
        alone = key.generator(stream, number)
        np.testing.assert_array_equal(draw.geometric(0.01, 9), alone.geometric(0.01, 9))
        assert draw.random() == alone.random()


def successes(p, n_step, draw):
    """Steps with a success, one wait after the other."""
    step, found = -1, []
    while True:
        for wait in draw.geometric(p, BLOCK):
            step += int(wait)
            if step >= n_step:
                return found
            found.append(step)


@pytest.mark.parametrize("rate", [0.05, 3.0, 800.0])
def test_trains_at_once_are_those_one_by_one(rate):
    trains = poisson_trains(9, rate, 100.0, 600.0, 0.04, KEY)
    for number, train in enumerate(trains):
        draw = KEY.generator(Stream.BACKGROUND_TIME, number)
        steps = np.array(successes(rate * 0.04e-3, 12_500, draw), np.int32)
        assert train == tuple((100.0 + 0.04 * steps).tolist())
    assert rate == 0.05 or sum(map(len, trains)) > 3


def test_windows_at_the_ends_are_moved_inside_and_keep_their_width():
    one = Cable(("a",), np.array([40.0]))
    starts, ends = [], []
    for trial in range(300):
        sites = clustered(one, 1, 200, 20.0, Key(1, (1, 200), trial), Stream.STIMULUS)
        place = 40 * np.array([site.x for site in sites])
        assert np.ptp(place) > 16
        starts.append(place.min())
        ends.append(place.max())
    # a center in the first or last quarter, half of all, leaves the window at that end
    assert np.mean(np.array(starts) < 1) == pytest.approx(0.25, abs=0.1)
    assert np.mean(np.array(ends) > 39) == pytest.approx(0.25, abs=0.1)


def test_trains_are_draws_with_one_chance_a_step():
    trains = poisson_trains(400, 1.0, 10.0, 1000.0, 0.04, KEY)
    counts = np.array([len(train) for train in trains])
    assert len(trains) == 400
    assert counts.mean() == pytest.approx(0.99, abs=0.2)  # four standard errors
    assert counts.var() == pytest.approx(0.99, rel=0.35)
    times = np.concatenate([np.array(train) for train in trains])
    assert times.min() >= 10
    assert times.max() < 1000
    steps = (times - 10) / 0.04
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)
    assert all(list(train) == sorted(set(train)) for train in trains)


def test_a_shorter_run_gets_the_beginning_of_the_trains():
    long = poisson_trains(30, 5.0, 10.0, 1000.0, 0.04, KEY)
    short = poisson_trains(30, 5.0, 10.0, 400.0, 0.04, KEY)
    assert short == tuple(tuple(t for t in train if t < 400) for train in long)


def test_trains_need_a_chance_that_is_one():
    assert poisson_trains(2, 0.0, 10.0, 100.0, 0.04, KEY) == ((), ())
    assert poisson_trains(0, 3.0, 10.0, 100.0, 0.04, KEY) == ()
    assert poisson_trains(1, 25e3, 0.0, 0.2, 0.04, KEY) == (
        tuple(0.04 * k for k in range(5)),
    )  # every step
    with pytest.raises(UserError, match="choose 0 to 25000 Hz"):
        poisson_trains(2, 1e5, 10.0, 100.0, 0.04, KEY)


def test_factors_fill_their_range():
    found = np.array(factors(4000, 1.2, 2.5, KEY))
    assert found.min() >= 1.2
    assert found.max() <= 2.5
    assert found.mean() == pytest.approx(1.85, abs=0.03)


def test_draws_depend_on_their_key_alone_and_differ_between_keys():
    keys = [KEY, Key(8, (0, 100), 3), Key(7, (1, 100), 3), Key(7, (0, 101), 3), Key(7, (0, 100), 4)]
    places = [distributed(CABLE, 5, key, Stream.STIMULUS) for key in keys]
    again = [distributed(CABLE, 5, key, Stream.STIMULUS) for key in reversed(keys)][::-1]
    assert places == again
    assert len(set(places)) == len(keys)
    assert distributed(CABLE, 5, KEY, Stream.BACKGROUND_PLACE) != places[0]
    # the first numbers of this key for good: a change would make old runs another's
    assert places[0][0].section == "c"
    assert places[0][0].x == pytest.approx(0.9630864526371808, abs=1e-12)


def test_the_cable_is_that_of_the_dendrites():
    sections = make_sections(read_morphology(resolve("sample:human_l23")))
    cable = cable_of(sections)
    assert cable.total == pytest.approx(20633, abs=100)  # the published cell's dendrites
    assert all(name.startswith(("dend", "apic")) for name in cable.names)
    toy = make_sections(read_morphology(resolve("sample:toy15")))
    with pytest.raises(UserError, match="no axon cable"):
        cable_of(toy, "axon")
