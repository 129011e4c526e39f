"""The wordings of a post on an account as they would be sent, and as proposals to policy; no time is chosen here."""

from dataclasses import dataclass

from bot.abilities import Abilities
from bot.campaign.schema import Campaign, PostItem
from bot.policy.base import Proposal
from connectors.base import Draft, Media
from scheduler.drafts import to_json
from scheduler.slots import Slot
from storage.outbox import digest_of, words_of


@dataclass(frozen=True)
class Wording:
    """One way to say a post on an account: the whole draft, its digest, all its words, and its longest part."""

    variant: str
    draft: Draft
    digest: str
    words: str
    length: int


@dataclass(frozen=True)
class Voice:
    """An account as the planner sees it: its name, what its platform can do, and whether this run is live."""

    account: str
    abilities: Abilities
    live: bool

    def propose(self, campaign: Campaign, item: PostItem, wording: Wording, slot: Slot) -> Proposal:
        """The wording in the slot, as policy judges it."""
        return Proposal(
            account=self.account,
            platform=self.account.partition("/")[0],
            campaign=campaign.name,
            item=item.id,
            draft=wording.draft,
            at=slot.at,
            capabilities=self.abilities.capabilities,
            digest=wording.digest,
            needs_approval=campaign.mode != "auto",
            recurring=item.recurring is not None,
            live=self.live,
            length=wording.length,
            max_length=self.abilities.max_length,
        )


def wordings(campaign: Campaign, item: PostItem, account: str, abilities: Abilities) -> tuple[Wording, ...]:
    """The post's wordings on this account, in the file's order; pictures by their whole path."""
    media = tuple(Media(str((campaign.folder / picture.file).resolve()), picture.alt) for picture in item.media)
    found = []
    for variant in campaign.wording(item, account):
        draft = Draft(
            text=variant.text,
            kind=variant.kind or "text",
            title=variant.title,
            link=variant.link,
            media=media,
            target=variant.target,
        )
        stored = to_json(draft)
        words, length = words_of(stored), abilities.longest(draft)
        found.append(Wording(variant.id or "", draft, digest_of(stored), words, length))
    return tuple(found)
