"""KPIs by group over replications: the same as single episodes tell, and gaps that do not come from noise alone."""

import json
import math
import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from marl_health import load, parallel_env
from marl_health.worlds.game import WITHOUT
from orchestration.evaluation.compare import compare
from orchestration.evaluation.equity import UnknownGroups, change_of_gap, largest_gap
from orchestration.replications import simulate_until
from orchestration.simulate import simulate
from tests.orchestration.command_line import invoke

CLINIC = Path(__file__).with_name("clinic.yaml")

GROUPED = """
schema: marl_health/v1
name: grouped
description: The clinic, with patients who differ in what they pay and couriers who pay nothing.
extends: clinic.yaml
groups: [acuity, payer]
entities:
  patient: {has: {payer: {choice: {private: 50%, public: 40%, none: else}}}}
  courier: {arrive: {rate: {per_hour: 2}}, has: {acuity: 3}, begins: into_room}
kpis:
  came: {of: patient.arrived}
  seen: {of: seen.count}
  waits: {of: wait.count}
  payer_gap: {of: wait.mean, gap: payer}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("grouped") / "grouped.yaml"
    shutil.copy(CLINIC, path.with_name("clinic.yaml"))
    path.write_text(GROUPED)
    return path


@pytest.fixture(scope="module")
def grouped(file):
    return load(file)


def test_every_replication_tells_what_its_episode_told(grouped):
    simulation = simulate(grouped, "wait", 4, 10, by="payer")
    env = parallel_env(grouped)
    for number, seed in enumerate(simulation.seeds):
        env.reset(seed=seed)
        while env.agents:
            env.step({})
        told = env.kpis_by("payer")
        for name, groups in simulation.splits.items():
            for group, values in groups.items():
                assert values[number] == pytest.approx(told[name][group], nan_ok=True), (name, group)
        for name in ("came", "seen", "waits"):
            assert sum(told[name].values()) == env.kpis()[name]
    assert list(simulation.splits["wait_mean"]) == ["private", "public", "none", WITHOUT]
    assert list(simulation.splits["came"]) == ["private", "public", "none"], "couriers are no patients"
    assert simulate(grouped, "wait", 1, 10).splits == {}


def test_the_result_does_not_depend_on_who_did_the_work(grouped):
    one, two = (compare(grouped, ["wait", "random"], 4, 0, by="acuity", jobs=jobs).to_json() for jobs in (1, 2))
    assert json.dumps(one) == json.dumps(two)
    assert one["paired_by"]["random"]["kpis"]["wait_mean"].keys() == {"1", "2", "3"}


def test_differences_are_taken_replication_by_replication(grouped):
    comparison = compare(grouped, ["wait", "random"], 6, 0, by="acuity")
    wait, other = (simulation.splits["wait_mean"] for simulation in comparison.simulations.values())
    for group, found in comparison.paired_by["random"]["wait_mean"].items():
        differences = np.subtract(other[group], wait[group])
        assert found.mean == pytest.approx(differences.mean())
        low, high = stats.t.interval(0.95, 5, differences.mean(), stats.sem(differences))
        assert (found.low, found.high) == pytest.approx((low, high))
    gap, change = comparison.gap_changes["random"]["wait_mean"]
    between = [np.subtract(values[gap.above], values[gap.below]) for values in (other, wait)]
    assert change.mean == pytest.approx(np.mean(between[0] - between[1]))
    assert gap.difference.mean == pytest.approx(np.mean(between[1])) and gap.difference.mean > 0
    assert change == change_of_gap(gap, other, wait)


def test_the_gap_is_between_means_over_replications_with_an_interval_for_all_pairs():
    values = {"a": [1.0, 2.0, 4.0], "b": [2.0, 2.5, 3.5], "c": [3.0, 5.0, 7.5], "d": [math.nan] * 3}
    gap = largest_gap(values)
    assert (gap.above, gap.below, gap.pairs) == ("c", "a", 3)
    differences = np.subtract(values["c"], values["a"])
    half = stats.t.ppf(1 - 0.05 / 3 / 2, 2) * stats.sem(differences)
    assert gap.difference.mean == pytest.approx(differences.mean())
    assert gap.difference.high - gap.difference.mean == pytest.approx(half)
    assert largest_gap({"a": [1.0], "d": [math.nan]}) is None


def test_groups_that_are_alike_have_a_gap_in_one_replication_but_hardly_over_many():
    """Waits of four groups alike, 40 patients in each: a gap of a replication is noise, and so is its mean."""
    generator = np.random.default_rng(7)
    found, clear, studies = [], 0, 300
    for _ in range(studies):
        waits = generator.exponential(30, (25, 4, 40)).mean(axis=2)  # replication, group
        found.append(np.ptp(waits, axis=1).mean())
        gap = largest_gap({str(group): list(waits[:, group]) for group in range(4)})
        assert 0 <= gap.difference.mean < found[-1]
        clear += gap.difference.clear
    assert np.mean(found) > 7, "the mean of the gaps of single replications does not go to 0"
    assert clear <= stats.binom.ppf(0.999, studies, 0.05), "the interval holds for all pairs at once"


def test_a_kpi_that_is_larger_where_the_group_is_has_no_gap(grouped):
    simulation = simulate(grouped, "wait", 3, 0, by="payer")
    assert simulation.gap("came") is None and simulation.gap("seen") is None and simulation.gap("waits") is None
    gap = simulation.gap("wait_mean")
    means = {group: np.mean(values) for group, values in simulation.splits["wait_mean"].items() if group != WITHOUT}
    largest = max(abs(means[one] - means[other]) for one, other in combinations(means, 2))
    assert gap.difference.mean == pytest.approx(largest)


def test_precision_is_reached_as_without_groups(grouped):
    pytest.importorskip("sim_tools")
    (plain, _), (split, _) = (
        simulate_until(grouped, "wait", 0.2, 0, metrics=["wait_mean"], at_most=60, by=by) for by in (None, "payer")
    )
    assert plain.seeds == split.seeds and split.splits["wait_mean"]


def test_simulate_shows_every_kpi_by_group(file, tmp_path):
    out = invoke("simulate", file, "--by", "payer", "--replications", 3, "--json", tmp_path / "x.json").stdout
    told = json.loads((tmp_path / "x.json").read_text())["by"]
    assert "by payer, policy wait" in out and "not split: spent (money is spent on nobody in particular)" in out
    for word in ("private", "public", "none", WITHOUT, "largest gap"):
        assert word in out
    assert told["attribute"] == "payer" and told["kpis"]["wait_mean"]["public"]["n"] == 3
    assert told["gaps"].keys() == {"wait_mean", "in_time"} | ({"time_to_death"} & told["gaps"].keys())
    assert told["not_split"].keys() == {"spent", "payer_gap"}


def test_compare_shows_differences_by_group(file, tmp_path):
    out = invoke(
        "compare",
        file,
        "--by",
        "acuity",
        "--policies",
        "wait,random",
        "--replications",
        3,
        "--json",
        tmp_path / "x.json",
    ).stdout
    told = json.loads((tmp_path / "x.json").read_text())
    for title in (
        "by acuity, policy wait",
        "by acuity, policy random",
        "difference of random from wait",
        "change of gap",
    ):
        assert title in out
    assert told["policies"]["random"]["by"]["kpis"]["wait_mean"].keys() == {"1", "2", "3"}
    found = told["paired_by"]["random"]["gaps"]["wait_mean"]
    assert found["low"] <= found["difference"] <= found["high"]


def test_unknown_groups_are_told_with_those_there_are(file, grouped):
    for command in (["simulate", file], ["compare", file, "--policies", "wait,random"]):
        error = invoke(*command, "--by", "payr", code=1).stderr
        assert error == "marl-health: 'grouped' has no groups by 'payr'; it has acuity, payer\n"
    assert "as in groups: [acuity]" in invoke("simulate", CLINIC, "--by", "acuity", code=1).stderr
    with pytest.raises(UnknownGroups):
        simulate(grouped, "wait", 1, 0, by="sex")


def test_a_gap_and_the_groups_are_explained(file, tmp_path):
    shown = " ".join(invoke("show", file).stdout.split())
    assert "gap by payer of wait.mean" in shown
    assert "They can be split by acuity (1, 2, 3); payer (private, public, none, (without))." in shown
    invoke("document", file, "--out", tmp_path / "x.md")
    assert "`gap by payer of wait.mean`" in (tmp_path / "x.md").read_text()
