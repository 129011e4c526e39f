import numpy as np
import pytest
from numpy.typing import NDArray

from bot.attention import features
from bot.attention.gaussian import PARTS, USUAL, Kernel, Sights, learned, likenesses


def sights(n: int, seed: int, now: bool = False) -> Sights:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, 40 * features.DAY_S, n))
    columns = features.tokens(
        times,
        features.kinds(rng.choice(["text", "photo"], n).tolist()),
        rng.normal(size=(n, features.SURFACE)).astype(np.float32),
        times,
        float(times[-1]),
    )
    vectors = rng.normal(size=(n, 8))
    return Sights.of(vectors, columns, vectors.mean(axis=0), now)


def planted(kernel: Kernel, near: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    noisy = np.tensordot(kernel.variances, near, axes=1) + kernel.noise * np.eye(near.shape[1])
    return np.asarray(np.linalg.cholesky(noisy) @ np.random.default_rng(seed).normal(size=near.shape[1]))


def test_a_post_is_wholly_like_itself_in_every_part() -> None:
    known = sights(30, 0)
    near = likenesses(known, known)
    assert near.shape == (len(PARTS), 30, 30)
    assert np.einsum("pii->pi", near) == pytest.approx(1, abs=1e-5)
    assert near == pytest.approx(near.transpose(0, 2, 1), abs=1e-6)


def test_every_part_is_a_kernel() -> None:
    known = sights(40, 1)
    for part in likenesses(known, known):
        assert np.linalg.eigvalsh(part).min() > -1e-5


def test_what_the_others_say_of_a_post_is_what_they_would_say_without_it() -> None:
    known = sights(25, 2)
    near = likenesses(known, known)
    z = planted(USUAL, near, 2)
    told = USUAL.tell(near, near, z)
    rest = np.arange(25) != 7
    alone = USUAL.tell(near[:, rest][:, :, rest], near[:, 7:8][:, :, rest], z[rest])
    assert told.left_out_mean[7] == pytest.approx(alone.mean[0], abs=1e-5)
    assert told.left_out_sd[7] == pytest.approx(alone.sd[0], abs=1e-5)


def test_the_weights_of_the_likenesses_are_found_again() -> None:
    truth = Kernel(np.array([1.5, 0.01, 0.01, 0.01, 0.5, 0.01, 0.01, 0.01, 0.01]), 0.1)
    histories = []
    for seed in range(6):
        known = sights(80, seed)
        near = likenesses(known, known)
        histories.append((near, planted(truth, near, seed)))
    found = learned(histories)
    assert found.variances[PARTS.index("text")] > 0.7
    assert found.variances[PARTS.index("hour")] < USUAL.variances[PARTS.index("hour")]
    assert found.noise == pytest.approx(0.1, abs=0.08)


def test_a_short_history_changes_little() -> None:
    known = sights(3, 4)
    found = learned([(likenesses(known, known), np.array([0.5, -0.5, 0.0]))])
    assert np.abs(np.log(found.variances / USUAL.variances)).max() < 1


def test_far_from_all_posts_the_doubt_is_that_of_any_post() -> None:
    known = sights(20, 5)
    near = likenesses(known, known)
    told = USUAL.tell(near, np.zeros((len(PARTS), 1, 20)), planted(USUAL, near, 5))
    assert told.mean[0] == 0
    assert told.sd[0] == pytest.approx(np.sqrt(USUAL.variances.sum() + USUAL.noise))
