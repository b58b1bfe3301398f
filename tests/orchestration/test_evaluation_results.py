"""Results of the store and of marl-eval's JSON, as Python and as `marl-health score` have them."""

import json
from pathlib import Path

import numpy as np
import pytest

from marl_health import load
from orchestration.evaluation.compare import compare
from orchestration.evaluation.marl_eval import from_marl_eval, to_marl_eval
from orchestration.evaluation.results import Results, from_comparison, from_store
from orchestration.evaluation.scores import ScoresError
from orchestration.store import open_store
from tests.orchestration.command_line import invoke

CLINIC = Path(__file__).with_name("clinic.yaml")
RNG = np.random.default_rng(11)
RUNS, EPISODES = 5, 6


@pytest.fixture(scope="module")
def comparison():
    """Every run of the algorithm is the random policy: what counts here is who is whose run."""
    return compare(load(CLINIC), {"mappo": "random", "wait": "wait", "random": "random"}, EPISODES, 100)


@pytest.fixture(scope="module")
def stored(comparison, tmp_path_factory):
    """A store with five seeds of an algorithm that began as the rule."""
    path = tmp_path_factory.mktemp("runs") / "results.db"
    with open_store(path) as store:
        for seed in range(RUNS):
            with store.job(
                scenario=comparison.scenario,
                algorithm="mappo",
                seed=seed,
                experiment="first",
                configuration={"algorithm": {"name": "mappo", "init": "rule"}},
            ) as job:
                job.progress(1000 + seed)
                job.comparison(comparison)
    return path


def results(scenario="hospital", shift=0.0, runs=RUNS):
    """Made-up results with one KPI that is recorded always and one that is not."""
    waits = {"mappo": RNG.normal(30, 3, (runs, EPISODES)), "rule": RNG.normal(33, 3, (1, EPISODES))}
    waits["random"] = RNG.normal(60, 3, (1, EPISODES))
    deaths = {policy: values / 30 for policy, values in waits.items()}
    deaths["mappo"][0, 2] = np.nan
    returns = {policy: shift - values for policy, values in waits.items()}
    metrics = {"return": returns, "wait": waits, "deaths": deaths}
    return Results(scenario, metrics, frozenset({"mappo"}), {"mappo": list(range(1000, 1000 + runs))}, {"wait": "min"})


def test_training_seeds_of_the_store_are_runs(stored, comparison):
    with open_store(stored) as store:
        (found,) = from_store(store, experiment="first")
    assert found.policies == ["mappo from rule", "wait", "random"]
    assert (found.hash, found.trained) == (comparison.scenario.hash, {"mappo from rule"})
    assert found.steps["mappo from rule"] == [1000, 1001, 1002, 1003, 1004]
    for metric in comparison.metrics:
        expected = np.array(comparison.simulations["mappo"].values(metric))
        assert np.array_equal(found.metrics[metric]["mappo from rule"], np.tile(expected, (RUNS, 1)), equal_nan=True)
        assert np.array_equal(
            found.metrics[metric]["wait"], [comparison.simulations["wait"].values(metric)], equal_nan=True
        )
    same = from_comparison(comparison, {"mappo": ["mappo"]})
    assert same.units == found.units and same.policies == ["mappo", "wait", "random"] and same.trained == {"mappo"}
    with pytest.raises(ScoresError, match="'qmix' was not compared; there are mappo, wait, random"):
        from_comparison(comparison, {"qmix": ["qmix"]})


@pytest.mark.parametrize("algorithm", ["mappo from rule", "mappo"])
def test_one_that_began_as_the_rule_is_not_one_that_did_not(algorithm, comparison, tmp_path):
    """A packaged policy of the same algorithm among the baselines is no run of the job."""
    both = compare(comparison.scenario, {"mappo from rule": "random", "mappo": "wait"}, 2, 100)
    with open_store(tmp_path / "results.db") as store:
        for seed in range(2):
            with store.job(scenario=both.scenario, algorithm=algorithm, seed=seed) as job:
                job.comparison(both)
        (found,) = from_store(store)
    assert found.trained == {algorithm}
    assert {policy: len(rows) for policy, rows in found.metrics["return"].items()} == {
        "mappo from rule": 1,
        "mappo": 1,
        algorithm: 2,
    }


