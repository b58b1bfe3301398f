"""The benchmark beside simple_spread: ratios of what stood next to each other, and the first turn left out."""

import json
import sys
from pathlib import Path

import pytest

from experiments.benchmarks import particles

INCIDENT = Path(__file__).parent.parent / "worlds" / "incident.yaml"


def test_ratios_are_of_steps_that_stood_next_to_each_other():
    def ours(turn):
        return (9.0, 9.0, 1) if turn == 0 else (turn * 30e-6, turn * 40e-6, 10)

    def theirs(turn):
        return (9.0, 9.0, 1) if turn == 0 else (turn * 20e-6, turn * 80e-6, 20)

    found = particles.measure(ours, theirs, 3)
    assert found[particles.OURS][particles.STEPS] == pytest.approx([3, 6, 9])
    assert particles.ratios(found, particles.STEPS) == pytest.approx([3] * 3)
    assert particles.ratios(found, particles.WHOLE) == pytest.approx([1] * 3)
    assert "3.00" in particles.report("ours", "random", found)


def test_it_prints_both_side_by_side(monkeypatch, capsys, tmp_path):
    pytest.importorskip("mpe2", reason="mpe2 is not installed: pip install -e .[particles]")
    file = tmp_path / "figures.json"
    monkeypatch.setattr(sys, "argv", ["particles", str(INCIDENT), "--turns", "2", "--json", str(file)])
    particles.main()
    table = capsys.readouterr().out
    found = json.loads(file.read_text())
    assert all(len(values) == 2 and min(values) > 0 for who in found.values() for values in who.values())
    assert "incident: step" in table and "simple_spread: step" in table and table.count("ratio") == 2


def test_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mpe2", None)
    monkeypatch.setattr(sys, "argv", ["particles", str(INCIDENT)])
    with pytest.raises(SystemExit):
        particles.main()
    assert "[particles]" in capsys.readouterr().err
