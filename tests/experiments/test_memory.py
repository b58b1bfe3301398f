"""Memory over many episodes: flat where nothing is kept, and found out where something is."""

import sys
from pathlib import Path

import pytest

from experiments.benchmarks import memory
from experiments.benchmarks.memory import Look, growth

INCIDENT = Path(__file__).parent.parent / "worlds" / "incident.yaml"


def test_growth_is_from_the_second_quarter_to_the_last():
    steady = [Look(number, 900 if number < 3 else 1000, 50.0) for number in range(12)]
    assert growth(steady) == (0, 0) and growth(steady).flat, "what is made at first is not growth"
    assert growth([look._replace(blocks=1000 + 10 * look.episodes) for look in steady]).blocks == pytest.approx(
        0.06 / 1.04
    )
    assert not growth([look._replace(blocks=1000 + 10 * look.episodes) for look in steady]).flat
    assert not growth([look._replace(megabytes=50.0 + look.episodes) for look in steady]).flat
    assert growth([look._replace(megabytes=0.0) for look in steady]).flat, "where nobody tells"
    with pytest.raises(ValueError, match="four"):
        growth(steady[:3])


@pytest.mark.slow
def test_episodes_leave_nothing_behind(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["memory", str(INCIDENT), "--episodes", "40"])
    memory.main()
    assert "flat" in capsys.readouterr().out


@pytest.mark.slow
def test_what_episodes_leave_behind_is_found_out(monkeypatch, capsys):
    kept, play = [], memory.play

    def leaking(env, policy, seed):
        play(env, policy, seed)
        kept.append(dict(env.game.running.entities))
        kept.append([object() for _ in range(100_000)])

    monkeypatch.setattr(memory, "play", leaking)
    monkeypatch.setattr(sys, "argv", ["memory", str(INCIDENT), "--episodes", "20"])
    with pytest.raises(SystemExit):
        memory.main()
    assert "it grows" in capsys.readouterr().out
