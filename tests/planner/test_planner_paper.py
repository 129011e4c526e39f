"""A plan on paper: it comes back as it was, tampering is seen, and a plan the world has left behind is refused."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.attention.forecast import Attended
from bot.planner.base import Plan
from bot.planner.paper import PlanDrift, PlanFileError, check_drift, read, write
from bot.planner.plan import plan


@pytest.fixture(scope="module")
def rich(make: Any) -> Plan:
    """A plan with everything in it: pictures, links, refusals, a holdout, posts without a place."""
    item = {
        "id": "rich",
        "title": "Über ✓",
        "link": "https://a.example/1",
        "target": "place",
        "media": [{"file": "shot.png", "alt": "A shot"}],
        "variants": [{"text": "Look: {link}"}, {"text": "Hello @stranger"}],
    }
    taste = make.taste(lambda candidate: candidate.at.hour / 10)
    taste.attended = (Attended(0, 0.123456789),)
    past = [make.measured(7, make.monday - timedelta(days=8), 10)]
    campaign = make.campaign([*make.items(9), item], when={"holdout": 0.5, "posts_per_week": 10})
    return plan(campaign, make.desk(forecaster=taste, past=past, explore=True))


def test_a_plan_comes_back_as_it_was(rich: Plan, tmp_path: Path) -> None:
    file = write(rich, tmp_path / "plans")
    assert file.name == f"launch-{rich.digest[:12]}.json"
    back = read(file)
    assert back == rich
    assert back.digest == rich.digest == json.loads(file.read_text(encoding="utf-8"))["digest"]
    assert write(back, tmp_path / "plans") == file
    assert [path.name for path in (tmp_path / "plans").iterdir()] == [file.name]


def test_any_change_to_what_was_written_is_seen(rich: Plan, tmp_path: Path) -> None:
    file = write(rich, tmp_path)
    for change in (
        lambda body: body["posts"][0]["draft"].update(text="Buy now"),
        lambda body: body["posts"][0].update(propensity=1.0),
        lambda body: body["posts"].pop(),
        lambda body: body.update(campaign="other"),
    ):
        sheet = json.loads(file.read_text(encoding="utf-8"))
        change(sheet["plan"])
        spoilt = tmp_path / "spoilt.json"
        spoilt.write_text(json.dumps(sheet), encoding="utf-8")
        with pytest.raises(PlanFileError, match=r"spoilt.json: changed after it was written"):
            read(spoilt)


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_a_broken_file_is_refused_in_one_line(rich: Plan, tmp_path_factory: Any, data: st.DataObject) -> None:
    file = write(rich, tmp_path_factory.getbasetemp() / "broken")
    whole = file.read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 3))
    junk = data.draw(st.binary(min_size=0, max_size=8))
    file.write_bytes(whole[:cut] + junk)
    with pytest.raises(PlanFileError) as told:
        read(file)
    assert "\n" not in str(told.value)
    assert str(told.value).startswith(str(file))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "not a plan"),
        ('{"posts": []}', "not a plan"),
        ('{"kairos_plan": 99, "plan": {}}', "another version"),
        ('{"kairos_plan": 1}', "changed after it was written"),
    ],
)
def test_a_file_that_is_no_plan_says_so(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(PlanFileError, match=words):
        read(tmp_path / "x.json")


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PlanFileError, match="cannot be read: No such file"):
        read(tmp_path / "none.json")


def test_a_plan_in_the_right_shape_but_incomplete_is_refused(rich: Plan, tmp_path: Path) -> None:
    from bot.planner import paper

    body = json.loads(write(rich, tmp_path).read_text(encoding="utf-8"))["plan"]
    del body["posts"][0]["slot"]
    (tmp_path / "x.json").write_text(json.dumps({"kairos_plan": 1, "sha256": paper._seal(body), "plan": body}))
    with pytest.raises(PlanFileError, match=r"not a whole plan: posts\.0\.slot: "):
        read(tmp_path / "x.json")


def test_a_fresh_plan_has_not_drifted(make: Any) -> None:
    campaign = make.campaign()
    check_drift(plan(campaign, make.desk()), campaign, make.monday + timedelta(minutes=1))


def test_a_changed_campaign_past_slots_and_a_foreign_campaign_are_drift(make: Any) -> None:
    campaign = make.campaign()
    made = plan(campaign, make.desk(forecaster=make.taste(lambda candidate: -make.hour(candidate) / 10)))
    with pytest.raises(PlanDrift, match="the file of launch was changed since; plan again"):
        check_drift(made, make.campaign(mode="approve"), make.monday)
    slot = made.posts[0].slot
    with pytest.raises(PlanDrift, match=rf"1 of 3 slots is past, the first {slot.local.replace('T', ' ')} \(p0\)"):
        check_drift(made, campaign, slot.at)
    for other in (None, make.campaign(name="other")):
        with pytest.raises(PlanDrift, match="made for the campaign launch, which is not part of this run"):
            check_drift(made, other, make.monday)
    with pytest.raises(PlanDrift, match="was changed since; 3 of 3 slots are past"):
        check_drift(made, make.campaign(mode="approve"), make.monday + timedelta(days=8))


def test_a_plan_for_another_account_says_which(make: Any) -> None:
    campaign = make.campaign()
    made = plan(campaign.on_account("other/page"), make.desk())
    with pytest.raises(PlanDrift, match="made for other/page, which this run does not name; say it with --account"):
        check_drift(made, campaign, make.monday)
