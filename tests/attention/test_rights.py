import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.attention.encoder import StaticEncoder
from bot.attention.episodes import (
    RIGHTS,
    VALIDATION_FROM,
    WINDOW,
    NoRight,
    Series,
    episode,
    files_of,
    read_accounts,
    read_all,
    refuse_without_right,
    series_of,
    splits,
)
from bot.attention.outcomes import Scale

COLUMNS = ("platform", "account", "post_id", "created_at", "text", "kind", "likes", "replies", "shares", "split")


def row(platform: str = "facebook", at: str = "2016-03-01T10:00:00Z", **more: str) -> dict[str, str]:
    return {
        "platform": platform,
        "account": "zoo",
        "post_id": "1",
        "created_at": at,
        "text": "hello",
        "kind": "link",
        "likes": "3",
        "replies": "",
        "shares": "",
        "split": "train",
    } | more


def write(folder: Path, rows: list[dict[str, str]], name: str = "facebook") -> Path:
    (folder / "posts").mkdir(exist_ok=True)
    file = folder / "posts" / f"{name}.csv.gz"
    with gzip.open(file, "wt", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return file


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (row("x"), "X forbids training"),
        (row("twitter"), "X forbids training"),
        (row("hackernews"), "no licence"),
        (row("reddit", "2024-05-01T10:00:00Z"), "data from Reddit's API is not"),
        (row("reddit", "2013-09-01T00:00:00Z"), "only this archive of 2013"),
        (row("tumblr"), "no right is recorded"),
    ],
    ids=["x", "twitter", "hackernews", "reddit api", "reddit after the archive", "unknown"],
)
def test_one_planted_row_without_a_right_stops_the_reading_and_names_its_place(
    planted: dict[str, str], why: str, tmp_path: Path
) -> None:
    write(tmp_path, [row(), planted, row()])
    with pytest.raises(NoRight, match=why) as raised:
        read_all(tmp_path)
    assert str(raised.value).startswith("facebook.csv.gz:3: ")


def test_rows_with_a_right_are_read() -> None:
    refuse_without_right("facebook", datetime(2016, 3, 1, tzinfo=UTC), "here")
    refuse_without_right("reddit", datetime(2013, 8, 31, tzinfo=UTC), "here")


def test_every_source_says_its_licence_and_every_refusal_its_reason() -> None:
    assert all(right.licence and right.source for right in RIGHTS.values())
    assert all(right.why for right in RIGHTS.values() if not right.train)
    assert not RIGHTS["x"].train


def test_a_folder_without_data_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no posts/facebook\.csv\.gz"):
        files_of(tmp_path)


def test_accounts_come_in_order_of_time_and_identical_texts_count_once(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        [
            row(at="2016-03-03T10:00:00Z", text="later", likes="5"),
            row(at="2016-03-04T10:00:00Z", text="first", likes="9"),
            row(at="2016-03-01T10:00:00Z", text="first", likes="2"),
            row(account="other"),
        ],
    )
    zoo, other = read_accounts(file)
    assert (zoo.name, other.name) == ("zoo", "other")
    series = series_of(zoo, StaticEncoder.load())
    assert series.counts[:, 0].tolist() == [2, 5]
    assert np.isnan(series.counts[:, 1]).all()
    assert (np.diff(series.times) > 0).all()


def made(n: int, platform: str = "facebook", split: str = "train", start: datetime = VALIDATION_FROM) -> Series:
    times = start.timestamp() + 3600.0 * np.arange(n)
    return Series(
        platform,
        "zoo",
        split,
        times,
        np.ones((n, 4), dtype=np.float16),
        np.zeros((n, 16), dtype=np.float32),
        np.zeros((n, 14), dtype=np.float32),
        np.arange(3 * n, dtype=np.float32).reshape(n, 3),
    )


def test_training_and_validation_share_neither_accounts_nor_on_facebook_the_calendar() -> None:
    before = made(3 * WINDOW, start=VALIDATION_FROM - timedelta(hours=2 * WINDOW))
    train, validation = splits([before, made(3 * WINDOW, split="val"), made(3 * WINDOW), made(9, split="val")])
    (part,) = train
    assert len(part) == 2 * WINDOW
    assert part.times[-1] < VALIDATION_FROM.timestamp()
    assert [len(one) for one in validation] == [3 * WINDOW]


def test_an_episode_keeps_48_hours_between_history_and_candidates() -> None:
    series = made(300)
    values = np.log1p(series.counts[:, 0])
    one = episode(series, values, 200, 50, np.arange(200, 300))
    assert one is not None
    assert len(one.z) == 50
    # The last history post is the last one more than 48 hours older than the first candidate.
    read = values[200 - 48 - 1 - 49 : 200 - 48]
    assert one.z == pytest.approx(Scale.of(read).z(read), abs=1e-4)


def test_an_episode_without_an_outcome_in_its_history_is_none() -> None:
    series = made(300)
    values = np.full(300, np.nan, dtype=np.float32)
    assert episode(series, values, 200, 50, np.arange(200, 300)) is None
    assert episode(series, np.log1p(series.counts[:, 0]), 5, 50, np.arange(5, 50)) is None
