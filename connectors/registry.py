"""Finds a platform's connector by name through the entry points `kairos.connectors`; imports one only when asked."""

from importlib.metadata import entry_points

from connectors.base import Connect

GROUP = "kairos.connectors"


class UnknownPlatform(LookupError):
    """No installed distribution offers a connector of that name."""


def platforms() -> dict[str, str]:
    """Names of the platforms installed here -> the distribution that brings each."""
    return {point.name: point.dist.name if point.dist else "unknown" for point in entry_points(group=GROUP)}


def load(platform: str) -> Connect:
    """The function that connects an account of this platform; raises UnknownPlatform."""
    for point in entry_points(group=GROUP, name=platform):
        connect: Connect = point.load()
        return connect
    known = ", ".join(sorted(platforms())) or "none"
    raise UnknownPlatform(f"{platform}: no connector of that name is installed (installed: {known})")
