"""Scores over training seeds, recomputed by other means: by hand, by SciPy, by the published definitions."""

import warnings

import numpy as np
import pytest
from scipy import stats

from orchestration.evaluation.scores import FewRunsWarning, Scores, ScoresError, named, started_from
from orchestration.evaluation.suite import Suite

RNG = np.random.default_rng(7)
EPISODES = RNG.normal(0, 3, 40)  # what the patients of an episode are worth, to every policy
LEARNED = EPISODES + 6 + RNG.normal(0, 1, (8, 1)) + RNG.normal(0, 0.5, (8, 40))
RULE, RANDOM = EPISODES + 5, EPISODES - 5 + RNG.normal(0, 0.5, 40)
SCORES = Scores.of({"mappo": LEARNED, "rule": RULE, "random": RANDOM})


def test_iqm_is_the_mean_of_the_middle_half():
    by_hand = sorted(LEARNED.ravel().tolist())[80:240]
    assert SCORES.iqm()["mappo"].value == pytest.approx(sum(by_hand) / 160, abs=1e-12)
    # A number that four does not divide: as many are left out on each side as a quarter holds wholly.
    assert Scores.of({"a": [9.0, 1.0, 2.0, 3.0, 100.0, 4.0]}).iqm()["a"].value == (2 + 3 + 4 + 9) / 4
    odd = RNG.normal(size=(1, 103))
    assert Scores.of({"a": odd}).iqm()["a"].value == pytest.approx(stats.trim_mean(odd, 0.25, axis=None), abs=1e-12)


@pytest.mark.parametrize("shape", [(60, 1), (1, 60)], ids=["runs", "episodes"])
def test_where_only_one_varies_the_interval_is_scipys(shape):
    values = RNG.gamma(2, 3, shape)
    found = Scores.of({"a": values}).iqm()["a"]
    theirs = stats.bootstrap(
        (values.ravel(),),
        lambda x, axis: stats.trim_mean(x, 0.25, axis=axis),
        n_resamples=4000,
        method="percentile",
        random_state=np.random.default_rng(3),
    ).confidence_interval
    width = theirs.high - theirs.low
    assert found.low == pytest.approx(theirs.low, abs=0.1 * width)
    assert found.high == pytest.approx(theirs.high, abs=0.1 * width)


def test_the_interval_of_a_mean_is_that_of_the_normal_case():
    values = RNG.normal(3, 2, (1, 400))
    found = Scores.of({"a": values}).mean()["a"]
    half = 1.96 * values.std() / 20
    assert (found.value - found.low, found.high - found.value) == pytest.approx((half, half), rel=0.1)


def test_what_a_run_is_worth_counts_once_and_not_once_per_episode():
    runs = RNG.normal(0, 1, (10, 1))
    once, often = Scores.of({"a": runs}).mean()["a"], Scores.of({"a": np.repeat(runs, 200, axis=1)}).mean()["a"]
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.1)


def test_an_interval_over_runs_and_episodes_holds_what_it_says():
    covered, wider = 0, 0
    for trial in range(40):
        rng = np.random.default_rng(trial)
        values = rng.normal(0, 1, (20, 1)) + rng.normal(0, 1, (1, 30)) + rng.normal(0, 1, (20, 30))
        found = Scores.of({"a": values}).mean()["a"]
        covered += found.low <= 0 <= found.high
        wider += found.high - found.low > 2 * 1.96 * values.std() / np.sqrt(values.size)
    # Were it 95%, fewer than 34 of 40 would come about once in 300 times; the trials are fixed.
    assert covered >= 34
    assert wider == 40


def test_differences_are_paired_by_episode():
    """What the patients of an episode are worth to both goes away: the interval is that of the difference alone."""
    found = SCORES.difference(over="rule")
    assert found["mappo"].value == pytest.approx((LEARNED - RULE).mean())
    alone = Scores.of({"difference": LEARNED - RULE}).mean()["difference"]
    assert (found["mappo"].low, found["mappo"].high) == pytest.approx((alone.low, alone.high), abs=0.05)
    means = SCORES.mean()["mappo"]
    assert found["mappo"].high - found["mappo"].low < 0.8 * (means.high - means.low)
    assert set(found) == {"mappo", "random"}


