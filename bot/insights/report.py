"""A report as one HTML file that needs nothing else; what it holds is read in `collecting`, its look is a template."""

import base64
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.insights import pictures
from bot.insights.canvas import Picture
from bot.insights.collecting import collect_report
from bot.insights.sheet import AccountRow, Extra, MentionRow, PostRow, RefusalRow, ReportData
from bot.insights.visible import one_line, visible
from bot.insights.worth import counted
from scheduler.slots import zone_of

__all__ = [
    "AccountRow",
    "Extra",
    "MentionRow",
    "PostRow",
    "RefusalRow",
    "ReportData",
    "collect_report",
    "write_report",
]

SHOWN = 200
"""Posts in the table, the latest ones: the page stays one a browser and a mailbox take."""
TEXT = 600
"""Signs of a text that are shown."""


@dataclass(frozen=True)
class Inlined:
    """A picture ready for the page."""

    source: str
    alt: str
    width: int


def write_report(path: Path, data: ReportData) -> Path:
    """Write the page, whole or not at all, and give back its path; raises OSError where it cannot be written."""
    page = _page(data)
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        unfinished = Path(draft.name)
        try:
            draft.write(page)
            draft.close()
            unfinished.chmod(0o644)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    return path


def _page(data: ReportData) -> str:
    zone = zone_of(data.zone)
    home = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    home.filters["shown"] = lambda text: visible(text, TEXT)
    home.filters["line"] = lambda text: one_line(text, TEXT)
    home.filters["when"] = lambda at: f"{at.astimezone(zone):%a %d %b %Y %H:%M}"
    home.filters["count"] = _count
    home.filters["counted"] = counted
    home.filters["sentence"] = lambda words: f"{words[:1].upper()}{words[1:]}"
    home.filters["web"] = lambda url: url if url and urlsplit(url).scheme in {"http", "https"} else None
    latest = sorted(data.posts, key=lambda post: post.at, reverse=True)
    return home.get_template("report.html").render(
        data=data,
        latest=latest[:SHOWN],
        left_out=max(len(latest) - SHOWN, 0),
        drawn={name: _inlined(picture) for name, picture in _draw(data).items()},
    )


def _draw(data: ReportData) -> dict[str, Picture]:
    zone, simulated = zone_of(data.zone), data.simulated
    dated = [pictures.Dated(post.at, post.state, post.holdout) for post in data.posts]
    pairs = [pair for post in data.posts if (pair := post.measured) is not None]
    return {
        "calendar": pictures.calendar(dated, data.now, zone, simulated=simulated),
        "hours": pictures.hours(data.hours, zone=data.zone, simulated=simulated),
        "forecasts": pictures.forecasts(pairs, simulated=simulated),
        "lift": pictures.lift_over_time(data.lift_steps, zone=zone, simulated=simulated),
    }


def _inlined(picture: Picture) -> Inlined:
    source = base64.b64encode(picture.svg().encode()).decode()
    return Inlined(f"data:image/svg+xml;base64,{source}", picture.alt, round(picture.figure.get_figwidth() * 96))


def _count(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
