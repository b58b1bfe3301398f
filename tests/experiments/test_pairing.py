"""What pairing gains: known variances are found, and on the hospital nothing of the pairing is lost."""

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.pairing.__main__ import HARDLY, WANTED, main
from experiments.pairing.gains import Controls, estimates, gain, shares
from experiments.pairing.played import RETURN, TOTAL_STAY, drawn_at_first, drawn_further, lengths_of_stay, play
from marl_health import load
from marl_health.spec.distributions import Uniform

NAN = math.nan
CLINIC = "tests/orchestration/clinic.yaml"


def normal(seed, n, correlation, sd=(1.0, 1.0)):
    """Values of two policies, both of shape (n,)."""
    a, b = sd
    covariance = [[a * a, correlation * a * b], [correlation * a * b, b * b]]
    return np.random.default_rng(seed).multivariate_normal([5.0, 6.0], covariance, n).T


def test_the_gain_is_what_correlation_and_spread_make_it():
    found = gain(*normal(0, 4000, 0.9, (1.0, 2.0)))
    assert (found.sd_reference, found.sd_other) == pytest.approx((1.0, 2.0), rel=0.05)
    assert found.correlation == pytest.approx(0.9, rel=0.02)
    assert found.ratio == pytest.approx(5 / (5 - 3.6), rel=0.1)
    assert found.most == pytest.approx(5.0, rel=0.1)


def test_intervals_of_the_gain_hold_the_truth():
    true = 1 / (1 - 0.9)
    hits = 0
    for seed in range(300):
        found = gain(*normal(seed, 60, 0.9))
        hits += found.low <= true <= found.high
    assert 0.90 <= hits / 300 <= 0.98


def test_the_gain_counts_where_both_are_recorded():
    plain = gain([1.0, 3.0, 2.0, 6.0], [2.0, 3.0, 1.0, 5.0])
    assert gain([1.0, NAN, 3.0, 2.0, 6.0, 1.0], [2.0, 4.0, 3.0, 1.0, 5.0, NAN]) == plain
    assert math.isnan(gain([1.0, NAN], [NAN, 2.0]).ratio)


def test_what_does_not_vary_gains_nothing_or_everything():
    same = gain([0.1, 1.2, 2.3], [1.1, 2.2, 3.3])
    assert same.ratio == math.inf
    flat = gain([1.0, 1.0, 1.0], [2.0, 5.0, 3.0])
    assert (flat.ratio, flat.most) == (1.0, 1.0) and math.isnan(flat.correlation)
    assert math.isnan(gain([1.0, 1.0], [2.0, 2.0]).ratio)


def test_the_shares_of_the_terms_add_up():
    generator = np.random.default_rng(1)
    three, four = generator.normal(0, [3.0, 4.0], (200_000, 2)).T
    nothing = np.zeros(200_000)
    found = shares({"a": nothing, "b": nothing, "c": nothing}, {"a": three, "b": four, "c": nothing})
    assert found == pytest.approx({"a": 9 / 25, "b": 16 / 25, "c": 0}, abs=0.01)
    offset = shares({"a": nothing, "b": nothing}, {"a": three, "b": -three / 2})
    assert offset == pytest.approx({"a": 2.0, "b": -1.0})
    assert shares({"a": nothing}, {"a": nothing}) == {}


def test_control_variates_take_away_what_they_explain_and_say_so():
    """The true mean is 3; the controls explain 9 parts of 10, and the mean of each comes from other episodes."""
    adjusted, told, plain = [], [], []
    for seed in range(400):
        generator = np.random.default_rng(seed)
        values = generator.normal(5.0, 1.0, (40, 2))
        controls = Controls.of(values, generator.normal(5.0, 1.0, (300, 2)))
        found = 3 + (values - 5.0) @ [math.sqrt(6), math.sqrt(3)] + generator.normal(0, 1, 40)
        mean, variance = controls.adjust(found)
        adjusted.append(mean)
        told.append(variance)
        plain.append(found.mean())
    assert np.mean(adjusted) == pytest.approx(3.0, abs=3.66 * np.std(adjusted) / 20)
    assert np.mean(told) == pytest.approx(np.var(adjusted), rel=0.25)
    assert np.var(plain) / np.var(adjusted) > 3


def test_the_four_estimates_are_those_of_the_textbook():
    generator = np.random.default_rng(3)
    crowd, luck, noise = generator.normal(0, 1, (3, 400))
    reference, other = 2 * crowd + luck, crowd + luck + 0.1 * noise + 10
    controls = Controls.of(crowd[:, None], generator.normal(0, 1, (100_000, 1)))
    found = estimates(reference, other, controls)
    unknown = 1 / 100_000  # variance of the mean of the control variate, for each unit of slope squared
    expected = {
        "apart": 7.01 / 400,
        "apart_adjusted": 2.01 / 400 + 5 * unknown,
        "paired": 1.01 / 400,
        "paired_adjusted": 0.01 / 400 + unknown,
    }
    for name, variance in expected.items():
        assert getattr(found, name).half == pytest.approx(1.966 * math.sqrt(variance), rel=0.1), name
        assert abs(getattr(found, name).mean - 10) < 4 * math.sqrt(variance), name
    assert found.low < expected["apart"] / expected["paired_adjusted"] < found.high


