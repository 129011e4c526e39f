"""`kairos train`: meta-training of the network on real and simulated episodes; seeded, resumable, chosen by validation.

    kairos train --data DATA --out WEIGHTS --minutes 15      real + simulated episodes
    kairos train --out WEIGHTS --minutes 15                  simulated episodes alone

Each step draws one context length k and as many episodes as fit into TOKENS tokens. The weights kept are those with the
best validation Spearman on accounts that are never trained on (simulated ones when there is no data).
"""

import json
import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from transformers.utils import logging

from bot.attention.episodes import Episode, read_all, splits
from bot.attention.network import AttentionConfig, AttentionNetwork
from bot.attention.sampling import MADE_UP, QUERIES, SIMULATED, Sampler, collate
from bot.attention.validation import check, loss_of, tasks

TOKENS = 2600
SHORTEST, LONGEST = 3, 900
RATE, GAIN_RATE = 2e-3, 2e-2
"""Learning rates: of everything, and of the gains of the similarity kernels."""
WARM_UP = 60
DECAY = 0.03
AVERAGE = 0.995
"""Of the moving average of weights, which is what is kept."""


class TrainingError(ValueError):
    """What was asked for cannot be trained; the message says what to change."""


@dataclass
class Progress:
    """One line of the training log."""

    step: int
    minutes: float
    loss: float
    validation: dict[str, float]


@dataclass
class _Run:
    """What a training run is made of, and what a checkpoint holds."""

    network: AttentionNetwork
    average: AttentionNetwork
    optimizer: torch.optim.Optimizer
    seed: int
    step: int = 0
    minutes: float = 0.0
    best: dict[str, float] = field(default_factory=lambda: {"mean": -1.0})

    def learn(self, sampler: Sampler, done: float) -> float | None:
        """One step, `done` (0..1) of the run being over; the loss, or None when no episode could be drawn."""
        # A generator for each step: a run that was interrupted goes on as if it had not been.
        rng = np.random.default_rng([self.seed, self.step])
        torch.manual_seed(int(rng.integers(2**62)))  # of dropout
        k = int(np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST))))
        wanted = max(1, TOKENS // (k + QUERIES))
        drawn = [one for one in (sampler.draw(k, rng) for _ in range(wanted)) if one is not None]
        self.step += 1
        if not drawn:
            return None
        pace = min(1.0, self.step / WARM_UP) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
        for group in self.optimizer.param_groups:
            group["lr"] = group["base"] * max(pace, 0.01)
        batch = collate(drawn)
        loss = loss_of(self.network(*batch.given), batch.truth, batch.weight)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        keep = min(AVERAGE, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        return loss.item()

    def save(self, path: Path) -> None:
        """Write beside and move into place, so that an interrupted write loses nothing."""
        beside = path.with_suffix(".part")
        torch.save(
            {
                "seed": self.seed,
                "step": self.step,
                "minutes": self.minutes,
                "best": self.best,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            },
            beside,
        )
        beside.replace(path)

    def resume(self, path: Path) -> None:
        """Take up what `save` wrote, if the seed is the same; raises TrainingError where it does not fit."""
        try:
            saved = torch.load(path, weights_only=True)
            if saved["seed"] != self.seed:
                return
            self.network.load_state_dict(saved["network"])
            self.average.load_state_dict(saved["average"])
            self.optimizer.load_state_dict(saved["optimizer"])
        except (RuntimeError, ValueError, KeyError, EOFError, UnpicklingError):
            raise TrainingError(f"{path}: not a checkpoint of this network; delete it to start anew") from None
        self.step, self.minutes, self.best = saved["step"], saved["minutes"], saved["best"]


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

    Every `check_every` steps a `checkpoint.pt` is left in `out`: stopped half-way, also by Ctrl-C, the same call with
    the same seed goes on from there. With `steps` alone the same seed gives the same weights.
    Raises TrainingError where no bound is given or `out` cannot be written, FileNotFoundError without data, NoRight for
    rows that may not be trained on.
    """
    if minutes is None and steps is None:
        raise TrainingError("say how long to train: minutes or steps")
    _prepare(out)
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    network = AttentionNetwork(config or AttentionConfig())
    training, held_out = splits(read_all(data)) if data is not None else ([], [])
    windows = tasks(held_out, network.config.text_width)
    sampler = Sampler(training, network.config.text_width)
    run = _Run(network, deepcopy(network), torch.optim.AdamW(_groups(network), betas=(0.9, 0.98)), seed)
    checkpoint = out / "checkpoint.pt"
    if checkpoint.is_file():
        run.resume(checkpoint)

    started, losses = clock() - run.minutes * 60, list[float]()
    while (done := _share(run.step, steps, (clock() - started) / 60, minutes)) < 1:
        loss = run.learn(sampler, done)
        losses += [] if loss is None else [loss]
        run.minutes = (clock() - started) / 60
        if run.step % check_every == 0:
            _keep_best(run, windows, losses, out, on_step)
            run.save(checkpoint)
            losses.clear()
    if losses:
        _keep_best(run, windows, losses, out, on_step)
    record = {
        "seed": seed,
        "steps": run.step,
        "minutes": round(run.minutes, 1),
        "parameters": sum(value.numel() for value in network.parameters()),
        "validation": run.best,
        "real_outcomes": (1 - MADE_UP) * (1 - SIMULATED) if training else 0.0,
        "accounts": sorted(f"{one.platform}/{one.account}" for one in training),
        "validation_accounts": sorted(f"{one.platform}/{one.account}" for one in held_out),
    }
    (out / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    checkpoint.unlink(missing_ok=True)
    return run.best


def _prepare(out: Path) -> None:
    """Make the folder and try it before anything is learned."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        trial = out / ".written"
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise TrainingError(f"{out}: cannot write weights here ({error.strerror}); choose another --out") from None


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


def _keep_best(
    run: _Run,
    windows: list[tuple[str, int, Episode]],
    losses: list[float],
    out: Path,
    on_step: Callable[[Progress], None] | None,
) -> None:
    """Validate the average, log it, and write its weights if they are the best so far."""
    found = check(run.average, windows)
    progress = Progress(run.step, round(run.minutes, 2), round(float(np.mean(losses)), 4), found)
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(asdict(progress)) + "\n")
    if on_step is not None:
        on_step(progress)
    if found["mean"] > run.best["mean"]:
        run.average.save_pretrained(out)
        # It is written for its owner's eyes alone, and would be shipped so.
        (out / "model.safetensors").chmod(0o644)
        run.best = found
