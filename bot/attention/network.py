"""The network: a transformer that reads an account's history in its context and forecasts candidates; nothing else.

What is unusual about it:
- nothing is learned per account: history tokens carry their outcome, and attention over them is the learning;
- history attends to history, a candidate to history only: its forecast cannot depend on other candidates, and the
  history's keys and values are computed once and kept (`remember`, then `forecast` for any number of candidates);
- attention is biased by plain similarities (text, hour, weekday, age, kind, surface) with one learned gain per head,
  and sharpened as histories grow, by a learned power of their length;
- every token hears what plain regression would say (`bot.attention.regression`), fitted inside the network;
- an episode is about one action and hears how posts did by the others; actions of one account go side by side;
- the output is a distribution: bars over the standardised outcome z, started at a standard normal;
- two learned tokens stand before every history, so an empty one works.

Shapes: B episodes, K history posts (padded), M candidates, D width, H heads, E text vector, F features.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import ndtr
from torch import Tensor, nn
from torch.nn import functional
from transformers import PretrainedConfig, PreTrainedModel

from bot.attention.features import CLOCK_PART, KIND_PART, RHYTHM_PART, SURFACE_PART, WIDTH
from bot.attention.forecast import BINS, EDGES
from bot.attention.regression import Fit, Regression

KERNELS = 7
"""Similarities: centred text, raw text, hour, weekday, age, kind, surface."""
START_GAINS = (
    (8.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    (4.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0),
    (2.0, 0.0, 3.0, 2.0, 0.0, 1.0, 0.0),
    (2.0, 0.0, 0.0, 0.0, 4.0, 0.0, 1.0),
)
"""One row per head (repeated when there are more heads), one column per kernel."""
LEARNED = 2
"""Learned tokens before every history."""
USUAL_LENGTH = 100
"""Posts at which attention is as sharp as its logits say."""


class AttentionConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """Sizes of the network; everything else follows from them."""

    model_type = "kairos-attention"

    def __init__(
        self,
        width: int = 96,
        layers: int = 4,
        heads: int = 4,
        mlp: int = 3,
        text_width: int = 256,
        features: int = WIDTH,
        bins: int = BINS,
        dropout: float = 0.1,
        **kwargs: object,
    ) -> None:
        self.width, self.layers, self.heads, self.mlp = width, layers, heads, mlp
        self.text_width, self.features, self.bins = text_width, features, bins
        self.dropout = dropout
        super().__init__(**kwargs)  # type: ignore[arg-type]


@dataclass
class Posts:
    """n posts of each of B episodes: text vectors (B, n, E), features (B, n, F)."""

    text: Tensor
    features: Tensor


@dataclass
class Outcomes:
    """How n posts of each of B episodes did, all (B, n): z and whether it was measured; the mean z of other actions and
    whether there was one; the share of its growth a post still had before it when it was counted."""

    z: Tensor
    measured: Tensor
    beside: Tensor
    has_beside: Tensor
    unfinished: Tensor

    def told(self) -> Tensor:
        """What a token hears of it (B, n, 6): nothing of what was not measured."""
        seen, beside = self.z * self.measured, self.beside * self.has_beside
        parts = [seen, seen.abs(), self.measured, beside, self.has_beside, self.unfinished]
        return torch.stack(parts, dim=-1)


@dataclass
class Memory:
    """A history, read once: what candidates need to attend to it.

    `present` (B, L+K) counts the learned tokens; keys and values are per layer (B, H, L+K, D/H).
    """

    posts: Posts
    centre: Tensor
    present: Tensor
    keys: list[Tensor]
    values: list[Tensor]
    fit: Fit


def kernels(left: Posts, right: Posts, centre: Tensor) -> Tensor:
    """Similarities of each left to each right post (B, KERNELS, n, m); `centre` (B, 1, E): the history's mean text."""

    def cosine(a: Tensor, b: Tensor) -> Tensor:
        return functional.normalize(a, dim=-1, eps=1e-6) @ functional.normalize(b, dim=-1, eps=1e-6).transpose(1, 2)

    one, other = left.features, right.features
    turn, age = CLOCK_PART.start, RHYTHM_PART.stop - 1
    hour_a, hour_b = one[..., turn : turn + 2], other[..., turn : turn + 2]
    week_a, week_b = one[..., turn + 6 : turn + 8], other[..., turn + 6 : turn + 8]
    surface = torch.cdist(one[..., SURFACE_PART], other[..., SURFACE_PART]) / 2
    similar = [
        cosine(left.text - centre, right.text - centre),
        left.text @ right.text.transpose(1, 2),
        hour_a @ hour_b.transpose(1, 2),
        week_a @ week_b.transpose(1, 2),
        -(one[..., age].unsqueeze(2) - other[..., age].unsqueeze(1)).abs(),
        one[..., KIND_PART] @ other[..., KIND_PART].transpose(1, 2),
        -surface,
    ]
    return torch.stack(similar, dim=1)


