"""`kairos train`: meta-training of the network on real and simulated episodes; seeded, resumable, chosen by validation.

    kairos train --data DATA --out WEIGHTS --minutes 10      real + simulated episodes
    kairos train --out WEIGHTS --minutes 10                  simulated episodes alone

Each step draws one context length k and as many episodes as fit into TOKENS tokens. The weights kept are those with the
best validation Spearman on accounts that are never trained on (simulated ones when there is no data).
"""

import json
import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn import functional

from bot.attention.episodes import WINDOW, Episode, Series, episode, read_all, splits
from bot.attention.features import CLOCK_PART, HOUR_S
from bot.attention.forecast import BINS, EDGES
from bot.attention.network import AttentionConfig, AttentionNetwork, Posts
from bot.attention.prior import made_up_series, outcome, rotated

TOKENS = 2600
QUERIES = 48
SHORTEST, LONGEST = 10, 640
RATE, GAIN_RATE = 2e-3, 2e-2
"""Learning rates: of everything, and of the gains of the similarity kernels."""
WARM_UP = 60
DECAY = 0.03
AVERAGE = 0.995
"""Of the moving average of weights, which is what is kept."""
SIMULATED = 0.35
"""Share of real-account episodes whose outcome is simulated; made-up accounts come on top."""
MADE_UP = 0.15
CHECKS = (50, 200, 800)


@dataclass
class Progress:
    """One line of the training log."""

    step: int
    minutes: float
    loss: float
    validation: dict[str, float] | None = None


def collate(episodes: list[Episode]) -> tuple[Posts, Tensor, Tensor, Tensor, Posts, Tensor, Tensor]:
    """Episodes of unequal history length -> one padded batch."""
    longest = max(len(one.z) for one in episodes)

    def padded(rows: list[NDArray[np.float32]]) -> Tensor:
        width = [(0, 0)] * (rows[0].ndim - 1)
        return torch.from_numpy(np.stack([np.pad(row, [(longest - len(row), 0), *width]) for row in rows]))

    present = padded([np.ones(len(one.z), dtype=np.float32) for one in episodes])
    history = Posts(padded([one.text for one in episodes]), padded([one.features for one in episodes]))
    candidates = Posts(
        torch.from_numpy(np.stack([one.candidate_text for one in episodes])),
        torch.from_numpy(np.stack([one.candidate_features for one in episodes])),
    )
    z = torch.from_numpy(np.stack([one.candidate_z for one in episodes]))
    weight = torch.from_numpy(np.stack([one.candidate_measured for one in episodes]))
    history_z = padded([one.z for one in episodes])
    return history, history_z, padded([one.measured for one in episodes]), present, candidates, z, weight


def loss_of(logits: Tensor, z: Tensor, weight: Tensor) -> Tensor:
    """Mean cross-entropy of the bar that holds z, over measured candidates."""
    inner = torch.tensor(EDGES[1:-1], dtype=torch.float32)
    bars = torch.bucketize(z, inner)
    each = functional.cross_entropy(logits.flatten(0, 1), bars.flatten(), reduction="none")
    return (each * weight.flatten()).sum() / weight.sum().clamp(min=1)


