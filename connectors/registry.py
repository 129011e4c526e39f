"""Finds a platform's connector and its login by name through entry points; imports one only when asked."""

from importlib.metadata import entry_points

from connectors.base import Connect, Login

GROUP = "kairos.connectors"
LOGINS = "kairos.logins"


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
    raise UnknownPlatform(f"{platform}: no connector of that name is installed ({_installed()})")


def load_login(platform: str) -> Login | None:
    """What asks for this platform's credentials, or None where it needs none."""
    for point in entry_points(group=LOGINS, name=platform):
        login: Login = point.load()
        return login
    return None


def _installed() -> str:
    """Platforms by the distribution that brings them, in words."""
    brought: dict[str, list[str]] = {}
    for platform, distribution in sorted(platforms().items()):
        brought.setdefault(distribution, []).append(platform)
    of_each = (f"{', '.join(names)} from {distribution}" for distribution, names in sorted(brought.items()))
    return f"installed: {'; '.join(of_each) or 'none'}"
