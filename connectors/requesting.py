"""What became of a request that broke under `requests`: whether it may have left; no platform and no answer here."""

import ssl

import requests
import urllib3

from connectors.errors import ConnectorError, OutcomeUnknown, Unavailable

NEVER_LEFT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.LocationValueError,
    ssl.SSLCertVerificationError,
    requests.exceptions.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
)
"""What is raised before a request leaves."""


def broken(platform: str, error: Exception, wrote: bool) -> ConnectorError:
    """Our error for a connection that broke, without its own words, which may hold headers; `wrote`: by a write."""
    if _never_left(error):
        return Unavailable(f"{platform} could not be reached")
    if isinstance(error, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError):
        return lost(f"{platform} did not answer in time", wrote)
    return lost(f"the connection to {platform} broke ({type(error).__name__})", wrote)


def lost(words: str, wrote: bool) -> ConnectorError:
    """Our error where no usable answer came."""
    return OutcomeUnknown(f"{words}; it may be public") if wrote else Unavailable(words)


def _never_left(error: BaseException) -> bool:
    inner = getattr(error, "reason", None) or next((one for one in error.args if isinstance(one, BaseException)), None)
    return isinstance(error, NEVER_LEFT) or (isinstance(inner, BaseException) and _never_left(inner))
