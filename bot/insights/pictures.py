"""The pictures of a report: calendar, hours, forecasts, lift; what stands in them is read and computed elsewhere.

Nothing a stranger wrote is ever drawn. Two colours that differ for colour-blind eyes, and marks that differ without.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter, date2num
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from bot.insights.canvas import INK, LINE, MUTED, ORANGE, PAPER, TEAL, Picture, bare, canvas, nothing_yet
from bot.insights.hours import NEEDED, Hour, timing
from bot.insights.lift import Lift

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKS = 6
"""Most weeks of a calendar."""
IN_CELL = 3
"""Most posts written out in one day of a calendar."""
DRAWN = 200
"""Most forecasts drawn, the latest ones."""
FILLS = {"published": ("full", "●", "went out"), "held": ("left", "◐", "waits for you")}
"""How a state is drawn, and its word; every other one is still to come."""
TO_COME = ("none", "○", "to come")


@dataclass(frozen=True)
class Dated:
    """A post in the calendar: when it goes or went out, where it stands, whether it was held out."""

    at: datetime
    state: str
    holdout: bool


@dataclass(frozen=True)
class Measured:
    """A forecast beside what came: the objective's value forecast (mean, 80 % interval) and reached."""

    mean: float
    low: float
    high: float
    value: float
    holdout: bool

    @property
    def inside(self) -> bool:
        """Whether the outcome lies in the interval as it is shown, in whole numbers."""
        return round(self.low) <= self.value <= round(self.high)


def calendar(posts: Sequence[Dated], now: datetime, zone: ZoneInfo, *, simulated: bool) -> Picture:
    """Weeks by days with the times of posts: up to WEEKS weeks, the last ones up to the end of what is planned."""
    days: dict[date, list[tuple[str, Dated]]] = defaultdict(list)
    for post in sorted(posts, key=lambda post: post.at):
        local = post.at.astimezone(zone)
        days[local.date()].append((f"{local:%H:%M}", post))
    today = now.astimezone(zone).date()
    mondays = _mondays(list(days) or [today])
    shown = [(day, lines) for day, lines in days.items() if day >= mondays[0]]
    out = sum(post.state == "published" for _, lines in shown for _, post in lines)
    coming = sum(len(lines) for _, lines in shown) - out
    title = f"{out} posts went out, {coming} to come, from {mondays[0]:%d %b} on"
    deepest = min(max((len(lines) for _, lines in shown), default=1), IN_CELL)
    row_height = 0.3 + 0.2 * deepest
    figure, axes = canvas(9, 1.3 + row_height * len(mondays), title, simulated)
    bare(axes)
    axes.set_xlim(0, 7)
    axes.set_ylim(len(mondays), 0)
    axes.set_xticks([day + 0.5 for day in range(7)], WEEKDAYS)
    axes.xaxis.tick_top()
    axes.set_yticks([row + 0.5 for row in range(len(mondays))], [f"{monday:%d %b}" for monday in mondays])
    for row, monday in enumerate(mondays):
        for column in range(7):
            day = monday + timedelta(days=column)
            axes.add_patch(_cell(column, row, facecolor="none", edgecolor=INK if day == today else LINE, linewidth=1))
            lines = days.get(day, [])
            written = lines if len(lines) <= IN_CELL else lines[: IN_CELL - 1]
            step = 1 / (deepest + 1)
            for place, (words, post) in enumerate(written, start=1):
                axes.plot(column + 0.2, row + step * place, color=ORANGE if post.holdout else TEAL, **_mark(post))
                _write(axes, column + 0.32, row + step * place, words, color=INK, fontsize=8.5)
            if len(lines) > len(written):
                more = f"+ {len(lines) - len(written)} more"
                _write(axes, column + 0.32, row + step * (len(written) + 1), more, color=MUTED, fontsize=8.5)
    axes.set_xlabel(_legend(posts, zone), fontsize=8.5, color=MUTED, loc="left", labelpad=8)
    return Picture(figure, title, f"Calendar of {len(mondays)} weeks: {title}.")


def hours(cells: Sequence[Hour], *, zone: str, simulated: bool) -> Picture:
    """The week as 7 x 24 hours: how posts did beside the account's usual, paler the fewer posts, with their number."""
    found = timing(cells)
    total = sum(cell.count for cell in cells)
    figure, axes = canvas(9, 3.1, found.words, simulated)
    bare(axes)
    by_place = {(cell.weekday, cell.hour): cell for cell in cells}
    for weekday in range(7):
        for hour in range(24):
            cell = by_place.get((weekday, hour))
            if cell is None:
                axes.add_patch(_cell(hour, weekday, facecolor="none", edgecolor=LINE, linewidth=0.6))
                continue
            colour = TEAL if cell.shrunk >= 0 else ORANGE
            depth = 0.08 + 0.8 * min(abs(cell.shrunk), 1.0)
            axes.add_patch(_cell(hour, weekday, facecolor=colour, edgecolor="none", alpha=depth))
            ink = PAPER if depth > 0.5 else INK
            _write(axes, hour + 0.5, weekday + 0.52, str(cell.count), ha="center", fontsize=7.5, color=ink)
    axes.set_xlim(0, 24)
    axes.set_ylim(7, 0)
    axes.set_xticks([hour + 0.5 for hour in range(0, 24, 3)], [f"{hour:02d}:00" for hour in range(0, 24, 3)])
    axes.set_yticks([day + 0.5 for day in range(7)], WEEKDAYS)
    key = "teal: better than usual · orange: worse · number: posts measured · paler: fewer posts, or near the usual"
    axes.set_xlabel(f"{key} · {zone}", fontsize=8.5, color=MUTED, loc="left", labelpad=8)
    few = f" {NEEDED} are needed to say more." if total < NEEDED else ""
    return Picture(figure, found.words, f"Heat map of weekday by hour over {total} measured posts. {found.words}.{few}")