class Block(nn.Module):
    """One layer: attention to the history with biased logits, then an MLP; both add to the stream and start at zero."""

    def __init__(self, config: AttentionConfig) -> None:
        super().__init__()
        width, self.heads = config.width, config.heads
        self.before_attention, self.before_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, config.mlp * width), nn.GELU(), nn.Linear(config.mlp * width, width))
        rows = [START_GAINS[head % len(START_GAINS)] for head in range(config.heads)]
        self.gains = nn.Parameter(torch.tensor(rows))  # (H, KERNELS)
        self.length_gains = nn.Parameter(torch.zeros(config.heads))
        self.dropout = nn.Dropout(config.dropout)

    def keys_values(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of the history at this layer, each (B, H, K+L, D/H)."""
        normed = self.before_attention(hidden)
        return self._split(self.key(normed)), self._split(self.value(normed))

    def forward(self, hidden: Tensor, keys: Tensor, values: Tensor, similar: Tensor, present: Tensor) -> Tensor:
        """Stream (B, n, D), from similarities (B, KERNELS, n, L+K) and presence (B, L+K)."""
        length = (present.sum(dim=1) / USUAL_LENGTH).log()[:, None, None, None]
        sharpness = (self.length_gains[:, None, None] * length).exp()  # (B, H, 1, 1)
        bias = (self.gains @ similar.flatten(2)).view(-1, self.heads, *similar.shape[2:]) * sharpness
        bias = bias.masked_fill(present[:, None, None, :] == 0, float("-inf"))
        query = self._split(self.query(self.before_attention(hidden))) * sharpness
        mixed = functional.scaled_dot_product_attention(query, keys, values, attn_mask=bias).transpose(1, 2).flatten(2)
        hidden = hidden + self.dropout(self.out(mixed))
        fed: Tensor = hidden + self.dropout(self.mlp(self.before_mlp(hidden)))
        return fed

    def _split(self, rows: Tensor) -> Tensor:
        return rows.view(*rows.shape[:-1], self.heads, -1).transpose(1, 2)


class AttentionNetwork(PreTrainedModel):  # type: ignore[no-untyped-call]
    """History and candidates -> logits over bars of z."""

    config_class = AttentionConfig

    def __init__(self, config: AttentionConfig) -> None:
        super().__init__(config)
        width = config.width
        self.text_in = nn.Linear(config.text_width, width)
        self.features_in = nn.Linear(config.features, width)
        self.outcome_in = nn.Linear(6, width)
        self.length_in = nn.Linear(1, width)
        self.regression, self.hints_in = Regression(), nn.Linear(2, width)
        self.learned = nn.Parameter(torch.randn(LEARNED, width) * 0.02)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.last = nn.LayerNorm(width)
        self.head = nn.Linear(width, config.bins)
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        """Ordinary starts, but every output starts at zero, and the head at a standard normal."""
        if isinstance(module, Block):
            for output in (module.out, module.mlp[2]):
                assert isinstance(output, nn.Linear)
                nn.init.zeros_(output.weight)
                nn.init.zeros_(output.bias)
        elif isinstance(module, AttentionNetwork):
            nn.init.zeros_(module.head.weight)
            mass = np.diff(ndtr(EDGES))
            with torch.no_grad():
                module.head.bias.copy_(torch.tensor(np.log(mass / mass.sum()), dtype=torch.float32))

    def remember(self, posts: Posts, outcomes: Outcomes, present: Tensor) -> Memory:
        """Read a history once; gives back what to attend to. `present` (B, K) is 0 where padding stands."""
        count = present.sum(dim=1).clamp(min=1)[:, None, None]
        centre = (posts.text * present.unsqueeze(-1)).sum(dim=1, keepdim=True) / count
        similar = kernels(posts, posts, centre)
        known = outcomes.measured * present
        fit, hints = self.regression.fit(similar, outcomes.z, known, outcomes.unfinished)
        hidden = self._embed(posts, present, hints) + self.outcome_in(outcomes.told())
        hidden = torch.cat([self.learned.expand(len(hidden), -1, -1), hidden], dim=1)  # (B, L+K, D)
        similar = functional.pad(similar, (LEARNED, 0, LEARNED, 0))  # learned tokens: no similarity
        present = functional.pad(present, (LEARNED, 0), value=1.0)
        keys, values = [], []
        for block in self._layers():
            key, value = block.keys_values(hidden)
            keys.append(key)
            values.append(value)
            hidden = block(hidden, key, value, similar, present)
        return Memory(posts, centre, present, keys, values, fit)

    def forecast(self, memory: Memory, posts: Posts) -> tuple[Tensor, Tensor]:
        """Logits (B, M, bins), and what each history post adds to the expected z, by the regression (B, M, K).

        Attention weights would not tell: they say where a candidate looked, not what came of it (docs/model-log.md).
        """
        similar = kernels(posts, memory.posts, memory.centre)
        hints, added = self.regression.hints(similar, memory.fit)
        hidden = self._embed(posts, memory.present[:, LEARNED:], hints)
        similar = functional.pad(similar, (LEARNED, 0))
        for block, key, value in zip(self._layers(), memory.keys, memory.values, strict=True):
            hidden = block(hidden, key, value, similar, memory.present)
        logits: Tensor = self.head(self.last(hidden))
        return logits, added

    def forward(self, history: Posts, outcomes: Outcomes, present: Tensor, candidates: Posts) -> Tensor:
        """Logits (B, M, bins) in one go, as training needs it."""
        return self.forecast(self.remember(history, outcomes, present), candidates)[0]

    def _layers(self) -> list[Block]:
        return [block for block in self.blocks if isinstance(block, Block)]

    def _embed(self, posts: Posts, present: Tensor, hints: Tensor) -> Tensor:
        length: Tensor = self.length_in(present.sum(dim=1, keepdim=True).log1p().unsqueeze(-1) / 4)  # (B, 1, D)
        return length.add(self.text_in(posts.text * 4) + self.features_in(posts.features) + self.hints_in(hints))
