import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bot.attention.network import AttentionConfig
from bot.attention.prior import made_up_series, outcome, outcomes, rotated
from bot.attention.sampling import QUERIES, Sampler, collate
from bot.attention.training import Progress, TrainingError, train

SMALL = {"config": AttentionConfig(width=16, layers=1, heads=4, mlp=1, text_width=16), "check_every": 2}


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.attention.training.TOKENS", 400)
    monkeypatch.setattr("bot.attention.training.LONGEST", 60)
    monkeypatch.setattr("bot.attention.validation.KS", (50,))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def same(one: Path, other: Path) -> bool:
    left, right = weights(one), weights(other)
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_the_same_seed_and_steps_give_the_same_weights(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(None, tmp_path / name, steps=4, seed=seed, **SMALL)
    assert same(tmp_path / "a", tmp_path / "b")
    assert not same(tmp_path / "a", tmp_path / "c")


def test_a_run_stopped_by_ctrl_c_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.step == 4:
            raise KeyboardInterrupt

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    best = train(None, whole, steps=6, **SMALL)
    with pytest.raises(KeyboardInterrupt):
        train(None, broken, steps=6, on_step=interrupt, **SMALL)
    assert (broken / "checkpoint.pt").is_file()
    assert train(None, broken, steps=6, **SMALL) == best
    assert same(whole, broken)
    assert not (broken / "checkpoint.pt").exists()


def test_a_checkpoint_of_another_seed_is_not_taken_up(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(None, tmp_path / "a", steps=6, seed=1, on_step=interrupt, **SMALL)
    train(None, tmp_path / "a", steps=4, seed=2, **SMALL)
    train(None, tmp_path / "b", steps=4, seed=2, **SMALL)
    assert same(tmp_path / "a", tmp_path / "b")


def test_what_is_written_can_be_shipped(tmp_path: Path) -> None:
    best = train(None, tmp_path / "out", steps=2, **SMALL)
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "config.json",
        "log.jsonl",
        "model.safetensors",
        "training.json",
    }
    text = (tmp_path / "out" / "training.json").read_text()
    assert str(tmp_path) not in text
    record = json.loads(text)
    assert record["validation"] == best
    assert record["steps"] == 2
    assert (tmp_path / "out" / "model.safetensors").stat().st_mode & 0o777 == 0o644


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    losses: list[float] = []
    train(
        None,
        tmp_path,
        steps=40,
        on_step=lambda progress: losses.append(progress.validation["loss"]),
        config=SMALL["config"],
        check_every=20,
    )
    assert losses[-1] < losses[0]


def test_a_run_needs_an_end(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="minutes or steps"):
        train(None, tmp_path)


def test_time_ends_a_run_too(tmp_path: Path) -> None:
    ticks = iter(range(0, 10_000, 20))
    train(None, tmp_path, minutes=1, clock=lambda: float(next(ticks)), **SMALL)
    assert 0 < json.loads((tmp_path / "training.json").read_text())["steps"] < 5


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_learned(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(TrainingError, match="cannot write weights here"):
        train(None, tmp_path / "taken" / "out", steps=2, **SMALL)


def test_missing_data_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no posts/facebook\.csv\.gz"):
        train(tmp_path, tmp_path / "out", steps=2, **SMALL)


def test_a_broken_checkpoint_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"half a checkpoint")
    with pytest.raises(TrainingError, match="delete it to start anew"):
        train(None, tmp_path, steps=2, **SMALL)


@pytest.mark.parametrize("seed", range(6))
def test_every_draw_is_an_episode_the_network_can_read(seed: int) -> None:
    rng = np.random.default_rng(seed)
    series = made_up_series(rng, 400, 16)
    series.counts[:, :2] = np.expm1(np.abs(rng.normal(size=(400, 2))) * 3)
    sampler = Sampler([series], 16)
    drawn = [one for one in (sampler.draw(k, rng) for k in (10, 40, 160)) if one is not None]
    batch = collate(drawn)
    told = batch.outcomes
    assert {batch.history.text.shape[:2], *(rows.shape for rows in vars(told).values())} == {batch.present.shape}
    assert batch.truth.shape == batch.weight.shape == (len(drawn), QUERIES)
    assert told.unfinished.min() >= 0 > told.unfinished.max() - 1
    for value in (told.z, told.beside, batch.truth, batch.history.features, batch.candidates.features):
        assert torch.isfinite(value).all()
    assert told.z.abs().max() <= 6
    assert (batch.present.sum(1) == torch.tensor([len(one.z) for one in drawn])).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_simulated_audience_is_standardised_and_never_twice_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    series = made_up_series(rng, 300, 16)
    one, other = outcome(series, rng), outcome(series, rng)
    assert np.isfinite(one).all()
    assert 0.3 < one.std() < 2.5
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.98


def test_simulated_actions_share_their_causes_and_are_not_the_same() -> None:
    correlations = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        one, other = outcomes(made_up_series(rng, 300, 16), rng, 2).T
        correlations.append(float(np.corrcoef(one, other)[0, 1]))
    assert 0.4 < np.mean(correlations) < 0.95
    assert max(correlations) < 0.999


def test_turning_the_text_space_keeps_who_is_near_whom() -> None:
    rng = np.random.default_rng(0)
    series = made_up_series(rng, 50, 16)
    turned = rotated(series, rng)
    before, after = (one.text.astype(np.float32) @ one.text.astype(np.float32).T for one in (series, turned))
    assert after == pytest.approx(before, abs=1e-2)
    assert not np.allclose(series.text, turned.text)
