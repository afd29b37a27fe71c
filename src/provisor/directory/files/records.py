"""Source of every flow, files: text to records, each with the line that it begins in. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import msgspec


class Record(msgspec.Struct, frozen=True):
    """A record: its first line, counted from 1, its last one, and its cells; of a ``broken`` one the reason instead."""

    line: int
    last_line: int
    cells: list[str]
    broken: str | None = None


def records(text: str) -> Iterator[Record]:
    """The records that hold anything. Line ends may be LF, CRLF or CR; quoted cells may contain them.

    After a quote that is never closed nothing more comes, since all that follows is inside it.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            endless = "expected after" not in str(error)
            yield Record(line, reader.line_num, [], _why(line, reader.line_num, endless))
            if endless:
                return
        else:
            if any(cells):
                yield Record(line, reader.line_num, cells)


def _why(line: int, last_line: int, endless: bool) -> str:
    if endless:
        return "A quote that is opened in this record is never closed; nothing after it could be read."
    reach = f" (it was read to line {last_line})" if last_line > line else ""
    return f"The quotes in this record do not pair up{reach}: a quote inside a cell is doubled, and the cell quoted."
