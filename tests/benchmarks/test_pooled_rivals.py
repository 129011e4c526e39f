from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.experts import words
from benchmarks.lessons import Lesson, lessons
from benchmarks.pooled import Plain, Pooled, Trees, plain_columns, pooled_rivals, skill
from bot.attention.baselines import Ridge
from bot.attention.encoder import StaticEncoder
from bot.attention.episodes import Series
from bot.attention.evaluation import spearman
from bot.attention.forecast import Candidate, Forecaster, PastPost
from bot.attention.outcomes import finished

Account = Callable[..., list[PastPost]]


@pytest.fixture(scope="module")
def train(audience: Account, as_series: Callable[[str, list[PastPost]], Series]) -> list[Series]:
    return [as_series(str(seed), audience(400, seed)) for seed in range(6)]


@pytest.fixture(scope="module")
def taught(train: list[Series]) -> list[Lesson]:
    return lessons(train, 60, np.random.default_rng(0))


SMALL = Trees(rounds=80, leaves=8, rate=0.1, least=30)


def fitted(taught: list[Lesson]) -> list[Pooled]:
    return pooled_rivals(taught, StaticEncoder.load().encode, SMALL, SMALL, SMALL)


@pytest.fixture(scope="module")
def rivals(taught: list[Lesson]) -> list[Pooled]:
    return fitted(taught)


def rank(model: Forecaster, history: list[PastPost], later: list[PastPost]) -> float:
    told = model.predict(history, [Candidate(post.platform, post.text, post.kind, post.at) for post in later])
    return spearman(np.array([one.mean for one in told]), finished(later, "likes"))


def test_a_pooled_rival_knows_from_others_what_a_short_history_cannot_tell(
    rivals: list[Pooled], audience: Account
) -> None:
    alone = Ridge(StaticEncoder.load().encode)
    for rival in rivals:
        gains = []
        for seed in range(50, 56):
            posts = audience(130, seed, own=0.0)
            gains.append(rank(rival, posts[:10], posts[30:]) - rank(alone, posts[:10], posts[30:]))
        assert np.mean(gains) > 0.05, rival.name


def test_a_pooled_rival_learns_what_is_special_about_an_account(rivals: list[Pooled], audience: Account) -> None:
    for rival in rivals:
        posts = audience(330, 77, shared=0.0, own=1.0)
        assert rank(rival, posts[:230], posts[230:]) > 0.5, rival.name


def test_lessons_end_two_days_before_what_they_ask_about(taught: list[Lesson]) -> None:
    for one in taught:
        # Days since the end of the history, as log1p(days) / 4, stand in the last column of both.
        assert np.expm1(4 * one.case.new_columns[:, -1].min()) >= 2 - 1e-3
        assert len(one.z) == len(one.case.new_text)


def test_plain_trees_never_saw_the_accounts_they_speak_of_while_others_learn_from_them(taught: list[Lesson]) -> None:
    assert {one.fold for one in taught} == {0, 1, 2}
    wrong = [Lesson(one.case, -one.z if one.fold == 0 else one.z, one.fold) for one in taught]
    one, other = (Plain.of(some, SMALL) for some in (taught, wrong))
    case = taught[0].case
    x = plain_columns(case, one.axes)
    assert one.boosters[0].predict(x) == pytest.approx(other.boosters[0].predict(x))
    assert one.boosters[1].predict(x) != pytest.approx(other.boosters[1].predict(x))
    assert one.tell(case, 0)[1] == pytest.approx(one.boosters[0].predict(x))


def test_intervals_of_a_pooled_rival_hold_about_what_they_say(rivals: list[Pooled], audience: Account) -> None:
    posts = audience(400, 91)
    candidates = [Candidate(post.platform, post.text, post.kind, post.at) for post in posts[250:]]
    for rival in rivals:
        told = rival.predict(posts[:240], candidates)
        z = [(log - one.centre) / one.spread for log, one in zip(finished(posts[250:], "likes"), told, strict=True)]
        inside = [one.quantile(0.1) <= value <= one.quantile(0.9) for one, value in zip(told, z, strict=True)]
        assert 0.6 < np.mean(inside) < 0.97, rival.name
        assert all(one.probabilities.min() > 0 for one in told)
        assert all(one.probabilities.sum() == pytest.approx(1) for one in told)


def test_the_same_seed_gives_the_same_rivals(train: list[Series], rivals: list[Pooled], audience: Account) -> None:
    again = fitted(lessons(train, 60, np.random.default_rng(0)))
    posts = audience(60, 5)
    candidates = [Candidate(post.platform, post.text, post.kind, post.at) for post in posts[40:]]
    for one, other in zip(rivals, again, strict=True):
        told = [[f.mean for f in rival.predict(posts[:40], candidates)] for rival in (one, other)]
        assert told[0] == told[1]


def test_with_few_posts_a_pooled_rival_stays_at_the_mean(rivals: list[Pooled], audience: Account) -> None:
    posts = audience(40, 5)
    candidates = [Candidate(post.platform, post.text, post.kind, post.at) for post in posts[30:]]
    for rival in rivals:
        told = rival.predict(posts[:3], candidates)
        assert [one.mean for one in told] == pytest.approx([0.0] * len(candidates), abs=0.01)


def test_experts_say_the_same_of_a_candidate_whoever_else_is_considered(taught: list[Lesson]) -> None:
    case = taught[0].case
    alone = type(case)(*(vars(case)[name] for name in list(vars(case))[:5]), case.new_text[3:4], case.new_columns[3:4])
    assert words(alone)[0] == pytest.approx(words(case)[3], abs=1e-6)


def test_skill_is_measured_on_unseen_accounts(rivals: list[Pooled], taught: list[Lesson]) -> None:
    assert all(0.3 < skill(rival, taught) < 0.99 for rival in rivals)
