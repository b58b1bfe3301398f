"""How many replications, which policy, how long a warm-up: against the textbooks' formulas, written out here."""

import json
import math
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

import marl_health
from orchestration import replications, selection
from orchestration.episodes import Replication
from orchestration.evaluation.statistics import mean_interval
from orchestration.replications import UnknownMetric, check_bounds, replications_needed, simulate_until
from orchestration.selection import NotRecorded, select_best
from orchestration.simulate import Simulation, simulate
from orchestration.warm_up import moving_average, truncation, warm_up
from tests.orchestration.command_line import invoke

pytest.importorskip("sim_tools")
CLINIC = str(Path(__file__).with_name("clinic.yaml"))


def scenario_of(**kpis):
    """Something that has as much of a scenario as the rules look at; values say what better means."""
    spec = SimpleNamespace(kpis={name: SimpleNamespace(better=better) for name, better in kpis.items()})
    game = SimpleNamespace(kpi_units=lambda: dict.fromkeys(kpis, ""))
    return SimpleNamespace(
        spec=spec, name="made_up", roles=["one"], program=None, kind=SimpleNamespace(make_game=lambda _: game)
    )


def made_up(monkeypatch, **columns):
    """Let the replications be these values of KPIs."""

    def finished(scenario, policy, seeds, **how):
        for number, seed in enumerate(seeds):
            kpis = {name: float(values[number]) for name, values in columns.items()}
            yield Replication(seed, gained=kpis.pop("return", 0.0), kpis=kpis)

    monkeypatch.setattr(replications, "replications_of", finished)
    return scenario_of(**{name: "lower" for name in columns if name != "return"})


def deviation(values):
    """Half-width of the 95% interval over the size of the mean."""
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values))
    return half / abs(np.mean(values))


def hoad(values, precision, at_least, look_ahead=5):
    """The replications algorithm: first n at which the precision is there, and is for the look-ahead as well."""
    for n in range(3, len(values)):
        ahead = look_ahead * max(n, 100) // 100
        if all(deviation(values[:m]) <= precision for m in range(n, max(n, at_least) + ahead + 1)):
            return n
    return None


