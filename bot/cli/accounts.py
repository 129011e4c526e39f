"""Commands for our own accounts: add, list, check and remove; what connects an account is in bot/connecting.py."""

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.options import Json, settings
from bot.cli.say import Exit, note, show, stop, write_json
from bot.settings import is_there

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.connecting import Accounts, Checked, Standing

Name = Annotated[str, typer.Argument(help="platform/name, or the name alone.", metavar="NAME")]
NEXT = "connect one with `kairos accounts add PLATFORM/NAME`"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Connect your accounts, see how they stand, and let them go.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    group.command()(add)
    group.command(name="list")(standing)
    group.command()(check)
    group.command()(remove)
    app.add_typer(group, name="accounts")


def add(
    account: Annotated[str, typer.Argument(help="Such as mastodon/main.", metavar="PLATFORM/NAME")],
    as_json: Json = False,
) -> None:
    """Connect an account: its platform asks for what it needs, and then has to say who you are.

    Answers are typed at a terminal, secret ones unseen, or piped in, one a line. Cut short, nothing is stored.
    """
    from bot.cli.talk import Keyboard
    from connectors.errors import ConnectorError

    with _accounts() as accounts:
        accounts.log_in(account, Keyboard())
        try:
            checked = accounts.check(account)
        except ConnectorError as error:
            stop(
                f"{error}\nwhat you gave is stored, but {account} could not be checked: `kairos accounts check "
                f"{account}` tries again, `kairos accounts remove {account}` forgets it",
                Exit.UNAVAILABLE,
            )
    if as_json:
        write_json(_data(checked))
        return
    show(_view([checked]))


def standing(as_json: Json = False) -> None:
    """Accounts, whether each is connected, where its secrets lie, and when its platform last said who we are.

    No platform is asked.
    """
    found: list[Standing] = []
    if is_there(settings().truth_url):
        with _accounts() as accounts:
            found = list(accounts.standings())
    if as_json:
        write_json([asdict(row) for row in found])
    elif found:
        show(_standings(found))
    else:
        note(f"there are no accounts yet: {NEXT}")


def check(
    name: Annotated[str | None, typer.Argument(help="One account; all connected ones without it.")] = None,
    as_json: Json = False,
) -> None:
    """Ask the platforms who we are: account, bot label, scopes, limits."""
    from bot.keys import KeyUnusable
    from connectors.errors import ConnectorError

    done, failed = [], {}
    with _accounts() as accounts:
        asked = (
            [row.account for row in accounts.standings() if row.connected] if name is None else [accounts.named(name)]
        )
        for account in asked:
            try:
                done.append(accounts.check(account))
            except (ConnectorError, KeyUnusable) as error:
                failed[account] = str(error)
    if as_json:
        write_json([*map(_data, done), *({"account": account, "error": words} for account, words in failed.items())])
    elif done:
        show(_view(done))
    if failed:
        stop("\n".join(_told(account, words) for account, words in failed.items()), Exit.UNAVAILABLE)
    if not asked:
        note(f"no account is connected: {NEXT}")


def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Forget what connects an account; its history, its queue and what was learnt from it stay."""
    from bot.cli.talk import Keyboard

    with _accounts() as accounts:
        account = accounts.named(name)
        if not yes and not Keyboard().agrees(f"forget the stored secrets of {account}? Its history stays"):
            stop(f"{account} stays connected", Exit.REFUSED)
        gone = accounts.forget(account)
    if as_json:
        write_json(asdict(gone))
    elif gone.secrets:
        typer.echo(f"{account}: forgot {', '.join(gone.secrets)}; its history stays")
    else:
        typer.echo(f"{account}: nothing was stored; its history stays")
    if gone.variables:
        note(f"{account} is still connected by the environment: unset {', '.join(gone.variables)}")


def _accounts() -> "Accounts":
    from bot.app import open_accounts
    from bot.cli.logs import log_to

    log_to(settings().folder)
    return open_accounts(settings(), os.environ)


def _told(account: str, words: str) -> str:
    return words if words.startswith(account) else f"{account}: {words}"


def _data(checked: "Checked") -> dict[str, Any]:
    return asdict(checked) | {"error": None}


def _view(done: "list[Checked]") -> "RenderableType":
    """What platforms said of us; their words cannot steer the terminal."""
    from rich.table import Table
    from rich.text import Text

    from bot.insights.visible import one_line

    table = Table(box=None, show_header=False, padding=(0, 2))
    for row in done:
        us, limits = row.identity, row.limits
        table.add_row(Text(row.account, "bold"), Text("connected" + (" (SIMULATED)" if row.simulated else ""), "green"))
        followers = "" if us.followers is None else f", {us.followers:,} followers"
        table.add_row("  who", Text(f"{one_line(us.handle)} ({one_line(us.account_id)}){followers}"))
        table.add_row("  bot label", LABEL[us.bot_label])
        table.add_row("  scopes", Text(one_line(", ".join(us.scopes)) or "not told"))
        table.add_row(
            "  limits", _limits(limits.max_length, limits.max_media, limits.posts_per_hour, limits.reads_per_hour)
        )
    return table


LABEL = {
    True: "set: people can see that a bot posts here",
    False: "NOT set: set it in the account's settings, so that people can see that a bot posts here",
    None: "this platform has none",
}


def _limits(length: int, media: int, posts: int | None, reads: int | None) -> str:
    said = [f"{length:,} signs", f"{media} pictures"]
    said += [f"{count:,} {what} an hour" for count, what in ((posts, "posts"), (reads, "reads")) if count is not None]
    return ", ".join(said)


def _standings(found: "list[Standing]") -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    from bot.cli.say import local
    from bot.insights.visible import one_line

    table = Table()
    for name in ("account", "connected", "secrets from", "last checked (UTC)"):
        table.add_column(name)
    for row in found:
        table.add_row(
            Text(row.account),
            Text("yes", "green") if row.connected else Text(f"no: {one_line(row.words)}"),
            " and ".join(row.places) or ("none needed" if row.connected else ""),
            local(row.checked_at) if row.checked_at else "never",
        )
    return table
