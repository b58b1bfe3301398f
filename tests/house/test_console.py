"""The guard of the console command: it lets our packages run, and only ours."""

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from marl_health import console


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "policies").mkdir(parents=True)
    return tmp_path / "home"


def find(monkeypatch: pytest.MonkeyPatch, folder: Path | None) -> None:
    """Let Python find the package `policies` in `folder`, or nowhere."""
    spec = folder and ModuleSpec("policies", None, origin=str(folder / "__init__.py"), is_package=True)
    if spec and folder:
        spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


def test_our_own_package_passes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, home / "policies")
    assert console.shadowed("policies", home) is None


def test_a_package_elsewhere_is_named_with_the_remedy(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(monkeypatch, tmp_path / "mine" / "policies")
    problem = console.shadowed("policies", home)
    assert problem is not None
    assert f"would be imported from {tmp_path / 'mine' / 'policies'} instead of {home / 'policies'}" in problem
    assert f"take {tmp_path / 'mine'} off PYTHONPATH" in problem


def test_a_single_module_in_the_way_is_named_too(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ModuleSpec("policies", None, origin=str(tmp_path / "policies.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    assert str(tmp_path / "policies.py") in (console.shadowed("policies", home) or "")


def test_a_missing_package_is_told_from_a_shadowed_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, None)
    assert "missing" in (console.shadowed("policies", home) or "")


def test_the_packages_of_this_checkout_are_ours() -> None:
    assert [console.shadowed(name, console.HOME) for name in console.PACKAGES] == [None] * 3