def test_what_cannot_be_scored_together_is_told(stored, comparison, tmp_path):
    def add(address, seed=0, found=comparison, experiment="second"):
        with (
            open_store(address) as store,
            store.job(scenario=found.scenario, algorithm="mappo", seed=seed, experiment=experiment) as job,
        ):
            job.comparison(found)

    def refused(address):
        with open_store(address) as store:
            from_store(store)

    with open_store(stored) as store, pytest.raises(ScoresError, match="no finished job of 'third' has a final"):
        from_store(store, experiment="third")
    add(tmp_path / "twice.db"), add(tmp_path / "twice.db")
    with pytest.raises(ScoresError, match="jobs 1 and 2 are both of mappo with seed 0"):
        refused(tmp_path / "twice.db")
    add(tmp_path / "seeds.db")
    add(tmp_path / "seeds.db", 1, compare(comparison.scenario, {"mappo": "random", "wait": "wait"}, EPISODES, 101))
    with pytest.raises(ScoresError, match="job 2 was evaluated on other seeds"):
        refused(tmp_path / "seeds.db")
    add(tmp_path / "versions.db")
    add(tmp_path / "versions.db", 1, compare(load(CLINIC, {"pace": "brisk"}), {"mappo": "random"}, EPISODES, 100))
    with pytest.raises(ScoresError, match="another version"):
        refused(tmp_path / "versions.db")


def test_marl_eval_gets_its_layout_and_gives_the_same_back():
    ours = [results(), results("clinic", 50)]
    data = json.loads(json.dumps(to_marl_eval(ours), allow_nan=False))
    assert list(data) == ["marl_health"] and list(data["marl_health"]) == ["hospital", "clinic"]
    for algorithms in data["marl_health"].values():
        assert list(algorithms) == ["mappo", "rule", "random"]
        for runs in algorithms.values():
            assert list(runs) == [f"run_{number}" for number in range(1, RUNS + 1)]
            for run in runs.values():
                assert list(run) == ["step_1", "absolute_metrics"]
                assert list(run["step_1"]) == ["step_count", *run["absolute_metrics"]]
                assert {name: len(values) for name, values in run["absolute_metrics"].items()} == {
                    "return": EPISODES,
                    "wait": EPISODES,
                    "deaths": 1,
                }
    assert data["marl_health"]["hospital"]["mappo"]["run_3"]["step_1"]["step_count"] == 1002
    for before, after in zip(ours, from_marl_eval(data), strict=True):
        assert (after.scenario, after.trained, after.steps["mappo"]) == (
            before.scenario,
            {"mappo"},
            before.steps["mappo"],
        )
        for metric in ("return", "wait"):
            for policy, values in before.metrics[metric].items():
                assert np.array_equal(after.metrics[metric][policy], values)
        assert after.metrics["deaths"]["mappo"][:, 0] == pytest.approx(
            np.nanmean(before.metrics["deaths"]["mappo"], axis=1)
        )
        assert after.scores().iqm() == before.scores().iqm()


def test_of_several_scenarios_the_metrics_are_written_that_all_have():
    other = results("clinic")
    del other.metrics["wait"]
    tasks = to_marl_eval([results(), other])["marl_health"]
    assert all(list(task["rule"]["run_1"]["absolute_metrics"]) == ["return", "deaths"] for task in tasks.values())


