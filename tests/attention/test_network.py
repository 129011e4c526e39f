from dataclasses import replace

import pytest
import torch

from bot.attention.features import WIDTH
from bot.attention.forecast import BINS, EDGES
from bot.attention.network import AttentionConfig, AttentionNetwork, Outcomes, Posts

SMALL = AttentionConfig(width=16, layers=2, heads=4, mlp=1)


def posts(n: int, seed: int = 0, batch: int = 1) -> Posts:
    generator = torch.Generator().manual_seed(seed)
    text = torch.randn(batch, n, SMALL.text_width, generator=generator)
    return Posts(torch.nn.functional.normalize(text, dim=-1), torch.randn(batch, n, WIDTH, generator=generator) / 2)


def outcomes(n: int, seed: int = 1) -> Outcomes:
    generator = torch.Generator().manual_seed(seed)
    z, beside = torch.randn(2, 1, n, generator=generator)
    return Outcomes(z, torch.ones(1, n), beside, torch.ones(1, n), torch.zeros(1, n))


def all_of(*parts: Outcomes, dim: int) -> Outcomes:
    return Outcomes(*(torch.cat(rows, dim) for rows in zip(*(vars(part).values() for part in parts), strict=True)))


def but(told: Outcomes, place: int, **values: float) -> Outcomes:
    """The same outcomes with other values of one post."""
    changed = {name: getattr(told, name).clone() for name in values}
    for name, value in values.items():
        changed[name][0, place] = value
    return replace(told, **changed)


def joined(*parts: Posts) -> Posts:
    return Posts(torch.cat([part.text for part in parts], 1), torch.cat([part.features for part in parts], 1))


@pytest.fixture
def network() -> AttentionNetwork:
    torch.manual_seed(3)
    made = AttentionNetwork(SMALL)
    # An untrained output is zero whatever goes in: every weight gets a value, so that nothing hides.
    with torch.no_grad():
        for value in made.parameters():
            value.add_(torch.randn_like(value) * 0.15)
    return made.eval()


def forecast(
    network: AttentionNetwork, history: Posts, told: Outcomes, present: torch.Tensor, candidates: Posts
) -> torch.Tensor:
    with torch.inference_mode():
        return network(history, told, present, candidates)


def test_an_untrained_network_forecasts_a_standard_normal() -> None:
    untrained = AttentionNetwork(SMALL).eval()
    bars = forecast(untrained, posts(9), outcomes(9), torch.ones(1, 9), posts(4, 2)).softmax(-1)
    middles = torch.tensor((EDGES[1:] + EDGES[:-1]) / 2, dtype=torch.float32)
    assert bars.shape == (1, 4, BINS)
    assert (bars @ middles).abs().max() < 0.01
    assert (bars @ middles**2).sub(1).abs().max() < 0.02


def test_padding_changes_nothing(network: AttentionNetwork) -> None:
    history, told, candidates = posts(7), outcomes(7), posts(3, 2)
    plain = forecast(network, history, told, torch.ones(1, 7), candidates)
    padded = forecast(
        network,
        joined(posts(5, 9), history),
        all_of(outcomes(5, 8), told, dim=1),
        torch.cat([torch.zeros(1, 5), torch.ones(1, 7)], 1),
        candidates,
    )
    assert torch.allclose(plain, padded, atol=1e-4)


def test_an_episode_in_a_batch_is_forecast_as_if_alone(network: AttentionNetwork) -> None:
    both, candidates = posts(6, 4, batch=2), posts(3, 6, batch=2)
    one, other = outcomes(6), outcomes(6, 5)
    together = forecast(network, both, all_of(one, other, dim=0), torch.ones(2, 6), candidates)
    second, asked = Posts(both.text[1:], both.features[1:]), Posts(candidates.text[1:], candidates.features[1:])
    alone = forecast(network, second, other, torch.ones(1, 6), asked)
    assert torch.allclose(together[1:], alone, atol=1e-4)


def test_a_candidate_does_not_see_the_others(network: AttentionNetwork) -> None:
    given = posts(8), outcomes(8), torch.ones(1, 8)
    one, other = posts(1, 2), posts(4, 3)
    alone = forecast(network, *given, one)
    together = forecast(network, *given, joined(other, one))
    assert torch.allclose(alone[:, 0], together[:, 4], atol=1e-4)


@pytest.mark.parametrize(("known", "value"), [("measured", "z"), ("has_beside", "beside")])
def test_what_was_not_measured_is_not_heard(known: str, value: str, network: AttentionNetwork) -> None:
    history, told, candidates, present = posts(6), outcomes(6), posts(3, 2), torch.ones(1, 6)
    untold = but(told, 2, **{known: 0.0})
    quiet = forecast(network, history, untold, present, candidates)
    louder = forecast(network, history, but(untold, 2, **{value: 5.0}), present, candidates)
    assert torch.allclose(quiet, louder, atol=1e-5)
    heard = forecast(network, history, but(told, 2, **{value: 5.0}), present, candidates)
    assert not torch.allclose(quiet, heard, atol=1e-2)


def test_an_unfinished_post_is_believed_less(network: AttentionNetwork) -> None:
    history, told, candidates, present = posts(6), outcomes(6), posts(3, 2), torch.ones(1, 6)
    young = but(told, 5, unfinished=0.9)
    doubt = network.regression.noise(young.unfinished)
    assert doubt[0, 5] > doubt[0, 0]
    one, other = (forecast(network, history, each, present, candidates) for each in (told, young))
    assert not torch.allclose(one, other, atol=1e-3)


def test_outcomes_move_the_forecast_and_it_is_told_by_how_much_each(network: AttentionNetwork) -> None:
    history, candidates, present, told = posts(6), posts(3, 2), torch.ones(1, 6), outcomes(6)
    with torch.inference_mode():
        logits, added = network.forecast(network.remember(history, told, present), candidates)
        others, turned = network.forecast(network.remember(history, replace(told, z=-told.z), present), candidates)
    assert not torch.allclose(logits, others, atol=1e-2)
    assert added.shape == (1, 3, 6)
    assert torch.allclose(added, -turned, atol=1e-5)
    assert added.abs().max() > 1e-3


@pytest.mark.parametrize("k", [0, 1, 2])
def test_hardly_any_history_is_no_trouble(k: int, network: AttentionNetwork) -> None:
    assert torch.isfinite(forecast(network, posts(k), outcomes(k), torch.ones(1, k), posts(3, 2))).all()


def test_a_history_of_equal_posts_is_no_trouble(network: AttentionNetwork) -> None:
    one = posts(1)
    told = forecast(network, joined(*[one] * 300), outcomes(300), torch.ones(1, 300), one)
    assert torch.isfinite(told).all()
