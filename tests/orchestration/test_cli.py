"""The command line: what it prints and writes, and that whatever goes wrong is told in plain words."""

import csv
import errno
import json
import os
import re
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import marl_health
from marl_health.spec import heading
from orchestration.commands.runs import split_policies
from orchestration.commands.tables import interval, number, ratio
from orchestration.evaluation.statistics import Estimate, mean_interval
from orchestration.explain import duration
from orchestration.output import output_file, write_json
from tests.orchestration.command_line import invoke

CLINIC = str(Path(__file__).with_name("clinic.yaml"))


def start(*arguments, **settings):
    """The real command in a process of its own."""
    script = "from marl_health.console import main; main()"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | settings
    return subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)], **pipes)


# ------------------------------------------------------------ looking
def test_version():
    assert invoke("--version").stdout == f"marl-health {marl_health.__version__}\n"


def test_list_names_every_scenario():
    listing = invoke("list").stdout
    for name in marl_health.scenarios():
        assert name in listing
    for word in ("train", "ed_coordinator", "emergency", "An acute hospital"):
        assert word in listing


def test_list_is_quick_and_loads_nothing_heavy():
    script = (
        "import sys, orchestration.cli as cli; sys.argv = ['x', 'list']\n"
        "try: cli.main()\nexcept SystemExit: pass\nprint(*sys.modules)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert not {"ray", "torch", "pandas", "matplotlib", "scipy"} & set(done.stdout.split())
    # Processor time, as other tests run beside this one; on a quiet machine the clock says the same.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


def test_list_parses_each_file_once(monkeypatch):
    parsed = Counter()

    def counted(text, file, parse_document=heading.parse_document):
        parsed[file] += 1
        return parse_document(text, file)

    monkeypatch.setattr(heading, "parse_document", counted)
    heading._top.cache_clear()
    invoke("list")
    assert len(parsed) == parsed.total() == len(marl_health.scenarios()), "also where several extend the same"


def test_what_is_extended_is_read_again_when_it_changed(tmp_path):
    base, top = tmp_path / "base.yaml", tmp_path / "top.yaml"
    text = Path(CLINIC).read_text()
    base.write_text(text)
    top.write_text("schema: marl_health/v1\nname: top\nextends: base.yaml\n")
    shown = [invoke("show", top).stdout]
    base.write_text(text.replace("episode: 6 h", "episode: 10 h"))
    shown.append(invoke("show", top).stdout)
    assert "lasts 6 h" in shown[0] and "lasts 10 h" in shown[1]


def test_show_explains_everything_that_is_seen_done_and_counted():
    text = invoke("show", CLINIC, "--with", "pace=brisk").stdout
    env = marl_health.parallel_env(CLINIC)
    for agent in env.possible_agents:
        assert f"{agent} sees {env.observation_space(agent).shape[0]} numbers" in text
        for index, name in enumerate(env.observation_names(agent)):
            assert re.search(rf"^ *{index}  {re.escape(name)} ", text, re.MULTILINE), name
        for index, name in enumerate(env.action_names(agent)):
            assert re.search(rf"^ *{index}  {re.escape(name)} ", text, re.MULTILINE), name
    assert re.search(r"efficiency +-1 +h +wait.hours_over: .* each agent", text)
    assert re.search(r"financial +-0.01 +usd +spent: .* manager", text)
    assert re.search(r"in_time +wait.share_within .* higher", text)
    for words in ("Monday 12:00", "lasts 6 h", "every 1 h (6 in all)", "warm-up of 2 h", "--with pace=brisk", "demand"):
        assert words in text


def test_show_explains_a_scenario_without_agents(tmp_path):
    text = Path(CLINIC).read_text()
    before, _, after = text.partition("slots:")
    after = after[after.index("\nmeasures") :].replace(", to: manager", "")
    (tmp_path / "alone.yaml").write_text(before + "agents: {}\n" + after)
    assert "Nobody decides" in invoke("show", tmp_path / "alone.yaml").stdout
    assert "policy wait" in invoke("simulate", tmp_path / "alone.yaml", "--replications", 1).stdout
    for command in ("compare", "train"):
        assert "nobody decides in 'clinic'" in invoke(command, tmp_path / "alone.yaml", code=1).stderr


@pytest.mark.parametrize(
    ("minutes", "words"), [(5, "5 min"), (90, "1.5 h"), (1440, "1 day"), (4320, "3 days"), (0.5, "0.5 min")]
)
def test_durations(minutes, words):
    assert duration(minutes) == words


# ------------------------------------------------------------ checking
def test_validate_accepts_what_is_right():
    result = invoke("validate", CLINIC, "hospital_throughput")
    assert [line.partition(": OK")[0] for line in result.stdout.splitlines()] == [CLINIC, "hospital_throughput"]


def test_validate_tells_every_problem_of_every_file_with_its_place(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    text = Path(CLINIC).read_text().replace("use: nurse", "use: nurce").replace("leave: died", "leaves: died")
    wrong.write_text(text)
    result = invoke("validate", wrong, CLINIC, tmp_path / "none.yaml", code=1)
    assert f"{CLINIC}: OK" in result.stdout
    lines = result.stderr.splitlines()
    assert all(re.match(r"[^:]+:\d+:\d+: ", line) for line in lines)
    assert sum(line.startswith(str(wrong)) for line in lines) >= 1
    assert any(line.startswith(str(tmp_path / "none.yaml")) for line in lines)


def test_validate_tries_every_alternative(tmp_path):
    text = Path(CLINIC).read_text().replace("brisk: {exponential: {mean: 8 min}}", "brisk: 8 usd")
    (tmp_path / "odd.yaml").write_text(text)
    assert "odd.yaml:" in invoke("validate", tmp_path / "odd.yaml", code=1).stderr


# ------------------------------------------------------------ running
def test_simulate_writes_what_it_found(tmp_path):
    out, log = tmp_path / "out.json", tmp_path / "events.csv"
    result = invoke(
        *("simulate", CLINIC, "--policy", "random", "--replications", 3, "--seed", 5, "--jobs", 1),
        *("--json", out, "--events", log),
    )
    found = json.loads(out.read_text())
    assert (found["policy"], found["seeds"]) == ("random", [5, 6, 7])
    assert "clinic, policy random: 3 replications, seeds 5 to 7" in result.stdout
    for word in ("return", "of it clinical", "wait_mean (min)", "recorded in", "arrived ="):
        assert word in result.stdout
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:6] == ["entity_id", "event_type", "event", "time", "resource_id", "run"]
    assert {row["run"] for row in rows} == {"0", "1", "2"}
    arrivals = sum(row["event"] == "arrival" for row in rows)
    assert arrivals == found["conservation"]["arrived"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.csv", "out.json"]


def test_what_was_not_recorded_is_null(tmp_path):
    out = tmp_path / "out.json"
    for seed in range(20):  # two episodes in three go by without a death
        invoke("simulate", CLINIC, "--replications", 1, "--seed", seed, "--json", out)
        found = json.loads(out.read_text(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        if found["conservation"]["died"] == 0:
            break
    assert found["kpis"]["time_to_death"] == {"mean": None, "low": None, "high": None, "n": 0, "unit": "min"}
    assert found["return"]["low"] is None


def test_alternatives_change_the_scenario(tmp_path):
    found = []
    for pick in ((), ("--with", "pace=brisk")):
        invoke("simulate", CLINIC, "--replications", 2, "--json", tmp_path / "out.json", *pick)
        found.append(json.loads((tmp_path / "out.json").read_text()))
    assert found[0]["hash"] != found[1]["hash"]
    assert found[0]["kpis"]["wait_mean"]["mean"] > found[1]["kpis"]["wait_mean"]["mean"]


def test_the_same_file_comes_from_any_number_of_processes(tmp_path):
    files = []
    for jobs in (1, 2):
        files.append(tmp_path / f"{jobs}.json")
        done = start(
            *("compare", CLINIC, "--policies", "wait,random", "--replications", 4, "--jobs", jobs, "--json", files[-1])
        )
        assert done.communicate()[1] == "" and done.returncode == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_compare_prints_levels_and_marks_clear_differences(tmp_path):
    out = tmp_path / "out.json"
    result = invoke("compare", CLINIC, "--policies", "wait,random", "--replications", 6, "--json", out)
    found = json.loads(out.read_text())
    assert list(found["policies"]) == ["wait", "random"] and list(found["paired"]) == ["random"]
    levels, differences = result.stdout.split("difference from wait")
    assert re.search(r"spent \(usd\) .* 0 ± 0 .* 500 ± 0 ", levels)
    assert re.search(r"spent \(usd\) .* 500 ± 0 \* .* – ", differences)
    assert differences.count("variance ratio") == 2, "the head of a column, and what it means"
    gained = found["paired"]["random"]["wait_mean"]["variance_ratio"]
    assert re.search(rf"wait_mean \(min\) .* {ratio(gained)} ", differences)


def test_policies_are_split_at_commas_that_are_not_their_own():
    text = "wait, constant:manager=1,front_desk=set line.order arrival,lookahead:futures=2,every=3,runs/a/checkpoint"
    assert split_policies(text) == [
        "wait",
        "constant:manager=1,front_desk=set line.order arrival",
        "lookahead:futures=2,every=3",
        "runs/a/checkpoint",
    ]


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(1234.567, 1233.3, 1235.834, 5), "1,234.6 ± 1.3"),
        (Estimate(-0.01234, -0.0125, -0.01218, 5), "-0.01234 ± 0.00016"),
        (Estimate(-0.2, -28.2, 27.8, 5), "0 ± 28"),
        (Estimate(3.0, 3.0, 3.0, 5), "3 ± 0"),
        (mean_interval([2.5]), "2.5"),
        (mean_interval([]), "–"),
    ],
)
def test_intervals_are_written_to_the_digits_that_they_bear(estimate, text):
    assert interval(estimate) == text


def test_ratios_are_written_to_two_digits():
    values = (0.97, 4.951, 9.96, 12_345.6, float("inf"), float("nan"))
    assert [ratio(value) for value in values] == ["1.0", "5.0", "10", "12,346", "∞", "–"]


def test_numbers_keep_every_digit_before_the_point():
    assert [number(x) for x in (0, 123456.7, -1.5, 0.0123461)] == ["0", "123,457", "-1.5", "0.01235"]


# ------------------------------------------------------------ what goes wrong
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate", "hospital_troughput"], "did you mean 'hospital_throughput'?"),
        (["simulate", CLINIC, "--policy", "randm"], "did you mean 'random'?"),
        (["simulate", CLINIC, "--policy", "rule"], "'clinic' has no reference rule"),
        (["simulate", CLINIC, "--policy", "constant:manger=1"], "did you mean 'manager'?"),
        (["simulate", CLINIC, "--json", "no/such/folder.json"], "there is no folder no/such"),
        (["simulate", CLINIC, "--json", "."], "is a folder"),
        (["simulate", CLINIC, "--events", "no/such.csv"], "there is no folder no"),
        (["simulate", CLINIC, "--with", "peace=brisk"], "did you mean 'pace'?"),
        (["compare", CLINIC, "--policies", "wait,wait"], "'wait' is named twice"),
        (["compare", CLINIC, "--policies", "wait,none/such"], "there is no checkpoint at 'none/such'"),
        (["evaluate", "none"], "there is no checkpoint"),
        (["show", "none.yaml"], "none.yaml:1:1: there is no such file"),
        (["train", "none.yaml"], "none.yaml:1:1: there is no such file"),
    ],
)
def test_slips_are_told_in_one_line(arguments, said):
    lines = invoke(*arguments, code=1).stderr.splitlines()
    assert len(lines) == 1 and said in lines[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate"],
        ["simulate", CLINIC, "--replications", "0"],
        ["simulate", CLINIC, "--seed", "-1"],
        ["simulate", CLINIC, "--seed", "one"],
        ["simulate", CLINIC, "--jobs", "0"],
        ["simulate", CLINIC, "--with", "pace"],
        ["simulate", CLINIC, "--with", "pace=usual", "--with", "pace=brisk"],
        ["simulate", CLINIC, "--json", "a", "--events", "a"],
        ["train", CLINIC, "--minutes", "0"],
        ["nonsense"],
        ["list", "--nonsense"],
    ],
)
def test_wrong_usage_ends_with_code_2(arguments):
    assert invoke(*arguments, code=2).stderr


