"""How good weights are while they are trained: fixed windows of accounts that are never trained on; no training."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bot.attention.episodes import WINDOW, Episode, Series, episode
from bot.attention.evaluation import KS, spearman
from bot.attention.forecast import EDGES
from bot.attention.network import AttentionNetwork
from bot.attention.prior import made_up_series, outcomes
from bot.attention.sampling import collate

ACCOUNTS = 40
"""Of each platform at most."""
SEED = 20_160_506
"""The same windows for every run, so that runs can be compared."""


def tasks(series: list[Series], text_width: int) -> list[tuple[str, int, Episode]]:
    """(platform, k, episode) of the latest windows of validation accounts; of made-up ones where there are none."""
    rng = np.random.default_rng(SEED)
    pairs: list[tuple[Series, NDArray[np.float32]]] = []
    for platform in sorted({one.platform for one in series}):
        some = [one for one in series if one.platform == platform]
        chosen = [some[place] for place in rng.permutation(len(some))[:ACCOUNTS]]
        pairs += [(one, np.log1p(one.counts.clip(min=0))) for one in chosen]
    if not pairs:
        made_up = [made_up_series(rng, 1000, text_width) for _ in range(12)]
        pairs = [(one, outcomes(one, rng, one.counts.shape[1])) for one in made_up]
    found = []
    for one, values in pairs:
        last = len(one) - WINDOW
        for start in (last, last - 2 * WINDOW):
            for k in KS:
                made = episode(one, values, start, k, np.arange(start, start + WINDOW)) if start > k else None
                if made is not None and len(made.z) >= 0.9 * k:
                    found.append((one.platform, k, made))
    return found


def check(network: AttentionNetwork, windows: list[tuple[str, int, Episode]]) -> dict[str, float]:
    """Mean Spearman of likes by platform and k, their mean (`mean`), and the mean loss (`loss`)."""
    network.eval()  # type: ignore[no-untyped-call]
    ranks: dict[str, list[float]] = {}
    losses = []
    middles = torch.tensor((EDGES[1:] + EDGES[:-1]) / 2, dtype=torch.float32)
    with torch.inference_mode():
        for platform, k, one in windows:
            batch = collate([one])
            logits = network(*batch.given)
            losses.append(float(loss_of(logits, batch.truth, batch.weight)))
            mean = (logits[0].softmax(-1) @ middles).double().numpy()
            known = one.candidate_measured > 0
            truth = one.candidate_z[known].astype(np.float64)
            ranks.setdefault(f"{platform} {k}", []).append(spearman(mean[known], truth))
    network.train()
    found = {name: round(float(np.mean(values)), 4) for name, values in ranks.items()}
    return found | {"mean": round(float(np.mean(list(found.values()))), 4), "loss": round(float(np.mean(losses)), 4)}


def loss_of(logits: Tensor, z: Tensor, weight: Tensor) -> Tensor:
    """Mean cross-entropy of the bar that holds z, weighted: logits (..., bins), z and weight (...)."""
    inner = torch.tensor(EDGES[1:-1], dtype=torch.float32)
    bars = torch.bucketize(z.contiguous(), inner)
    each = functional.cross_entropy(logits.flatten(0, -2), bars.flatten(), reduction="none")
    return (each * weight.flatten()).sum() / weight.sum().clamp(min=1)
