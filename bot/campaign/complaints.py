"""Turns the schema's complaints into lines for a person, with the likely cure; places in the file come later."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.campaign.checks import SECRET
from bot.campaign.json_schema import known_keys
from bot.campaign.problems import Where, did_you_mean, printable
from bot.campaign.schema import PRESETS
from bot.campaign.sheet import Fault
from bot.campaign.values import WEEKDAYS, zones

PLAIN = {
    "string_too_short": "nothing is written here",
    "too_short": "at least one is needed",
    "list_type": "a list is needed: `- item` lines or [item, item]",
    "int_type": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "float_parsing": "a number is needed",
    "finite_number": "a number is needed",
    "date_type": "a date is written as 2027-03-01",
    "date_parsing": "a date is written as 2027-03-01",
    "date_from_datetime_parsing": "a date is written as 2027-03-01",
    "date_from_datetime_inexact": "a date is written as 2027-03-01",
    "recursion_loop": "an alias that holds itself",
}
LIMITS = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
    "too_long": ("max_length", "too many: at most"),
}


def complaints(error: ValidationError) -> Iterator[Fault]:
    """Every fault the schema found, worded; secrets in keys are left to their own check."""
    for details in error.errors(include_url=False):
        where: Where = details["loc"]
        if where and SECRET.search(str(where[-1])):
            continue
        if details["type"] == "extra_forbidden":
            yield Fault(where, _unknown_key(where), key=True)
        else:
            yield Fault(where, _worded(where, details))


def _unknown_key(where: Where) -> str:
    known = known_keys(where[:-1])
    return f"unknown key{did_you_mean(where[-1], known) or ', known here: ' + ', '.join(known)}"


def _worded(where: Where, details: ErrorDetails) -> str:
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    shown = printable(repr(given)) if isinstance(given, str | int | float) else ""
    instead = f", not {shown}" if shown else ""
    if kind == "missing":
        return f"missing: `{where[-1]}` is needed here"
    if kind == "literal_error":
        known = _choices(context)
        return f"{shown or 'this'} is not one of {', '.join(known)}{did_you_mean(given, known)}"
    if kind == "string_type":
        quotes = ": put it in quotes" if shown else ""
        return f"text is needed{instead}{quotes}"
    if kind == "string_pattern_mismatch":
        form = "platform/name" if "accounts" in where else "lower-case letters, digits, - and _ (at most 64)"
        return f"write it as {form}{instead}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"`key: value` lines are needed here{instead}"
    if kind in LIMITS:
        limit, words = LIMITS[kind]
        return f"{words} {context.get(limit, 0):g}{instead if kind != 'too_long' else ''}"
    if kind == "value_error":
        return f"{printable(str(context.get('error')), 200)}{_nearest(where, given)}"
    if kind in PLAIN:
        return f"{PLAIN[kind]}{instead if given != '' else ''}"
    return printable(details["msg"], 200) + instead


def _choices(context: dict[str, Any]) -> list[str]:
    return [word.strip("' ") for word in str(context.get("expected", "")).replace(" or ", ", ").split(",")]


def _nearest(where: Where, given: Any) -> str:
    """A hint for values with a vocabulary of their own."""
    if where == ("timezone",):
        return did_you_mean(given, zones())
    if where == ("objective",):
        return did_you_mean(given, PRESETS)
    if where[:2] == ("when", "at") and isinstance(given, str):
        return did_you_mean(given.strip().rpartition(" ")[0], WEEKDAYS)
    return ""
