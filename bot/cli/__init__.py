"""The command line: one Typer app; each command's work is done elsewhere, and nothing heavy is loaded to show help."""

import os
import sys
from pathlib import Path

import typer

from bot.cli import campaigns, first, history, queue, running

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
for room in (first, campaigns, running, queue, history):
    room.register(app)


def main() -> None:
    """The command `kairos`."""
    try:
        app()
    except BrokenPipeError:
        # The reader went away (`kairos queue | head`): not an error, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (Exception, KeyboardInterrupt) as error:
        from bot.cli.failures import told
        from bot.settings import Settings

        lines, code = told(error, Settings.from_environment(os.environ, Path.cwd()).folder)
        for line in lines:
            sys.stderr.write(f"{line}\n")
        sys.exit(int(code))
