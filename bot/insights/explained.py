"""How an explanation looks in a terminal; what it says is `bot.insights.explain`'s."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.insights.explain import TOP, Explanation, Remembered, Weighed
from bot.insights.visible import one_line, visible
from bot.insights.worth import counted
from scheduler.slots import zone_of

LEAST_TOLD = 0.005
"""Of a forecast; smaller changes are none."""


def render(explanation: Explanation) -> RenderableType:
    """The explanation for a terminal; texts are spelled out, so that none can steer it."""
    told = explanation
    arm = "held out" if told.holdout else "chosen"
    head = Text.assemble(
        (one_line(told.chosen.text, 500), "bold"),
        f"\n{told.chosen.slot.replace('T', ' ')} {told.zone} · {told.account} · {told.campaign}/{told.item}",
        f" · wording {one_line(told.chosen.variant, 40)} · {told.chosen.kind}\n",
    )
    why = Text.assemble(("Why       ", "dim"), visible(told.reason, 500), "\n")
    why.append("Forecast  ", "dim").append(f"{_forecast(told.chosen)} by {told.model}\n")
    why.append("Drawn     ", "dim").append(
        f"{arm}, with probability {told.propensity:.2g} of {told.options_n} options\n"
    )
    why.append("Outcome   ", "dim").append(_outcome(told))
    parts: list[RenderableType] = [head, why, _options(told)]
    parts += [_removed(told)] if told.removed else []
    parts += (
        [_attended(told)]
        if told.attended
        else [Text("No past post is named: none was measured, or this model does not tell.", "dim")]
    )
    parts += [Text(told.influence_words, "dim")] if told.influence_words else []
    return Group(*parts)


def _forecast(option: Weighed) -> str:
    if option.mean is None:
        return "none"
    if option.low is None or option.high is None:
        return f"{option.mean:,.0f}"
    return f"{option.mean:,.0f} ({option.low:,.0f} to {option.high:,.0f})"


def _outcome(told: Explanation) -> str:
    if told.outcome is not None and told.outcome_age_s is not None:
        return f"{counted(told.outcome)} after {told.outcome_age_s / 3600:,.0f} h"
    if told.published_at is not None:
        return f"published {told.published_at:%Y-%m-%d %H:%M} UTC, not measured yet"
    if told.state is None:
        return "none: a later plan withdrew it"
    return f"{told.state}: {visible(told.state_reason, 300)}" if told.state_reason else told.state


def _options(told: Explanation) -> Table:
    extra = ", and the one drawn" if len(told.options) > TOP else ""
    best = f"Best {min(len(told.options), TOP)} of {told.options_n} options{extra}"
    table = Table(
        title=best,
        title_justify="left",
        box=SIMPLE_HEAD,
        expand=True,
    )
    table.add_column("", width=1)
    table.add_column("slot", no_wrap=True)
    table.add_column("forecast (80 %)", justify="right", no_wrap=True)
    table.add_column("drawn with", justify="right", no_wrap=True)
    table.add_column("wording", ratio=1, overflow="fold")
    for option in told.options:
        table.add_row(
            "→" if option.chosen else "",
            option.slot.replace("T", " "),
            _forecast(option),
            f"{option.propensity:.2g}",
            Text(one_line(option.text, 160)),
            style="bold" if option.chosen else "",
        )
    return table


def _removed(told: Explanation) -> Table:
    table = Table(title="Refused by rule", title_justify="left", box=SIMPLE_HEAD, expand=True)
    table.add_column("rule", no_wrap=True)
    table.add_column("options", justify="right")
    table.add_column("why", ratio=1, overflow="fold")
    for removed in told.removed:
        table.add_row(removed.rule, str(removed.count), Text(one_line(removed.reason, 300)))
    return table


def _attended(told: Explanation) -> Table:
    table = Table(title="Past posts that moved it most", title_justify="left", box=SIMPLE_HEAD, expand=True)
    table.add_column("weight", justify="right")
    table.add_column("when", no_wrap=True)
    table.add_column("did", no_wrap=True)
    if told.influence_on:
        table.add_column("without it", no_wrap=True)
    table.add_column("text", ratio=1, overflow="fold")
    for past in told.attended:
        table.add_row(
            f"{past.weight:.0%}",
            f"{past.at.astimezone(zone_of(told.zone)):%Y-%m-%d %H:%M}",
            counted(past.counts) or "not measured",
            *([_without(past)] if told.influence_on else []),
            Text(one_line(f"{past.kind}: {past.text}", 160)),
        )
    return table


def _without(past: Remembered) -> str:
    """How the forecast would change, as in `12% lower`."""
    if past.factor_without is None:
        return ""
    change = past.factor_without - 1
    if abs(change) < LEAST_TOLD:
        return "the same"
    return f"{change:.0%} higher" if change > 0 else f"{-change:.0%} lower"