def test_of_few_runs_an_interval_holds_less_than_it_says_and_how_much_less():
    """The figure that is told below each table, 84 in 100 for 5 runs, to 4 standard errors of 400 trials."""
    runs = np.random.default_rng(1).normal(0, 1, (400, 5, 1))
    found = [Scores.of({"a": of_trial}).mean()["a"] for of_trial in runs]
    share = sum(interval.low <= 0 <= interval.high for interval in found) / 400
    assert share == pytest.approx(0.84, abs=4 * np.sqrt(0.84 * 0.16 / 400))


def test_the_probability_of_improvement_is_mann_whitneys():
    other = LEARNED[:5] - 0.3
    found = Scores.of({"mappo": LEARNED, "qmix": other, "copy": LEARNED}).improvement(over="qmix")
    u = stats.mannwhitneyu(LEARNED.mean(axis=1), other.mean(axis=1), alternative="greater").statistic
    assert found["mappo"].value == pytest.approx(u / (8 * 5), abs=1e-12)
    assert found["mappo"].low < found["mappo"].value < found["mappo"].high
    assert set(found) == {"mappo", "copy"}
    assert Scores.of({"a": [[1.0], [2.0]], "b": [[2.0], [1.0]]}, trained=()).improvement("b")["a"].value == 0.5
    ties = Scores.of({"a": [[1.0], [1.0], [3.0]], "b": [1.0]}, trained=()).improvement("b")["a"]
    assert ties.value == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_five_of_five_are_not_all():
    found = Scores.of({"mappo": LEARNED[:5] + 90, "rule": RULE, "random": RANDOM}).improvement("rule")
    exact = stats.binomtest(5, 5).proportion_ci(method="exact")
    assert (found["mappo"].value, found["mappo"].high) == (1, 1)
    assert found["mappo"].low == pytest.approx(exact.low) == pytest.approx(0.025**0.2)
    assert (found["random"].low, found["random"].high) == (0, 0)  # nothing in it was trained
    worse = Scores.of({"mappo": LEARNED[:5] - 90, "rule": RULE}).improvement("rule")["mappo"]
    assert (worse.value, worse.low, worse.high) == (0, 0, pytest.approx(1 - exact.low))


def test_a_profile_is_the_share_of_runs_above():
    taus = [-100.0, 5.5, 6.0, 100.0]
    profile = SCORES.profile(taus)
    share, low, high = profile.shares["mappo"]
    assert share.tolist() == [sum(row.mean() > tau for row in LEARNED) / 8 for tau in taus]
    assert ((low <= share) & (share <= high)).all()
    default, _, _ = SCORES.profile().shares["mappo"]
    assert default[0] == 1 and default[-1] == 0 and (np.diff(default) <= 0).all()


def test_normalised_scores_put_the_rule_at_1_and_random_at_0():
    found = SCORES.normalised()
    for policy, value in {"rule": 1.0, "random": 0.0}.items():
        assert (found[policy].value, found[policy].low, found[policy].high) == pytest.approx((value,) * 3)
    runs = (LEARNED.mean(axis=1) - RANDOM.mean()) / (RULE.mean() - RANDOM.mean())
    assert found["mappo"].value == pytest.approx(stats.trim_mean(runs, 0.25))
    assert found["mappo"].low < found["mappo"].value < found["mappo"].high
    shifted = Scores.of({name: 7 * values - 90 for name, values in SCORES.values.items()}).normalised()
    assert shifted["mappo"].value == pytest.approx(found["mappo"].value)


