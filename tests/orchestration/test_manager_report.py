"""The report for managers: its figures are those of the episodes, its sentences say no more than they show."""

import math
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import policies
from marl_health import load, parallel_env
from orchestration.briefing.words import metrics_of, move_words, plain
from orchestration.commands import reporting
from orchestration.episodes import own_seed
from orchestration.evaluation.compare import compare
from orchestration.evaluation.statistics import mean_interval
from tests.orchestration.command_line import invoke
from tests.orchestration.test_groups import GROUPED

pytest.importorskip("matplotlib")
HERE = Path(__file__).parent
CLINIC = HERE / "clinic.yaml"
SMALL = HERE.parent / "worlds" / "small_hospital.yaml"
NAMES, N, SEED = ["wait", "random"], 5, 3
NAN = math.nan


class Page(HTMLParser):
    """Headings, text and tables (lists of rows of cells) of a page, and all that it refers to."""

    def __init__(self, text):
        super().__init__()
        self.headings, self.tables, self.references, self.text = [], [], [], ""
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._in = tag if tag in ("h1", "h2", "h3", "h4", "th", "td") else self._in
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")
        elif tag.startswith("h") and tag[1:].isdigit():
            self.headings.append("")
        self.references += [value for name, value in attributes if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        if tag == self._in:
            self._in = ""

    def handle_data(self, data):
        self.text += data
        if self._in in ("th", "td"):
            self.tables[-1][-1][-1] += data
        elif self._in:
            self.headings[-1] += data

    def table(self, start):
        """Row by its first cell, of the table whose head begins so."""
        table = next(table for table in self.tables if table[0][0] == start)
        return {row[0]: row[1:] for row in table[1:]}


def write(folder, scenario, *more, names=NAMES, n=N, seed=SEED):
    out = folder / "report.html"
    options = ["--policies", ",".join(names), "--replications", n, "--seed", seed, "--out", out]
    assert str(out) in invoke("report", scenario, *options, *(more or ("--jobs", 1))).stdout
    return out


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write(tmp_path_factory.mktemp("small"), SMALL)


@pytest.fixture(scope="module")
def page(small):
    return Page(small.read_text())


@pytest.fixture(scope="module")
def played():
    """Policy to (return, KPIs, moves by agent and action) of each episode, played here step by step."""
    found = {name: [] for name in NAMES}
    for name, episodes in found.items():
        for seed in range(SEED, SEED + N):
            env, policy, gained, moves = parallel_env(SMALL), policies.make(name), 0.0, Counter()
            observations, infos = env.reset(seed=seed)
            policy.reset(env, own_seed(name, seed))
            while env.agents:
                actions, agents, before = policy.act(env, observations, infos), list(env.agents), infos
                observations, rewards, _, _, infos = env.step(actions)
                gained += sum(rewards.values()) / len(rewards)
                done = [
                    (agent, actions[agent])
                    for agent in agents
                    if actions[agent] and infos[agent]["illegal_actions"] == before[agent]["illegal_actions"]
                ]
                moves.update(done)
            episodes.append((gained, env.kpis(), moves))
    return found


def shown(text):
    """Numbers of a cell, and to how many decimals they are."""
    numbers = re.findall(r"[+−-]?[\d,]+(?:\.\d+)?", text.replace("95% ", ""))
    values = [float(number.replace("−", "-").replace(",", "")) for number in numbers]
    return values, max(len(number.partition(".")[2]) for number in numbers)


def t_interval(values):
    """Mean and 95% interval, by scipy."""
    mean, error = np.mean(values), stats.sem(values)
    return [mean, *(mean + error * stats.t.ppf(end, len(values) - 1) for end in (0.025, 0.975))] if error else [mean]


def same(cell, expected, factor):
    values, digits = shown(cell)
    assert values == pytest.approx([factor * value for value in expected], abs=0.51 * 10**-digits), cell


UNITS = {"percentage points": 100.0, "%": 100.0, "h": 1.0, "min": 1.0, "points": 1.0, "US dollars": 1.0, "": 1.0}


def series(played, name, metric):
    return np.array([gained if metric == "return" else kpis[metric] for gained, kpis, _ in played[name]])


def metrics_by_label():
    scenario = load(SMALL)
    kpis = {plain(kpi.name).lower(): (kpi.name, kpi.unit) for kpi in scenario.program.kpis}
    return {"overall score": ("return", "")} | kpis


def of_row(label):
    """Metric of a row, and the factor to the unit it is shown in."""
    name, _, unit = label.partition(" (")
    metric, own = metrics_by_label()[name.lower()]
    return metric, 1 / 60 if (own, unit) == ("min", "h)") else UNITS[unit.rstrip(")")]


# ------------------------------------------------------------ figures
def test_every_figure_is_that_of_the_episodes(page, played):
    rows = page.table("mean (95% interval)")
    assert len(rows) == 1 + len(load(SMALL).spec.kpis)
    for label, cells in rows.items():
        metric, factor = of_row(label)
        for name, cell in zip(NAMES, cells, strict=True):
            same(cell, t_interval(series(played, name, metric)), factor)


def test_every_difference_is_paired_and_judged(page, played):
    better_higher = {name for name, kpi in load(SMALL).spec.kpis.items() if kpi.better == "higher"} | {"return"}
    rows, verdicts = page.table("mean difference (95% interval)"), Counter()
    assert len(rows) == 1 + len(load(SMALL).spec.kpis)
    for label, (cell, verdict) in rows.items():
        metric, factor = of_row(label)
        expected = t_interval(series(played, "random", metric) - series(played, "wait", metric))
        same(cell, expected, factor)
        mean, low, high = expected
        clear = low > 0 or high < 0
        good = (mean > 0) == (metric in better_higher)
        assert verdict == (("better" if good else "worse") if clear else "no clear difference"), label
        verdicts[verdict] += 1
    assert len(verdicts) == 3, "one of the verdicts is not tested"


def test_moves_are_those_that_were_made(page, played):
    scenario = load(SMALL)
    game = scenario.kind.make_game(scenario.program)
    days = N * scenario.clock.episode / 1440
    expected = Counter()
    for name in NAMES:
        for _, _, moves in played[name]:
            for (agent, action), count in moves.items():
                expected[plain(agent[:-2]).lower(), move_words(game.action_names(agent)[action]), name] += count / days
    rows = page.table("moves a day")
    for row, cells in rows.items():
        manager, _, move = row.partition(": ")
        for name, cell in zip(NAMES, cells, strict=True):
            assert float(cell) == pytest.approx(expected.pop((manager.lower(), move, name), 0.0), abs=0.0051), row
    assert not expected


def test_bands_over_time_are_those_of_the_episodes():
    found = compare(load(SMALL), ["wait"], N, SEED, occupancy=True)
    queues, places = [], []
    for seed in range(SEED, SEED + N):
        env = parallel_env(SMALL)
        env.reset(seed=seed)
        seen = []
        while env.agents:
            seen.append(env.snapshot())
            env.step({})
        queues.append([snapshot["queues"]["bay_queue"] for snapshot in seen])
        wards = [snapshot["resources"]["ward_bed"] for snapshot in seen]
        places.append([(ward["taken"] + ward["cleaning"]) / ward["capacity"] for ward in wards])
    for band, values in (
        (found.waiting()["wait"]["bay_queue"], queues),
        (found.occupancy()["wait"]["ward_bed"], places),
    ):
        assert band["mean"] == pytest.approx(np.mean(values, axis=0))
        assert band["low"] == pytest.approx(np.quantile(values, 0.1, axis=0))
        assert band["high"] == pytest.approx(np.quantile(values, 0.9, axis=0))
        assert max(band["mean"]) > 0 and len(band["hours"]) == len(band["mean"])


def test_it_tells_what_was_compared_and_how_it_was_made(page):
    scenario = load(SMALL)
    for text in (scenario.hash, f"version {scenario.version}", "3 to 7", "10 simulated days", "same patients"):
        assert text in page.text, text
    for kpi in scenario.spec.kpis:
        assert kpi in page.text, "the glossary lacks a KPI"
    assert page.headings[1:9] == [
        "In short", "What was compared", "Differences", "How full, how long the queues", "What the managers did",
        "Who fares how", "What this cannot say", "How it was made",
    ]  # fmt: skip
    assert "does not say which groups" in page.text


def test_the_page_needs_no_other_file(small, page):
    assert small.read_text().count("<svg") == 4
    assert all(reference.startswith("#") for reference in page.references)
    assert not re.search(r"<(script|link|img|iframe)|@import|url\((?!#)", small.read_text())


def test_it_does_not_depend_on_how_many_processes_share_the_work(tmp_path):
    texts = [write(tmp_path, CLINIC, "--jobs", jobs, n=3).read_text() for jobs in (1, 2)]
    assert texts[0] == texts[1]


# ------------------------------------------------------------ groups
@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    path = tmp_path_factory.mktemp("grouped") / "grouped.yaml"
    shutil.copy(CLINIC, path.with_name("clinic.yaml"))
    path.write_text(GROUPED)
    return path


def test_kpis_are_split_by_every_attribute_with_gaps(tmp_path, grouped):
    page = Page(write(tmp_path, grouped, n=8).read_text())
    scenario = load(grouped)
    assert [heading for heading in page.headings if heading.startswith("By ")] == ["By acuity", "By payer"]
    for attribute, table in zip(scenario.spec.groups, gap_tables(page), strict=True):
        comparison = compare(scenario, NAMES, 8, SEED, by=attribute)
        metrics = metrics_of(
            scenario, {m: [comparison.simulations["wait"].estimate(m).mean] for m in comparison.metrics}
        )
        told = 0
        for row in table[1:]:
            metric = next(name for name, each in metrics.items() if each.label == row[0].partition(" (")[0])
            for name, cell in zip(NAMES, row[1:], strict=False):
                gap = comparison.simulations[name].gap(metric)
                if gap is None or math.isnan(gap.difference.mean):
                    assert cell == "–"
                    continue
                values = [gap.difference.mean, gap.difference.low, gap.difference.high]
                factor = 100.0 if "(%)" in row[0] else 1.0
                same(cell.partition(": ")[2].removesuffix(", clear"), values, factor)
                assert cell.lower().startswith(f"{plain(gap.above)} against {plain(gap.below)}".lower())
                assert cell.endswith(", clear") == gap.difference.clear
                told += 1
        assert told >= 4


def gap_tables(page):
    return [table for table in page.tables if len(table[0]) > 1 and table[0][1].startswith("gap under")]


def test_groups_have_their_own_figures(tmp_path, grouped):
    page = Page(write(tmp_path, grouped).read_text())
    simulation = compare(load(grouped), NAMES, N, SEED, by="payer").simulations["random"]
    tables = [table for table in page.tables if table[0][1:4] == ["Private", "Public", "None"]]
    assert len(tables) == 2  # one under each policy
    rows = {row[0].partition(" (")[0]: row[1:] for row in tables[1][1:]}
    for group, cell in zip(("private", "public", "none"), rows["Came"], strict=False):
        found = mean_interval(simulation.splits["came"][group])
        same(cell, [found.mean, found.low, found.high], 1.0)


def test_what_a_scenario_notes_of_a_kpi_is_in_the_glossary(tmp_path, grouped):
    noted = grouped.with_name("noted.yaml")
    noted.write_text(GROUPED.replace("{of: seen.count}", "{of: seen.count, note: Who was called in.}"))
    rows = Page(write(tmp_path, noted, n=2).read_text()).table("indicator")
    assert rows["Seen"][0] == "Who was called in. Computed as: how often 'seen' happened"
    assert rows["Payer gap"][0].startswith("largest gap between groups by payer of: mean of")


def test_a_single_policy_is_compared_with_nothing(tmp_path):
    page = Page(write(tmp_path, CLINIC, names=["random"], n=2).read_text())
    assert "nothing to compare it with" in page.text and len(page.table("mean (95% interval)")) > 1


# ------------------------------------------------------------ what goes wrong
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([CLINIC, "--out", "{}/report.txt"], "let its name end in .html"),
        ([CLINIC, "--out", "{}/missing/report.html"], "there is no folder"),
        ([CLINIC, "--out", "{}/folder.html"], "is a folder"),
        ([CLINIC, "--policies", "wait,wiat", "--out", "{}/report.html"], "wiat"),
        ([CLINIC, "--policies", "wait,wait", "--replications", 1, "--out", "{}/report.html"], "named twice"),
        ([CLINIC, "--policies", "wait,rule", "--out", "{}/report.html"], "rule"),
        (["treatment_centre", "--out", "{}/report.html"], "nobody decides"),
        (["no_such_scenario", "--out", "{}/report.html"], "no_such_scenario"),
    ],
)
def test_what_goes_wrong_is_told_in_a_line(tmp_path, arguments, message):
    (tmp_path / "folder.html").mkdir()
    result = invoke("report", *(str(each).format(tmp_path) for each in arguments), code=1)
    assert message in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_a_full_disk_is_told(tmp_path):
    full = tmp_path / "full.html"
    full.symlink_to("/dev/full")
    options = ["--policies", "wait", "--replications", 1, "--jobs", 1, "--out", full]
    assert "the disk is full" in invoke("report", CLINIC, *options, code=1).output


def test_how_long_it_will_take_is_told_if_it_is_long(tmp_path, monkeypatch):
    monkeypatch.setattr(reporting, "LONG", 0.0)
    options = ["--policies", "wait,random", "--replications", 2, "--jobs", 1, "--out", tmp_path / "report.html"]
    assert re.search(r"2 replications of 2 policies take about \d+ (s|min)", invoke("report", CLINIC, *options).output)
