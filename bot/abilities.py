"""What a platform can do for one account, asked once and remembered: gates and planners never wait for a network."""

from collections.abc import Callable
from dataclasses import dataclass

from connectors.base import Capabilities, Connector, Draft


@dataclass(frozen=True)
class Abilities:
    """Capabilities, the longest text, and how the platform counts length."""

    capabilities: Capabilities
    max_length: int
    length: Callable[[str], int]

    def longest(self, draft: Draft) -> int:
        """Length of the draft's longest part by the platform's own counting."""
        return max(self.length(text) for text in (draft.text, *draft.parts))


def abilities_of(connector: Connector) -> Abilities:
    """Ask the platform; raises ConnectorError."""
    return Abilities(connector.capabilities, connector.limits().max_length, connector.length)
