"""How long `kairos --help` takes beside a bare Typer app with as many commands: `python -m benchmarks.startup`."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import typer

from bot.cli import app

ROUNDS = 20
GOAL = 2.0
BARE = """
import typer
app = typer.Typer(add_completion=False)
def command(number):
    def call(name: str, much: int = 1):
        "Does one thing, and says in a line what it is."
    app.command(name=f"command-{{number}}")(call)
for number in range({count}):
    command(number)
app()
"""


def measure(programs: Sequence[str], rounds: int = ROUNDS) -> list[float]:
    """Median wall-clock seconds of `--help` for each program (Python code), run in turns after one run unmeasured."""
    taken: list[list[float]] = [[] for _ in programs]
    for turn in range(rounds + 1):
        for times, program in zip(taken, programs, strict=True):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program, "--help"], stdout=subprocess.DEVNULL, check=True)
            if turn:
                times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in taken]


def main() -> None:
    """Measure and print a line of a Markdown table."""
    count = len(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    ours, bare = measure(["from bot.cli import main; main()", BARE.format(count=count)])
    name = f"`kairos --help`, {count} commands"
    print(f"| command | median of {ROUNDS} | bare Typer app | ratio | goal |")
    print("|---|---|---|---|---|")
    print(f"| {name} | {ours * 1000:.0f} ms | {bare * 1000:.0f} ms | {ours / bare:.2f} | <= {GOAL:.0f} |")


if __name__ == "__main__":
    main()
