"""The wheel, installed and used as a user would: in an empty folder, and beside packages of our names."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("marl_health", "policies", "orchestration", "experiments", "scenarios")

TRAINED = [
    f"policies/trained/some_scenario/some_name/{name}"
    for name in ("checkpoint.json", "modules/nurse/metadata.json", "modules/nurse/module_state.pkl")
]
"""Files of a trained policy that is kept with the others."""

pytestmark = pytest.mark.slow

STEP_THE_ENV = """
import marl_health, pathlib, sys
assert pathlib.Path(marl_health.__file__).is_relative_to(sys.prefix), marl_health.__file__
env = marl_health.parallel_env("hospital_throughput")
observations, infos = env.reset(seed=1)
for _ in range(3):
    observations, rewards, *_ = env.step({agent: 0 for agent in env.agents})
assert set(rewards) == set(env.possible_agents), rewards
print("stepped")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that no leftovers of earlier builds get in and none stay behind."""
    source = tmp_path_factory.mktemp("source")
    for folder in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in TRAINED:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(b"{}")
    for file in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(source / "dist"),
        str(source),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a fresh virtual environment that holds the wheel and sees our dependencies."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, symlinks=True)
    bin_folder = folder / "bin"
    python = str(bin_folder / "python")
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    # A path entry from a .pth file brings the dependencies along; the .pth files *in* that folder, the
    # editable install of this checkout among them, are not read again.
    library = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    (library / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return bin_folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A user's own project: a folder whose packages bear our names and must never be imported."""
    for name in ("policies", "orchestration", "experiments"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise RuntimeError('the user\\'s {name} was imported')\n")
    yield tmp_path


def run(command: list[str | Path], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")} | variables
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_the_wheel_holds_all_code_and_data_and_no_tests(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        file.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.suffix in (".py", ".yaml", ".csv", ".json", ".md", ".pkl")
    }
    shipped = {name for name in inside if ".dist-info/" not in name}
    assert expected | {"marl_health/py.typed", *TRAINED} == shipped
    assert any(name.startswith("scenarios/") and name.endswith(".yaml") for name in shipped)


def test_the_wheel_works_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    listing = run([installed / "marl-health", "list"], tmp_path)
    assert listing.returncode == 0, listing.stderr
    assert "hospital_throughput" in listing.stdout
    stepping = run([installed / "python", "-c", STEP_THE_ENV], tmp_path)
    assert stepping.stdout == "stepped\n", stepping.stderr


def test_the_wheel_works_beside_packages_of_the_same_names(installed: Path, elsewhere: Path) -> None:
    listing = run([installed / "marl-health", "list"], elsewhere)
    assert listing.returncode == 0, listing.stderr
    assert "hospital_throughput" in listing.stdout
    stepping = run([installed / "python", "-c", STEP_THE_ENV], elsewhere)
    assert stepping.stdout == "stepped\n", stepping.stderr


def test_several_processes_work_beside_packages_of_the_same_names(installed: Path, elsewhere: Path) -> None:
    command = [installed / "marl-health", "simulate", "hospital_throughput", "--policy", "rule"]
    simulation = run([*command, "--replications", "2", "--jobs", "2", "--json", "out.json"], elsewhere)
    assert simulation.returncode == 0, simulation.stderr
    assert (elsewhere / "out.json").is_file()


def test_the_wheel_makes_a_result_store(installed: Path, elsewhere: Path) -> None:
    (elsewhere / "runs" / "one").mkdir(parents=True)
    (elsewhere / "runs" / "one" / "training.json").write_text('{"algorithm": "ppo"}')
    made = run([installed / "marl-health", "runs"], elsewhere)
    assert made.returncode == 0, made.stderr
    assert " ppo " in made.stdout and (elsewhere / "runs" / "results.db").is_file()


def test_shadowed_packages_are_named_in_plain_words(installed: Path, elsewhere: Path) -> None:
    listing = run([installed / "marl-health", "list"], elsewhere, PYTHONPATH=".")
    assert listing.returncode == 2
    assert "Traceback" not in listing.stderr
    for name in ("policies", "orchestration", "experiments"):
        assert f"'{name}' would be imported from {elsewhere / name}" in listing.stderr
    assert "PYTHONPATH" in listing.stderr
