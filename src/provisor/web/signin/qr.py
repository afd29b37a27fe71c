"""Pages of signing in: a QR code as an image that the pages' policy allows, made here and sent to nobody."""

from __future__ import annotations

import segno


def qr_image(text: str) -> str:
    """A ``data:`` address of an SVG image, black on white in both themes, as cameras want it."""
    return segno.make(text, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff")
