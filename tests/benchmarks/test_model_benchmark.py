import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from benchmarks.figures import ALL, LIKELY, REACHED, Measured, as_json, figures_of, leads_of, markdown, picture
from benchmarks.model import Timed, control, measure, processor
from bot.attention.baselines import AccountMean, HourAndKind
from bot.attention.forecast import Candidate, Forecast, PastPost
from bot.attention.outcomes import Scale, finished

Account = Callable[..., list[PastPost]]
KS = (20, 50)


class Oracle:
    """Cheats: it has seen what will come."""

    name, version = "oracle", ""

    def __init__(self, posts: Sequence[PastPost]) -> None:
        self._logs = {post.text: float(log) for post, log in zip(posts, finished(posts, "likes"), strict=True)}

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        scale = Scale.of(finished(history, action))
        z = [float(scale.z(np.array(self._logs[one.text]))) for one in candidates]
        return [Forecast.normal(value, 0.1, scale.centre, scale.spread) for value in z]


class Guess:
    """Stands for the model of the house, and knows nothing."""

    name, version = "attention", ""

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        rng = np.random.default_rng(len(history))
        return [Forecast.normal(float(rng.normal()), 1, 0, 1) for _ in candidates]


def run(audience: Account) -> tuple[Measured, list[Timed]]:
    accounts = [
        (f"{platform} {turn}", audience(280, turn, platform=platform))
        for platform in ("sandbox", "bluesky")
        for turn in range(3)
    ]
    everything = [post for _, posts in accounts for post in posts]
    models = [Timed(Guess()), Timed(AccountMean()), Timed(HourAndKind()), Timed(Oracle(everything))]
    return measure(accounts, models, seed=0, ks=KS), models


@pytest.fixture(scope="module")
def measured(audience: Account) -> Measured:
    return run(audience)[0]


def test_every_model_has_a_figure_on_every_platform_at_every_length(measured: Measured) -> None:
    found = figures_of(measured, 0)
    assert {(one.platform, one.k, one.model) for one in found} == {
        (platform, k, model)
        for platform in (ALL, "sandbox", "bluesky")
        for k in KS
        for model in ("attention", "account mean", "hour x kind", "oracle")
    }
    assert {(one.platform, one.accounts) for one in found} == {(ALL, 6), ("sandbox", 3), ("bluesky", 3)}
    text = markdown(found, leads_of(measured, 0))
    for word in ("## sandbox", "## bluesky", "| oracle |", "k=20", "k=50", "3 accounts"):
        assert word in text
    assert " - |" not in text


def test_a_rival_that_cheats_comes_out_on_top(measured: Measured) -> None:
    found = figures_of(measured, 0)
    for one in [one for one in found if one.model == "oracle"]:
        rest = [other for other in found if (other.platform, other.k) == (one.platform, one.k) and other != one]
        assert one.spearman.mean > 0.98
        assert one.uplift.mean > 0.98
        assert one.spearman.low > max(other.spearman.high for other in rest)
        assert one.nll.mean < min(other.nll.mean for other in rest)


def test_leads_are_paired_and_lost_to_who_knows_more(measured: Measured) -> None:
    ahead = leads_of(measured, 0)
    assert {one.rival for one in ahead} == {"account mean", "hour x kind", "oracle"}
    for one in [one for one in ahead if one.rival == "oracle"]:
        assert one.wins == 0
        assert one.spearman.high < 0
    figures = {(one.platform, one.k, one.model): one.spearman.mean for one in figures_of(measured, 0)}
    for one in ahead:
        told = figures[one.platform, one.k, "attention"] - figures[one.platform, one.k, one.rival]
        assert one.spearman.mean == pytest.approx(told, abs=2e-4)


def test_the_same_seed_gives_the_same_files(measured: Measured, audience: Account) -> None:
    again, _ = run(audience)
    one, other = (as_json(figures_of(rows, 0), leads_of(rows, 0), rows, 0, "abc") for rows in (measured, again))
    assert one == other
    assert len(json.loads(one)["figures"]) == 24
    assert as_json(figures_of(measured, 1), leads_of(measured, 1), measured, 1, "abc") != one


