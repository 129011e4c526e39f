"""A webhook as a platform of Kairos: each post goes as JSON to one secret address; nothing can be read back."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import httpx

from connectors.base import Capabilities, Counts, Draft, Identity, Limits, MentionPage, Receipt, Ref, Surroundings, Talk
from connectors.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Unavailable


class Webhook:
    """One address. It answers with a status, so most verbs have nothing to tell and say just that."""

    capabilities = Capabilities(replies=False)

    def __init__(self, account: str, url: str, around: Surroundings) -> None:
        self._account, self._url, self._clock = account, url, around.clock

    def check(self) -> Identity:
        return Identity(account_id=self._account, handle=httpx.URL(self._url).host)

    def limits(self) -> Limits:
        return Limits(max_length=4000, max_media=0)

    def length(self, text: str) -> int:
        return len(text)

    def publish(self, draft: Draft, key: str) -> Receipt:
        """One POST, never repeated here: whether it may be sent again is the scheduler's to say."""
        body = {"key": key, "text": draft.text, "parts": draft.parts, "title": draft.title, "link": draft.link}
        try:
            answer = httpx.post(self._url, json=body, timeout=httpx.Timeout(15, connect=5), trust_env=False)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise Unavailable("the webhook cannot be reached") from None
        except httpx.HTTPError:
            raise OutcomeUnknown("the webhook did not answer; it may have the post") from None
        match answer.status_code:
            case 200 | 201 | 202 | 204:
                return Receipt(Ref(key), self._clock())
            case 401 | 403 | 404 | 410:
                raise AuthExpired("the webhook's address is no longer good")
            case 429:
                raise RateLimited("the webhook asks us to wait", self._clock() + timedelta(minutes=15))
            case 500 | 502 | 503 | 504:
                raise OutcomeUnknown("the webhook broke down; it may have the post")
        raise Rejected(f"the webhook refused the post ({answer.status_code})")

    def find(self, draft: Draft, since: datetime) -> None:
        return None

    def measure(self, refs: Sequence[Ref]) -> Mapping[str, Counts]:
        return {ref.id: Counts() for ref in refs}

    def own_posts(self, since: datetime | None) -> tuple[()]:
        return ()

    def mentions(self, cursor: str | None) -> MentionPage:
        return MentionPage((), cursor)

    def delete(self, ref: Ref) -> None:
        raise Rejected("a webhook cannot take a post back")


def connect(account: str, around: Surroundings) -> Webhook:
    """The entry point of `kairos.connectors`."""
    url = around.secret(f"webhook/{account}/url")
    if url is None:
        raise AuthExpired(f"webhook/{account} is not connected: kairos accounts add webhook/{account}")
    return Webhook(f"webhook/{account}", url, around)


def login(account: str, around: Surroundings, talk: Talk) -> None:
    """The entry point of `kairos.logins`: there is no way to prove an address but to post to it."""
    url = talk.ask("Address to post to", hidden=True)
    if around.keep is None or not re.fullmatch(r"https?://[\w.-]+(:\d{1,5})?(/\S*)?", url):
        raise Rejected("that is no address: it has to read https://...")
    around.keep(f"webhook/{account}/url", url)
