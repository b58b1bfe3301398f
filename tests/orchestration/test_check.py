"""The catalogue check: it passes a scenario in which looking pays, and each of its points can fail."""

import itertools
import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import policies
from marl_health import load, parallel_env
from orchestration.check import effects, replay, sequential
from orchestration.check.ample import multiply_resources
from orchestration.check.finding import Finding
from orchestration.check.search import TRAINED, Budget, Search, actions_by_role, constant
from orchestration.check.trials import Trials
from orchestration.check.whole import Result, stages
from orchestration.cli import app
from policies import rules
from policies.clock import result_file, spelled

HERE = Path(__file__).parent
WALK_IN = (HERE / "walk_in.yaml").read_text()


@pytest.fixture(autouse=True)
def walk_in_rule(monkeypatch):
    """The rule of the test scenario is known beside the packaged ones."""
    monkeypatch.setattr(rules, "__path__", [*rules.__path__, str(HERE / "walk_in_rules")])


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """The whole check of the test scenario, as the command runs it: its folder, and what it printed."""
    folder = tmp_path_factory.mktemp("checked")
    (folder / "walk_in.yaml").write_text(WALK_IN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "__path__", [*rules.__path__, str(HERE / "walk_in_rules")])
        ran = CliRunner().invoke(app, ["check", str(folder / "walk_in.yaml"), "--jobs", "1"])
    return folder, ran


def written(folder, text):
    file = folder / "walk_in.yaml"
    file.write_text(text)
    return load(file)


# ------------------------------------------------------------------ the whole
@pytest.mark.slow
def test_a_scenario_in_which_looking_pays_passes(checked):
    folder, ran = checked
    assert ran.exit_code == 0, ran.output
    result = json.loads((folder / "walk_in.check.json").read_text())
    assert result["passed"]
    assert result["hash"] == load(folder / "walk_in.yaml").hash
    points = [finding["point"] for finding in result["findings"]]
    assert points == sorted(points)
    assert set(points) == {1, 2, 3, 4, 5, 6}
    for finding in result["findings"]:
        assert finding["passed"]
        assert finding["what"] in ran.output
        assert finding["figure"] in ran.output
        assert "low" not in finding or 0 < finding["low"] < finding["difference"] < finding["high"]
    assert "walk_in passes all six points" in ran.output


@pytest.mark.slow
def test_the_result_is_that_of_the_paired_differences(checked):
    folder, _ = checked
    result = json.loads((folder / "walk_in.check.json").read_text())
    trials = Trials(load(folder / "walk_in.yaml"), 1)
    compared = [finding for finding in result["findings"] if "policies" in finding]
    assert len(compared) == 2 + 2 + 1 + 1 + 1 + 5
    for finding in compared:
        differences = played_again(trials, finding, finding["pairs"])
        assert differences[: sequential.KEPT] == finding["first_differences"]
        assert math.fsum(differences) / len(differences) == pytest.approx(finding["difference"], rel=1e-12)


@pytest.mark.slow
def test_the_clock_is_never_below_the_best_constant_and_known_by_name(checked):
    folder, _ = checked
    found = json.loads((folder / "walk_in.check.json").read_text())
    clock, budget = found["clock"], found["search"]
    scenario = load(folder / "walk_in.yaml")
    seeds = range(budget["first_seed"], budget["first_seed"] + budget["rungs"][-1])
    # By name, by the blocks, and the constant that it began with.
    returns = Trials(scenario, 1).returns(["clock", spelled(clock["blocks"]), clock["best_constant"]], seeds)
    means = [sum(values) / len(values) for values in returns]
    assert means[0] == means[1] == pytest.approx(clock["training_return"])
    assert means[2] == pytest.approx(clock["training_return_of_best_constant"])
    assert means[1] > means[2]


def test_a_failed_point_is_told_and_ends_with_1(tmp_path, monkeypatch):
    scenario = written(tmp_path, WALK_IN)
    findings = (Finding(3, "rule against the best clock-only policy", "+0.1 (-1 to 1)", False),)
    told = []

    def failing(scenario, jobs, progress):
        told.append(jobs)
        return Result(scenario, findings, {"episodes": 7}, {})

    monkeypatch.setattr("orchestration.check.whole.check_scenario", failing)
    ran = CliRunner().invoke(app, ["check", str(scenario.file), "--jobs", "3"])
    assert (ran.exit_code, told) == (1, [3])
    assert "FAIL" in ran.output
    assert "walk_in fails point 3" in ran.output
    assert not json.loads(result_file(scenario).read_text())["passed"]


@pytest.mark.parametrize(
    ("name", "said"), [("treatment_centre", "nobody decides"), (str(HERE / "clinic.yaml"), "rule")]
)
def test_what_cannot_be_checked_is_told_at_once(name, said):
    ran = CliRunner().invoke(app, ["check", name])
    assert ran.exit_code == 1
    assert said in ran.stderr