class Sampler:
    """Draws training episodes: real outcomes, simulated outcomes on real posts, wholly made-up accounts."""

    def __init__(self, series: list[Series], rng: np.random.Generator, text_width: int) -> None:
        self._series, self._rng, self._width = series, rng, text_width
        platforms = [one.platform for one in series]
        sizes = {name: platforms.count(name) for name in set(platforms)}
        # Platforms alike, accounts of a platform alike.
        chances = np.array([1 / sizes[name] for name in platforms])
        self._chances = chances / chances.sum() if len(series) else chances

    def draw(self, k: int) -> Episode | None:
        """One episode with up to k history posts; None when the account drawn was too short."""
        rng = self._rng
        if not self._series or rng.random() < MADE_UP:
            series = made_up_series(rng, k + WINDOW + 60, self._width)
            values = outcome(series, rng)
        else:
            series = self._series[int(rng.choice(len(self._series), p=self._chances))]
            if rng.random() < SIMULATED:
                series = self._cut(rotated(series, rng) if rng.random() < 0.5 else series, k)
                values = outcome(series, rng)
            else:
                series = self._pseudo(self._cut(series, k))
                values = self._real(series)
        return self._episode(series, values, k)

    def _cut(self, series: Series, k: int) -> Series:
        need = k + 3 * WINDOW
        if len(series) <= need:
            return series
        start = int(self._rng.integers(0, len(series) - need))
        return series.rows(slice(start, start + need))

    def _pseudo(self, series: Series) -> Series:
        """Now and then an account restricted to one of its topics, so that accounts are more varied."""
        if self._rng.random() < 0.25 and len(series) > 3 * WINDOW:
            axis = series.text[int(self._rng.integers(len(series)))].astype(np.float32)
            near = series.text.astype(np.float32) @ axis
            part = series.rows(near >= np.quantile(near, 0.4))
            return part if len(part) > 2 * WINDOW else series
        return series

    def _real(self, series: Series) -> NDArray[np.float32]:
        rng = self._rng
        known = [place for place in range(series.counts.shape[1]) if np.isfinite(series.counts[:, place]).any()]
        place = known[0] if rng.random() < 0.7 else int(rng.choice(known))
        values = np.log1p(series.counts[:, place].clip(min=0))
        if rng.random() < 0.3:  # a monotone warp keeps the order and changes the shape
            centre, spread = np.nanmean(values), np.nanstd(values) + 1e-3
            bent = (values - centre) / spread
            power = rng.uniform(0.7, 1.4)
            values = np.sign(bent) * np.abs(bent) ** power
        if rng.random() < 0.2:
            values = values + rng.uniform(0.1, 0.6) * np.nanstd(values) * outcome(series, rng)
        return np.asarray(values, dtype=np.float32)

    def _episode(self, series: Series, values: NDArray[np.float32], k: int) -> Episode | None:
        rng = self._rng
        if len(series) < QUERIES + 20:
            return None
        low = min(max(k, 10), len(series) - QUERIES - 1)
        start = int(rng.integers(low, len(series) - QUERIES))
        window = np.arange(start, min(start + WINDOW, len(series)))
        queries = np.sort(rng.choice(window, size=QUERIES, replace=False))
        shift = float(rng.integers(-12, 13)) * HOUR_S if rng.random() < 0.3 else 0.0
        one = episode(series, values, start, k, queries, knows_window=bool(rng.random() < 0.5), shift_s=shift)
        if one is None:
            return None
        one.z, one.candidate_z = one.z.clip(-5, 6), one.candidate_z.clip(-5, 6)
        hidden = rng.random()
        if hidden < 0.07:
            one.text, one.candidate_text = one.text * 0, one.candidate_text * 0
        elif hidden < 0.14:
            for rows in (one.features, one.candidate_features):
                rows[:, CLOCK_PART] = 0
        if rng.random() < 0.3:  # some of the history is not measured yet
            one.measured *= (rng.random(len(one.z)) > rng.uniform(0, 0.3)).astype(np.float32)
        return one


def check(network: AttentionNetwork, tasks: dict[int, list[Episode]]) -> dict[str, float]:
    """Mean Spearman within windows per context length, their mean, and the mean loss."""
    network.eval()  # type: ignore[no-untyped-call]
    found: dict[str, float] = {}
    losses = []
    middles = torch.tensor((EDGES[1:] + EDGES[:-1]) / 2, dtype=torch.float32)
    with torch.inference_mode():
        for k, episodes in tasks.items():
            ranks = []
            for one in episodes:
                history, z, measured, present, candidates, truth, weight = collate([one])
                logits = network(history, z, measured, present, candidates)
                losses.append(float(loss_of(logits, truth, weight)))
                mean = (logits.softmax(-1) @ middles)[0].numpy()
                if truth.std() > 0 and mean.std() > 0:
                    ranks.append(float(spearmanr(mean, truth[0].numpy()).statistic))
            found[str(k)] = round(float(np.mean(ranks)), 4) if ranks else 0.0
    network.train()
    found["mean"] = round(float(np.mean([found[str(k)] for k in tasks])), 4)
    found["loss"] = round(float(np.mean(losses)), 4)
    return found


def validation_tasks(series: list[Series], seed: int, width: int, accounts: int = 40) -> dict[int, list[Episode]]:
    """Fixed windows of accounts that are never trained on, the same for every run with this seed."""
    rng = np.random.default_rng(seed)
    if not series:
        made_up = [made_up_series(rng, 1000, width) for _ in range(12)]
        pairs = [(one, outcome(one, rng)) for one in made_up]
    else:
        facebook = [one for one in series if one.platform == "facebook"]
        rest = [one for one in series if one.platform != "facebook"]
        chosen = facebook + [rest[place] for place in rng.permutation(len(rest))[:accounts]]
        pairs = [(one, np.log1p(one.counts[:, 0].clip(min=0))) for one in chosen]
    tasks: dict[int, list[Episode]] = {k: [] for k in CHECKS}
    for one, values in pairs:
        last = len(one) - WINDOW
        for start in {last, max(WINDOW, last - 2 * WINDOW)}:
            for k in CHECKS:
                made = episode(one, values, start, k, np.arange(start, start + WINDOW))
                if made is not None and len(made.z) >= min(k, 40) * 0.8:
                    tasks[k].append(made)
    return tasks


