"""What a campaign file may say, as pydantic models; reading the file and its checks live elsewhere."""

import hashlib
import json
import re
from datetime import date, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, PrivateAttr, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from bot.campaign.values import (
    WEEKDAYS,
    AccountName,
    Clock,
    Day,
    Duration,
    FixedTime,
    Handle,
    Mode,
    Number,
    Pick,
    Share,
    Slug,
    Text,
    Version,
    WallClock,
    Weekday,
    Whole,
    Zone,
    parse_fixed,
)

PRESETS: dict[str, dict[str, float]] = {
    "balanced": {"like": 1, "reply": 3, "share": 2, "click": 1},
    "clicks": {"click": 1},
    "conversation": {"reply": 5, "share": 2, "like": 1},
}
PLURALS = {
    "like": "likes",
    "reply": "replies",
    "share": "shares",
    "click": "clicks",
    "impression": "impressions",
}
"""The file's word for an action -> its name in `Objective.weights` and in forecasts."""


class Part(BaseModel):
    """Any part of a campaign file: unknown keys are errors, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Objective(Part):
    """What counts as success: a weight for each action, or the name of a preset."""

    like: Number = Field(default=0, ge=0, description="What one like is worth.")
    reply: Number = Field(default=0, ge=0, description="What one reply is worth.")
    share: Number = Field(default=0, ge=0, description="What one share, repost or boost is worth.")
    click: Number = Field(default=0, ge=0, description="What one click on a link is worth.")
    impression: Number = Field(default=0, ge=0, description="What one showing is worth.")

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value not in PRESETS:
            raise ValueError(f"{value!r} is no preset: choose {', '.join(PRESETS)}, or weigh the actions")
        return PRESETS[value]

    @model_validator(mode="after")
    def _wants_something(self) -> Self:
        if not self.weights:
            raise ValueError("at least one action needs a weight above 0")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """Weights above 0 by plural action name (likes, replies, shares, clicks, impressions)."""
        return {plural: getattr(self, word) for word, plural in PLURALS.items() if getattr(self, word) > 0}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        weights = handler.resolve_ref_schema(handler(core_schema))
        return {"anyOf": [{"enum": list(PRESETS)}, weights], "description": cls.__doc__}


class Window(Part):
    """The part of the week in which posts may go out, in local time."""

    days: list[Day] = Field(default=list(WEEKDAYS), min_length=1, description="Weekdays: mon tue wed thu fri sat sun.")
    from_: Clock = Field(default=time(8), alias="from", description='First local time of day, such as "08:00".')
    to: Clock = Field(
        default=time(21), description='Local time of day from which on nothing goes out, such as "21:00".'
    )


class When(Part):
    """When posts go out."""

    window: Window = Field(default_factory=Window, description="Days and hours in which posts may go out.")
    posts_per_week: Whole = Field(default=5, ge=1, le=84, description="Posts a week on each account.")
    pick: Pick = Field(default="best", description="best: forecast; fixed: the times in `at`; even: evenly spread.")
    at: list[FixedTime] = Field(default=[], description='Local times for `pick: fixed`: "mon 09:00" or "09:00".')
    holdout: Share = Field(
        default=0.1, description="Share of slots filled at random, to measure the lift (at most 50%)."
    )
    spacing: Duration = Field(default=timedelta(hours=2), description="Least time between two posts of one account.")
    late_limit: Duration = Field(
        default=timedelta(hours=6), description="A post later than this is dropped, not sent late."
    )

    @property
    def fixed_times(self) -> list[tuple[Weekday | None, time]]:
        """`at` as (weekday or None for every day, local time of day)."""
        return [parse_fixed(entry) for entry in self.at]


class Variant(Part):
    """One wording. What it leaves out, the post gives."""

    id: Slug | None = Field(default=None, description="Name of the wording; 1, 2, 3 ... where left out.")
    text: Text = Field(description="The text; {title} and {link} stand for the post's own.")
    kind: Slug | None = Field(default=None, description="What sort of post it is (text, link, photo, question ...).")
    title: Text | None = Field(default=None, description="Title, for platforms that have one.")
    link: Text | None = Field(default=None, description="Address the wording leads to.")
    target: Text | None = Field(default=None, description="Where on the platform, such as a subreddit.")


class Wording(Part):
    """How a post reads on one platform or account."""

    text: Text | None = Field(default=None, description="The text on this platform, instead of the post's wordings.")
    variants: list[Variant] = Field(default=[], description="Several wordings on this platform.")
    kind: Slug | None = Field(default=None, description="Its kind on this platform.")
    title: Text | None = Field(default=None, description="Its title on this platform.")
    link: Text | None = Field(default=None, description="Its link on this platform.")
    target: Text | None = Field(default=None, description="Its target on this platform, such as a subreddit.")


class Picture(Part):
    """A picture beside the campaign file, and its description for those who cannot see it."""

    file: Text = Field(description="Path from the campaign file.")
    alt: Text = Field(description="What the picture shows, in words.")


class Recurring(Part):
    """A post that comes again."""

    every: Duration = Field(description="How often, at least 7d.")
    until: date | None = Field(default=None, description="Last local date it may go out.")
    times: Whole | None = Field(default=None, ge=1, le=520, description="How many times in all.")


class PostItem(Part):
    """One thing to say, in one or several wordings."""

    id: Slug = Field(description="Name of the post, unique in the campaign.")
    text: Text | None = Field(default=None, description="The text, where there is one wording.")
    variants: list[Variant] = Field(default=[], description="Several wordings of the same post; one of them goes out.")
    on: dict[str, Wording] = Field(default={}, description="Wordings by platform (x) or account (x/brand).")
    title: Text | None = Field(default=None, description="Title, for platforms that have one.")
    link: Text | None = Field(default=None, description="Address the post leads to.")
    media: list[Picture] = Field(default=[], max_length=10, description="Pictures that go with it.")
    kind: Slug | None = Field(default=None, description="What sort of post it is (text, link, photo, question ...).")
    recurring: Recurring | None = Field(default=None, description="Comes again, with an end.")
    at: WallClock | None = Field(default=None, description='Exactly then: a local time such as "2026-12-01 09:30".')
    accounts: list[AccountName] = Field(default=[], description="Only on these of the campaign's accounts.")
    target: Text | None = Field(default=None, description="Where on the platform, such as a subreddit.")


class Source(Part):
    """Where more posts come from: a feed, a table or a folder, each item once."""

    id: Slug | None = Field(
        default=None, description="Name of the source; its kind and place in the list where left out."
    )
    rss: Text | None = Field(default=None, description="Address or path of an RSS or Atom feed.")
    csv: Text | None = Field(default=None, description="Path of a CSV file with a column `text` or `title`.")
    folder: Text | None = Field(default=None, description="Path of a folder of markdown files.")
    text: Text | None = Field(default=None, description="Wording of each item: {title} {link} {summary}.")
    variants: list[Variant] = Field(default=[], description="Several wordings of each item, same placeholders.")
    limit: Whole | None = Field(default=None, ge=1, le=1000, description="At most so many new items at each look.")

    @property
    def name(self) -> str:
        """Its id, or what it reads where it has none."""
        return self.id or self.rss or self.csv or self.folder or "source"


class ReplyRule(Part):
    """One thing people ask, and the stored answer."""

    intent: Slug = Field(description="Name of what is asked, unique in the campaign.")
    examples: list[Text] = Field(min_length=1, description="Ways people ask it; five to eight work well.")
    answer: Text = Field(description="The answer, word for word; {link} stands for the rule's link.")
    link: Text | None = Field(default=None, description="Address the answer leads to.")
    threshold: Number = Field(
        default=0.55, gt=0, le=1, description="Least similarity (0 to 1) at which the rule applies."
    )
    mode: Mode | None = Field(default=None, description="draft, approve or auto for this rule alone.")

    @property
    def filled(self) -> str:
        """The answer as it is sent, with its link."""
        return fill(self.answer, link=self.link)


class Replies(Part):
    """What is answered when people write to us."""

    knowledge: list[Text] = Field(default=[], description="Markdown files answers may be drafted from (not read yet).")
    rules: list[ReplyRule] = Field(default=[], description="Questions and their answers.")
    mode: Mode | None = Field(default=None, description="draft, approve or auto for all replies.")


class Campaign(Part):
    """What an owner wants said, where, when and to what end."""

    version: Version = Field(description="Version of this format: 1.")
    name: Slug = Field(description="Name of the campaign: lower-case letters, digits, - and _.")
    objective: Objective = Field(
        default_factory=lambda: Objective(**PRESETS["balanced"]),
        description="What counts as success: weights by action, or balanced, clicks, conversation.",
    )
    accounts: list[AccountName] = Field(min_length=1, description="Accounts it posts to, as platform/name.")
    timezone: Zone = Field(description="IANA zone of all local times, such as Europe/Berlin.")
    mode: Mode = Field(default="approve", description="draft: only plan; approve: a person says yes; auto: go out.")
    budget: dict[str, Number] = Field(default={}, description="Most money per month: x_usd_per_month: 5.")
    when: When = Field(default_factory=When, description="Days, hours, pace and spacing of posts.")
    posts: list[PostItem] = Field(default=[], description="What is said.")
    sources: list[Source] = Field(default=[], description="Where more posts come from.")
    replies: Replies = Field(default_factory=Replies, description="What is answered.")
    mentions_allowed: list[Handle] = Field(default=[], description="Handles that posts may name; no others.")
    hashtags: list[Handle] = Field(default=[], description="Hashtags that posts may carry; no others, five a post.")
    snapshots: list[Duration] = Field(
        default=[
            timedelta(hours=1),
            timedelta(hours=6),
            timedelta(days=1),
            timedelta(days=2),
            timedelta(days=7),
        ],
        min_length=1,
        description="Ages at which a post's engagement is measured.",
    )

    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """The folder of the campaign file; paths in it start here."""
        return self._folder

    def in_folder(self, folder: Path) -> Self:
        """The same campaign, its paths starting at another folder."""
        moved = self.model_copy()
        object.__setattr__(moved, "__pydantic_private__", {"_folder": folder})
        return moved

    def on_account(self, account: str) -> Self:
        """The same campaign for this account alone, whatever accounts its file names."""
        everywhere = [item.model_copy(update={"accounts": []}) for item in self.posts]
        moved = self.model_copy(update={"accounts": [account], "posts": everywhere})
        moved.__dict__.pop("fingerprint", None)  # it says something else now
        return moved.in_folder(self.folder)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what it says, whatever the order of keys, the comments or the folder."""
        content = self.model_dump(mode="json", by_alias=True)
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def accounts_of(self, item: PostItem) -> list[str]:
        """Accounts a post is meant for: its own subset, or all of the campaign's."""
        return item.accounts or self.accounts

    def wording(self, item: PostItem, account: str) -> list[Variant]:
        """The wordings of a post on an account, complete: id, text, kind, title, link; empty where it has none.

        An entry of `on` for the account goes before one for its platform; either goes before the post's own.
        """
        platform = account.partition("/")[0]
        layers: list[tuple[str, Wording | PostItem]] = [("", item)]
        for key in (platform, account):
            if key in item.on:
                layers.insert(0, (key.replace("/", "-").lower(), item.on[key]))
        prefix, spoken = next(((name, layer) for name, layer in layers if layer.variants or layer.text), ("", item))
        bare = spoken.variants or ([Variant(text=spoken.text)] if spoken.text else [])

        def inherited(field: str) -> Any:
            return next((value for _, layer in layers if (value := getattr(layer, field)) is not None), None)

        complete = []
        for place, variant in enumerate(bare, start=1):
            name = variant.id or str(place)
            title, link, target, kind = (
                getattr(variant, field) or inherited(field) for field in ("title", "link", "target", "kind")
            )
            text = fill(variant.text, title=title, link=link)
            complete.append(
                Variant.model_construct(
                    id=f"{prefix}-{name}" if prefix else name,
                    text=text,
                    kind=kind or _kind(text, link, bool(item.media)),
                    title=title,
                    link=link,
                    target=target,
                )
            )
        return complete


def fill(template: str, **values: str | None) -> str:
    """Put values in place of {name}; what has no value stays as it is, and other braces are left alone."""
    return re.sub(r"(?<!\$)\{([a-z_]+)\}", lambda found: values.get(found[1]) or found[0], template)


def _kind(text: str, link: str | None, pictures: bool) -> str:
    if pictures:
        return "photo"
    return "link" if link or re.search(r"https?://", text) else "text"
