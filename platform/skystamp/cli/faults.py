"""A fault of the user's or of ours -> one sentence on stderr and exit status 2, instead of a traceback."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import typer

from skystamp.errors import Fault

STATUS = 2

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def told(command: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return the command with its faults told in one sentence."""

    @wraps(command)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return command(*args, **kwargs)
        except (Fault, OSError) as fault:
            typer.echo(f"skystamp: {fault}", err=True)
            raise typer.Exit(STATUS) from fault

    return wrapped
