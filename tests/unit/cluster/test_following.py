"""cluster.following: the model that an alias names, kept while a new one does not load."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from skystamp.classify import Model
from skystamp.cluster.following import Following, Perhaps
from skystamp.errors import BundleError
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


def test_where_the_version_does_not_load_at_the_start_the_one_that_answered_last_does(caplog) -> None:
    registry = Registry(version="3", broken={"3"})
    answered: list[str] = []

    def before() -> Model | None:
        return replace(faking.model(), version=answered[-1]) if answered else None

    def fail() -> Model:
        raise BundleError("version 3 is broken")

    with pytest.raises(BundleError):
        Following(fail, registry.named, 0.0, before=before)
    answered.append("2")
    with caplog.at_level(logging.WARNING, "ray.serve.skystamp"):
        following = Following(fail, registry.named, 0.0, before=before)

    assert following.model.version == "2"
    assert "version 2 answers, which did last, for version 3 is broken" in caplog.text


def test_each_version_that_answers_is_noted_once() -> None:
    registry, noted = Registry(), []
    following = Following(registry.load, registry.named, 0.0, taken=noted.append)

    for version in ("1", "1", "2", "2"):
        registry.version = version
        following.look()

    assert noted == ["1", "2"]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_alias_that_may_be_absent_is_taken_up_when_it_appears_and_let_go_when_it_goes() -> None:
    registry = Registry(version=None)
    perhaps = Perhaps("the challenger", registry.load, registry.named, 0.01)
    assert perhaps.model is None

    registry.version = "2"
    until(lambda: perhaps.model is not None and perhaps.model.version == "2")
    registry.version = "3"
    until(lambda: perhaps.model is not None and perhaps.model.version == "3")
    registry.version = None
    until(lambda: perhaps.model is None)

    perhaps.end()
    assert perhaps.problem is None


def test_one_that_does_not_load_is_told_once_and_leaves_the_one_before(caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry(broken={"3"})
    with caplog.at_level(logging.ERROR, "ray.serve.skystamp"):
        perhaps = Perhaps("the challenger", registry.load, registry.named, 0.01)
        until(lambda: perhaps.model is not None)

        registry.version = "3"
        until(lambda: perhaps.problem is not None)
        time.sleep(0.1)

    perhaps.end()
    assert perhaps.model is not None
    assert perhaps.model.version == "1"
    assert len(caplog.records) == 1
    assert "the challenger: version 1 stays, for ValueError: version 3 is broken" in caplog.text


def test_one_that_is_broken_at_the_start_is_told_and_held_when_it_is_mended() -> None:
    registry = Registry(version="3", broken={"3"})
    perhaps = Perhaps("the challenger", registry.load, registry.named, 0.01)
    until(lambda: perhaps.problem is not None)

    registry.broken.clear()
    until(lambda: perhaps.model is not None)

    until(lambda: perhaps.problem is None)
    perhaps.end()


def test_without_a_pause_there_is_one_look_alone() -> None:
    registry = Registry(version="1")
    perhaps = Perhaps("the challenger", registry.load, registry.named, 0.0)
    until(lambda: perhaps.model is not None)

    registry.version = "2"
    time.sleep(0.1)

    assert perhaps.model is not None
    assert perhaps.model.version == "1"
