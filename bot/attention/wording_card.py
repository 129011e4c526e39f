"""The model card beside the weights of wordings: what they learned from, by what right, how good, where they fail."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.attention.episodes import RIGHTS
from bot.attention.wording_figures import Arm, Figures

NAMES = {"sentence.safetensors": "all-MiniLM-L6-v2, given by the user", "static.safetensors": "the static table"}


def write_card(
    out: Path,
    tests: Sequence[Sequence[Arm]],
    parts: tuple[Sequence[Sequence[Arm]], Sequence[Sequence[Arm]]],
    posts: int,
    measured: Mapping[str, Figures],
) -> Path:
    """Write README.md to the folder of the weights; gives back its path."""
    right = RIGHTS["upworthy"]
    earlier, later = parts
    taught = "\n".join(
        f"- {RIGHTS[name].source}, {RIGHTS[name].licence}: posts of training accounts, half of {posts:,}; the text "
        "alone, as scored by the weights for the sentence encoder"
        for name in (("facebook", "reddit") if posts else ())
    )
    rows = "\n".join(
        f"| `{name}` | {NAMES[name]} | {one.all} | {one.clear} |" for name, one in sorted(measured.items())
    )
    pairs = next(iter(measured.values()))
    card = out / "README.md"
    card.write_text(
        f"""# Appeal of wordings

Small weights that say which of several wordings of one post would be clicked more: a quadratic form over the wording's
vector and looks, and a weight for each of its letter groups. It knows nothing of the account. Licence: Apache-2.0, as
the rest of Kairos.

## Trained on

- {right.source}, {right.licence}: {len(tests):,} randomised headline tests, {sum(map(len, tests)):,} arms
{taught}

The texts are not shipped; weights and aggregate figures are. One row without a right stops the fit.

## How good

Share of pairs of arms of one test of which the better one is picked, with 95 % intervals over tests (.5 is chance).
Fitted on {len(earlier):,} earlier tests, judged on the {len(later):,} latest; no text is on both sides. The weights
beside this card were fitted on all of them afterwards.

| weights | encoder | all {pairs.all.pairs:,} pairs | {pairs.clear.pairs:,} pairs with abs(z) > 1.96 |
|---|---|---|---|
{rows}

Most pairs differ by less than luck, so nobody can pick all of them right.

## Known limits

- Clicks on headlines of one English site, 2013 to 2014: other readers, languages and years are extrapolation.
- It tells wordings of the same thing apart, not things. On Facebook pages and subreddits it said nothing of which of
  two different posts was liked more, so Kairos asks it only where an account has no measured post.
- What is clicked is not what is true, kind or wise.
""".replace("\n\n\n", "\n\n"),
        encoding="utf-8",
    )
    return card
