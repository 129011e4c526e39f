"""An account's stored history as forecasters read it; nothing is asked of a database here."""

from collections.abc import Sequence
from datetime import timedelta

from bot.attention.forecast import ACTIONS, PastPost
from storage.engagement import FINISHED
from storage.history import MeasuredPost


def past_posts(account: str, rows: Sequence[MeasuredPost]) -> list[PastPost]:
    """The rows as past posts, in the same order, `ref` the row's id; counts FINISHED or older have no age any more."""
    platform = account.partition("/")[0]
    return [
        PastPost(
            platform=platform,
            text=row.text,
            kind=row.kind,
            at=row.created_at,
            counts=None if row.age_s is None else {action: getattr(row, action) for action in ACTIONS},
            age=_age(row.age_s),
            ref=str(row.history_id),
        )
        for row in rows
    ]


def _age(age_s: int | None) -> timedelta | None:
    if age_s is None or age_s >= FINISHED.total_seconds():
        return None
    return timedelta(seconds=age_s)
