"""What the HTTP side tells of itself to whoever measures; by default nobody."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, runtime_checkable


@runtime_checkable
class Meter(Protocol):
    """Something, for example a module, that is told what happens to requests to classify."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Return what measures how long a part of a request takes: `request`, `read_body`, `unpack`."""
        ...

    def received(self, size: int) -> None:
        """Be told of a body that came in, and its bytes as they travelled."""
        ...

    def answered(self, status: int, code: str) -> None:
        """Be told of an answer: its HTTP status, and the code of a refusal or ""."""
        ...


class Unmeasured:
    """Measures nothing."""

    def stage(self, name: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Return what does nothing."""
        return nullcontext()

    def received(self, size: int) -> None:
        """Take no notice."""

    def answered(self, status: int, code: str) -> None:
        """Take no notice."""
