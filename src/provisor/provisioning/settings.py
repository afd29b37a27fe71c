"""Settings of a job as people write them, ``scope=all``, ``interval=PT20M``: texts in, ``JobSettings`` out. Pure.

One table says what there is; the command line, the portals and the documentation share it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from provisor.applications.model import JobSettings
from provisor.connector.dialect import load_dialect
from provisor.errors import InvalidInput

_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE)
_SHORT = re.compile(r"(\d+)\s*([smhd]?)", re.IGNORECASE)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SHORTEST, _LONGEST = 60, 30 * 86_400


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``field`` is that of ``JobSettings``, with a dot inside ``notification``; ``values``: what it
    takes."""

    key: str
    field: str
    values: str
    about: str
    read: Callable[[str], object]
    show: Callable[[Any], str]


def duration(seconds: int) -> str:
    """ISO 8601: 2400 is ``PT40M``, 90 ``PT1M30S``."""
    hours, rest = divmod(seconds, 3_600)
    minutes, left = divmod(rest, 60)
    parts = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes) + f"{left}S" * bool(left)
    return f"PT{parts or '0S'}"


def seconds(text: str) -> int:
    """From ISO 8601 (``PT40M``), or short (``40m``, ``2h``, ``90``). Raises ``InvalidInput``."""
    found = None
    if match := _ISO.fullmatch(text.strip()):
        days, hours, minutes, left = (int(part or 0) for part in match.groups())
        found = days * 86_400 + hours * 3_600 + minutes * 60 + left
    elif match := _SHORT.fullmatch(text.strip()):
        found = int(match[1]) * _UNITS[match[2].lower()]
    if found is None or not _SHORTEST <= found <= _LONGEST:
        raise InvalidInput(f"{text!r} is no interval.", hint="Give one from 1 minute to 30 days: PT40M, 40m, 2h.")
    return found


def _choice(key: str, field: str, about: str, words: Mapping[str, object]) -> Setting:
    def read(text: str) -> object:
        if text.strip().lower() not in words:
            raise InvalidInput(f"{text!r} is none of {', '.join(words)}.")
        return words[text.strip().lower()]

    names = {value: word for word, value in words.items()}
    return Setting(key, field, "|".join(words), about, read, names.__getitem__)


def _flag(text: str) -> bool:
    known = {"on": True, "off": False, "true": True, "false": False, "yes": True, "no": False}
    if text.strip().lower() not in known:
        raise InvalidInput(f"{text!r} is neither on nor off.")
    return known[text.strip().lower()]


def _on_off(key: str, field: str, about: str) -> Setting:
    return Setting(key, field, "on|off", about, _flag, lambda value: "on" if value else "off")


def _dialect(text: str) -> str:
    return load_dialect(text.strip()).name


def _number(text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise InvalidInput(f"{text!r} is no whole number above 0.")
    return int(text)


_GUARD = "notification.delete_threshold_value"
_RENAME = "what a new name of a group does in a target that renames none: nothing, or a new group replaces it"
SETTINGS: Mapping[str, Setting] = {
    setting.key: setting
    for setting in (
        _choice("scope", "sync_all", "who is provisioned", {"assigned": False, "all": True}),
        Setting("interval", "interval_seconds", "PT40M, 40m, 2h", "time between scheduled cycles", seconds, duration),
        _on_off("default-access", "default_access_provisioned", "an assignment without a role counts"),
        _on_off("nested-groups", "nested_groups", "who is in a group inside a group counts as its member"),
        _on_off("skip-out-of-scope-deletions", "skip_out_of_scope_deletions", "who leaves the scope keeps the account"),
        _choice("group-rename", "group_rename", _RENAME, {"skip": "Skip", "replace": "Replace"}),
        _on_off("match-aliases", "match_aliases", "an initial cycle looks for a person's other addresses as well"),
        Setting("dialect", "dialect", "provisor|entra|entra-aadOptscim062020", "the shape of requests", _dialect, str),
        _on_off("notify", "notification.enabled", "a message when the job is quarantined"),
        Setting("notify-address", "notification.recipients", "an address", "whom it goes to", str.strip, str),
        _on_off("delete-threshold", "notification.delete_threshold_enabled", "too many deletions at once are held"),
        Setting("delete-threshold-value", _GUARD, "a number", "how many those are", _number, str),
    )
}

WARNINGS: Mapping[tuple[str, object], str] = {
    ("group_rename", "Replace"): (
        "A renamed group is replaced by a new one: rights that the application tied to the old group's id are lost."
    ),
}


def read_settings(texts: Mapping[str, str], before: JobSettings) -> dict[str, object]:
    """``JobSettings`` fields from keys and texts. Raises ``InvalidInput`` that names the key and what it takes."""
    changes: dict[str, object] = {}
    inside: dict[str, dict[str, object]] = {}
    for key, text in texts.items():
        setting = SETTINGS.get(key.strip().lower().replace("_", "-"))
        if setting is None:
            raise InvalidInput(f"A job has no setting {key!r}.", hint=f"It has {', '.join(SETTINGS)}.")
        try:
            value = setting.read(text)
        except InvalidInput as error:
            hint = error.hint or f"It takes {setting.values}."
            raise InvalidInput(f"{setting.key}: {error.message}", hint=hint) from error
        outer, _, inner = setting.field.partition(".")
        if inner:
            inside.setdefault(outer, msgspec.to_builtins(getattr(before, outer)))[inner] = value
        else:
            changes[outer] = value
    return {**changes, **inside}


def shown_settings(settings: JobSettings) -> dict[str, str]:
    """Key -> text, as ``read_settings`` takes them."""
    shown: dict[str, str] = {}
    for setting in SETTINGS.values():
        outer, _, inner = setting.field.partition(".")
        value = getattr(settings, outer)
        shown[setting.key] = setting.show(getattr(value, inner) if inner else value)
    return shown


def warnings_of(changes: Mapping[str, object]) -> list[str]:
    """What a person should know before these changes do it."""
    return [text for (field, value), text in WARNINGS.items() if changes.get(field) == value]
