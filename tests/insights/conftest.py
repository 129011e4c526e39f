"""A stage for insights: a real database in a folder, filled by the storage functions that production uses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from storage import decisions, engagement, outbox
from storage.database import Database, open_database
from storage.history import by_posts
from storage.models import Decision, Post, State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACCOUNT = "sandbox/main"


@dataclass
class Stage:
    """Fills an open session with posts, decisions and counts, in a few words."""

    session: Session
    account: str = ACCOUNT
    made: list[int] = field(default_factory=list)

    def past(self, texts: Mapping[str, int], at: datetime = NOON - timedelta(days=60)) -> list[int]:
        """Imported posts with their likes, a day apart; gives back their history ids."""
        rows = [
            engagement.HistoryRow(f"past-{place}", text, "text", at + timedelta(days=place), likes=likes)
            for place, (text, likes) in enumerate(texts.items())
        ]
        engagement.import_rows(self.session, self.account, rows, "import:test", NOON)
        return [row.history_id for row in engagement.history(self.session, self.account)]

    def decided(self, text: str, **values: Any) -> Decision:
        """A logged decision for one text among three slots."""
        options = [
            {
                "variant": "1",
                "text": text,
                "kind": "text",
                "slot": f"2026-11-24T{hour:02d}:00",
                "score": score,
                "mean": score,
                "sd": 1.0,
                "low": score / 2,
                "high": score * 2,
                "propensity": 0.9 if hour == 9 else 0.05,
            }
            for hour, score in ((9, 20.0), (12, 10.0), (18, 5.0))
        ]
        given = {
            "at": NOON,
            "account": self.account,
            "campaign": "launch",
            "item": f"item-{len(self.made)}",
            "model": "attention 1",
            "seed": 7,
            "propensity": 0.9,
            "chosen": 0,
            "candidates": options,
            "reason": "best of 3: about 20 likes expected (10 to 40)",
            **values,
        }
        return decisions.log_decision(self.session, Decision(**given))

    def planned(self, text: str, made: Decision | None = None, at: datetime = NOON, **values: Any) -> Post:
        """A post in the outbox."""
        number = len(self.made)
        engagement.ensure_account(self.session, self.account, NOON)
        draft = {"text": text, "kind": "text"}
        given = {
            "account": self.account,
            "campaign": "launch",
            "item": f"item-{number}",
            "local_slot": f"{at:%Y-%m-%dT%H:%M}#{number}",
            "zone": "Europe/Berlin",
            "slot_at": at,
            "not_before": at,
            "draft": draft,
            "digest": outbox.digest_of(draft),
            "key": f"{self.account}-{number}",
            "decision_id": None if made is None else made.id,
            "holdout": made is not None and made.holdout,
            "created_at": at,
            "updated_at": at,
            **values,
        }
        (post,) = outbox.add(self.session, [Post(**given)])
        assert post.id is not None
        self.made.append(post.id)
        return post

    def published(
        self,
        text: str,
        likes: int | None = None,
        *,
        at: datetime = NOON,
        age: timedelta = timedelta(days=2),
        **values: Any,
    ) -> Post:
        """A decided post that went out, measured at `age` unless `likes` is None; `values` go to the decision."""
        post = self.planned(text, self.decided(text, **values), at)
        assert post.id is not None
        outbox.published(
            self.session,
            post.id,
            ref=f"ref-{post.id}",
            url=f"https://social.example/{post.id}",
            published_at=at,
            now=at,
        )
        if likes is not None:
            row = by_posts(self.session, [post.id])[post.id]
            engagement.add_snapshot(self.session, row.history_id, age, age, at + age, likes=likes)
        self.session.refresh(post)
        assert post.state is State.PUBLISHED
        return post


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    opened = open_database(tmp_path / "kairos.db")
    yield opened
    opened.close()


@pytest.fixture
def stage(db: Database) -> Iterator[Stage]:
    """A stage in one open transaction."""
    with db.write() as session:
        yield Stage(session)
