"""Source of every flow, files: cells that a spreadsheet would take for formulas. Pure.

Whoever can write a name into the directory could otherwise have a formula run on the administrator's machine that opens
the export. Such a cell gets an apostrophe in front on the way out, and loses it on the way in; nothing else changes.
"""

from __future__ import annotations

import re

# What would be a formula, whatever apostrophes stand before it. A telephone number is none that could do harm.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_TELEPHONE = re.compile(r"\+?[0-9 ()./-]+")


def guarded(text: str) -> str:
    """``text`` as it is written to a file."""
    return f"'{text}" if _FORMULA.match(text) and not _TELEPHONE.fullmatch(text) else text


def bared(cell: str) -> str:
    """The text that ``guarded`` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
