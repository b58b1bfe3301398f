"""What the house promises about itself: its layout, the size and content of its files, a light import."""

import configparser
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TOP_LEVEL = {
    *("marl_health", "scenarios", "policies", "orchestration", "experiments", "tests"),
    *("setup.cfg", "pyproject.toml", "constraints.txt", "Makefile"),
    *("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"),
    *(".ci", ".gitignore", ".pre-commit-config.yaml"),
}
MAX_LINES = 400
LONGER_FILES: set[str] = set()

# Paths that exist on one person's machine only, and a folder that no clone has.
FOREIGN_PATHS = re.compile(r"(?<![\w.:/}])/(?:work|home|root|Users)/\w|\.\./shared\b|\bshared/(?:data|facts)\b")


def files() -> list[Path]:
    """Every file of the project, committed or about to be, relative to its root."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs a git checkout to tell the project's files from the rest")
    return [Path(name) for name in names.split("\0") if name and (ROOT / name).is_file()]


def test_the_top_level_is_exactly_what_the_design_names() -> None:
    assert {file.parts[0] for file in files()} == TOP_LEVEL


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    offenders = [
        f"{file}:{number}: {line.strip()}"
        for file in files()
        if (text := readable(ROOT / file)) is not None
        for number, line in enumerate(text.splitlines(), 1)
        if FOREIGN_PATHS.search(line)
    ]
    assert not offenders, "\n".join(offenders)


def readable(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def test_python_files_are_short_enough_to_hold_one_idea() -> None:
    lengths = {str(f): len((ROOT / f).read_text().splitlines()) for f in files() if f.suffix == ".py"}
    too_long = {file for file, length in lengths.items() if length > MAX_LINES}
    assert too_long == LONGER_FILES, {file: lengths[file] for file in too_long}


def test_every_package_says_what_it_is() -> None:
    silent = [
        str(file)
        for file in files()
        if file.name == "__init__.py" and file.parts[0] != "tests" and not (ROOT / file).read_text().startswith('"""')
    ]
    assert not silent


def test_every_python_folder_of_the_library_is_a_package() -> None:
    """Without `__init__.py` a folder is shipped, but not type-checked nor seen by the import contracts."""
    code = ("marl_health", "policies", "orchestration", "experiments")
    folders = {file.parent for file in files() if file.suffix == ".py" and file.parts[0] in code}
    assert not [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").is_file()]


def test_the_import_contracts_cover_every_room() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / "setup.cfg")
    layers = contracts["importlinter:contract:library"]["layers"].replace("|", " ").split()
    rooms = {file.parts[1] for file in files() if file.parts[0] == "marl_health" and len(file.parts) > 2}
    assert rooms == set(layers)


def test_importing_the_library_is_fast_and_light() -> None:
    script = (
        "import json, sys, time; start = time.process_time(); import marl_health;"  # a busy machine may not fail it
        "print(json.dumps([time.process_time() - start, sorted(sys.modules)]))"
    )
    runs = [
        json.loads(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)
        for _ in range(5)
    ]
    loaded = {module.partition(".")[0] for _, modules in runs for module in modules}
    assert not loaded & {"torch", "ray", "pandas", "matplotlib", "scipy", "fastapi"}
    assert statistics.median(seconds for seconds, _ in runs) < 0.5
