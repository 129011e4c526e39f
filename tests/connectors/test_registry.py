"""The door for platforms: ours come in by the same one as a stranger's."""

from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.base import Draft, Surroundings


def test_ours_come_by_entry_point() -> None:
    assert registry.platforms()["sandbox"] == "kairos-bot"


def test_a_connector_is_made_from_its_name_and_its_surroundings(tmp_path: Path, clock: Any) -> None:
    around = Surroundings(clock, tmp_path, lambda name: None)
    receipt = registry.load("sandbox")("main", around).publish(Draft("hello"), "k")
    again = registry.load("sandbox")("main", around)
    assert again.find(Draft("hello"), clock()) == receipt
    other = registry.load("sandbox")("other", around)
    assert other.find(Draft("hello"), clock()) is None
    assert other.check().handle == "other"


def test_an_unknown_platform_is_named_with_those_that_are_known() -> None:
    with pytest.raises(registry.UnknownPlatform, match=r"^myspace: no connector of that name is installed \(.*sandbox"):
        registry.load("myspace")
