"""What a listing says of a scenario is what its whole file says."""

import pytest

from marl_health.spec.heading import heading
from marl_health.spec.reading import parse
from marl_health.spec.scenario import packaged_scenarios

WORDS = ("version", "split", "agents", "tags", "description")


@pytest.mark.parametrize("name", packaged_scenarios())
def test_the_heading_is_that_of_the_whole_file(name):
    file = packaged_scenarios()[name]
    whole, found = parse(file)[0].data, heading(file, WORDS)
    assert list(found.pop("agents", {})) == list(whole.get("agents", {}))
    assert found == {word: whole[word] for word in WORDS if word in whole and word != "agents"}


def test_nothing_is_known_of_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "broken.yaml").write_text("tags: [a\nversion: 1\n")
    assert heading(tmp_path / "broken.yaml", WORDS) == {}
    assert heading(tmp_path / "missing.yaml", WORDS) == {}
