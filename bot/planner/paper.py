"""A plan as a file: written whole or not at all, read back only unchanged, refused once the world has moved on."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from bot.campaign.schema import Campaign
from bot.planner.base import Plan

VERSION = 1
_PLAN = TypeAdapter(Plan)


class PlanFileError(Exception):
    """A file that is no plan, or no longer the plan that was written; one line for a person."""


class PlanDrift(Exception):
    """The plan does not fit the world any more; the words say what changed."""


def write(plan: Plan, folder: Path) -> Path:
    """Write the plan into the folder, named by campaign and digest; the same plan again replaces itself."""
    body = _PLAN.dump_python(plan, mode="json")
    file = folder / f"{plan.campaign}-{plan.digest[:12]}.json"
    sheet = {"kairos_plan": VERSION, "digest": plan.digest, "sha256": _seal(body), "plan": body}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_suffix(f".{uuid4().hex}")
    try:
        draft.write_text(json.dumps(sheet, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return file


def read(path: Path) -> Plan:
    """The plan in a file; raises PlanFileError where it is broken or was changed after it was written."""
    try:
        sheet = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanFileError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise PlanFileError(f"{path}: not a plan: {error}; make a new one with `kairos plan`") from error
    if not isinstance(sheet, dict) or "kairos_plan" not in sheet:
        raise PlanFileError(f"{path}: not a plan: name a file that `kairos plan` has written")
    if sheet["kairos_plan"] != VERSION:
        raise PlanFileError(
            f"{path}: written by another version of Kairos (format {sheet['kairos_plan']}, here {VERSION}); plan again"
        )
    body = sheet.get("plan")
    if sheet.get("sha256") != _seal(body):
        raise PlanFileError(f"{path}: changed after it was written, so it is not carried out; plan again")
    try:
        return _PLAN.validate_json(json.dumps(body))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PlanFileError(f"{path}: not a whole plan: {where}: {first['msg']}; plan again") from error


def check_drift(plan: Plan, campaign: Campaign | None, now: datetime) -> None:
    """Refuse a plan that no longer fits: no such campaign, a changed one, or slots that are past. Raises PlanDrift."""
    changes = []
    if campaign is None or plan.campaign != campaign.name:
        changes.append(f"it was made for the campaign {plan.campaign}, which is not part of this run")
    elif strangers := sorted({post.account for post in plan.posts} - set(campaign.accounts)):
        changes.append(f"it was made for {', '.join(strangers)}, which this run does not name; say it with --account")
    elif plan.fingerprint != campaign.fingerprint:
        changes.append(f"the file of {campaign.name} was changed since")
    past = [post for post in plan.posts if post.slot.at <= now]
    if past:
        first = past[0]
        count = f"{len(past)} of {len(plan.posts)} slots {'is' if len(past) == 1 else 'are'} past"
        changes.append(f"{count}, the first {first.slot.local.replace('T', ' ')} ({first.item})")
    if changes:
        raise PlanDrift(
            f"the plan of {plan.at:%Y-%m-%d %H:%M} UTC does not fit any more: {'; '.join(changes)}; plan again"
        )


def _seal(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
