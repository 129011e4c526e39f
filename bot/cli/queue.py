"""Commands for what waits for a person: queue, approve and reject; a yes or no is recorded, nothing is sent here."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import Json, Live, database, moment, settings
from bot.cli.say import Exit, local, note, show, stop, write_json

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import RenderableType

    from bot.approval import Settled, WaitingMention, WaitingPost
    from storage.database import Database

Ids = Annotated[list[str], typer.Argument(help="Numbers from `kairos queue` (12, m3), or `all`.", metavar="ID")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(name="queue")(queue)
    app.command()(approve)
    app.command()(reject)


def queue(live: Live = False, as_json: Json = False) -> None:
    """What waits for a person: posts and replies by number, mentions without an answer as m1, m2 ..."""
    from bot.approval import waiting_mentions, waiting_posts

    with database(live) as db, db.read() as session:
        posts, unanswered = waiting_posts(session), waiting_mentions(session)
    if as_json:
        write_json({"posts": [asdict(post) for post in posts], "mentions": [asdict(row) for row in unanswered]})
    elif posts or unanswered:
        show(_view(posts, unanswered, simulated=not live))
    else:
        note("nothing waits for you")


def approve(
    ids: Ids,
    text: Annotated[str | None, typer.Option("--text", help="Say this instead; needed to answer a mention.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="You looked, and a post of unknown outcome is not public: send it again.")
    ] = False,
    live: Live = False,
    as_json: Json = False,
) -> None:
    """Say yes: exactly what `kairos queue` shows goes out at its time, or with --text, your words."""
    from bot import approval

    if text is not None and not text.strip():
        stop("--text needs words")
    if text is not None and again:
        stop("--again sends exactly what was sent before: leave --text out")
    if text is not None and (len(ids) > 1 or ids == [approval.EVERYTHING]):
        stop("--text is for one post or mention: the same words twice would be refused")
    with database(live) as db:
        _tell(approval.approve(db, ids, _now(db, live), settings().stop_file, text, again=again), as_json)


def reject(
    ids: Ids,
    why: Annotated[str, typer.Option("--why", help="A reason for the record.")] = "a person said no",
    live: Live = False,
    as_json: Json = False,
) -> None:
    """Say no: it never goes out."""
    from bot import approval

    with database(live) as db:
        _tell(approval.reject(db, ids, _now(db, live), why), as_json)


def _now(db: "Database", live: bool) -> "datetime":
    with db.read() as session:
        return moment(session, live)


def _tell(settled: "Settled", as_json: bool) -> None:
    if as_json:
        write_json(asdict(settled))
    else:
        for line in settled.done:
            typer.echo(line)
    if settled.refused:
        stop("\n".join(settled.refused), Exit.REFUSED)


def _view(posts: "list[WaitingPost]", unanswered: "list[WaitingMention]", *, simulated: bool) -> "RenderableType":
    """Both for a person; strangers' words are shown so that none can steer the terminal."""
    from rich.table import Table
    from rich.text import Text

    from bot.insights.visible import one_line, visible

    table = Table(title="Waits for you" + (" (SIMULATED)" if simulated else ""), show_lines=True, title_justify="left")
    for name, style in (("id", "bold"), ("when", ""), ("exact words", ""), ("why it waits", "dim")):
        table.add_column(name, style=style, overflow="fold", no_wrap=name in ("id", "when"))
    for post in posts:
        words = Text()
        if post.answers:
            words.append(f"they: {one_line(post.answers, 200)}\n", "dim").append("we: ")
        words.append(visible(post.draft.get("text", "")))
        why = f"{post.rule}: {post.reason}" if post.rule else post.reason
        table.add_row(post.id, local(post.slot, post.timezone), words, Text(visible(why)))
    for row in unanswered:
        words = Text(f"they: {one_line(row.text, 300)}")
        table.add_row(row.id, f"{local(row.at)} UTC", words, Text(visible(row.reason)))
    return table
