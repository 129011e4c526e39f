import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from benchmarks.decisions import measure
from benchmarks.decisions_figures import Runs, as_json, figures_of, leads_of, markdown, picture
from benchmarks.decisions_rules import Chance, Earned, Opening, Oracle, Ranked, Sampled
from benchmarks.decisions_worlds import AT_ONCE, EFFECTS, FINISHED, Rule, Turn, World, play, settings_of
from bot.attention.encoder import StaticEncoder
from bot.attention.forecast import Candidate, Forecast, PastPost

POSTS = 15
SEEDS = range(3)


def embed(texts: Sequence[str]) -> np.ndarray:
    return StaticEncoder.load().encode(texts)


@dataclass
class Likes:
    """Forecasts that posts of a kind or at an hour do well."""

    kind: str = ""
    hour: int = -1
    name: str = "likes"
    version: str = ""

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        return [
            Forecast.normal(float(one.kind == self.kind) + (one.at.hour == self.hour), 1, 3, 1) for one in candidates
        ]

    def sample_means(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], rng: np.random.Generator, draws: int = 8
    ) -> np.ndarray:
        """Each draw hopes for an hour of its own."""
        return (
            np.array([[one.at.hour == 2 * hour for one in candidates] for hour in rng.integers(12, size=draws)]) * 1.0
        )


def rules(world: World) -> list[Rule]:
    return [Chance(), Ranked("kind", Likes("photo")), Ranked("curious", Likes("photo"), 0.6), Oracle(world)]


@pytest.fixture(scope="module")
def runs() -> Runs:
    return measure(SEEDS, POSTS, rules, embed)


def turns_of(seed: int = 0, posts: int = AT_ONCE) -> tuple[Turn, ...]:
    return World.of(seed, embed, posts).turns


def test_an_oracle_loses_nothing_and_everybody_else_something(runs: Runs) -> None:
    assert set(runs) == {"random", "kind", "curious", "oracle"}
    for name, some in runs.items():
        assert len(some) == len(SEEDS)
        for run in some:
            assert run.regret.shape == run.expected.shape == (POSTS,)
            assert run.regret.min() >= 0
            assert (run.regret.sum() == 0) == (name == "oracle")


def test_the_table_is_complete_and_ordered_by_regret(runs: Runs) -> None:
    found, ahead = figures_of(runs, 0), leads_of(runs, "kind", 0)
    assert found[0].rule == "oracle"
    assert [one.regret.mean for one in found] == sorted(one.regret.mean for one in found)
    assert {one.rival for one in ahead} == {"random", "curious", "oracle"}
    text = markdown(found, ahead, POSTS)
    for word in ("3 worlds of 15 posts", "| oracle | 0.0", "| random |", "first 3 posts", "`kind`"):
        assert word in text


def test_a_lead_is_paired_and_a_share_of_what_the_rival_loses(runs: Runs) -> None:
    by_rule = {one.rule: one for one in figures_of(runs, 0)}
    for one in leads_of(runs, "oracle", 0):
        assert one.wins == one.worlds == len(SEEDS)
        assert (one.share.mean, one.share.low, one.share.high) == (1, 1, 1)
        assert one.saved.mean == pytest.approx(by_rule[one.rival].regret.mean, abs=1e-3)
    for one in leads_of(runs, "kind", 0):
        assert one.saved.mean == pytest.approx(by_rule[one.rival].regret.mean - by_rule["kind"].regret.mean, abs=1e-3)


def test_likes_are_told_beside_chance(runs: Runs) -> None:
    by_rule = {one.rule: one for one in figures_of(runs, 0)}
    assert by_rule["random"].likes.mean == 1
    assert by_rule["oracle"].likes.low > 1.2


def test_the_same_seeds_give_the_same_files_and_others_do_not(runs: Runs) -> None:
    def written(some: Runs) -> str:
        return as_json(figures_of(some, 0), leads_of(some, "kind", 0), {"posts": POSTS})

    again = measure(SEEDS, POSTS, rules, embed)
    assert written(again) == written(runs)
    assert written(measure(range(7, 10), POSTS, rules, embed)) != written(runs)
    assert len(json.loads(written(runs))["figures"]) == 4


def test_the_picture_is_written(runs: Runs, tmp_path: Path) -> None:
    assert imread(picture(runs, "kind", tmp_path / "deep" / "decisions.png")).shape[1] > 800


def test_every_rule_meets_the_same_posts_and_luck() -> None:
    world, other = (World.of(4, embed, POSTS) for _ in range(2))
    assert world.turns == other.turns
    assert world.likes(world.turns[3][5], []) == other.likes(world.turns[3][5], [])
    assert all(len({one.text for one in turn}) == 4 and len({one.at for one in turn}) == 24 for turn in world.turns)


def test_outcomes_are_known_only_when_they_have_finished() -> None:
    told: list[tuple[Sequence[PastPost], Sequence[Turn]]] = []

    class Listener(Chance):
        def choose(self, history: Sequence[PastPost], turns: Sequence[Turn], rng: np.random.Generator) -> list[int]:
            told.append((history, turns))
            return super().choose(history, turns, rng)

    play(World.of(1, embed, 60), Listener())
    assert [len(history) for history, _ in told] == list(range(0, 60, AT_ONCE))
    hidden = 0
    for history, turns in told:
        for post in history:
            assert (post.counts is None) == (post.at + FINISHED > turns[0][0].at)
            hidden += post.counts is None
    assert hidden