def test_what_marl_eval_cannot_take_is_told():
    with pytest.raises(ScoresError, match=r"equally many runs .* mappo in hospital 5, .* mappo in clinic 4"):
        to_marl_eval([results(), results("clinic", runs=4)])
    other = results("clinic")
    for by_policy in other.metrics.values():
        del by_policy["random"]
    with pytest.raises(ScoresError, match="the same algorithms in every task; clinic has mappo, rule, hospital"):
        to_marl_eval([results(), other])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "there is no task"),
        ([], "the file: is no object"),
        ({"e": {"t": {"a": {"run_1": {"step_1": {"return": [1]}}}}}}, "t/a/run_1: has no absolute_metrics"),
        ({"e": {"t": {"a": {"run_1": {"absolute_metrics": {"wins": [1]}}}}}}, "t/a: has no metric 'return'"),
        ({"e": {"t": {"a": {"run_1": {"absolute_metrics": {"return": ["x"]}}}}}}, "return: is a list of numbers"),
        (
            {"e": {"t": {"a": {f"r{n}": {"absolute_metrics": {"return": [1] * n}} for n in (1, 2)}}}},
            "t/a: its runs differ in how many values of return",
        ),
    ],
)
def test_files_that_are_laid_out_otherwise_are_told(data, told):
    with pytest.raises(ScoresError, match=told):
        from_marl_eval(data)


def test_a_kpi_is_averaged_over_where_it_was_recorded():
    found = results()
    deaths = found.kpi_means["deaths"]
    assert deaths["mappo"].value == pytest.approx(np.nanmean(found.metrics["deaths"]["mappo"]))
    assert deaths["mappo"].low < deaths["mappo"].value < deaths["mappo"].high
    never = results()
    never.metrics["deaths"]["rule"][:] = np.nan
    assert set(never.kpi_means["deaths"]) == {"mappo", "random"}


def test_score_tells_of_the_store(stored, tmp_path):
    told = invoke("score", "--store", stored, "--html", tmp_path / "page.html", "--marl-eval", tmp_path / "runs.json")
    for words in (
        "return, IQM",
        "mappo from rule: imitated rule",
        "not normalised: rule has no scores here",
        "some 84 times in 100",
    ):
        assert words in told.stdout
    assert all(kpi in told.stdout for kpi in load(CLINIC).spec.kpis)
    assert (tmp_path / "page.html").read_text().count("<svg") == 2
    again = invoke("score", tmp_path / "runs.json", "--json", tmp_path / "scores.json")
    assert "mappo from rule" in again.stdout
    missing = invoke("score", "--store", stored, "--experiment", "third", code=1).stderr
    assert "no finished job of 'third'" in missing


def test_score_tells_of_files_and_over_scenarios(tmp_path):
    several, apart, few = (tmp_path / f"{name}.json" for name in ("several", "apart", "few"))
    clear = results("clinic", 50)
    hazy = results("haze")
    hazy.metrics["return"]["rule"][:] = hazy.metrics["return"]["random"]
    several.write_text(json.dumps(to_marl_eval([results(), clear, hazy])))
    out, page = tmp_path / "scores.json", tmp_path / "page.html"
    told = invoke("score", several, "--json", out, "--html", page).stdout
    for words in (
        "0 is random, 1 is rule",
        "optimality gap",
        "clinic: wait",
        "without haze: rule and random cannot be told apart",
    ):
        assert words in told
    found = json.loads(out.read_text())
    assert found["scenarios"]["clinic"]["return"]["return, IQM"]["mappo"]["value"] == pytest.approx(
        clear.scores().iqm()["mappo"].value
    )
    assert set(found["scenarios"]["clinic"]["kpis"]) == {"wait", "deaths"}
    assert found["normalised"]["iqm"]["rule"] == {"value": 1.0, "low": 1.0, "high": 1.0, "runs": 1}
    assert page.read_text().count("<svg") == 7
    apart.write_text(json.dumps(to_marl_eval([results()])))
    assert "hospital is in a file before it too" in invoke("score", several, apart, code=1).stderr
    few.write_text(json.dumps(to_marl_eval([results(runs=2)])))
    assert "warning: fewer than 5 training seeds of mappo" in invoke("score", few).stdout
    few.write_text("{")
    assert f"{few}: " in invoke("score", few, code=1).stderr
    assert "there are no results in 'ward'" in invoke("score", several, "--scenario", "ward", code=1).stderr
