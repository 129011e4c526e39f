"""Commands about campaign files before anything goes out: validate and plan."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import Account, Baseline, Files, Json, Live, load, settings
from bot.cli.say import local, note, show, write_json
from bot.words import counted


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(validate)
    app.command()(plan)


def validate(files: Files, as_json: Json = False) -> None:
    """Check campaign files: every fault with its line, column and likely cure."""
    from bot.campaign.problems import CampaignErrors

    try:
        found = load(files)
    except CampaignErrors as errors:
        if not as_json:
            raise
        write_json(
            [
                {
                    "file": str(p.place.file),
                    "line": p.place.line,
                    "column": p.place.column,
                    "path": p.path,
                    "what": p.what,
                }
                for p in errors.problems
            ]
        )
        raise typer.Exit(2) from None
    if as_json:
        write_json([{"campaign": campaign.name, "fingerprint": campaign.fingerprint} for campaign in found])
        return
    for file, campaign in zip(files, found, strict=True):
        said = (
            (len(campaign.posts), "post"),
            (len(campaign.sources), "source"),
            (len(campaign.replies.rules), "reply rule"),
        )
        parts = ", ".join(counted(count, what) for count, what in said if count)
        typer.echo(f"{file}: {campaign.name} is fine: {parts} for {', '.join(campaign.accounts)}, mode {campaign.mode}")


def plan(
    files: Files,
    account: Account = None,
    days: Annotated[int, typer.Option(min=1, max=60, help="How many days ahead.")] = 7,
    baseline: Baseline = False,
    live: Live = False,
    as_json: Json = False,
) -> None:
    """Show what would go out, when and why, and write it down; nothing is published.

    `kairos run CAMPAIGN --plan FILE` carries out exactly this plan, or refuses where the campaign has changed since.
    """
    from bot.app import open_dry, open_live
    from bot.cli.logs import log_to
    from bot.cli.plans import as_data, plan_view
    from bot.planner import paper
    from bot.rounds import Rounds, Wish
    from scheduler.clock import system_clock

    found = load(files)
    places = settings()
    log_to(places.folder)
    world = open_live(places, os.environ) if live else open_dry(places, system_clock())
    try:
        rounds = Rounds(world, found, Wish(account=account, days=days, baseline=baseline))
        shown = []
        for file, made in zip(files, rounds.look(), strict=True):
            written = paper.write(made, places.plans)
            shown.append(as_data(made, written))
            if not as_json:
                zone = next(c.timezone for c in found if c.name == made.campaign)
                show(plan_view(made, zone, simulated=not live, why=rounds.reasons()))
                note(f"written to {_short(written)}; `{_again(file, account, live, written)}` carries out exactly this")
                if made.posts:
                    note(f"the first goes out {local(made.posts[0].slot.at, zone)} {zone}")
        if as_json:
            write_json(shown)
    finally:
        world.close()


def _again(file: Path, account: str | None, live: bool, plan_file: Path) -> str:
    """The command line that carries out a plan as it was written."""
    given = [*(["--account", account] if account else []), *(["--live"] if live else [])]
    return shlex.join(["kairos", "run", str(file), *given, "--plan", _short(plan_file)])


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
