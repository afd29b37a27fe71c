"""Settings of a job by name: texts in, fields out, and back."""

from __future__ import annotations

import msgspec
import pytest

from provisor.applications.model import JobSettings
from provisor.errors import InvalidInput
from provisor.provisioning.settings import SETTINGS, duration, read_settings, seconds, shown_settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [("PT40M", 2400), ("40m", 2400), ("2400", 2400), ("2h", 7200), ("pt1h30m", 5400), ("P1D", 86_400), ("90s", 90)],
)
def test_an_interval_is_written_in_many_ways(text: str, expected: int) -> None:
    assert seconds(text) == expected
    assert seconds(duration(expected)) == expected


@pytest.mark.parametrize("text", ["", "PT", "59s", "31d", "-5m", "soon", "1.5h"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="interval"):
        seconds(text)


def test_what_is_shown_is_read_back_as_it_was() -> None:
    before = JobSettings(sync_all=True, interval_seconds=90, nested_groups=True, group_rename="Replace")
    read = read_settings(shown_settings(before), JobSettings())
    assert msgspec.convert({**msgspec.to_builtins(JobSettings()), **read}, JobSettings) == before
    assert set(shown_settings(before)) == set(SETTINGS)


def test_parts_of_the_notification_change_alone() -> None:
    before = msgspec.convert({"notification": {"enabled": True, "recipients": "a@b.example"}}, JobSettings)
    read = read_settings({"delete-threshold-value": "7", "delete-threshold": "on"}, before)
    changed = msgspec.convert(read, JobSettings).notification
    assert changed == msgspec.structs.replace(
        before.notification, delete_threshold_enabled=True, delete_threshold_value=7
    )


def test_settings_stored_by_an_earlier_version_are_read() -> None:
    stored = b'{"sync_all":true,"interval_seconds":600,"dialect":"entra"}'
    assert msgspec.json.decode(stored, type=JobSettings).group_rename == "Skip"


@pytest.mark.parametrize(
    ("key", "text", "says"), [("scope", "some", "scope"), ("colour", "red", "colour"), ("notify", "maybe", "nor off")]
)
def test_a_wrong_setting_is_named(key: str, text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read_settings({key: text}, JobSettings())
