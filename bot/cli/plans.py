"""How a plan looks to a person and to a machine; how it is made and kept is the planner's."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.cli.say import local
from bot.words import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.planner.base import Plan, PlannedPost


def plan_view(made: "Plan", zone: str, *, simulated: bool, why: dict[str, str]) -> "RenderableType":
    """Every post with its exact words, slot, forecast and reason; what got no slot; `why`: who decides, by account."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from bot.insights.visible import visible

    stamp = " (rehearsal: on the simulated sandbox)" if simulated else ""
    table = Table(
        title=f"{made.campaign}: {counted(len(made.posts), 'post')} until {local(made.until, zone)} {zone}{stamp}",
        show_lines=True,
        title_justify="left",
    )
    table.add_column("when", no_wrap=True)
    table.add_column("post")
    table.add_column("forecast\n(80 %)", justify="right")
    table.add_column("exact words", ratio=2, overflow="fold")
    table.add_column("why", ratio=1, overflow="fold")
    for post in made.posts:
        words = Text(visible(post.draft.text))
        for picture in post.draft.media:
            words.append(f"\n[picture: {visible(picture.alt)}]", "dim")
        where = Text(f"{post.item}/{post.variant}\n", "bold").append(post.account, "dim")
        table.add_row(local(post.slot.at, zone), where, _forecast(post), words, Text(_why(post)))
    parts: list[RenderableType] = [table]
    parts += [Text(words, "yellow") for words in _unplaced(made)]
    parts += [Text(f"{account}: {words}", "dim") for account, words in why.items()]
    return Group(*parts)


def as_data(made: "Plan", written: Path) -> dict[str, Any]:
    """The plan for a machine, without the options that were not chosen."""
    from scheduler.drafts import to_json

    return {
        "campaign": made.campaign,
        "digest": made.digest,
        "file": str(written),
        "at": made.at,
        "until": made.until,
        "posts": [
            {
                "account": post.account,
                "item": post.item,
                "variant": post.variant,
                "slot": post.slot.at,
                "local": post.slot.local,
                "timezone": post.zone,
                "draft": to_json(post.draft),
                "holdout": post.holdout,
                "propensity": post.propensity,
                "mean": post.options[post.chosen].mean,
                "low": post.options[post.chosen].low,
                "high": post.options[post.chosen].high,
                "options": len(post.options),
                "removed": len(post.removed),
                "reason": post.reason,
                "model": post.model,
            }
            for post in made.posts
        ],
        "unplaced": [{"account": row.account, "item": row.item, "reason": row.reason} for row in made.unplaced],
    }


def _unplaced(made: "Plan") -> list[str]:
    """What got no slot, posts with the same reason together."""
    together: dict[tuple[str, str], list[str]] = {}
    for row in made.unplaced:
        together.setdefault((row.account, row.reason), []).append(row.item)
    return [f"not placed on {account}: {', '.join(items)}: {why}" for (account, why), items in together.items()]


def _forecast(post: "PlannedPost") -> str:
    option = post.options[post.chosen]
    return f"{option.mean:,.0f}\n({option.low:,.0f}–{option.high:,.0f})"


def _why(post: "PlannedPost") -> str:
    refused = len(post.removed)
    rules = ", ".join(sorted({removed.rule for removed in post.removed}))
    return f"{post.reason}; {refused} refused by {rules}" if refused else post.reason
