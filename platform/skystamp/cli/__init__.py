"""`skystamp`: one file a command. Each imports what it needs when it runs, so that `--help` answers at once."""

import typer

from skystamp.cli import catalog, labels, store, tns, tokens
from skystamp.cli.classify import classify
from skystamp.cli.compare import compare
from skystamp.cli.demo import demo
from skystamp.cli.drift import drift
from skystamp.cli.ensemble import ensemble
from skystamp.cli.evaluate import evaluate
from skystamp.cli.explain import explain
from skystamp.cli.faults import told
from skystamp.cli.models import models
from skystamp.cli.prepare import prepare
from skystamp.cli.rescore import rescore
from skystamp.cli.simulate import simulate
from skystamp.cli.stream import stream

app = typer.Typer(
    name="skystamp",
    help="Classify astronomical alerts from their first detection on.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for _command in (
    *(simulate, prepare, classify, explain, evaluate, compare, ensemble),
    *(stream, models, rescore, drift, demo),
):
    app.command()(told(_command))
app.add_typer(catalog.app)
app.add_typer(store.app)
app.add_typer(labels.app)
app.add_typer(tns.app)
app.add_typer(tokens.app)
