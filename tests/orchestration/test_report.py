"""The report: the numbers it is given are in the page, and the page needs nothing else."""

import csv
import json
import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from orchestration.progress import COLUMNS
from orchestration.report import _number, write_report


def interval(mean, half):
    return {"mean": mean, "low": mean - half, "high": mean + half}


def policy(shift):
    kpi = {"n": 50, "unit": "h"}
    return {
        "return": interval(-4321.0 + shift, 12.5),
        "reward_terms": {"clinical": -1.0},
        "kpis": {
            "boarding_hours": interval(7.125 + shift / 1000, 0.25) | kpi,
            "deaths": {"mean": math.nan, "low": math.nan, "high": math.nan, "n": 0, "unit": ""},
        },
    }


def difference(value, half):
    return {"difference": value, "low": value - half, "high": value + half}


@pytest.fixture
def comparison():
    return {
        "scenario": "toy <ward>",
        "version": "1.2.0",
        "hash": "abc123",
        "seeds": list(range(1000, 1050)),
        "policies": {"wait": policy(0), "rule": policy(123.4), "ppo": policy(987.6)},
        "paired": {
            "rule": {"return": difference(123.4, 11.1), "boarding_hours": difference(0.1234, 0.2)},
            "ppo": {"return": difference(987.6, 22.2), "boarding_hours": difference(0.9876, 0.3)},
        },
    }


@pytest.fixture
def page(tmp_path, comparison):
    curve = tmp_path / "progress.csv"
    with curve.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for i in range(1, 6):
            values = {
                "iteration": i,
                "env_steps": 2304 * i,
                "return_mean": -5000 + 100 * i,
                "return_greedy": -5000 + 90 * i if i % 2 else math.nan,
                "best_iteration": 3,
            }
            writer.writerow(dict.fromkeys(COLUMNS, 0) | values)
    facts = {"algorithm": "ppo", "seed": 7, "env_steps": 11520, "iterations": 5, "seconds": 402}
    facts |= {"best_iteration": 4, "command": "marl-health train toy"}
    (tmp_path / "training.json").write_text(json.dumps(facts))
    hours = [0, 24, 48, 72]
    band = {"hours": hours, "mean": [5, 6, 7, 8], "low": [4, 5, 6, 7], "high": [6, 7, 8, 9]}
    occupancy = {name: {"ed_bay": band, "ward_bed": band} for name in comparison["policies"]}
    path = write_report(tmp_path, comparison, curve, occupancy)
    assert path == tmp_path / "report.html"
    return path.read_text(encoding="utf-8")


def row(page, table, label):
    cells = re.findall(rf"<tr><td>{re.escape(label)}</td>(.*?)</tr>", page)[table]
    return re.findall(r"<td>(.*?)</td>", cells)


def test_table_holds_every_policy_with_its_interval(page):
    assert row(page, 1, "return") == [
        "-4,321 <small>[-4,334, -4,308]</small>",
        "-4,198 <small>[-4,210, -4,185]</small>",
        "-3,333 <small>[-3,346, -3,321]</small>",
    ]
    assert row(page, 1, "boarding_hours (h)")[0] == "7.125 <small>[6.875, 7.375]</small>"
    assert row(page, 0, "deaths") == ["–", "–", "–"]


def test_differences_stand_against_the_first_policy_and_clear_ones_are_marked(page):
    assert "Difference from <code>wait</code> on the same 50 replications" in page
    assert row(page, 0, "return")[1] == '<span class="clear">987.6</span> <small>[965.4, 1,010]</small>'
    clear = row(page, 0, "boarding_hours (h)")
    assert clear[0] == "0.1234 <small>[-0.07660, 0.3234]</small>"
    assert clear[1].startswith('<span class="clear">0.9876</span>')


def test_page_says_what_was_trained_and_evaluated(page):
    for text in (
        "version 1.2.0",
        "<code>abc123</code>",
        "seeds 1000 to 1049",
        "seed 7",
        "11,520",
        "6.7 minutes",
    ):
        assert text in page
    assert "<code>marl-health train toy</code>" in page
    assert "toy &lt;ward&gt;" in page
    assert "<ward>" not in page


def test_figures_are_inlined_whole(page):
    figures = re.findall(r"<figure>(.*?)</figure>", page, re.DOTALL)
    assert len(figures) == 3
    texts = [" ".join(ElementTree.fromstring(f).itertext()) for f in figures]
    curve, forest, places = texts
    assert "environment steps" in curve
    assert "kept" in curve
    assert "rule (evaluated)" in curve
    assert "boarding_hours (h)" in forest
    assert "ed_bay" in places
    assert "ward_bed" in places
    # Nothing is fetched: the only addresses are the names of XML namespaces and vocabularies.
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert "<script" not in page


def test_same_numbers_give_the_same_page(tmp_path, comparison):
    first = write_report(tmp_path, comparison, None, {}).read_text()
    assert first == write_report(tmp_path, comparison, None, {}).read_text()
    assert "Learning curve" not in first
    assert "Occupancy" not in first


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (12345.6, "12,346"),
        (1.0, "1.000"),
        (-0.01234, "-0.01234"),
        (999.96, "1,000.0"),
        (1e-5, "0.00001000"),
    ],
)
def test_numbers_have_four_significant_digits(value, text):
    assert _number(value) == text
