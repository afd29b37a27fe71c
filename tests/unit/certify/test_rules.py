"""Every rule has its source, its story and its line in the reference."""

from __future__ import annotations

from pathlib import Path

from provisor.certify.expectations import expectations
from provisor.certify.rendering.reference import render
from provisor.certify.stories import STORIES

_PAGE = Path(__file__).parents[3] / "docs" / "reference" / "certify-rules.md"


def test_every_rule_is_told_by_a_story_and_comes_from_somewhere() -> None:
    names = {story.name for story in STORIES}
    for rule in expectations().values():
        assert rule.story in names
        assert rule.sources
        assert all(source.url.startswith("https://") for source in rule.sources)


def test_the_level_depends_on_whose_requests_they_are() -> None:
    rule = expectations()["change.missing-element"]
    assert rule.seen_by("entra").level == "must"
    assert rule.seen_by("rfc").level == "note"


def test_the_reference_page_is_made_of_the_rules() -> None:
    # To write it anew: python -m provisor.certify.rendering.reference > docs/reference/certify-rules.md
    assert _PAGE.read_text("utf-8") == render()
