"""Options and arguments that several commands share, said once; and the worlds they open."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.say import stop
from bot.settings import Settings, is_there

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from bot.campaign.schema import Campaign
    from storage.database import Database

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Live = Annotated[bool, typer.Option("--live", help="The real world instead of the rehearsal.")]
Account = Annotated[str | None, typer.Option("--account", help="One account: platform/name, or its name alone.")]
Files = Annotated[list[Path], typer.Argument(help="Campaign files.", metavar="CAMPAIGN")]
Baseline = Annotated[
    bool, typer.Option("--baseline", help="Let a table of hours and kinds decide instead of the model; needs no torch.")
]


def settings() -> Settings:
    """Where things are kept, as the environment and the folder a user stands in say."""
    return Settings.from_environment(os.environ, Path.cwd())


def load(files: Sequence[Path], *, calendar: bool = True) -> "list[Campaign]":
    """Campaigns of these files; with every fault of every file at once. Two of one name are a fault."""
    from bot.campaign.loading import load_campaign
    from bot.campaign.problems import CampaignErrors
    from scheduler.clock import system_clock

    today = system_clock().date() if calendar else None
    found: dict[str, tuple[Path, Campaign]] = {}
    problems = []
    for file in files:
        try:
            campaign = load_campaign(file, os.environ, today)
        except CampaignErrors as errors:
            problems += errors.problems
            continue
        if campaign.name in found:
            stop(f"{file}: the campaign {campaign.name!r} is in {found[campaign.name][0]} as well; rename one")
        found[campaign.name] = (file, campaign)
    if problems:
        raise CampaignErrors(problems)
    return [campaign for _, campaign in found.values()]


@contextmanager
def database(live: bool, *, must_exist: bool = True) -> "Iterator[Database]":
    """The database of a world, without anything that runs in it."""
    from storage.database import open_database

    places = settings()
    url = places.truth_url if live else places.rehearsal_url
    if must_exist and not is_there(url):
        world, start = ("live world", "run --live") if live else ("rehearsal", "run")
        stop(f"nothing has happened in the {world} yet; start with `kairos {start}`, or `kairos import` a history")
    db = open_database(url)
    try:
        yield db
    finally:
        db.close()


def moment(session: "Session", live: bool) -> "datetime":
    """The machine's time, or in the rehearsal the moment to which its clock has come."""
    from bot.app import reached
    from scheduler.clock import system_clock

    return system_clock() if live else (reached(session) or system_clock())
