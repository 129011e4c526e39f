"""A Gaussian process inside the network: what plain regression says of each post, as a hint; its kernel is learned.

Attention weighs the posts most like a candidate; regression weighs all at once, which pays off in long histories. The
kernel is a sum of the network's similarities with learned amplitudes, its noise is learned too. A history post is told
what the others say about it (leave-one-out), never its own outcome.
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
    """A fitted history: known (B, K) as 0/1, inverse of the noisy kernel (B, K, K), weights of the outcomes (B, K)."""

    known: Tensor
    inverse: Tensor
    weights: Tensor


class Regression(nn.Module):
    """Hints (mean, sd) of z. Both parameters are logarithms of factors on AMPLITUDES and NOISE."""

    def __init__(self) -> None:
        super().__init__()
        self.amplitude_gains = nn.Parameter(torch.zeros(len(AMPLITUDES)))
        self.noise_gains = nn.Parameter(torch.zeros(1))

    def fit(self, similar: Tensor, outcome: Tensor, known: Tensor) -> tuple[Fit, Tensor]:
        """The fit, and hints for the history itself (B, K, 2); `similar` (B, KERNELS, K, K) as `network.kernels`.

        A post without an outcome hears the mean with the doubt of a post unlike all others: its own would cost K^3.
        """
        kernel = self._kernel(similar)
        both = known.unsqueeze(1) * known.unsqueeze(2)
        # Rows of padding and of posts without an outcome become those of the identity: they touch nothing.
        noisy = kernel * both + torch.diag_embed(self._noise() * known + 1 - known)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(noisy))
        weights = (inverse @ (outcome * known).unsqueeze(-1)).squeeze(-1)
        fit = Fit(known, inverse, weights)
        own = inverse.diagonal(dim1=1, dim2=2)
        left_out = torch.stack([outcome - weights / own, (1 / own).clamp(min=LEAST).sqrt()], dim=-1)
        doubt = (self._amplitudes().sum() + self._noise()).sqrt().expand_as(own)
        told = torch.stack([self._mean(kernel, fit), doubt], dim=-1)
        return fit, torch.where(known.unsqueeze(-1) > 0, left_out, told)

    def hints(self, similar: Tensor, fit: Fit) -> Tensor:
        """Hints for candidates (B, M, 2); `similar` (B, KERNELS, M, K)."""
        kernel = self._kernel(similar)
        near = kernel * fit.known.unsqueeze(1)
        explained = ((near @ fit.inverse) * near).sum(dim=-1)
        variance = self._amplitudes().sum() + self._noise() - explained
        return torch.stack([self._mean(kernel, fit), variance.clamp(min=LEAST).sqrt()], dim=-1)

    def _mean(self, kernel: Tensor, fit: Fit) -> Tensor:
        # Posts without an outcome have no weight.
        return (kernel @ fit.weights.unsqueeze(-1)).squeeze(-1)

    def _kernel(self, similar: Tensor) -> Tensor:
        """The sum of the similarities (B, n, m), each made positive definite."""
        text, raw, hour, weekday, age, kind, surface = similar.unbind(dim=1)
        close = (CLOSE * (text - 1)).exp()
        parts = torch.stack([text, close, raw, hour, weekday, (2 * age).exp(), kind, surface.exp()], dim=1)
        return torch.einsum("p,bpnm->bnm", self._amplitudes(), parts)

    def _amplitudes(self) -> Tensor:
        return torch.tensor(AMPLITUDES) * self.amplitude_gains.exp()

    def _noise(self) -> Tensor:
        return NOISE * self.noise_gains.exp() + LEAST
