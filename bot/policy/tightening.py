"""What a campaign file says to the rules; it can only tighten them."""

from bot.campaign.schema import Campaign
from bot.policy.base import Settings


def settings_of(campaign: Campaign) -> Settings:
    """The campaign's settings for the rules; without a list of hashtags only their number is limited."""
    return Settings(
        mentions_allowed=frozenset(campaign.mentions_allowed),
        hashtags=frozenset(campaign.hashtags) if "hashtags" in campaign.model_fields_set else None,
    )
