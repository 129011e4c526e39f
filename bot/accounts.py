"""Which account a person means by a name; accounts themselves are storage's."""

from collections.abc import Iterable

from sqlmodel import Session

from bot.campaign.problems import did_you_mean
from storage import engagement

SHOWN = 10


class UnknownAccount(LookupError):
    """No account, or more than one, answers to this name; the words list those there are."""

    def __str__(self) -> str:
        return str(self.args[0])


def account_named(session: Session, name: str | None, also: Iterable[str] = ()) -> str:
    """The account meant by platform/name or a name alone; for None, the only one with a history.

    Known are those in the database and those of `also`. Raises UnknownAccount.
    """
    known = list(dict.fromkeys([*(account.id for account in engagement.accounts(session)), *also]))
    if name is None:
        counted = engagement.posts_by_account(session)
        busy = [account for account in known if counted.get(account)]
        if len(busy) == 1:
            return busy[0]
        raise UnknownAccount(f"say which account with --account; {_there_are(busy)}")
    matching = [account for account in known if name in (account, account.partition("/")[2])]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise UnknownAccount(f"{name!r} may be any of {', '.join(matching)}: write platform/name")
    names = [*known, *(account.partition("/")[2] for account in known)]
    hint = did_you_mean(name, names)
    raise UnknownAccount(
        f"unknown account {name!r}{hint}" if hint else f"unknown account {name!r}; {_there_are(known)}"
    )


def _there_are(accounts: list[str]) -> str:
    if not accounts:
        return "there are none yet: `kairos import FILE` brings a history in"
    more = f" and {len(accounts) - SHOWN} more" if len(accounts) > SHOWN else ""
    return f"there are: {', '.join(accounts[:SHOWN])}{more}"
