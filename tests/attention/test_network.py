import pytest
import torch

from bot.attention.features import WIDTH
from bot.attention.forecast import BINS, EDGES
from bot.attention.network import AttentionConfig, AttentionNetwork, Posts

SMALL = AttentionConfig(width=16, layers=2, heads=4, mlp=1)


def posts(n: int, seed: int = 0, batch: int = 1) -> Posts:
    generator = torch.Generator().manual_seed(seed)
    text = torch.randn(batch, n, SMALL.text_width, generator=generator)
    return Posts(torch.nn.functional.normalize(text, dim=-1), torch.randn(batch, n, WIDTH, generator=generator) / 2)


def outcomes(n: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(1, n, generator=torch.Generator().manual_seed(seed))


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
    network: AttentionNetwork,
    history: Posts,
    z: torch.Tensor,
    measured: torch.Tensor,
    present: torch.Tensor,
    candidates: Posts,
) -> torch.Tensor:
    with torch.inference_mode():
        return network(history, z, measured, present, candidates)


def test_an_untrained_network_forecasts_a_standard_normal() -> None:
    untrained = AttentionNetwork(SMALL).eval()
    ones = torch.ones(1, 9)
    bars = forecast(untrained, posts(9), outcomes(9), ones, ones, posts(4, 2)).softmax(-1)
    middles = torch.tensor((EDGES[1:] + EDGES[:-1]) / 2, dtype=torch.float32)
    assert bars.shape == (1, 4, BINS)
    assert (bars @ middles).abs().max() < 0.01
    assert (bars @ middles**2).sub(1).abs().max() < 0.02


def test_padding_changes_nothing(network: AttentionNetwork) -> None:
    history, z, candidates = posts(7), outcomes(7), posts(3, 2)
    ones = torch.ones(1, 7)
    plain = forecast(network, history, z, ones, ones, candidates)
    padding = torch.zeros(1, 5)
    padded = forecast(
        network,
        joined(posts(5, 9), history),
        torch.cat([outcomes(5, 8) * 3, z], 1),
        torch.cat([torch.ones(1, 5), ones], 1),
        torch.cat([padding, ones], 1),
        candidates,
    )
    assert torch.allclose(plain, padded, atol=1e-4)


def test_an_episode_in_a_batch_is_forecast_as_if_alone(network: AttentionNetwork) -> None:
    both = posts(6, 4, batch=2)
    z, ones, candidates = torch.cat([outcomes(6), outcomes(6, 5)]), torch.ones(2, 6), posts(3, 6, batch=2)
    together = forecast(network, both, z, ones, ones, candidates)
    second = Posts(both.text[1:], both.features[1:])
    alone = forecast(network, second, z[1:], ones[1:], ones[1:], Posts(candidates.text[1:], candidates.features[1:]))
    assert torch.allclose(together[1:], alone, atol=1e-4)


def test_a_candidate_does_not_see_the_others(network: AttentionNetwork) -> None:
    history, z, ones = posts(8), outcomes(8), torch.ones(1, 8)
    one, other = posts(1, 2), posts(4, 3)
    alone = forecast(network, history, z, ones, ones, one)
    together = forecast(network, history, z, ones, ones, joined(other, one))
    assert torch.allclose(alone[:, 0], together[:, 4], atol=1e-4)


def test_what_an_unmeasured_post_would_say_is_not_heard(network: AttentionNetwork) -> None:
    history, candidates, ones = posts(6), posts(3, 2), torch.ones(1, 6)
    measured = torch.tensor([[1.0, 1, 0, 1, 1, 1]])
    z = outcomes(6)
    louder = z.clone()
    louder[0, 2] = 5.0
    quiet = forecast(network, history, z, measured, ones, candidates)
    assert torch.allclose(quiet, forecast(network, history, louder, measured, ones, candidates), atol=1e-5)
    assert not torch.allclose(quiet, forecast(network, history, louder, ones, ones, candidates), atol=1e-2)


def test_outcomes_move_the_forecast_and_attention_sums_to_less_than_one(network: AttentionNetwork) -> None:
    history, candidates, ones = posts(6), posts(3, 2), torch.ones(1, 6)
    with torch.inference_mode():
        logits, attended = network.forecast(network.remember(history, outcomes(6), ones, ones), candidates)
        others, _ = network.forecast(network.remember(history, -outcomes(6), ones, ones), candidates)
    assert not torch.allclose(logits, others, atol=1e-2)
    assert attended.shape == (1, 3, 6)
    assert (attended >= 0).all()
    assert (attended.sum(-1) < 1).all()  # the learned tokens take the rest


@pytest.mark.parametrize("k", [0, 1, 2])
def test_hardly_any_history_is_no_trouble(k: int, network: AttentionNetwork) -> None:
    ones = torch.ones(1, k)
    assert torch.isfinite(forecast(network, posts(k), outcomes(k), ones, ones, posts(3, 2))).all()


def test_a_history_of_equal_posts_is_no_trouble(network: AttentionNetwork) -> None:
    one = posts(1)
    same = joined(*[one] * 300)
    ones = torch.ones(1, 300)
    assert torch.isfinite(forecast(network, same, outcomes(300), ones, ones, one)).all()