def test_without_a_clear_distance_nothing_is_normalised():
    noise = np.random.default_rng(5).normal(0, 1, 40)
    alike = Scores.of({"mappo": LEARNED, "rule": RANDOM + noise - noise.mean(), "random": RANDOM})
    with pytest.raises(ScoresError, match="rule and random cannot be told apart"):
        alike.normalised()
    upside_down = Scores.of({"mappo": LEARNED, "rule": RANDOM, "random": RULE})
    with pytest.raises(ScoresError, match="rule is worse than random"):
        upside_down.normalised()
    assert Scores.of({"mappo": LEARNED}).why_not_normalised() == "random has no scores here"
    suite = Suite({"clear": SCORES, "alike": alike})
    assert suite.scenarios == ["clear"] and "told apart" in suite.left_out["alike"]
    with pytest.raises(ScoresError, match="in no scenario: alike"):
        Suite({"alike": alike}).aggregate()


def test_over_scenarios_the_statistics_are_those_that_were_published():
    """Mean and median of the scenarios' means, IQM of all runs, and 1 minus the mean of what is capped at 1."""
    harder = Scores.of({"mappo": LEARNED - 4, "rule": RULE, "random": RANDOM})
    third = Scores.of({"mappo": LEARNED * 1.5, "rule": RULE, "random": RANDOM})
    scenarios = {"one": SCORES, "two": harder, "three": third}
    found = Suite(scenarios).aggregate()["mappo"]
    matrix = np.array(
        [(s.values["mappo"].mean(axis=1) - RANDOM.mean()) / (RULE.mean() - RANDOM.mean()) for s in scenarios.values()]
    ).T
    expected = {
        "mean": matrix.mean(),
        "median": np.median(matrix.mean(axis=0)),
        "iqm": stats.trim_mean(matrix, 0.25, axis=None),
        "optimality gap": 1 - np.minimum(matrix, 1).mean(),
    }
    assert {name: interval.value for name, interval in found.items()} == pytest.approx(expected)
    assert all(interval.low < interval.value < interval.high for interval in found.values())
    share, _, _ = Suite(scenarios).profile(np.array([0.8])).shares["mappo"]
    assert share[0] == (matrix > 0.8).mean()
    fewer = Scores.of({"mappo": LEARNED[:6], "rule": RULE, "random": RANDOM})
    with pytest.raises(ScoresError, match="8 in one, 6 in two"):
        Suite({"one": SCORES, "two": fewer}).aggregate()


def test_few_training_seeds_are_warned_of():
    with pytest.warns(FewRunsWarning, match="fewer than 5 training seeds of mappo"):
        Scores.of({"mappo": LEARNED[:4], "rule": RULE}).iqm()
    with pytest.warns(FewRunsWarning):
        Scores.of({"mappo": LEARNED[0]}, trained=["mappo"]).mean()
    with pytest.warns(FewRunsWarning):
        Suite({"one": Scores.of({"mappo": LEARNED[:4], "rule": RULE, "random": RANDOM})}).aggregate()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SCORES.iqm()


def test_the_same_scores_give_the_same_interval():
    assert SCORES.iqm() == Scores.of({name: values.tolist() for name, values in SCORES.values.items()}).iqm()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "no policy has scores"),
        ({"a": [1.0, 2.0], "b": [1.0]}, "numbers of episodes differ .a 2, b 1."),
        ({"a": [[1.0], [1.0, 2.0]]}, "a: scores are numbers, equally many in each run"),
        ({"a": [1.0, float("nan")]}, "a: a score is missing"),
        ({"a": [[]]}, "at least one of each"),
    ],
)
def test_scores_that_do_not_fit_are_told(values, told):
    with pytest.raises(ScoresError, match=told):
        Scores.of(values)


def test_who_began_as_the_rule_is_seen_in_the_name():
    assert named("mappo", "rule") == named("mappo from rule", "rule") == "mappo from rule"
    assert (named("mappo", None), started_from("mappo from rule"), started_from("mappo")) == ("mappo", "rule", None)
    with pytest.raises(ScoresError, match="'wait' has no scores; there are those of mappo, rule, random"):
        SCORES.improvement(over="wait")