# ------------------------------------------------------------ a precision
@pytest.mark.parametrize(("mean", "precision"), [(50, 0.1), (-50, 0.1), (3, 0.2), (-3, 0.2)])
def test_the_rule_is_that_of_hoad_whatever_the_sign_of_the_mean(monkeypatch, mean, precision):
    for seed in range(4):
        values = np.random.default_rng(seed).normal(mean, abs(mean) / 2, 2000)
        scenario = made_up(monkeypatch, one=values)
        found, reached = simulate_until(scenario, "wait", precision, 0, at_least=5, at_most=1900)
        n = hoad(values, precision, 5)
        assert reached.reached == {"one": n}
        assert len(found.replications) == max(n, 5) + max(5, 5 * n // 100)


def test_it_goes_on_until_every_kpi_is_precise(monkeypatch):
    draw = np.random.default_rng(1)
    quick, slow = draw.normal(100, 10, 500), draw.normal(100, 60, 500)
    scenario = made_up(monkeypatch, quick=quick, slow=slow, **{"return": draw.normal(-5, 1, 500)})
    both, reached = simulate_until(scenario, "wait", 0.1, 0, at_least=5, at_most=500)
    assert reached.reached == {"quick": hoad(quick, 0.1, 5), "slow": hoad(slow, 0.1, 5)}
    one, reached = simulate_until(scenario, "wait", 0.1, 0, metrics=["quick", "return"], at_least=5, at_most=500)
    assert set(reached.reached) == {"quick", "return"}
    assert len(one.replications) < len(both.replications)


def test_what_cannot_be_judged_is_told_and_does_not_stop_it(monkeypatch):
    draw = np.random.default_rng(2)
    gaps, rare = draw.normal(10, 1, 300), np.zeros(300)
    gaps[12] = np.nan
    rare[8:] = draw.normal(5, 1, 292)
    scenario = made_up(monkeypatch, plain=draw.normal(10, 3, 300), never=np.zeros(300), gaps=gaps, rare=rare)
    found, reached = simulate_until(scenario, "wait", 0.1, 0, at_least=5, at_most=300)
    assert reached.unjudged == {"never": "0 in every replication", "gaps": "not recorded with seed 12"}
    assert set(reached.reached) == {"plain", "rare"} and reached.reached["rare"] > 10
    assert len(found.replications) < 300


def test_it_ends_at_the_most_and_says_what_was_not_reached(monkeypatch):
    values = np.random.default_rng(3).normal(1, 5, 400)
    for at_most in (60, 100, 130, 210, 399):
        found, reached = simulate_until(made_up(monkeypatch, one=values), "wait", 0.01, 0, at_least=5, at_most=at_most)
        assert reached.reached == {"one": None}
        assert at_most - 1 <= len(found.replications) <= at_most
    with pytest.raises(ValueError, match="leaves no room"):
        check_bounds(60, 64)


def test_the_number_of_processes_does_not_matter():
    scenario = marl_health.load(CLINIC)
    runs = [
        simulate_until(scenario, "wait", 0.3, 0, metrics=["wait_mean"], at_least=5, at_most=40, jobs=jobs)
        for jobs in (1, 2)
    ]
    assert runs[0][1] == runs[1][1]
    plain = simulate(scenario, "wait", len(runs[1][0].replications), 0)
    assert runs[0][0].to_json() == runs[1][0].to_json() == plain.to_json()


def test_replications_needed(monkeypatch):
    draw = np.random.default_rng(4)
    columns = {
        "return": draw.normal(-80, 20, 60),
        "late": draw.normal(10, 9, 60),
        "none": [math.nan] * 60,
        "same": [2.0] * 60,
    }
    made = made_up(monkeypatch, **columns)
    simulation = Simulation(made, "wait", list(replications.replications_of(made, "wait", range(60))))
    needed = replications_needed(simulation, 0.1)
    first = next(n for n in range(3, 61) if deviation(columns["return"][:n]) <= 0.1)
    assert needed["return"].n == first
    assert needed["late"].n is None
    estimate = mean_interval(columns["late"])
    assert needed["late"].half_width == pytest.approx((estimate.high - estimate.mean) / estimate.mean)
    assert needed["late"].about == math.ceil(60 * (needed["late"].half_width / 0.1) ** 2) > 60
    assert math.isnan(needed["none"].about) and needed["same"].n == 1


def test_unknown_kpis_are_named():
    with pytest.raises(UnknownMetric, match="no KPI 'wait_maen'; it has return, wait_mean, in_time"):
        simulate_until(marl_health.load(CLINIC), "wait", 0.1, 0, metrics=["wait_maen"])


# ------------------------------------------------------------ a selection
def kim_nelson(values, delta, first=10, alpha=0.05):
    """Kim and Nelson (2001), for the largest mean. Returns the winner, and how many replications each had."""
    k = len(values)
    eta = 0.5 * ((2 * alpha / (k - 1)) ** (-2 / (first - 1)) - 1)
    h2 = 2 * eta * (first - 1)
    spread = {(i, j): np.var(values[i][:first] - values[j][:first], ddof=1) for i in range(k) for j in range(k)}
    left, n, had = list(range(k)), first, [first] * k
    while len(left) > 1:
        means = {i: values[i][:n].mean() for i in left}
        left = [
            i
            for i in left
            if all(means[i] >= means[j] - max(0, delta / (2 * n) * (h2 * spread[i, j] / delta**2 - n)) for j in left)
        ]
        if len(left) > 1:
            n += 1
            for i in left:
                had[i] = n
    had[left[0]] += 1  # sim-tools runs the winner once more
    return left[0], had


def racing(monkeypatch, values):
    """Let policies be columns of values; replication number n of each is its value n."""

    def finished(function, tasks, jobs):
        ahead = []  # as several processes do: some tasks are read before the results of others are looked at
        for task in tasks:
            ahead.append(task)
            if len(ahead) > 3 * jobs:
                yield result(ahead.pop(0))
        yield from map(result, ahead)

    def result(task):
        policy, seed = task
        value = values[policy][seed]
        return SimpleNamespace(policy=policy, seed=seed), Replication(seed, gained=value, kpis={"loss": -value})

    def tasks(scenario, names, seeds):
        return [(name, seed) for seed in seeds for name in names]

    monkeypatch.setattr(selection, "in_order", finished)
    monkeypatch.setattr(selection, "tasks", tasks)
    monkeypatch.setattr(selection.policies_by_name, "check", lambda name: None)


@pytest.mark.parametrize("designs", [2, 3, 5])
def test_the_procedure_is_that_of_kim_and_nelson(monkeypatch, designs):
    names = [f"p{number}" for number in range(designs)]
    for seed in range(5):
        draw = np.random.default_rng(seed)
        shared = draw.normal(0, 5, 3000)  # common random numbers
        spreads = draw.uniform(0.5, 6, designs)
        values = [draw.normal(-300 + draw.uniform(0, 2), spread, 3000) + shared for spread in spreads]
        best, had = kim_nelson(values, 1.0)
        racing(monkeypatch, dict(zip(names, values, strict=True)))
        for metric, jobs in (("return", 1), ("loss", 1), ("return", 7)):
            found = select_best(scenario_of(loss="lower"), names, metric, 1.0, 0, at_most=3000, jobs=jobs)
            assert found.best == names[best]
            assert {name: len(found.values[name]) for name in names} == dict(zip(names, had, strict=True))
            assert set(found.out) == set(names) - {found.best}


def test_a_selection_may_end_undecided(monkeypatch):
    values = np.random.default_rng(0).normal(0, 1, 100)
    racing(monkeypatch, {"a": values, "b": values, "c": values - 50})
    found = select_best(scenario_of(), ["a", "b", "c"], "return", 1.0, 0, at_most=50)
    assert found.best is None and set(found.left) == {"a", "b"} and found.out == {"c": 10}


def test_a_kpi_that_is_not_always_recorded_decides_nothing():
    with pytest.raises(NotRecorded, match="'time_to_death' was not recorded under"):
        select_best(marl_health.load(CLINIC), ["wait", "random"], "time_to_death", 1.0, 0)


# ------------------------------------------------------------ a warm-up
def test_moving_average_is_welchs():
    values = np.array([1.0, 5.0, 3.0, 7.0, 2.0, 9.0, 4.0])
    expected = [1.0, 3.0, np.mean(values[:5]), np.mean(values[1:6]), np.mean(values[2:])]
    assert moving_average(values, 2).tolist() == pytest.approx(expected)


def test_truncation_finds_the_end_of_a_rise():
    draw = np.random.default_rng(5)
    settled = np.concatenate([np.linspace(0, 10, 40), np.full(160, 10.0)]) + draw.normal(0, 0.1, 200)
    assert 35 <= truncation(settled) <= 45
    assert truncation(np.linspace(0, 10, 200)) is None
    assert truncation(np.exp(np.linspace(0, 10, 200))) is None
    assert truncation(np.full(50, 3.0)) == 0


def test_series_add_up_to_what_the_clinic_had():
    scenario = marl_health.load(CLINIC)
    found = warm_up(scenario, "wait", 4, 0)
    series = {warming.name: warming for warming in found.series}
    assert {"inside", "room", "nurse", "doctor", "waiting for line"} <= set(series)
    # Everybody inside stands in the line or is in a room, in this clinic.
    assert series["inside"].mean == pytest.approx(series["room"].mean + series["waiting for line"].mean)
    assert (found.present, found.simulation.seeds) == (2.0, [0, 1, 2, 3])
    assert series["room"].hours[-1] == pytest.approx(8.0, abs=0.1)


# ------------------------------------------------------------ the commands
def test_replications_command(tmp_path):
    plot, out = tmp_path / "welch.svg", tmp_path / "plan.json"
    text = invoke("replications", CLINIC, "--replications", 6, "--jobs", 1, "--plot", plot, "--json", out).stdout
    for words in ("wait_mean (min)", "needs about", "not recorded in all", "warm-up of 2 h"):
        assert words in text
    assert plot.read_text().lstrip().startswith("<?xml") and "moving average" in plot.read_text()
    assert json.loads(out.read_text())["warm_up"]["hours"] == 2.0


def test_what_cannot_be_told_yet_is_told_apart_from_what_was_not_recorded():
    told = invoke("replications", CLINIC, "--replications", 2, "--jobs", 1).stdout
    assert re.search(r"│ return .* │ +too few to tell │", told)
    assert re.search(r"│ time_to_death .* │ +not recorded in all │", told)


def test_select_command(tmp_path):
    out = tmp_path / "out.json"
    policies = "wait,constant:manager=1"
    text = invoke("select", CLINIC, "--policies", policies, "--delta", 40, "--jobs", 1, "--json", out).stdout
    found = json.loads(out.read_text())
    assert f"{found['selected']} is the best of these, or within 40 of it" in text


def test_simulate_to_a_precision(tmp_path):
    out = tmp_path / "out.json"
    arguments = ("--precision", 0.4, "--of", "wait_mean", "--replications", 5, "--at-most", 30, "--jobs", 1)
    text = invoke("simulate", CLINIC, *arguments, "--json", out, "--events", tmp_path / "log.csv").stdout
    found = json.loads(out.read_text())
    assert found["precision"]["reached"]["wait_mean"] <= len(found["seeds"]) < 30
    assert "Half-width within 0.4 of the mean, to stay, after replications: wait_mean (" in text
    runs = {line.split(",")[5] for line in (tmp_path / "log.csv").read_text().splitlines()[1:]}
    assert runs == {str(number) for number in range(len(found["seeds"]))}


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["replications", CLINIC, "--plot", "welch.gif"], "ends in .png, .svg, .pdf", 1),
        (["replications", CLINIC, "--plot", "no/welch.png"], "there is no folder no", 1),
        (["select", CLINIC, "--delta", "1", "--of", "wait_maen"], "has no KPI 'wait_maen'", 1),
        (["select", CLINIC, "--delta", "1", "--policies", "wait,wiat"], "did you mean 'wait'", 1),
        (["replications", CLINIC, "--plot", f"{CLINIC}/welch.png"], "clinic.yaml is a file and holds no others", 1),
        (["replications", CLINIC, "--window", "1000"], "at most 4 h here", 2),
        (["select", CLINIC, "--delta", "0"], "must be a number above 0", 2),
        (["select", CLINIC, "--delta", "nan"], "must be a number above 0", 2),
        (["select", CLINIC], "--delta", 2),
        (["select", CLINIC, "--delta", "1", "--policies", "wait"], "two policies or more", 2),
        (["simulate", CLINIC, "--precision", "0.1", "--of", "waiting"], "has no KPI 'waiting'", 1),
        (["simulate", CLINIC, "--precision", "0.1", "--at-most", "20"], "leaves no room", 2),
    ],
)
def test_slips_are_told(arguments, said, code):
    assert said in " ".join(invoke(*arguments, code=code).stderr.replace("│", " ").split())


@pytest.mark.parametrize("command", [["replications"], ["select", "--delta", "1"], ["simulate", "--precision", "0.1"]])
def test_without_sim_tools_it_says_what_to_install(monkeypatch, command):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "sim_tools" else object())
    assert "marl-health[analysis]" in invoke(command[0], CLINIC, *command[1:], code=1).stderr