# ------------------------------------------------------------------ 1: actions and observations
def test_actions_without_effect_and_constant_observations_are_found(tmp_path):
    text = WALK_IN.replace("  doctor: {count: 2}", "  doctor: {count: 2}\n  cook: {count: 1}\n  clerk: {count: 1}")
    text = text.replace(
        "pathway:\n",
        "pathway:\n  meal: {use: cook, for: 1 min, next: home}\n  note: {use: clerk, for: 1 min, next: home}\n",
    )
    text = text.replace("next: home}\n  home", "next: {split: {home: 100%, meal: 0%, note: 0%}}}\n  home")
    text = text.replace("sees: [line.waiting, doctor.free]", "sees: [line.waiting, doctor.free, clerk.waiting]")
    text = text.replace("costs: 300 usd}", "costs: 300 usd}\n      - {call_in: cook, count: 1, lead: 0 min, for: 1 h}")
    found = {finding.what: finding for finding in effects.effects(written(tmp_path, text))}
    acts = found["actions of manager that change a measure"]
    assert not acts.passed
    assert acts.data == {"role": "manager", "without_effect": ["call in 1 cook"], "never_possible": []}
    assert "not: call in 1 cook" in acts.figure
    seen = found["observations of manager that vary"]
    assert not seen.passed
    assert seen.data["constant"] == ["clerk.waiting"]
    assert found["actions of front_desk that change a measure"].passed
    assert found["observations of front_desk that vary"].passed


def test_what_an_action_costs_is_no_effect(tmp_path):
    # Nobody waits long enough to be missed, so that to be turned away is counted, costs, and changes nothing else.
    text = WALK_IN.replace("  efficiency: [{of: wait.hours_over, worth: -1}]\n", "")
    text = text.replace("  wait_mean: {of: wait.mean}\n", "").replace("      - {choose: waiting, do: first}\n", "")
    found = {finding.what: finding for finding in effects.effects(written(tmp_path, text))}
    assert len(found["actions of front_desk that change a measure"].data["without_effect"]) == 3
    assert found["actions of manager that change a measure"].data["without_effect"] == ["call in 1 doctor"]


# ------------------------------------------------------------------ 2 to 5: comparisons
def test_looking_often_does_not_raise_the_error(monkeypatch):
    sequences = np.random.default_rng(0).normal(size=(400, 1000))
    error = 0.2

    def alarms(level):
        monkeypatch.setattr(sequential, "LEVEL", level)
        return sum(sequential.until_clear(lambda pairs, x=x: x[:pairs].tolist()).clear for x in sequences)

    bound = error + 3 * math.sqrt(error * (1 - error) / len(sequences))
    assert alarms(1 - error / len(sequential.LOOKS)) <= bound * len(sequences)
    assert alarms(1 - error) > bound * len(sequences)  # what the sharing out prevents


def test_it_ends_at_the_first_clear_look_else_after_1000_pairs():
    values = np.random.default_rng(1).normal(size=1000)
    assert sequential.until_clear(lambda pairs: (values[:pairs] + 3).tolist()).n == 20
    assert sequential.until_clear(lambda pairs: (values[:pairs] - 3).tolist()).n == 20  # clearly the other way round
    never = sequential.until_clear(lambda pairs: values[:pairs].tolist())
    assert (never.n, never.clear) == (1000, False)


def test_a_policy_is_not_better_than_itself_or_than_its_better(tmp_path):
    trials = Trials(written(tmp_path, WALK_IN), 1)
    rule, wait = ("rule", False), ("wait", False)
    same = sequential.better(trials, 2, "same", wait, wait, looks=(20, 40))
    assert (same.passed, same.data["pairs"], same.data["difference"]) == (False, 40, 0)
    assert sequential.better(trials, 2, "rule", rule, wait).passed
    worse = sequential.better(trials, 2, "wait", wait, rule)
    assert not worse.passed
    assert worse.data["high"] < 0


def test_ample_resources_are_ten_times_the_shifts():
    env = parallel_env("hospital_throughput")
    env.reset(seed=5)
    before = {name: unit["capacity"] for name, unit in env.snapshot()["resources"].items() if not unit["unlimited"]}
    multiply_resources(env)
    after = env.snapshot()["resources"]
    assert after["medical_bed"]["capacity"] == 10 * before["medical_bed"]
    assert after["ed_physician"]["capacity"] == before["ed_physician"] + 9 * 8  # nine times the largest shift
    for _ in range(20):  # shifts change, the rest stays
        env.step({})
    later = env.snapshot()["resources"]
    assert later["ed_physician"]["capacity"] - before["ed_physician"] in range(70, 77)
    arrived = env.conservation()
    assert arrived["arrived"] == sum(count for name, count in arrived.items() if name != "arrived")