def test_further_draws_are_distributed_as_those_of_the_episodes():
    hospital = load("hospital_throughput")
    episodes, further = drawn_at_first(hospital, range(100)), drawn_further(hospital, 4000)
    vary = hospital.spec.vary
    assert list(episodes) == list(vary) == list(further)
    assert {"demand", "medical_start", "absent_nurses", "scanners_down"} <= vary.keys()
    for name, values in episodes.items():
        assert abs(values.mean() - further[name].mean()) < 4 * values.std() / 10, name
        assert further[name].std() == pytest.approx(values.std(), rel=0.25), name
    for name, form in vary.items():  # the scenario says what each is on average
        if isinstance(form, Uniform):
            average = sum(bound.value for bound in form.uniform) / 2
        else:
            average = sum(int(count) * share for count, share in form.choice.items())
        assert abs(further[name].mean() - average) < 4 * further[name].std() / math.sqrt(4000), name


def test_a_stay_counts_from_the_door_until_the_end_is_seen():
    scenario = SimpleNamespace(program=SimpleNamespace(warm_up=60.0, horizon=600.0, length=720.0))
    rows = [
        (10.0, 1, "arrival_departure", "arrival", ""),  # in the warm-up
        (60.0, 2, "arrival_departure", "arrival", ""),
        (70.0, 2, "resource_use", "bed", "bed"),
        (100.0, 1, "arrival_departure", "depart", "home"),
        (540.0, 3, "arrival_departure", "arrival", ""),
        (600.0, 4, "arrival_departure", "arrival", ""),  # after the last decision
        (630.0, 2, "arrival_departure", "depart", "home"),
    ]
    assert lengths_of_stay(scenario, rows) == [9.5, 3.0]


def test_the_command_prints_ratios_their_anatomy_and_verdicts(capsys):
    assert main([CLINIC, "--policies", "wait,random", "--replications", "30", "--jobs", "1"]) == 0
    told = capsys.readouterr().out
    assert "random against wait, 30 replications, seeds 0 to 29" in told
    for name in ("return", "of it clinical", r"length_of_stay_total \(h\)", r"wait_mean \(min\)"):
        assert re.search(rf"{name} .*│ +([\d.,]+|–) +│", told), name
    sharing = [int(share) for share in re.findall(r"^  (\d+)% is ", told, re.MULTILINE)]
    assert len(sharing) == 2 and sum(sharing) in (99, 100, 101)
    assert "By term: " in told and "and control variates" in told and "(demand)" in told
    assert "hardly" not in told
    assert re.search(r"return: variance ratio [\d.]+ \([\d.]+ to [\d.]+\); wanted is 5: ", told)


def test_a_policy_that_hardly_differs_shows_what_pairing_loses(capsys):
    hardly = "constant:manager=wait"
    arguments = [CLINIC, "--policies", "wait,random", "--replications", "10", "--jobs", "1", "--hardly", hardly]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert f"({hardly}; 10 replications)" in told and "variance ratio ∞ (∞ to ∞)" in told


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([CLINIC, "--policies", "wait"], 2, "two different ones"),
        ([CLINIC, "--policies", "wait,wait"], 2, "two different ones"),
        ([CLINIC, "--replications", "1"], 2, "at least 2"),
        ([CLINIC, "--policies", "wait,randm"], 2, "did you mean 'random'?"),
        ([CLINIC, "--policies", "wait,random", "--hardly", "wiat"], 2, "did you mean 'wait'?"),
        (["no_such"], 2, "no_such"),
    ],
)
def test_slips_are_told(arguments, code, said, capsys):
    try:
        assert main(arguments) == code
    except SystemExit as end:
        assert end.code == code
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_nothing_of_the_pairing_is_lost_on_the_hospital():
    """With a lever that hardly matters, what is left of the variance is what chance adds on the way."""
    scenario = load("hospital_throughput")
    wait, hardly, rule = (
        play(scenario, policy, 30, 0, 1) for policy in ("wait", HARDLY[scenario.name, "wait"], "rule")
    )
    for metric in (RETURN, TOTAL_STAY):
        assert wait.values(metric) != hardly.values(metric)
        assert gain(wait.values(metric), hardly.values(metric)).low > 100, metric
    # The rule does much: with other patients sent home early, less is alike, and that is no loss of the pairing.
    assert gain(wait.values(TOTAL_STAY), rule.values(TOTAL_STAY)).low > WANTED
    assert gain(wait.values(RETURN), rule.values(RETURN)).low > 2
