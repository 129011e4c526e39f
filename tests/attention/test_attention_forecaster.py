import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

import bot.attention
from bot.attention import TorchMissing, load
from bot.attention.encoder import StaticEncoder
from bot.attention.evaluation import averaged, judge
from bot.attention.forecast import EDGES, Candidate, Forecast, PastPost
from bot.attention.forecaster import LONGEST_HISTORY, SHRINK_TIME_BELOW, TOP, AttentionForecaster
from bot.attention.network import AttentionConfig, AttentionNetwork, Memory, Outcomes, Posts
from bot.attention.outcomes import UNKNOWN
from bot.attention.wording import Wordings

Account = Callable[..., list[PastPost]]
AsCandidates = Callable[[list[PastPost]], list[Candidate]]


@pytest.fixture(scope="module")
def shipped() -> AttentionForecaster:
    found = load()
    assert isinstance(found, AttentionForecaster)
    return found


@pytest.fixture(scope="module")
def untrained() -> AttentionForecaster:
    torch.manual_seed(0)
    return AttentionForecaster(AttentionNetwork(AttentionConfig()), StaticEncoder.load())


def means(forecasts: list[Forecast]) -> np.ndarray:
    return np.array([one.mean for one in forecasts])


def test_a_forecast_does_not_depend_on_the_other_candidates(
    shipped: AttentionForecaster, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(160, topic=0.7, hour=0.3)
    history, candidates = posts[:120], as_candidates(posts[120:])
    together = shipped.predict(history, candidates)
    for place in (0, 13, 39):
        (alone,) = shipped.predict(history, [candidates[place]])
        assert np.allclose(alone.probabilities, together[place].probabilities, atol=1e-5)
        assert alone.attended[0].index == together[place].attended[0].index


def test_the_order_a_history_is_given_in_does_not_matter(
    shipped: AttentionForecaster, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(130, topic=0.7)
    history, candidates = posts[:100], as_candidates(posts[100:])
    shuffled = [history[place] for place in np.random.default_rng(1).permutation(100)]
    one, other = shipped.predict(history, candidates), shipped.predict(shuffled, candidates)
    assert np.allclose(means(one), means(other), atol=1e-4)
    # What was attended to is named by its place in the sequence given.
    assert history[one[0].attended[0].index] == shuffled[other[0].attended[0].index]


def test_a_new_measurement_changes_the_forecast(
    shipped: AttentionForecaster, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(60, topic=0.7)
    history, candidates = posts[:50], as_candidates(posts[50:])
    before = means(shipped.predict(history, candidates))
    louder = [*history[:-1], replace(history[-1], counts={"likes": 5000})]
    assert not np.allclose(before, means(shipped.predict(louder, candidates)), atol=1e-3)
    older = [*history[:-1], replace(history[-1], age=timedelta(hours=3))]
    assert not np.allclose(before, means(shipped.predict(older, candidates)), atol=1e-4)


def test_the_same_history_is_read_once(account: Account, as_candidates: AsCandidates) -> None:
    class Counting(AttentionNetwork):
        reads = 0

        def remember(self, posts: Posts, outcomes: Outcomes, present: torch.Tensor) -> Memory:
            Counting.reads += 1
            return super().remember(posts, outcomes, present)

    forecaster = AttentionForecaster(Counting(AttentionConfig(width=16, layers=1)), StaticEncoder.load())
    posts = account(40)
    history, candidates = posts[:30], as_candidates(posts[30:])
    first = forecaster.predict(history, candidates)
    assert np.allclose(means(first), means(forecaster.predict(list(history), candidates)))
    assert Counting.reads == 1
    forecaster.predict(history, candidates, "replies")
    forecaster.predict(history[1:], candidates)
    assert Counting.reads == 3


def test_how_posts_did_by_another_action_is_heard(
    shipped: AttentionForecaster, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(60, topic=0.7, luck=1.0)
    history, candidates = posts[:50], as_candidates(posts[50:])
    likes_alone = [replace(post, counts={"likes": post.counts["likes"]}) for post in history if post.counts]
    rng = np.random.default_rng(0)
    shares = [
        replace(post, counts={**post.counts, "shares": int(rng.integers(90))}) for post in likes_alone if post.counts
    ]
    alone, beside = (means(shipped.predict(posts, candidates)) for posts in (likes_alone, shares))
    assert not np.allclose(alone, beside, atol=1e-3)


def test_an_unmeasured_post_is_no_post_with_zero_likes(
    shipped: AttentionForecaster, account: Account, as_candidates: AsCandidates, unmeasured: Callable[..., PastPost]
) -> None:
    posts = account(60)
    history, candidates = posts[:50], as_candidates(posts[50:])
    early, late = history[:-5], history[-5:]
    untold = shipped.predict([*early, *(unmeasured(post) for post in late)], candidates)
    nobody = shipped.predict([*early, *(replace(post, counts={"likes": 0}) for post in late)], candidates)
    too_young = shipped.predict([*early, *(replace(post, age=timedelta(minutes=20)) for post in late)], candidates)

    def log(forecasts: list[Forecast]) -> float:
        return float(np.mean([one.centre + one.spread * one.mean for one in forecasts]))

    assert log(untold) > log(nobody) + 0.1
    assert untold[0].centre == pytest.approx(too_young[0].centre)
    assert np.allclose(means(untold), means(too_young), atol=1e-4)


def test_without_history_the_forecast_is_the_prior_and_the_wording_decides(
    shipped: AttentionForecaster, account: Account, as_candidates: AsCandidates, unmeasured: Callable[..., PastPost]
) -> None:
    candidates = as_candidates(account(12)[4:])
    for history in ([], [unmeasured(post) for post in account(4)]):
        forecasts = shipped.predict(history, candidates)
        appeals = Wordings.load().appeal([one.text for one in candidates])
        assert means(forecasts) == pytest.approx(appeals / UNKNOWN.spread, abs=0.01)
        assert np.ptp(appeals) > 0.02
        assert [one.sd for one in forecasts] == pytest.approx([1] * len(candidates), abs=0.02)
        assert [one.centre for one in forecasts] == pytest.approx([np.log1p(10)] * len(candidates))
        assert {one.attended for one in forecasts} == {()}
    assert shipped.predict([], []) == []


def test_forecasts_are_distributions_and_name_what_they_looked_at(
    shipped: AttentionForecaster, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(90, topic=0.7)
    for one in shipped.predict(posts[:80], as_candidates(posts[80:])):
        assert one.probabilities.sum() == pytest.approx(1, abs=1e-6)
        marks = [one.quantile(q) for q in (0.05, 0.1, 0.5, 0.9, 0.95)]
        assert EDGES[0] <= marks[0] < marks[1] < marks[2] < marks[3] < marks[4] <= EDGES[-1]
        weights = [seen.weight for seen in one.attended]
        assert len(weights) == TOP
        assert weights == sorted(weights, reverse=True)
        assert 0 < sum(weights) <= 1
        assert all(0 <= seen.index < 80 for seen in one.attended)


def test_a_longer_history_than_it_can_hold_is_read_from_its_end(
    untrained: AttentionForecaster, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(LONGEST_HISTORY + 30)
    (one,) = untrained.predict(posts[:-1], as_candidates(posts[-1:]))
    assert all(seen.index >= 29 for seen in one.attended)


def test_doubt_about_the_mean_comes_from_parts_of_the_history(
    shipped: AttentionForecaster, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(70, topic=0.7)
    candidates = as_candidates(posts[60:])
    draws = shipped.sample_means(posts[:60], candidates, np.random.default_rng(0), draws=4)
    again = shipped.sample_means(posts[:60], candidates, np.random.default_rng(0), draws=4)
    assert draws.shape == (4, 10)
    assert np.array_equal(draws, again)
    assert draws.std(axis=0).min() > 0


def test_untrained_weights_know_nothing_and_the_shipped_ones_do(
    shipped: AttentionForecaster, untrained: AttentionForecaster, account: Account
) -> None:
    def rank(forecaster: AttentionForecaster) -> float:
        rows = [
            row
            for seed in range(4)
            for row in judge(
                account(320, seed, topic=0.5, kind=0.3), [forecaster], np.random.default_rng(0), ks=(50, 200)
            )
        ]
        return float(np.mean([row.spearman for row in averaged(rows)]))

    assert abs(rank(untrained)) < 0.1
    assert rank(shipped) > 0.6


def test_the_same_input_gives_the_same_forecast_after_loading_again(
    shipped: AttentionForecaster, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(60, topic=0.5)
    again = AttentionForecaster.load(bot.attention.SHIPPED)
    assert again.version == shipped.version
    assert np.array_equal(
        means(again.predict(posts[:50], as_candidates(posts[50:]))),
        means(shipped.predict(posts[:50], as_candidates(posts[50:]))),
    )


def test_weights_come_back_from_a_folder_as_they_were_saved(
    tmp_path: Path, account: Account, as_candidates: AsCandidates
) -> None:
    torch.manual_seed(5)
    network = AttentionNetwork(AttentionConfig(width=16, layers=2))
    with torch.no_grad():
        for value in network.parameters():
            value.add_(torch.randn_like(value) * 0.05)
    network.save_pretrained(tmp_path)
    kept = AttentionForecaster(network, StaticEncoder.load())
    loaded = AttentionForecaster.load(tmp_path)
    posts = account(40)
    one, other = (means(each.predict(posts[:30], as_candidates(posts[30:]))) for each in (kept, loaded))
    assert one.std() > 0
    assert np.array_equal(one, other)
    assert kept.version != loaded.version == AttentionForecaster.load(tmp_path).version


def test_a_folder_without_weights_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no weights here") as raised:
        load(tmp_path / "nowhere")
    assert "\n" not in str(raised.value)


def test_weights_of_another_feature_set_are_refused(tmp_path: Path) -> None:
    AttentionNetwork(AttentionConfig(width=16, layers=1, features=7)).save_pretrained(tmp_path)
    with pytest.raises(OSError, match="another version of Kairos"):
        load(tmp_path)


def test_weights_that_lack_what_this_network_reads_are_refused_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network = AttentionNetwork(AttentionConfig(width=16, layers=1))
    network.outcome_in = torch.nn.Linear(3, 16)  # as of the first version, which heard of one action alone
    network.save_pretrained(tmp_path)
    capfd.readouterr()
    with pytest.raises(OSError, match="another version of Kairos") as raised:
        load(tmp_path)
    assert "\n" not in str(raised.value)
    assert "MISMATCH" not in "".join(capfd.readouterr())


def test_without_torch_loading_says_what_to_do_and_the_rest_works() -> None:
    code = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers"):
            raise ModuleNotFoundError(f"No module named {name!r}", name="torch")
sys.meta_path.insert(0, Blocked())
import bot.attention.choice, bot.attention.baselines, bot.attention.evaluation, bot.attention.encoder
bot.attention.encoder.StaticEncoder.load().encode(["hello"])
try:
    bot.attention.load()
except bot.attention.TorchMissing as error:
    print(error)
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "torch is not installed: install it, or let a baseline decide with `--baseline`\n"
    assert issubclass(TorchMissing, ImportError)


def test_on_short_histories_the_effect_of_the_hour_is_halved(
    shipped: AttentionForecaster, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts = account(200, seed=1, hour=1.0)
    hours = [at_hour(posts[-1], hour) for hour in range(24)]
    careful = means(shipped.predict(posts, hours))
    monkeypatch.setattr("bot.attention.forecaster.SHRINK_TIME_BELOW", 0)
    bold = means(shipped.predict(posts, hours))
    assert 0.3 < np.ptp(careful) / np.ptp(bold) < 0.8


def test_one_post_more_does_not_make_the_effect_of_the_hour_jump(
    shipped: AttentionForecaster, account: Account
) -> None:
    posts = account(SHRINK_TIME_BELOW + 1, seed=1, hour=1.0)
    hours = [at_hour(posts[-1], hour) for hour in range(24)]
    fewer, more = (np.ptp(means(shipped.predict(posts[start:], hours))) for start in (2, 0))
    assert more / fewer == pytest.approx(1, abs=0.06)


def at_hour(post: PastPost, hour: int) -> Candidate:
    at = (post.at + timedelta(days=3)).replace(hour=hour, minute=0)
    return Candidate(post.platform, post.text, post.kind, at)
