"""A Gaussian process inside the network: what plain regression says of each post, as a hint; its kernel is learned.

Attention weighs the posts most like a candidate; regression weighs all at once, which pays off in long histories. The
kernel is a sum of the network's similarities with learned amplitudes. Its noise is learned too, and larger for posts
that were counted before they had finished. A history post is told what the others say about it (leave-one-out), never
its own outcome.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

AMPLITUDES = (0.25, 0.25, 0.05, 0.05, 0.03, 0.1, 0.1, 0.1)
"""To start with: text, close text, raw text, hour, weekday, age, kind, surface. Variances in z."""
CLOSE = 6.0
"""Sharpness of close text."""
NOISE = 0.6
LEAST = 1e-2
"""Variances never fall below this: single precision has its limits."""


@dataclass
class Fit:
    """A fitted history: known (B, K) as 0/1, inverse of the noisy kernel (B, K, K), weights of the posts (B, K), and
    their surprises (B, K): outcome minus what the other posts say about it."""

    known: Tensor
    inverse: Tensor
    weights: Tensor
    surprises: Tensor


class Regression(nn.Module):
    """Hints (mean, sd) of z. Parameters are logarithms of factors on AMPLITUDES and NOISE."""

    def __init__(self) -> None:
        super().__init__()
        self.amplitude_gains = nn.Parameter(torch.zeros(len(AMPLITUDES)))
        self.noise_gains = nn.Parameter(torch.zeros(1))
        self.unfinished_gains = nn.Parameter(torch.ones(1))

    def fit(self, similar: Tensor, outcome: Tensor, known: Tensor, unfinished: Tensor) -> tuple[Fit, Tensor]:
        """The fit, and hints for the history itself (B, K, 2).

        Similarities (B, KERNELS, K, K) as `network.kernels`; outcome z, known and unfinished (B, K). A post without an
        outcome hears the mean with the doubt of a post unlike all others: its own would cost K^3.
        """
        kernel = self._kernel(similar)
        # Rows of padding and of posts without an outcome become those of the identity: they touch nothing.
        noisy = kernel * known.unsqueeze(1) * known.unsqueeze(2)
        noisy = noisy + torch.diag_embed(self.noise(unfinished) * known + 1 - known)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(noisy))
        weights = (inverse @ (outcome * known).unsqueeze(-1)).squeeze(-1)
        own = inverse.diagonal(dim1=1, dim2=2)
        fit = Fit(known, inverse, weights, weights / own)
        mean = torch.where(known > 0, outcome - fit.surprises, self._mean(kernel, fit))
        doubt = (self._amplitudes().sum() + self._noise()).sqrt().expand_as(own)
        sd = torch.where(known > 0, (1 / own).clamp(min=LEAST).sqrt(), doubt)
        return fit, torch.stack([mean, sd], dim=-1)

    def hints(self, similar: Tensor, fit: Fit) -> tuple[Tensor, Tensor]:
        """Hints for candidates (B, M, 2), and what each history post adds to their mean (B, M, K).

        Without that post the regression's mean would be lower by so much: exactly, leave one out, at no extra cost.
        `similar` is (B, KERNELS, M, K).
        """
        kernel = self._kernel(similar)
        near = kernel * fit.known.unsqueeze(1)
        pulls = near @ fit.inverse
        variance = self._amplitudes().sum() + self._noise() - (pulls * near).sum(dim=-1)
        hints = [self._mean(kernel, fit), variance.clamp(min=LEAST).sqrt()]
        return torch.stack(hints, dim=-1), pulls * fit.surprises.unsqueeze(1)

    def _mean(self, kernel: Tensor, fit: Fit) -> Tensor:
        # Posts without an outcome have no weight.
        return (kernel @ fit.weights.unsqueeze(-1)).squeeze(-1)

    def noise(self, unfinished: Tensor) -> Tensor:
        """Variance of luck in the outcomes of posts that were counted before they had finished, of any shape."""
        return self._noise() * (self.unfinished_gains * unfinished).exp()

    def _kernel(self, similar: Tensor) -> Tensor:
        """The sum of the similarities (B, n, m), each made positive definite."""
        text, raw, hour, weekday, age, kind, surface = similar.unbind(dim=1)
        one, two, three, four, five, six, seven, eight = self._amplitudes()
        plain = one * text + three * raw + four * hour + five * weekday + seven * kind
        total: Tensor = plain + two * (CLOSE * (text - 1)).exp() + six * (2 * age).exp() + eight * surface.exp()
        return total

    def _amplitudes(self) -> Tensor:
        return torch.tensor(AMPLITUDES) * self.amplitude_gains.exp()

    def _noise(self) -> Tensor:
        return NOISE * self.noise_gains.exp() + LEAST
