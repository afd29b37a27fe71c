"""Source of every flow, files: bytes to text. UTF-8 with or without a byte order mark, and UTF-16 with one. Pure."""

from __future__ import annotations

import codecs

import msgspec

from provisor.directory.files.report import FileFault

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_ADVICE = "save the file as 'CSV UTF-8'"


class Text(msgspec.Struct, frozen=True):
    """A file's text. Characters that could not be read are U+FFFD, and their lines, counted from 1, are ``damaged``."""

    text: str
    faults: list[FileFault]
    damaged: frozenset[int]


def decode(name: str, data: bytes) -> Text:
    """The text of the file called ``name``, with one fault per line that is not what the encoding allows."""
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", "utf-8"))
    body = data[len(mark) :]
    if not mark and b"\0" in body[:4]:
        return Text(
            "", [FileFault(name, 1, None, f"This looks like UTF-16 without a byte order mark: {_ADVICE}.")], frozenset()
        )
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        faults = _undecodable(name, body, encoding)
        text = body.decode(encoding, errors="replace")
    else:
        faults = []
    if "\0" in text:
        known = {fault.line for fault in faults}
        faults += [
            FileFault(name, number, None, "This line contains a NUL character, which no text can hold.")
            for number, line in enumerate(text.split("\n"), start=1)
            if "\0" in line and number not in known
        ]
    return Text(text, faults, frozenset(fault.line for fault in faults))


def _undecodable(name: str, body: bytes, encoding: str) -> list[FileFault]:
    if encoding != "utf-8":
        try:
            body.decode(encoding)
        except UnicodeDecodeError as error:
            line = body[: error.start].decode(encoding, errors="replace").count("\n") + 1
            message = f"Byte {error.start + 3} of the file is not {encoding.upper()} ({error.reason}): {_ADVICE}."
            return [FileFault(name, line, None, message)]
    faults = []
    for number, raw in enumerate(body.split(b"\n"), start=1):
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"Byte {error.start + 1} of this line (0x{raw[error.start]:02X}) is not UTF-8: {_ADVICE}."
            faults.append(FileFault(name, number, None, message))
    return faults
