"""Commands about what was: import, backtest, explain, report and train."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import Account, Json, Live, database, moment, settings
from bot.cli.say import Exit, note, progress, show, stop, write_json

if TYPE_CHECKING:
    from bot.attention.forecast import Forecaster


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(name="import")(import_file)
    app.command()(backtest)
    app.command()(explain)
    app.command()(report)
    app.command()(train)


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV (also .gz), an X archive's tweets.js, or a Mastodon outbox.json.")],
    account: Account = None,
    as_json: Json = False,
) -> None:
    """Take in a real history. Doing it twice changes nothing; rows that cannot be read are shown with their line."""
    from dataclasses import asdict

    from bot.cli.showing import import_view
    from bot.imports import import_history
    from scheduler.clock import system_clock

    with database(live=True, must_exist=False) as db, progress(f"importing {file.name}") as bar:
        imported = import_history(db, file, account, system_clock(), on_step=bar)
    if as_json:
        write_json(asdict(imported))
    else:
        show(import_view(imported))


def backtest(
    account: Account = None,
    action: Annotated[str, typer.Option(help="likes, replies, shares, clicks or impressions.")] = "likes",
    picture: Annotated[Path, typer.Option(help="Where the picture is written.")] = Path("kairos-backtest.png"),
    live: Annotated[bool, typer.Option("--live/--dry", help="The true history, or the rehearsal's.")] = True,
    as_json: Json = False,
) -> None:
    """Would it have helped? The model and its rivals on your own later posts; exit code 5 where it is not better."""
    from dataclasses import asdict

    from bot import attention
    from bot.accounts import account_named
    from bot.attention.baselines import rivals
    from bot.attention.encoder import StaticEncoder
    from bot.insights import backtest as past
    from storage import history

    if action not in attention.ACTIONS:
        stop(f"--action {action}: choose one of {', '.join(attention.ACTIONS)}")
    with database(live) as db, db.read() as session:
        name = account_named(session, account)
        rows = history.history(session, name, limit=None)
    with progress(f"backtest of {name}") as bar:
        found = past.backtest(
            rows,
            name,
            [attention.load(), *rivals(StaticEncoder.load().encode)],
            action,
            on_step=lambda at: bar(at.done, at.total, f"{at.model}, {at.k} posts"),
        )
    if found.rows:
        past.picture(found, picture)
    if as_json:
        write_json({**asdict(found), "attention_is_better": found.attention_is_better})
    else:
        if found.rows:
            show(past.render(found))
            note(f"picture: {picture}")
        for line in found.words:
            typer.echo(line)
    if not found.attention_is_better:
        raise typer.Exit(int(Exit.NOT_BETTER))


def explain(
    number: Annotated[
        int,
        typer.Argument(min=1, max=2**63 - 1, help="Number of a post, as `kairos status` and `kairos queue` show it."),
    ],
    live: Live = False,
    as_json: Json = False,
) -> None:
    """Why this wording at this moment: what it was chosen from, and what the past posts behind it mattered."""
    from bot.attention.belief import as_decided
    from bot.insights import explain as why
    from bot.insights.explained import render

    with database(live) as db, db.read() as session:
        try:
            explanation = why.explain_post(session, number, lambda model: as_decided(model, _models()))
        except LookupError as error:
            stop(str(error))
    if as_json:
        write_json(why.as_data(explanation))
    else:
        show(render(explanation))


def _models() -> "list[Forecaster]":
    """The forecasters that look at past posts; none without torch, which explanations do without."""
    from bot import attention

    try:
        return [attention.load()]
    except attention.TorchMissing:
        return []


def report(
    out: Annotated[Path, typer.Option(help="Where the report is written.")] = Path("kairos-report.html"),
    account: Account = None,
    zone: Annotated[str, typer.Option("--timezone", help="IANA zone of the times shown.")] = "UTC",
    live: Live = False,
    as_json: Json = False,
) -> None:
    """An HTML page about what went out, how it did against its forecast, and whether Kairos helped."""
    from dataclasses import asdict

    from bot.accounts import account_named
    from bot.insights.report import collect_report, write_report
    from scheduler.slots import zone_of

    try:
        zone_of(zone)
    except ValueError as error:
        stop(str(error))
    with database(live) as db, db.read() as session:
        name = account_named(session, account) if account is not None else None
        data = collect_report(session, name, moment(session, live), None, zone, simulated=not live)
    write_report(out, data)
    if as_json:
        write_json(
            {"report": str(out), "posts": len(data.posts), "lift": None if data.lift is None else asdict(data.lift)}
        )
    else:
        typer.echo(str(out))
        note(data.lift.words if data.lift is not None else "no lift yet")


def train(
    data: Annotated[Path | None, typer.Option(help="Folder with posts/*.csv.gz; without it simulation alone.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder the weights are written to.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="How long, in minutes of this machine.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="How long, in steps: the same weights for the same seed.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    as_json: Json = False,
) -> None:
    """Train the attention model on data that may be used so and on simulation; interrupted, it goes on later."""
    from bot import attention

    if minutes is None and steps is None:
        minutes = 10.0
    target = out or settings().folder / "weights"
    try:
        from bot.attention.training import Progress
        from bot.attention.training import train as learn
    except ModuleNotFoundError as error:
        raise attention.TorchMissing(f"{error.name} is not installed, and training needs it") from None
    with progress("training", total=100) as bar:

        def step(at: Progress) -> None:
            shown = f"step {at.step}, loss {at.loss:.3f}"
            if at.validation is not None:
                shown += f", validation {at.validation['mean']:.3f}"
                note(f"{at.minutes:6.1f} min  {shown}")
            done = at.step / steps if steps else at.minutes / (minutes or 1)
            bar(100 * done, line=shown)

        validation = learn(data, target, minutes=minutes, steps=steps, seed=seed, on_step=step)
    if as_json:
        write_json({"weights": str(target), "validation": validation})
    else:
        typer.echo(f"{target}: validation Spearman {validation['mean']:.3f}")
