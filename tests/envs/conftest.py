"""The environments that every test of the form is run with: all packaged ones, and a small one with every move."""

from pathlib import Path

import pytest

from marl_health.envs.registration import entries

HERE = Path(__file__).parent
CLINIC = str(HERE / "clinic.yaml")
LONE = str(HERE / "lone.yaml")
INCIDENT = str(HERE.parent / "worlds" / "incident.yaml")
EVERYWHERE = [CLINIC, LONE, INCIDENT, *(entry.name for entry in entries())]


def pytest_generate_tests(metafunc):
    if "everywhere" in metafunc.fixturenames:
        metafunc.parametrize("everywhere", EVERYWHERE, ids=[Path(name).stem for name in EVERYWHERE])


@pytest.fixture(params=[CLINIC, LONE], ids=["clinic", "lone"])
def small(request):
    return request.param


@pytest.fixture
def clinic():
    return CLINIC


@pytest.fixture
def lone():
    return LONE
