"""The README's commands and snippets do what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands() -> list[str]:
    lines = [line.split("#")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    return [line for line in lines if line]


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    scenario, game = blocks("yaml")
    assert len(scenario.strip().splitlines()) == 10, "the README promises ten lines"
    assert len(game.strip().splitlines()) == 3, "and three more"
    (tmp_path / "my_clinic.yaml").write_text(scenario)
    (tmp_path / "my_game.yaml").write_text(scenario.replace("name: my_clinic", "name: my_game") + game)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("command", [line for line in commands() if line.startswith("marl-health ")])
def test_command_runs(command: str, clinic: Path) -> None:
    run = subprocess.run([BIN / "marl-health", *command.split()[1:]], cwd=clinic, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()


@pytest.mark.parametrize("command", [line for line in commands() if line.startswith("make ")])
def test_make_target_exists(command: str) -> None:
    make = shutil.which("make")
    assert make is not None
    run = subprocess.run([make, "-n", *command.split()[1:]], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    wanted = {"make train": "marl-health train hospital_throughput", "make test": "pytest"}[command]
    assert wanted in run.stdout


def test_every_command_is_known() -> None:
    assert {line.split()[0] for line in commands()} == {"make", "marl-health"}


def test_the_three_lines_make_a_game(clinic: Path) -> None:
    import marl_health

    env = marl_health.parallel_env(clinic / "my_game.yaml")
    env.reset(seed=1)
    rewards = []
    while env.agents:
        rewards.append(env.step({"manager_0": 1})[1]["manager_0"])
    assert len(rewards) == 120
    assert min(rewards) < 0


def test_python_snippet(capsys: pytest.CaptureFixture[str]) -> None:
    (snippet,) = blocks("python")
    exec(compile(snippet, "README.md", "exec"), {})
    assert "arrived" in capsys.readouterr().out


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
