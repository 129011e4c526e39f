"""The command line: one Typer app; each command's work is done elsewhere, and nothing heavy is loaded to show help."""

import io
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import accounts, campaigns, first, history, queue, running
from bot.cli.interrupts import all_done, never_swallow

EPILOG = (
    "Exit codes: 0 ok · 1 a defect · 2 invalid input · 3 refused by a rule or a person · 4 this machine or a platform "
    "cannot now · 5 the model is not better · 130 interrupted"
)

app = typer.Typer(
    name="kairos",
    help="The right post, at the right moment, on your own machine.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
)
INTERRUPTED = 130


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"kairos {version('kairos-bot')}")
        raise typer.Exit


@app.callback()
def kairos(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show it and end.")
    ] = False,
) -> None:
    """The right post, at the right moment, on your own machine."""


for room in (first, accounts, campaigns, running, queue, history):
    room.register(app)


def main() -> None:
    """The command `kairos`."""
    try:
        never_swallow()
        _ready_streams()
        code = _run()
        sys.stdout.flush()  # here, where a full disk or a reader that went away can still be told
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # all is done: from here on Ctrl-C ends without a word
    except BaseException as error:
        from bot.cli.failures import tell

        code = tell(error)
    all_done()
    sys.exit(code)


def _run() -> int:
    """Exit code of the command; an interrupt and a closed pipe, which Typer ends in silence, come out as they were."""
    try:
        app(prog_name="kairos")
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None
        if end.code == INTERRUPTED:
            raise KeyboardInterrupt from None
        return int(end.code or 0)
    return 0


def _ready_streams() -> None:
    """Let every sign be written, and to nowhere where a shell has closed a stream: a file would get its number."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