def test_every_account_can_be_told_from_the_json_and_gives_the_means(measured: Measured) -> None:
    found = figures_of(measured, 0)
    told = json.loads(as_json(found, leads_of(measured, 0), measured, 0, "abc"))
    assert {(one["platform"], one["account"], one["k"]) for one in told["accounts"]} == {
        (platform, account, k) for platform, account in measured for k in KS
    }
    for figure in found:
        mine = [
            one["models"][figure.model]
            for one in told["accounts"]
            if one["k"] == figure.k and figure.platform in (ALL, one["platform"])
        ]
        for place, name in enumerate(told["columns"]):
            assert np.mean([numbers[place] for numbers in mine]) == pytest.approx(getattr(figure, name).mean, abs=2e-4)
    assert tuple(told["columns"]) == REACHED


def test_accounts_of_one_name_on_two_platforms_both_count(measured: Measured) -> None:
    rows = measured["sandbox", "sandbox 0"]
    found = figures_of({("sandbox", "same"): rows, ("bluesky", "same"): rows}, 0)
    assert {one.accounts for one in found if one.platform == ALL} == {2}


def test_one_platform_alone_is_not_told_twice(measured: Measured) -> None:
    alone = {place: rows for place, rows in measured.items() if place[0] == "sandbox"}
    assert {one.platform for one in figures_of(alone, 0)} == {"sandbox"}


def test_goals_stand_beside_what_was_reached_against_the_strongest_rival(measured: Measured) -> None:
    as_stack = {
        place: [replace(row, model="pooled stack") if row.model == "account mean" else row for row in rows]
        for place, rows in measured.items()
    }
    found, ahead = figures_of(as_stack, 0), leads_of(as_stack, 0)
    nll = next(one.nll.mean for one in found if (one.platform, one.k, one.model) == (ALL, 20, "attention"))
    wins = next(one.wins for one in ahead if (one.platform, one.k, one.rival) == (ALL, 20, "pooled stack"))
    goal = f"| 20 | {nll:.3f} | <= {LIKELY[20]:.3f} | {wins}/6 = {wins / 6:.0%} | >= 65% |"
    assert markdown(found, ahead).count(goal) == 1
    assert "Goals" not in markdown(figures_of(measured, 0), leads_of(measured, 0))


def test_processor_time_is_counted_by_platform_and_length(audience: Account) -> None:
    _, models = run(audience)
    for model in models:
        assert set(model.taken) == {(platform, k) for platform in ("sandbox", "bluesky") for k in KS}
        assert min(min(taken) for taken in model.taken.values()) >= 0
    assert {key for key in processor(models) if key[1] == "oracle"} == {
        (platform, "oracle", k) for platform in (ALL, "sandbox", "bluesky") for k in KS
    }


def test_the_picture_has_a_panel_for_each_platform(measured: Measured, tmp_path: Path) -> None:
    found = figures_of(measured, 0)
    both = imread(picture(found, tmp_path / "deep" / "both.png"))
    one = imread(picture([figure for figure in found if figure.platform == "sandbox"], tmp_path / "one.png"))
    assert both.shape[1] > one.shape[1]


def test_the_control_is_links_cut_into_stretches_in_order_of_time(tmp_path: Path) -> None:
    lines = [f"hackernews,link,2017-01-{day:02d}T00:00:00+00:00,{day}" for day in range(16, 0, -1)]
    file = tmp_path / "hackernews.csv"
    ask = "hackernews,ask,2017-01-03T12:00:00+00:00,question"
    file.write_text("\n".join(["platform,kind,created_at,text", ask, *lines]))
    parts = control(file)
    assert [[row["text"] for row in part.rows] for part in parts] == [
        [str(2 * n + 1), str(2 * n + 2)] for n in range(8)
    ]
