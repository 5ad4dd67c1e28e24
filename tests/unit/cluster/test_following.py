"""cluster.following: the model that an alias names, kept while a new one does not load."""

from dataclasses import dataclass, field, replace

import pytest

from skystamp.classify import Model
from skystamp.cluster.following import Following
from tests import faking


@dataclass
class Registry:
    """A registry whose alias the test moves; `broken` versions do not load."""

    version: str | None = "1"
    broken: set[str] = field(default_factory=set)

    def load(self) -> Model:
        if self.version in self.broken:
            raise ValueError(f"version {self.version} is broken")
        return replace(faking.model(), version=str(self.version))

    def named(self) -> str | None:
        return self.version


def test_a_moved_alias_changes_what_answers() -> None:
    registry = Registry()
    following = Following(registry.load, registry.named, 0.0)

    registry.version = "2"
    following.look()

    assert following.model.version == "2"


@pytest.mark.parametrize(("version", "error"), [("3", ValueError), (None, LookupError)], ids=["broken", "gone"])
def test_a_version_that_does_not_load_leaves_the_old_one(version: str | None, error: type[Exception]) -> None:
    registry = Registry(broken={"3"})
    following = Following(registry.load, registry.named, 0.0)

    registry.version = version

    with pytest.raises(error):
        following.look()
    assert following.model.version == "1"


def test_what_is_wrong_is_said_and_forgotten_when_it_is_mended() -> None:
    import time

    registry = Registry(broken={"3"})
    following = Following(registry.load, registry.named, 0.01)
    registry.version = "3"
    deadline = time.monotonic() + 10
    while following.problem is None and time.monotonic() < deadline:
        time.sleep(0.01)
    said = following.problem

    registry.version = "4"
    while following.model.version != "4" and time.monotonic() < deadline:
        time.sleep(0.01)
    while following.problem is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    following.end()

    assert said is not None
    assert "version 3 is broken" in said
    assert (following.model.version, following.problem) == ("4", None)


def test_a_model_that_does_not_load_at_the_start_is_an_error() -> None:
    registry = Registry(version="3", broken={"3"})

    with pytest.raises(ValueError, match="broken"):
        Following(registry.load, registry.named, 0.0)
