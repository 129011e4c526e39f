"""The first minutes: demo, init and doctor."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import Json, settings
from bot.cli.say import Exit, note, progress, show, stop, write_json


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(demo)
    app.command()(init)
    app.command()(doctor)


def demo(
    seeds: Annotated[int, typer.Option(min=2, max=50, help="Simulated worlds to compare on.")] = 5,
    out: Annotated[Path, typer.Option(help="Where the report is written.")] = Path("kairos-demo.html"),
    as_json: Json = False,
) -> None:
    """Four simulated weeks in time lapse, then how Kairos did against other ways to choose; no key, no network."""
    from bot.cli.interrupts import between_steps
    from bot.cli.showing import demo_view
    from bot.demo.show import run_demo

    if out.is_dir():
        stop(f"{out}: a folder; name a file for the report: --out {out / 'kairos-demo.html'}")
    with between_steps() as check, progress("four simulated weeks", total=None) as bar:

        def step(done: float | None = None, total: float | None = None, line: str | None = None) -> None:
            bar(done, total, line)
            check()

        shown = run_demo(seeds, out, on_step=step)
    if as_json:
        write_json(shown.as_data())
    else:
        show(demo_view(shown))
        note(f"report: {shown.report}")


def init(folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path(), as_json: Json = False) -> None:
    """Write a first campaign, its schema for your editor, and a page of answers; your files are never overwritten."""
    from bot.campaign import scaffold

    kept = scaffold.already_there(folder)
    written = scaffold.init(folder)
    if as_json:
        write_json({"written": [str(file) for file in written], "kept": [str(file) for file in kept]})
        return
    for file in kept:
        note(f"{file} is there already and stays as it is")
    for file in written:
        typer.echo(f"wrote {file}")
    note(f"next: kairos plan {folder / 'campaign.yaml'}")


def doctor(as_json: Json = False) -> None:
    """Look at this installation: places, databases, model, encoder, connectors, accounts, the kill switch."""
    import os

    from bot.doctor import examine

    findings = examine(settings(), os.environ)
    if as_json:
        write_json([{"what": finding.what, "fine": finding.fine, "words": finding.words} for finding in findings])
    else:
        from rich.table import Table

        table = Table(box=None, show_header=False)
        for finding in findings:
            mark = {True: "[green]ok[/]", False: "[red]no[/]", None: "[yellow]--[/]"}[finding.fine]
            table.add_row(mark, finding.what, finding.words)
        show(table)
    if any(finding.fine is False for finding in findings):
        raise typer.Exit(int(Exit.UNAVAILABLE))