def train(
    data: Path | None,
    out: Path,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
    on_step: Callable[[Progress], None] | None = None,
    config: AttentionConfig | None = None,
    check_every: int = 250,
) -> dict[str, float]:
    """Train until `minutes` or `steps` are over and write the best weights to `out`; gives back their validation.

    A `checkpoint.pt` in `out` from an unfinished run with the same seed is taken up again. One bound is needed.
    """
    if minutes is None and steps is None:
        raise ValueError("say how long to train: minutes or steps")
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = AttentionNetwork(config or AttentionConfig())
    width = network.config.text_width
    training, validation = splits(read_all(data)) if data is not None else ([], [])
    tasks = validation_tasks(validation, seed, width)
    average = deepcopy(network)
    optimizer = torch.optim.AdamW(_groups(network), betas=(0.9, 0.98))
    rng = np.random.default_rng(seed)
    sampler = Sampler(training, rng, width)
    out.mkdir(parents=True, exist_ok=True)
    step, spent, best = 0, 0.0, {"mean": -1.0}
    checkpoint = out / "checkpoint.pt"
    if checkpoint.is_file():
        saved = torch.load(checkpoint, weights_only=True)
        if saved["seed"] == seed:
            network.load_state_dict(saved["network"])
            average.load_state_dict(saved["average"])
            optimizer.load_state_dict(saved["optimizer"])
            step, spent, best = saved["step"], saved["minutes"], saved["best"]
            rng = np.random.default_rng([seed, step])
            sampler = Sampler(training, rng, width)
    started, losses = clock() - spent * 60, []
    while not _over(done := _share(step, steps, (clock() - started) / 60, minutes)):
        k = int(np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST))))
        wanted = max(1, TOKENS // (k + QUERIES))
        drawn = [one for one in (sampler.draw(k) for _ in range(wanted)) if one is not None]
        if not drawn:
            continue
        pace = min(1.0, (step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
        for group in optimizer.param_groups:
            group["lr"] = group["base"] * max(pace, 0.01)
        history, z, measured, present, candidates, truth, weight = collate(drawn)
        loss = loss_of(network(history, z, measured, present, candidates), truth, weight)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        keep = min(AVERAGE, step / (step + 10))
        with torch.no_grad():
            for mean, now in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        losses.append(float(loss))
        if step % check_every == 0:
            best = _checked(average, tasks, best, out, step, clock() - started, losses, on_step)
            losses = []
            _save(checkpoint, network, average, optimizer, seed, step, (clock() - started) / 60, best)
    best = _checked(average, tasks, best, out, step, clock() - started, losses, on_step)
    record = {
        "seed": seed,
        "steps": step,
        "minutes": round((clock() - started) / 60, 1),
        "validation": best,
        "accounts": sorted(f"{one.platform}/{one.account}" for one in training),
        "validation_accounts": sorted(f"{one.platform}/{one.account}" for one in validation),
        "simulated_share": SIMULATED if training else 1.0,
    }
    (out / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    checkpoint.unlink(missing_ok=True)
    return best


def _groups(network: AttentionNetwork) -> list[dict[str, object]]:
    gains = [value for name, value in network.named_parameters() if name.endswith("gains")]
    plain = [value for name, value in network.named_parameters() if value.ndim < 2 and not name.endswith("gains")]
    rest = [value for name, value in network.named_parameters() if value.ndim >= 2 and not name.endswith("gains")]
    return [
        {"params": rest, "base": RATE, "weight_decay": DECAY},
        {"params": plain, "base": RATE, "weight_decay": 0.0},
        {"params": gains, "base": GAIN_RATE, "weight_decay": 0.0},
    ]


def _share(step: int, steps: int | None, spent: float, minutes: float | None) -> float:
    """How much of the run is over, 0 .. 1."""
    return max(step / steps if steps else 0.0, spent / minutes if minutes else 0.0)


def _over(done: float) -> bool:
    return done >= 1.0


def _checked(
    average: AttentionNetwork,
    tasks: dict[int, list[Episode]],
    best: dict[str, float],
    out: Path,
    step: int,
    spent: float,
    losses: list[float],
    on_step: Callable[[Progress], None] | None,
) -> dict[str, float]:
    """Validate, log, and keep the weights if they are the best so far."""
    found = check(average, tasks)
    progress = Progress(step, round(spent / 60, 2), round(float(np.mean(losses)), 4) if losses else 0.0, found)
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(asdict(progress)) + "\n")
    if on_step is not None:
        on_step(progress)
    if found["mean"] > best["mean"]:
        average.save_pretrained(out)
        return found
    return best


def _save(
    path: Path,
    network: AttentionNetwork,
    average: AttentionNetwork,
    optimizer: torch.optim.Optimizer,
    seed: int,
    step: int,
    minutes: float,
    best: dict[str, float],
) -> None:
    """Write the checkpoint beside and move it into place, so that an interrupted write loses nothing."""
    beside = path.with_suffix(".part")
    torch.save(
        {
            "seed": seed,
            "step": step,
            "minutes": minutes,
            "best": best,
            "network": network.state_dict(),
            "average": average.state_dict(),
            "optimizer": optimizer.state_dict(),
        },
        beside,
    )
    beside.replace(path)


assert len(EDGES) == BINS + 1
