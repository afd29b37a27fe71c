"""OData, how texts are compared where case does not count."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """What two texts have in common when they are the same but for case and the way accents are written."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()
