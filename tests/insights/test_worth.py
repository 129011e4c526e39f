"""What a post was worth to the objective."""

from datetime import UTC, datetime

from bot.insights.worth import counted, in_words, told, worth
from storage.history import MeasuredPost


def post(
    likes: int | None = None, replies: int | None = None, clicks: int | None = None, age_s: int | None = 90_000
) -> MeasuredPost:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    return MeasuredPost(1, "ref", "text", "text", at, likes, replies, None, clicks, None, age_s, False, "kairos")


def test_a_value_is_the_weighed_sum_of_the_counts() -> None:
    assert worth(post(likes=10, replies=2), {"likes": 1.0, "replies": 5.0}) == 20.0


def test_what_was_not_told_is_no_value_instead_of_nothing() -> None:
    assert worth(post(likes=10), {"likes": 1.0, "replies": 5.0}) is None
    assert worth(post(likes=0), {"likes": 1.0}) == 0.0


def test_an_action_told_for_less_than_half_of_the_measured_posts_is_left_out() -> None:
    rows = [post(likes=1, clicks=1), post(likes=1), post(likes=1), post(age_s=None)]
    assert told(rows, {"likes": 1.0, "clicks": 5.0}) == {"likes": 1.0}
    assert told(rows[:2], {"likes": 1.0, "clicks": 5.0}) == {"likes": 1.0, "clicks": 5.0}


def test_likes_stand_in_where_nothing_asked_for_is_told() -> None:
    assert told([post(likes=3)], {"clicks": 1.0}) == {"likes": 1.0}
    assert told([], {"clicks": 1.0}) == {"likes": 1.0}


def test_words_for_people() -> None:
    assert in_words({"likes": 1.0, "replies": 2.5}) == "likes + 2.5 x replies"
    assert counted({"likes": 1, "replies": 2, "shares": 1200}) == "1 like, 2 replies, 1,200 shares"