def test_luck_is_in_the_outcomes_and_not_in_the_regret() -> None:
    world = World.of(2, embed, 1)
    turn = world.turns[0]
    long_ago = PastPost("sandbox", "x", "text", turn[0].at - timedelta(days=90))
    assert len({world.likes(turn[0], [long_ago] * number) for number in range(9)}) > 3
    for number in range(9):
        assert (world.expected(turn, [long_ago] * number) == world.expected(turn, [])).all()


def test_every_effect_is_absent_in_some_worlds_and_there_in_most() -> None:
    found = [settings_of(np.random.default_rng(seed)) for seed in range(200)]
    for name in EFFECTS:
        absent = sum(getattr(one, name) == 0 for one in found)
        assert 20 <= absent <= 70
    assert min(one.luck for one in found) > 0


def test_the_best_forecast_is_chosen() -> None:
    turns = turns_of()
    places = Ranked("hour", Likes(hour=6)).choose([], turns, np.random.default_rng(0))
    assert {turn[place].at.hour for turn, place in zip(turns, places, strict=True)} == {6}


def test_curiosity_leaves_hours_that_were_tried_often_enough() -> None:
    turns = turns_of(posts=1)
    often = [one for one in turns[0] if one.at.hour == 6]
    history = [PastPost("sandbox", "x", "text", one.at, {"likes": 20}) for one in often]
    mild = Ranked("mild", Likes(hour=6)).choose(history, turns, np.random.default_rng(0))
    wild = Ranked("wild", Likes(hour=6), 40.0).choose(history, turns, np.random.default_rng(0))
    assert turns[0][mild[0]].at.hour == 6
    assert abs(turns[0][wild[0]].at.hour - 6) > 1
    by_day = Ranked("by day", Likes(hour=6), 40.0, of_week=False).choose(
        [replace(post, at=post.at.replace(day=post.at.day + 3)) for post in history], turns, np.random.default_rng(0)
    )
    assert abs(turns[0][by_day[0]].at.hour - 6) > 1


def test_a_rival_decides_once_it_has_earned_it_and_not_before() -> None:
    turns = turns_of(posts=80)
    history = [
        PastPost("sandbox", f"{number}", turn[0].kind, turn[number % 96].at, {"likes": 400 if number % 2 else 2})
        for number, turn in enumerate(turns)
    ]
    odd = {post.text for post in history if (post.counts or {})["likes"] == 400}

    class Knows(Likes):
        def predict(
            self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
        ) -> list[Forecast]:
            return [Forecast.normal(float(one.text in odd), 1, 3, 1) for one in candidates]

    knows, blind = Knows(name="knows"), Likes(hour=6, name="blind")
    candidates = [Candidate("sandbox", "1", "text", turns[0][0].at), Candidate("sandbox", "2", "text", turns[0][0].at)]

    def first_better(earned: Earned, known: int) -> bool:
        one, other = (forecast.mean for forecast in earned.predict(history[:known], candidates))
        return one > other

    assert not first_better(Earned([blind, knows]), 10)
    assert first_better(Earned([blind, knows]), 80)
    asked: list[int] = []

    class Listener(Likes):
        def predict(
            self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
        ) -> list[Forecast]:
            asked.append(len(history))
            return super().predict(history, candidates, action)

    patient = Earned([knows, Listener(name="listener")])
    for known, times in ((60, 1), (79, 1), (80, 2)):
        assert first_better(patient, known)
        assert len(asked) == times


def test_each_post_of_a_plan_has_a_sample_of_its_own() -> None:
    turns = turns_of(posts=30)
    sampled = Sampled("sampled", Likes()).choose([], turns, np.random.default_rng(0))  # type: ignore[arg-type]
    assert len({turn[place].at.hour for turn, place in zip(turns, sampled, strict=True)}) > 6
    tempered = Sampled("tempered", Likes(hour=22), 0.1)  # type: ignore[arg-type]
    places = tempered.choose([], turns, np.random.default_rng(0))
    assert {turn[place].at.hour for turn, place in zip(turns, places, strict=True)} == {22}


def test_an_opening_is_random_and_then_over() -> None:
    turns, after = turns_of(), Ranked("hour", Likes(hour=6))
    rule = Opening("opening", 5, after)
    sent = [PastPost("sandbox", "x", "text", turns[0][0].at)] * 5
    hours = {
        turn[place].at.hour
        for turn, place in zip(turns, rule.choose(sent, turns, np.random.default_rng(0)), strict=True)
    }
    assert hours == {6}
    drawn = rule.choose(sent[:4], turns, np.random.default_rng(0))
    assert drawn == Chance().choose([], turns, np.random.default_rng(0))


def test_the_oracle_knows_what_it_has_just_sent() -> None:
    world = World.of(3, embed, AT_ONCE)
    assert play(world, Oracle(world)).regret.sum() == 0