def forecasts(pairs: Sequence[Measured], *, simulated: bool) -> Picture:
    """Forecast beside outcome, one mark a post with its 80 % interval, on logarithmic scales."""
    if not pairs:
        figure, axes = canvas(4.4, 4.2, "No forecast to check yet", simulated)
        nothing_yet(axes, "no post with a forecast\nis measured yet")
        return Picture(figure, "No forecast to check yet", "Empty picture: no post with a forecast is measured yet.")
    drawn = pairs[-DRAWN:]
    inside = sum(pair.inside for pair in pairs)
    title = f"{inside} of {len(pairs)} outcomes inside their 80 % interval"
    figure, axes = canvas(4.4, 4.2, title, simulated)
    most = max(max(pair.high, pair.value, pair.mean) for pair in drawn) * 1.4 + 1
    axes.plot([0, most], [0, most], color=LINE, linewidth=1.2, zorder=1)
    for holdout, colour, mark, name in ((False, TEAL, "o", "chosen"), (True, ORANGE, "D", "held out")):
        arm = [pair for pair in drawn if pair.holdout is holdout]
        if not arm:
            continue
        values, means = [pair.value for pair in arm], [pair.mean for pair in arm]
        axes.hlines(
            values, [pair.low for pair in arm], [pair.high for pair in arm], color=colour, alpha=0.35, linewidth=1.2
        )
        axes.scatter(means, values, s=26, color=colour, marker=mark, label=name, edgecolor="none", zorder=3)
    for set_scale in (axes.set_xscale, axes.set_yscale):
        set_scale("symlog", linthresh=10)
    axes.set_xlim(-0.5, most)
    axes.set_ylim(-0.5, most)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    latest = f" (latest {DRAWN} drawn)" if len(drawn) < len(pairs) else ""
    axes.set_xlabel(f"forecast, in points{latest}", fontsize=9, color=MUTED)
    axes.set_ylabel("outcome, in points", fontsize=9, color=MUTED)
    axes.legend(frameon=False, labelcolor=INK, fontsize=8.5, loc="upper left")
    return Picture(figure, title, f"Scatter of forecast against outcome for {len(pairs)} posts: {title}.")


def lift_over_time(steps: Sequence[tuple[datetime, Lift]], *, zone: ZoneInfo, simulated: bool) -> Picture:
    """The lift and its anytime-valid interval after each measured post; 1 is no effect."""
    known = [(at.astimezone(zone), step) for at, step in steps if step.ratio is not None]
    if not known:
        figure, axes = canvas(4.4, 4.2, "Did it help? Not yet known", simulated)
        nothing_yet(axes, "too few held-out posts\nare measured yet")
        return Picture(figure, "Did it help? Not yet known", "Empty picture: too few held-out posts are measured yet.")
    last = known[-1][1]
    title = f"Lift {last.figures}: {last.verdict}"
    figure, axes = canvas(4.4, 4.2, title, simulated)
    times = [float(date2num(at)) for at, _ in known]  # type: ignore[no-untyped-call]
    ratios = [step.ratio or 1.0 for _, step in known]
    lows = [max(step.low or 0.0, 0.05) for _, step in known]
    highs = [min(step.high or 1.0, 20.0) for _, step in known]
    axes.axhline(1, color=MUTED, linewidth=1)
    axes.annotate("no effect", (times[0], 1), (2, 3), textcoords="offset points", fontsize=8, color=MUTED)
    axes.fill_between(times, lows, highs, color=TEAL, alpha=0.18, linewidth=0)
    axes.plot(times, ratios, color=TEAL, linewidth=2, marker="o" if len(known) == 1 else "")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(base=2, numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"x{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("chosen / held out", fontsize=9, color=MUTED)
    axes.xaxis_date(tz=zone)
    axes.xaxis.set_major_locator(AutoDateLocator(zone, 2, 5))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%d %b", zone))  # type: ignore[no-untyped-call]
    return Picture(figure, title, f"Lift over time with its interval, last {last.figures}. {last.words}.")


def _mark(post: Dated) -> dict[str, Any]:
    fill = FILLS.get(post.state, TO_COME)[0]
    return {"marker": "D" if post.holdout else "o", "markersize": 4.5 if post.holdout else 5.5, "fillstyle": fill}


def _legend(posts: Sequence[Dated], zone: ZoneInfo) -> str:
    present = dict.fromkeys(FILLS.get(post.state, TO_COME) for post in posts)
    words = [f"{sign} {word}" for _, sign, word in present]
    return " · ".join([*words, "◆ held out, drawn at random", f"times in {zone.key}"])


def _write(axes: Axes, x: float, y: float, words: str, **style: Any) -> None:
    # Inside its cell anyway: measuring hundreds of texts for the layout takes longer than all the rest.
    axes.text(x, y, words, va="center", in_layout=False, **style)


def _cell(column: float, row: float, **style: Any) -> Rectangle:
    return Rectangle((column + 0.06, row + 0.08), 0.88, 0.84, joinstyle="round", **style)


def _mondays(days: Sequence[date]) -> list[date]:
    first, last = (day - timedelta(days=day.weekday()) for day in (min(days), max(days)))
    weeks = min(ceil((last - first).days / 7) + 1, WEEKS)
    return [last - timedelta(weeks=back) for back in range(weeks - 1, -1, -1)]