def test_where_nothing_is_scarce_plenty_gains_nothing(tmp_path):
    scenario = written(tmp_path, WALK_IN.replace("doctor: {count: 2}", "doctor: {count: 200}"))
    (usual,), (ample,) = (Trials(scenario, 1).returns(["rule"], range(10), ample=ample) for ample in (False, True))
    assert usual == ample
    scarce = written(tmp_path, WALK_IN)
    (usual,), (ample,) = (Trials(scarce, 1).returns(["rule"], range(10), ample=ample) for ample in (False, True))
    assert sum(ample) > sum(usual)


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_processes():
    scenario = load(HERE / "clinic.yaml")
    names = ["wait", "random", spelled({"12:00": {"manager": "call in 1 doctor"}})]
    with Trials(scenario, 2) as two:
        assert two.returns(names, range(8)) == Trials(scenario, 1).returns(names, range(8))


# ------------------------------------------------------------------ the search
class Landscape:
    """Stands in for trials: a timetable's return is a sum over its entries, with noise that all have in common."""

    def __init__(self, blocks=("12:00", "16:00"), seed=0):
        self.scenario = load(HERE / "clinic.yaml")
        self.played = 0
        self.actions = actions_by_role(self.scenario)
        draw = random.Random(seed)
        self.worth = {
            (block, role, action): draw.gauss(0, 1)
            for block in blocks
            for role, actions in self.actions.items()
            for action in (None, *actions)
        }
        self.blocks = blocks

    def value(self, table):
        return sum(self.worth[block, role, table[block].get(role)] for block in self.blocks for role in self.actions)

    def table(self, policy):
        if policy.startswith("clock:"):
            return json.loads(policy.partition(":")[2])
        pairs = [] if policy == "wait" else policy.partition(":")[2].split(",")
        constants = dict(pair.split("=") for pair in pairs)
        return dict.fromkeys(self.blocks, constants)

    def returns(self, names, seeds):
        return [[self.value(self.table(name)) + math.sin(seed) for seed in seeds] for name in names]


@pytest.mark.parametrize("seed", range(5))
def test_the_search_finds_the_best_where_entries_add_up(seed):
    trials = Landscape(seed=seed)
    search = Search(trials, Budget(), lambda: None)
    roles = {role: [None, *actions] for role, actions in trials.actions.items()}
    joints = [dict(zip(roles, picks, strict=True)) for picks in itertools.product(*roles.values())]

    singles = search.singles()
    for role, actions in trials.actions.items():
        assert singles[role] == max(actions, key=lambda action: trials.value(trials.table(constant({role: action}))))
    joint = search.joint(singles)
    best = max(trials.value(dict.fromkeys(trials.blocks, picks)) for picks in joints)
    assert trials.value(dict.fromkeys(trials.blocks, joint)) == pytest.approx(best)

    table = search.timetable(joint)
    best = sum(
        max(trials.worth[block, role, pick] for pick in roles[role]) for block in trials.blocks for role in roles
    )
    assert trials.value(table) == pytest.approx(best)


def test_a_search_tells_each_stage():
    scenario = load(HERE / "clinic.yaml")
    told = []
    search = Search(Landscape(), Budget(), lambda: told.append(1))
    search.timetable(search.joint(search.singles()))
    # Beside the search: replay, effects, five of point 2, one each of 3 and 4, five of 5.
    assert len(told) == stages(scenario) - 2 - 5 - 2 - 5


def test_a_timetable_never_falls_below_its_start_on_the_training_seeds(tmp_path):
    trials = Trials(written(tmp_path, WALK_IN), 1)
    search = Search(trials, Budget(rungs=(2, 4), passes=1, block_hours=6), lambda: None)
    for start in ({}, {"manager": "call in 1 doctor"}):
        table = search.timetable(start)
        assert list(table) == ["06:00", "12:00", "18:00"]
        assert search.mean(spelled(table)) >= search.mean(constant(start))


# ------------------------------------------------------------------ 6: the same again
def test_an_episode_that_comes_out_differently_elsewhere_is_found(tmp_path, monkeypatch):
    scenario = written(tmp_path, WALK_IN)
    found = replay.replay(scenario)
    assert found.passed
    assert replay.digest(scenario, TRAINED, [{}] * 48) != found.data["digest"]
    assert replay.digest(scenario, TRAINED, [{}] * 48) != replay.digest(scenario, TRAINED + 1, [{}] * 48)
    monkeypatch.setattr(replay, "AGAIN", "print(hash('a'))")
    assert not replay.replay(scenario).passed
    monkeypatch.setattr(replay, "AGAIN", "raise SystemExit(3)")
    assert not replay.replay(scenario).passed


def played_again(trials, finding, pairs):
    """The first differences of a finding, played anew."""
    seeds = range(sequential.JUDGED, sequential.JUDGED + pairs)
    both = zip(finding["policies"], finding["ample"], strict=True)
    (good,), (bad,) = (trials.returns([policy], seeds, ample=ample) for policy, ample in both)
    return [a - b for a, b in zip(good, bad, strict=True)]


@pytest.mark.slow
def test_policies_of_the_result_can_be_named(checked):
    folder, _ = checked
    for finding in json.loads((folder / "walk_in.check.json").read_text())["findings"]:
        for policy in finding.get("policies", ()):
            policies.check(policy)
