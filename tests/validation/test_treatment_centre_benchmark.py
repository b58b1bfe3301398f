"""The benchmark beside treat-sim: the same work for both, figures for each, a verdict, a remedy if it is missing."""

import json
from importlib import metadata

import pytest

from experiments.benchmarks import treatment_centre
from experiments.validation.treatment_centre import KPIS


def test_both_models_do_the_same_work():
    pytest.importorskip("treat_sim.model", reason="treat-sim is not installed: pip install -e .[reference]")
    models = treatment_centre.models()
    for seed in range(2):
        ours, theirs = models[treatment_centre.OURS](seed), models[treatment_centre.THEIRS](seed)
        assert list(KPIS) == list(ours) and set(KPIS.values()) == set(theirs.columns)
        assert 170 < ours["arrivals"] < 290 and 170 < theirs["00_arrivals"].item() < 290


def test_blocks_have_seeds_of_their_own():
    seeds = []
    block = treatment_centre.in_blocks(seeds.append)
    assert block(0) + block(1) == len(seeds) == 2 * treatment_centre.BLOCK
    assert seeds == list(range(2 * treatment_centre.BLOCK))


@pytest.mark.parametrize(("speed", "code", "verdict"), [(100, 0, "10 times; met"), (30, 1, "10 times; NOT met")])
def test_it_reports_times_ratio_and_verdict(monkeypatch, capsys, tmp_path, speed, code, verdict):
    def measure(models, repeats):
        return {treatment_centre.OURS: [speed * 1.0] * repeats, treatment_centre.THEIRS: [5.0] * repeats}

    monkeypatch.setattr(treatment_centre, "models", dict)
    monkeypatch.setattr(treatment_centre, "measure", measure)
    monkeypatch.setattr(treatment_centre.os, "sched_setaffinity", lambda *given: None, raising=False)
    assert treatment_centre.main(["--replications", "150", "--json", str(tmp_path / "out.json")]) == code
    text = capsys.readouterr().out
    assert "150 replications" in text and verdict in text and f"{speed / 5:.2f} times as fast" in text
    assert "200.00" in text and f"{1000 / speed:.2f}" in text
    assert json.loads((tmp_path / "out.json").read_text())["ratio"] == speed / 5


@pytest.mark.parametrize("version", [None, "2.1.1"])
def test_without_the_package_it_says_what_to_install(monkeypatch, version):
    def installed(name):
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(treatment_centre.metadata, "version", installed)
    with pytest.raises(SystemExit, match=r"treat-sim 3\.0\.0, .* is.* installed: run `pip install .*\[reference\]"):
        treatment_centre.models()
