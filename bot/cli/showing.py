"""How imports and the demo look to a person; what they are is known elsewhere."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.demo.show import Shown
    from bot.imports import ImportReport

BAD_SHOWN = 20
STAMP = "SIMULATED"


def import_view(imported: "ImportReport") -> "RenderableType":
    """Accounts with what changed, then rows that could not be read, then what was left out."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{imported.format}", title_justify="left")
    for name in ("account", "new", "unchanged", "with new counts"):
        table.add_column(name, justify="left" if name == "account" else "right")
    for account, outcome in imported.accounts.items():
        table.add_row(account, f"{outcome.added:,}", f"{outcome.unchanged:,}", f"{outcome.updated:,}")
    parts: list[RenderableType] = [table]
    for reason, count in imported.left_out.items():
        parts.append(Text(f"left out: {count:,} {reason}", "dim"))
    if imported.bad:
        parts.append(Text(f"{len(imported.bad):,} rows could not be read; the rest is in:", "yellow"))
        parts += [Text(f"  line {row.line}: {row.why}", "yellow") for row in imported.bad[:BAD_SHOWN]]
    if len(imported.bad) > BAD_SHOWN:
        parts.append(Text(f"  and {len(imported.bad) - BAD_SHOWN:,} more (all with --json)", "yellow"))
    return Group(*parts)


def demo_view(shown: "Shown") -> "RenderableType":
    """The comparison, the lift, the decisions and the replies."""
    from rich.console import Group
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text

    from bot.insights.explained import render

    comparison = shown.comparison
    table = Table(
        title=f"Ways to choose, on {comparison.worlds} simulated worlds ({STAMP})",
        caption=f"Expected points per post without luck, {comparison.posts} posts a world; gain over chance with its "
        "95 % interval, paired by world.",
        title_justify="left",
        caption_justify="left",
    )
    for name in ("who chooses", "points per post", "gain over chance", "95 % interval", "of the oracle's gain"):
        table.add_column(name, justify="left" if name == "who chooses" else "right")
    for way in comparison.ways:
        table.add_row(
            way.name,
            f"{way.points:.0f}",
            f"x{way.gain:.2f}",
            f"{way.low:.2f} to {way.high:.2f}",
            f"{way.of_oracle:.0%}",
            style="bold" if way.name == "kairos" else "",
        )
    twice = f"{shown.twice} were sent twice" if shown.twice else "none was sent twice"
    parts: list[RenderableType] = [
        Text(f"{shown.published} posts and replies went out, with {shown.mishaps} mishaps on the way; {twice}."),
        table,
        Text(comparison.words, "bold"),
        Text.assemble(("Did choosing help, measured by its own holdout? ", ""), (shown.lift.words, "bold")),
        Text(""),
    ]
    for explanation in shown.explained:
        parts += [Rule(f"why this post ({STAMP})", align="left"), render(explanation)]
    parts += [Rule(f"what people said ({STAMP})", align="left"), _replies(shown)]
    return Group(*parts)


def _replies(shown: "Shown") -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    from bot.insights.visible import one_line

    table = Table(box=None, show_header=False, padding=(0, 2))
    for outcome, count in sorted(shown.replies.items(), key=lambda pair: -pair[1]):
        table.add_row(f"{count}", f"mentions {outcome}")
    for rule, count in sorted(shown.refused.items(), key=lambda pair: -pair[1]):
        table.add_row(f"{count}", Text(f"refused by {rule}: {one_line(shown.words[rule], 120)}"))
    return table
