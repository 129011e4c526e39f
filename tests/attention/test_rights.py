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
from bot.attention.forecast import ACTIONS
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
        np.arange(len(ACTIONS) * n, dtype=np.float32).reshape(n, -1),
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
    values = np.log1p(series.counts)
    one = episode(series, values, 200, 50, np.arange(200, 300))
    assert one is not None
    assert len(one.z) == 50
    # The last history post is the last one more than 48 hours older than the first candidate.
    read = values[200 - 48 - 1 - 49 : 200 - 48]
    likes, *others = (Scale.of(column).z(column) for column in read.T)
    assert one.z == pytest.approx(likes, abs=1e-4)
    assert one.beside == pytest.approx(np.mean(others, axis=0), abs=1e-4)
    assert not one.unfinished.any()


def test_without_the_gap_the_last_posts_of_a_history_are_unfinished_and_the_very_last_unknown() -> None:
    series = made(300)
    series.times[199] += 1800  # half an hour before the first candidate
    one = episode(series, np.log1p(series.counts), 200, 50, np.arange(200, 300), gap_s=600.0)
    assert one is not None
    assert len(one.z) == 50
    assert (np.diff(one.unfinished[:-1]) >= 0).all()
    assert one.unfinished[0] == one.unfinished[-1] == 0 < one.unfinished[-20] < 0.5 < one.unfinished[-2]
    assert one.measured[:-1].all()
    assert not one.measured[-1]


def test_a_misjudged_growth_fades_as_a_post_grows() -> None:
    series = made(300)
    values = np.log1p(series.counts)
    off = np.full(300, 2.0, dtype=np.float32)
    plain, wrong = (
        episode(series, values, 200, 50, np.arange(200, 300), gap_s=3600.0, misjudged=each) for each in (None, off)
    )
    assert plain is not None
    assert wrong is not None
    shift = (wrong.z - plain.z)[:-1]
    assert shift[-1] > shift[-12] > shift[0]


def test_an_episode_without_an_outcome_in_its_history_is_none() -> None:
    series = made(300)
    values = np.full((300, len(ACTIONS)), np.nan, dtype=np.float32)
    assert episode(series, values, 200, 50, np.arange(200, 300)) is None
    assert episode(series, np.log1p(series.counts), 5, 50, np.arange(5, 50)) is None
