"""Commands that set things going and hold them up: run, status, stop and resume."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import Account, Baseline, Files, Json, Live, load, settings
from bot.cli.say import Exit, local, note, progress, show, stop, write_json

if TYPE_CHECKING:
    from bot.campaign.schema import Campaign
    from bot.rounds import Wish
    from bot.settings import Settings
    from scheduler.events import Event

PlanFile = Annotated[Path | None, typer.Option("--plan", help="Carry out exactly this plan of `kairos plan`.")]
Days = Annotated[int, typer.Option(min=1, max=366, help="Rehearsal: how many days to simulate.")]
ApproveAll = Annotated[bool, typer.Option("--approve-all", help="Rehearsal: as if a person said yes to everything.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Rehearsal: forget former rehearsals first.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(run)
    app.command()(status)
    app.command(name="stop")(stop_everything)
    app.command()(resume)


def run(
    files: Files,
    account: Account = None,
    live: Live = False,
    plan_file: PlanFile = None,
    days: Days = 7,
    approve_all: ApproveAll = False,
    fresh: Fresh = False,
    baseline: Baseline = False,
    as_json: Json = False,
) -> None:
    """Carry campaigns out: a rehearsal on the sandbox in time lapse, or with --live the real world until stopped."""
    from bot.cli.logs import log_to
    from bot.rounds import Wish

    if live and (approve_all or fresh):
        stop("--approve-all and --fresh are for rehearsals; live, a person says yes: `kairos queue --live`")
    found = load(files)
    log_to(settings().folder)
    wish = Wish(account=account, days=days, baseline=baseline, plan_file=plan_file)
    if live:
        _go_live(found, wish, as_json)
        return
    places = settings()
    if fresh:
        _forget_rehearsals(places)
    _rehearse(places, found, wish, approve_all, as_json)


def status(as_json: Json = False) -> None:
    """What stands in the outbox of both worlds, what comes next, and whether everything is stopped."""
    from bot.cli.standing import standing_of, standing_view
    from scheduler.clock import system_clock

    data = standing_of(settings(), system_clock())
    if as_json:
        write_json(data)
    else:
        show(standing_view(data))
    if any("unreadable" in (data[world] or {}) for world in ("live", "rehearsal")):
        raise typer.Exit(int(Exit.UNAVAILABLE))


def stop_everything(
    why: Annotated[str, typer.Option("--why", help="A reason for the record.")] = "a person pulled the kill switch",
    as_json: Json = False,
) -> None:
    """Stop everything, everywhere, within a second: nothing is written to any platform until `kairos resume`."""
    from bot.switch import pull
    from scheduler.clock import system_clock

    done = pull(settings(), why, system_clock())
    if as_json:
        write_json({"stopped": done.places, "failed": done.failed})
    else:
        for place in done.places:
            typer.echo(f"stopped: {place}")
    for line in done.failed:
        note(f"not written: {line}")
    if not done.places:
        stop("NOTHING IS STOPPED: no place could be written; end the processes of kairos", Exit.UNAVAILABLE)


def resume(
    account: Annotated[str | None, typer.Option("--account", help="Only this paused account (platform/name).")] = None,
    live: Live = False,
    as_json: Json = False,
) -> None:
    """Take back `kairos stop`; with --account, let a paused account go on."""
    from bot.accounts import account_named
    from bot.cli.options import database
    from bot.switch import release, unpause
    from scheduler.clock import system_clock

    if account is not None:
        with database(live) as db:
            with db.read() as session:
                name = account_named(session, account)
            why = unpause(db, name)
        if as_json:
            write_json({"account": name, "paused": why})
        else:
            typer.echo(f"{name} goes on; it was paused: {why}" if why else f"{name} was not paused")
        return
    done = release(settings(), system_clock())
    if as_json:
        write_json({"resumed": done.places, "failed": done.failed})
    else:
        for place in done.places:
            typer.echo(f"resumed: {place}")
    if done.failed:
        stop("\n".join(f"not looked at: {line}" for line in done.failed), Exit.UNAVAILABLE)
    if not done.places:
        note("nothing was stopped")


def _rehearse(places: "Settings", found: "list[Campaign]", wish: "Wish", approve_all: bool, as_json: bool) -> None:
    from bot.app import open_dry
    from bot.cli.happenings import Happenings, outcome_of, outcome_view
    from bot.cli.interrupts import between_steps
    from bot.rounds import Rounds
    from bot.running import rehearse
    from scheduler.clock import system_clock

    happened = Happenings()
    world = open_dry(places, system_clock(), happened)
    try:
        rounds = Rounds(world, found, wish)
        began, zone = world.clock(), found[0].timezone
        with between_steps() as check, progress("rehearsing (simulated)", total=wish.days * 24) as bar:

            def step(now: datetime) -> None:
                bar((now - began) / timedelta(hours=1), line=f"{local(now, zone)}  {happened.latest}")
                check()

            lapse = rehearse(world, rounds, began + timedelta(days=wish.days), approve_all=approve_all, on_step=step)
        outcome = outcome_of(world, lapse, happened)
    finally:
        world.close()
    if as_json:
        write_json(outcome)
    else:
        show(outcome_view(outcome, zone))
    for words in happened.trouble:
        note(words)
    if lapse.stopped is not None:
        words = f"everything is stopped ({lapse.stopped}): the clock stands; `kairos resume`, then run again"
        stop(words, Exit.REFUSED)
    if lapse.waiting is not None:
        note(
            f"the clock stands at {local(lapse.reached, zone)} {zone}: post {lapse.waiting} waits for you. See "
            f"`kairos queue`, then `kairos approve {lapse.waiting}` or `kairos reject {lapse.waiting}`, and run again"
        )


def _go_live(found: "list[Campaign]", wish: "Wish", as_json: bool) -> None:
    import os
    import threading

    from bot.app import open_live
    from bot.cli.happenings import Happenings, line
    from bot.rounds import Rounds
    from bot.running import go_live
    from bot.switch import pulled

    happened = Happenings()

    def tell(event: "Event") -> None:
        happened(event)
        note(f"{event.at:%Y-%m-%d %H:%M:%S}Z {line(event)}")

    world = open_live(settings(), os.environ, tell)
    try:
        rounds = Rounds(world, found, wish)
        note("live; stop with Ctrl-C (what is on its way is finished first), or from elsewhere with `kairos stop`")
        if pulled(settings()).places:
            note("everything is stopped: nothing goes out until `kairos resume`")
        go_live(world, rounds, threading.Event())
    finally:
        world.close()
    note("stopped in order; nothing was left half-way")
    if as_json:
        write_json({"simulated": False, "events": dict(happened.counts)})


def _forget_rehearsals(places: "Settings") -> None:
    import shutil
    import tempfile

    from bot.running import only_one

    folder = places.folder / "dry"
    if folder.exists():
        with only_one(folder):
            # Moved first: interrupted half-way, no half of it is taken for a rehearsal.
            away = tempfile.mkdtemp(prefix="forgotten-", dir=places.folder)
            folder.rename(f"{away}/dry")
        shutil.rmtree(away)
