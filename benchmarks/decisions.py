"""Regret in simulated worlds with a known truth: `python -m benchmarks.decisions [--quick | --tuning]`.

`kairos` decides as the bot does: by the best forecast of the attention model, until a rival has earned its place.
Beside it the same with the planner's bonus for rarely tried hours, the model by itself, and its rivals, which decide by
their best forecast unless said otherwise. The weights have learned from simulated crowds of the same family as the
audiences here, and no rival has: `docs/model-log.md` says what that means.
Worlds and regret are explained in `benchmarks.decisions_worlds`. Writes decisions.json, decisions.md and decisions.png,
and prints the tables. `--tuning` compares ways to explore in worlds of other seeds, so that what is chosen there is
measured afresh here. `--quick` takes a handful of short worlds.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.decisions_figures import Runs, as_json, figures_of, leads_of, markdown, picture
from benchmarks.decisions_rules import Chance, Earned, Opening, Oracle, Ranked, Sampled
from benchmarks.decisions_worlds import Rule, Run, World, play
from bot import attention
from bot.attention.baselines import GaussianProcess, HourAndKind, HourOfWeek, LightGbm, Ridge, rivals
from bot.attention.encoder import StaticEncoder
from bot.attention.forecaster import AttentionForecaster
from bot.planner.choice import CURIOSITY
from connectors.base import Embed

WORLDS, POSTS = 40, 200
TUNING_WORLDS, TUNING_SEED = 24, 10_000
QUICK_WORLDS, QUICK_POSTS = 4, 40
OURS = "kairos"
BONUS = "kairos, with bonus"
GREEDY = "attention, greedy"
RESULTS = Path(__file__).parent / "results"


def rules_of(world: World, model: AttentionForecaster, embed: Embed) -> list[Rule]:
    """Everything that is compared in a world."""
    return [
        Chance(),
        Ranked("hour of week", HourOfWeek()),
        Ranked("hour x kind", HourAndKind()),
        Ranked("ridge", Ridge(embed)),
        Ranked("gp", GaussianProcess(embed)),
        Ranked("lightgbm", LightGbm(embed)),
        Ranked(OURS, Earned([model, *rivals(embed)])),
        Ranked(BONUS, Earned([model, *rivals(embed)]), CURIOSITY),
        Ranked("attention, with bonus", model, CURIOSITY),
        Ranked(GREEDY, model),
        Sampled("attention, mean sampled", model),
        Oracle(world),
    ]


def ways_to_explore(world: World, model: AttentionForecaster, embed: Embed) -> list[Rule]:
    """The model with one way to explore each, and chance and the oracle to measure them by."""
    greedy = Ranked(GREEDY, model)
    return [
        Chance(),
        greedy,
        *(Ranked(f"bonus {weight} by hour of week", model, weight) for weight in (0.2, 0.6)),
        *(Ranked(f"bonus {weight} by hour of day", model, weight, of_week=False) for weight in (0.2, 0.6)),
        *(Opening(f"random first {posts}", posts, greedy) for posts in (10, 20)),
        *(Sampled(f"mean sampled, share {share}", model, share) for share in (0.5, 1.0)),
        Oracle(world),
    ]


def measure(
    seeds: Iterable[int],
    posts: int,
    rules: Callable[[World], Sequence[Rule]],
    embed: Embed,
    before: Callable[[int], None] | None = None,
) -> Runs:
    """Every rule in every world; `before` is told of each seed as its turn comes."""
    found: dict[str, list[Run]] = {}
    for seed in seeds:
        if before is not None:
            before(seed)
        world = World.of(seed, embed, posts)
        for rule in rules(world):
            found.setdefault(rule.name, []).append(play(world, rule))
    return found


def main() -> None:
    """Measure, write the three files and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, help=f"{WORLDS}, or {TUNING_WORLDS} with --tuning, unless given")
    parser.add_argument("--posts", type=int, default=POSTS)
    parser.add_argument("--seed", type=int, default=0, help="of the first world; the others follow")
    parser.add_argument("--weights", type=Path, default=attention.SHIPPED)
    parser.add_argument("--out", type=Path, help="folder for the results; with --quick none unless given")
    parser.add_argument("--tuning", action="store_true", help="ways to explore, in worlds of other seeds")
    parser.add_argument("--quick", action="store_true", help="a handful of short worlds")
    given = parser.parse_args()
    worlds = given.worlds or (QUICK_WORLDS if given.quick else TUNING_WORLDS if given.tuning else WORLDS)
    posts = QUICK_POSTS if given.quick else given.posts
    if worlds < 2 or posts < 1:
        sys.exit("an interval needs --worlds 2 or more, a world --posts 1 or more")
    first = given.seed + (TUNING_SEED if given.tuning else 0)
    encoder, model = StaticEncoder.load(), AttentionForecaster.load(given.weights)
    rules, name = (ways_to_explore, "decisions-tuning") if given.tuning else (rules_of, "decisions")
    ours = (GREEDY,) if given.tuning else (OURS, BONUS, GREEDY)

    runs = measure(
        range(first, first + worlds),
        posts,
        lambda world: rules(world, model, encoder.encode),
        encoder.encode,
        before=_tell,
    )
    found = figures_of(runs, given.seed)
    ahead = [lead for rule in ours for lead in leads_of(runs, rule, given.seed)]
    text = markdown(found, ahead, posts)
    out = given.out or (None if given.quick else RESULTS)
    if out is not None:
        about = {"first_seed": first, "posts": posts, "version": model.version, "curiosity": CURIOSITY}
        picture(runs, ours[0], out / f"{name}.png")
        (out / f"{name}.md").write_text(f"# Decisions in simulated worlds\n\n{text}", encoding="utf-8")
        (out / f"{name}.json").write_text(as_json(found, ahead, about), encoding="utf-8")
    print(text)


def _tell(seed: int) -> None:
    print(f"{time.process_time():6.0f} s  world {seed}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
