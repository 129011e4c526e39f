"""What stands in both worlds, as data and for a person: what went out last, what comes next, what is stopped."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.settings import is_there

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.settings import Settings
    from storage.models import Post

AHEAD = timedelta(days=7)
LAST = 5
"""Posts that went out, shown with their numbers: `kairos explain` asks for them."""
SHOWN = 10


def standing_of(settings: "Settings", now: datetime) -> dict[str, Any]:
    """Both worlds; one in which nothing has happened yet is None, one whose database cannot be read says why."""
    from storage.database import StorageError

    worlds: dict[str, dict[str, Any] | None] = {}
    for name, url in settings.worlds.items():
        try:
            worlds[name] = _world(url, now) if is_there(url) else None
        except StorageError as error:
            worlds[name] = {"unreadable": str(error)}
    noted = any(world is not None and world.get("stopped") is not None for world in worlds.values())
    return {"stopped": noted or settings.stop_file.exists(), **worlds}


def _world(url: str, now: datetime) -> dict[str, Any]:
    from bot.app import reached
    from storage import calendar, engagement, notes
    from storage.database import open_database

    db = open_database(url)
    try:
        with db.read() as session:
            at = reached(session) or now
            known = engagement.posts_by_account(session)
            return {
                "at": at,
                "stopped": notes.note(session, notes.STOPPED),
                "outbox": {state.value: n for state, n in calendar.count_by_state(session).items() if n},
                "accounts": [
                    {"account": row.id, "posts": known.get(row.id, 0), "paused": row.paused_reason}
                    for row in engagement.accounts(session)
                ],
                "next": [_post(post, post.not_before) for post in calendar.upcoming(session, at, at + AHEAD)],
                "last": [_post(post, post.published_at) for post in calendar.recent(session, LAST)],
            }
    finally:
        db.close()


def _post(post: "Post", at: datetime | None) -> dict[str, Any]:
    return {
        "id": post.id,
        "account": post.account,
        "slot": at,
        "timezone": post.zone,
        "state": post.state.value,
        "item": f"{post.campaign}/{post.item}",
        "text": post.draft.get("text", ""),
    }


def standing_view(data: dict[str, Any]) -> "RenderableType":
    """Both worlds for a person."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    if data["stopped"]:
        parts.append(Text("EVERYTHING IS STOPPED: nothing goes out until `kairos resume`", "bold red"))
    for name, world in (("live", data["live"]), ("rehearsal (SIMULATED)", data["rehearsal"])):
        if world is None:
            parts.append(Text(f"{name}: nothing has happened yet", "dim"))
        elif "unreadable" in world:
            parts.append(Text(f"{name}: {world['unreadable']}", "red"))
        else:
            parts += _view(name, world)
    return Group(*parts)


def _view(name: str, world: dict[str, Any]) -> "list[RenderableType]":
    from rich.table import Table
    from rich.text import Text

    from bot.cli.say import local
    from bot.insights.visible import one_line

    counts = " · ".join(f"{count} {state}" for state, count in world["outbox"].items()) or "empty"
    lines: list[RenderableType] = [Text.assemble((name, "bold"), f", {local(world['at'])} UTC: outbox {counts}")]
    if world["stopped"]:
        lines.append(Text(f"  stopped: {one_line(world['stopped'])}", "red"))
    for row in world["accounts"]:
        paused = f", PAUSED: {row['paused']}; `kairos resume --account {row['account']}`" if row["paused"] else ""
        lines.append(Text(f"  {row['account']}: {row['posts']:,} public posts known{paused}"))
    table = Table(box=None, show_header=False, padding=(0, 2))
    for post in [*reversed(world["last"]), *world["next"][:SHOWN]]:
        when = f"{local(post['slot'], post['timezone'])} {post['timezone']}"
        table.add_row(f"#{post['id']}", when, post["state"], post["item"], Text(one_line(post["text"], 70)))
    if table.row_count:
        lines.append(table)
    if len(world["next"]) > SHOWN:
        lines.append(Text(f"  and {len(world['next']) - SHOWN} more within a week", "dim"))
    return lines