def test_files_are_checked_before_anything_is_simulated(monkeypatch, tmp_path):
    monkeypatch.setattr("orchestration.commands.runs.simulate_policy", lambda *_, **__: pytest.fail("too late"))
    monkeypatch.setattr("orchestration.commands.runs.compare_policies", lambda *_, **__: pytest.fail("too late"))
    for command in ("simulate", "compare"):
        invoke(command, CLINIC, "--json", tmp_path / "none" / "out.json", code=1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_told(tmp_path):
    (tmp_path / "out.json").touch(0o444)
    assert "may not be written" in invoke("simulate", CLINIC, "--json", tmp_path / "out.json", code=1).stderr


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    file = tmp_path / "out.json"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt), output_file(file) as opened:
        opened.write("half")
        raise KeyboardInterrupt
    assert file.read_text() == "old"
    with output_file(file) as opened:
        write_json(opened, {"a": [float("nan"), float("inf"), 1.5]})
        assert file.read_text() == "old"
    assert json.loads(file.read_text()) == {"a": [None, None, 1.5]}
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "target.json").write_text("old")
    (tmp_path / "link.json").symlink_to(tmp_path / "target.json")
    with output_file(tmp_path / "link.json") as opened:
        opened.write("new")
    assert (tmp_path / "link.json").is_symlink() and (tmp_path / "target.json").read_text() == "new"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("option", ["--json", "--events"])
def test_a_full_disk_is_told_and_the_table_is_printed_all_the_same(option):
    result = invoke("simulate", CLINIC, "--replications", 2, option, "/dev/full", code=1)
    assert result.stderr == "marl-health: /dev/full: the disk is full; free some space or write elsewhere\n"
    if option == "--json":
        assert "return" in result.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_told():
    with open("/dev/full", "w") as full:
        process = start("list", stdout=full)
        assert process.communicate()[1] == "marl-health: output: the disk is full; free some space or write elsewhere\n"
    assert process.returncode == 1


def test_a_reader_that_leaves_is_no_error_to_talk_about():
    process = start("show", "hospital_throughput")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 1


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'marl-health[train]'" in invoke("train", CLINIC, code=1).stderr


def test_errors_of_the_system_are_told(monkeypatch):
    def fail(*_):
        raise OSError(errno.EIO, "Input/output error", "somewhere")

    monkeypatch.setattr("orchestration.commands.catalogue.load", fail)
    assert invoke("show", CLINIC, code=1).stderr == "marl-health: somewhere: input/output error\n"
