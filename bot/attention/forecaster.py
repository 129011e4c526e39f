"""The attention model as a forecaster: plain past posts and candidates in, distributions out; no training here."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.utils import logging

from bot.attention import features
from bot.attention.encoder import StaticEncoder
from bot.attention.forecast import ACTIONS, Attended, Candidate, Forecast, PastPost
from bot.attention.network import AttentionNetwork, Memory, Outcomes, Posts
from bot.attention.outcomes import UNKNOWN, Scale, finished, standard, unfinished
from bot.attention.wording import Wordings

LONGEST_HISTORY = 1000
CHUNK = 256
"""Candidates scored at once."""
TOP = 8
"""Past posts named for each forecast."""
SHRINK_TIME_BELOW = 800
"""Links posted twice hint that the effect of time is over-claimed (docs/model-log.md): below about this many posts
BLIND of it is taken away."""
BLIND = 0.5
FADE = 100
"""Posts before and after, over which that ends: one post more must not change a forecast by a tenth."""
HALF, APART = 0.5, 2.0
"""Share of a history a draw of the mean sees, and by how much more than that draws lie apart."""


@dataclass(frozen=True)
class _Read:
    """A history as the network remembers it, and how to come back from z to counts."""

    memory: Memory
    scale: Scale
    known: NDArray[np.float64]
    reference: float
    places: NDArray[np.int64]
    """Index in the sequence given of each remembered post."""


class _Looks(Sequence[Attended]):
    """The TOP past posts by what they add, sorted out only when somebody asks: of many candidates few are shown."""

    def __init__(self, places: NDArray[np.int64], added: NDArray[np.float64]) -> None:
        self._places, self._added = places, added

    @cached_property
    def _top(self) -> tuple[Attended, ...]:
        sizes = np.abs(self._added)
        order = np.argsort(-sizes)[:TOP]
        whole = max(float(sizes.sum()), 1e-12)
        return tuple(Attended(int(self._places[at]), float(sizes[at]) / whole, float(self._added[at])) for at in order)

    def __len__(self) -> int:
        return min(TOP, len(self._added))

    @overload
    def __getitem__(self, place: int) -> Attended: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Attended]: ...
    def __getitem__(self, place: int | slice) -> Attended | Sequence[Attended]:
        return self._top[place]


class AttentionForecaster:
    """Reads a history in context; nothing is learned per account. Keeps the last few histories it read."""

    name = "attention"

    def __init__(self, network: AttentionNetwork, encoder: StaticEncoder, version: str = "") -> None:
        self._network, self._encoder = network, encoder
        network.eval()  # type: ignore[no-untyped-call]
        self.version = version
        self._reads: dict[str, _Read] = {}

    @cached_property
    def _wordings(self) -> Wordings:
        return Wordings.load()

    @classmethod
    def load(cls, path: str | Path, encoder: StaticEncoder | None = None) -> "AttentionForecaster":
        """Weights from a folder or a hub id (owner/name); raises OSError with one line where there are none."""
        torch.set_num_threads(1)
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        folder = Path(path)
        if not (folder / "model.safetensors").is_file() and (folder.is_absolute() or len(folder.parts) != 2):
            raise FileNotFoundError(f"{path}: no weights here (needs config.json and model.safetensors)")
        level = logging.get_verbosity()
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # its report of many lines is our one
        try:
            loaded: Any = AttentionNetwork.from_pretrained(
                str(path), local_files_only=folder.is_dir(), ignore_mismatched_sizes=True, output_loading_info=True
            )
        finally:
            logging.set_verbosity(level)
        network: AttentionNetwork = loaded[0]
        odd: dict[str, Any] = loaded[1]  # names of weights that are missing, not expected, of another shape
        if network.config.features != features.WIDTH or any(odd.values()):
            raise OSError(f"{path}: these weights are of another version of Kairos; train them again")
        digest = hashlib.sha256()
        for value in network.state_dict().values():
            digest.update(value.numpy().tobytes())
        return cls(network, encoder or StaticEncoder.load(), digest.hexdigest()[:12])

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        """One forecast per candidate, from the last LONGEST_HISTORY posts of the history."""
        recent = sorted(enumerate(history), key=lambda pair: pair[1].at)[-LONGEST_HISTORY:]
        if not np.isfinite(finished([post for _, post in recent], action)).any():
            return self._unmeasured(candidates)
        read = self._read(recent, action)
        found: list[Forecast] = []
        for start in range(0, len(candidates), CHUNK):
            probabilities, added = self._score(read, candidates[start : start + CHUNK])
            for bars, sizes in zip(probabilities, added, strict=True):
                found.append(Forecast(bars, read.scale.centre, read.scale.spread, _Looks(read.places, sizes)))
        return found

    def _unmeasured(self, candidates: Sequence[Candidate]) -> list[Forecast]:
        """Without one outcome there is nothing to attend to: the prior, and what headline tests say of the wording."""
        texts = list(dict.fromkeys(candidate.text for candidate in candidates))
        means = dict(zip(texts, self._wordings.appeal(texts) / UNKNOWN.spread, strict=True))
        return [Forecast.normal(means[one.text], 1, UNKNOWN.centre, UNKNOWN.spread) for one in candidates]

    def sample_means(
        self,
        history: Sequence[PastPost],
        candidates: Sequence[Candidate],
        rng: np.random.Generator,
        draws: int = 8,
        action: str = "likes",
    ) -> NDArray[np.float64]:
        """Expected z, by the scale of the whole history, in `draws` worlds that could be (draws, n): no noise in it.

        What a random half of the history says differs from what all of it says; that difference is doubled, because
        halves of one history lie too close together (measured on known truths: docs/model-log.md).
        """
        whole = self.predict(history, candidates, action)
        told = np.array([one.mean for one in whole], dtype=np.float64)
        rows = np.tile(told, (draws, 1))
        for row in rows:
            kept = [post for post in history if rng.random() < HALF or len(history) < 4]
            for place, half in enumerate(self.predict(kept, candidates, action)):
                seen = (half.centre + half.spread * half.mean - whole[place].centre) / whole[place].spread
                row[place] += APART * (seen - told[place])
        return rows

    def _read(self, recent: Sequence[tuple[int, PastPost]], action: str) -> _Read:
        key = _fingerprint(recent, action)
        if key not in self._reads:
            if len(self._reads) >= 8:
                self._reads.pop(next(iter(self._reads)))
            self._reads[key] = self._read_new(recent, action)
        return self._reads[key]

    def _read_new(self, recent: Sequence[tuple[int, PastPost]], action: str) -> _Read:
        posts = [post for _, post in recent]
        others = [name for name in ACTIONS if name != action]
        values = np.stack([finished(posts, name) for name in (action, *others)], axis=1)
        z, beside = standard(values)
        times = features.seconds([post.at for post in posts])
        reference = float(times[-1])
        with torch.inference_mode():
            memory = self._network.remember(
                self._posts(posts, times, times, reference),
                Outcomes(
                    _row(np.nan_to_num(z)),
                    _row(np.isfinite(z)),
                    _row(np.nan_to_num(beside)),
                    _row(np.isfinite(beside)),
                    _row(unfinished(posts)),
                ),
                torch.ones(1, len(posts)),
            )
        places = np.array([place for place, _ in recent], dtype=np.int64)
        return _Read(memory, Scale.of(values[:, 0]), times, reference, places)

    def _score(self, read: _Read, candidates: Sequence[Candidate]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        times = features.seconds([candidate.at for candidate in candidates])
        with torch.inference_mode():
            posts = self._posts(candidates, times, read.known, read.reference)
            logits, added = self._network.forecast(read.memory, posts)
            blindness = BLIND * min(max((SHRINK_TIME_BELOW + FADE - len(read.known)) / (2 * FADE), 0.0), 1.0)
            if blindness > 0:
                # Up to half of the way to a forecast that does not know the hour: log-probabilities are averaged.
                timeless = posts.features.clone()
                timeless[..., features.CLOCK_PART] = 0
                blind, _ = self._network.forecast(read.memory, Posts(posts.text, timeless))
                logits = (1 - blindness) * logits.log_softmax(-1) + blindness * blind.log_softmax(-1)
        return (
            logits.softmax(-1)[0].double().numpy(),
            added[0].double().numpy(),
        )

    def _posts(
        self,
        posts: Sequence[PastPost] | Sequence[Candidate],
        times: NDArray[np.float64],
        known: NDArray[np.float64],
        reference: float,
    ) -> Posts:
        texts = [post.text for post in posts]
        kinds = features.kinds([post.kind for post in posts])
        rows = features.tokens(times, kinds, features.surfaces(texts), known, reference)
        return Posts(torch.from_numpy(self._encoder.encode(texts))[None], torch.from_numpy(rows)[None])


def _fingerprint(history: Sequence[tuple[int, PastPost]], action: str) -> str:
    digest = hashlib.blake2b(action.encode(), digest_size=16)
    for place, post in history:
        counts = sorted((post.counts or {}).items())
        digest.update(
            f"{place}|{post.at.timestamp()}|{post.kind}|{counts}|{post.age}|{post.text}\0".encode("utf-8", "replace")
        )
    return digest.hexdigest()


def _row(values: NDArray[np.float64] | NDArray[np.bool_]) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))[None]
