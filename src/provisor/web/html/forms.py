"""Pages: what a form holds, with what is wrong of it beside each field, so that it can be shown again as it was.

form = form_of(request)
name = form.text("name", "Give the key a name.")
with form.catching("expires"):
    key, text = await companies.create_key(...)
if not form.ok:
    return render(request, "company/key_add.html", status=422, form=form)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from provisor.errors import Conflict, InvalidInput, NotFound

MAX_BODY = 1024 * 1024
_MOST_FIELDS = 2000
# Of one line of text. The services have limits of their own; these spare them the absurd.
LINE, PAGE = 300, 200_000


class TooLarge(InvalidInput):
    """What was sent is too large."""


@dataclass(slots=True)
class Form:
    """``errors``: field name -> what is wrong with it; the empty name is the form as a whole."""

    values: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, UploadFile] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> Form:
        """A form that nobody has filled in."""
        return cls()

    @classmethod
    def filled(cls, **values: str | Sequence[str]) -> Form:
        """A form as it is shown first."""
        return cls({name: [value] if isinstance(value, str) else list(value) for name, value in values.items()})

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.errors

    def raw(self, name: str) -> str:
        """A field as it came, or nothing."""
        return self.values.get(name, [""])[-1]

    def every(self, name: str) -> list[str]:
        """A field that can be there several times."""
        return self.values.get(name, [])

    def ticked(self, name: str) -> bool:
        """Whether a checkbox was ticked."""
        return self.raw(name) != ""

    def text(self, name: str, missing: str = "", *, most: int = LINE) -> str:
        """A line of text. ``missing``: what to say when it is empty; without it, it may be."""
        found = self.raw(name).strip()
        if not found and missing:
            self.fail(name, missing)
        elif len(found) > most:
            self.fail(name, f"This is too long: {len(found):,} characters. At most {most:,} fit.")
            return ""
        elif any(ord(character) < 32 and character not in "\r\n\t" for character in found):
            self.fail(name, "This contains characters that cannot be seen. Type it, or copy it again.")
            return ""
        return found

    def choice(self, name: str, among: Sequence[str]) -> str:
        """One of several values; the first, where the field is not there at all."""
        found = self.raw(name) or among[0]
        if found not in among:
            self.fail(name, "Choose one of the list.")
            return among[0]
        return found

    def number(self, name: str, least: int, most: int) -> int | None:
        """A whole number, or null where the field is empty."""
        found = self.raw(name).strip()
        if not found:
            return None
        if not (found.isascii() and found.isdigit()) or len(found) > 12 or not least <= int(found) <= most:
            self.fail(name, f"Give a whole number from {least:,} to {most:,}.")
            return None
        return int(found)

    def fail(self, name: str, what: str) -> None:
        """Say what is wrong with a field; the first word on it stays."""
        self.errors.setdefault(name, what)

    @contextmanager
    def catching(self, name: str = "") -> Iterator[None]:
        """What a service finds wrong with what was entered, it says beside the field ``name``."""
        try:
            yield
        except (InvalidInput, Conflict, NotFound) as error:
            self.fail(name, str(error))


async def read_form(request: Request, max_body: int | None = None) -> Form:
    """The form in a request's body. Raises ``TooLarge``, or ``InvalidInput`` for what is no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    most = max_body or MAX_BODY
    if kind == "multipart/form-data":
        return await _multipart(request, most)
    if kind not in ("application/x-www-form-urlencoded", ""):
        raise InvalidInput(f"This address takes a form, not {kind[:60]}.")
    body = b"".join([piece async for piece in _bounded(request, most)])
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise InvalidInput("The form has too many fields.") from error
    form = Form()
    for name, value in pairs:
        form.values.setdefault(name, []).append(_storable(value))
    return form


async def _multipart(request: Request, most: int) -> Form:
    try:
        found = await MultiPartParser(
            request.headers, _bounded(request, most), max_files=5, max_fields=_MOST_FIELDS, max_part_size=MAX_BODY
        ).parse()
    except MultiPartException as error:
        raise InvalidInput(f"The form cannot be read: {error.message}") from error
    form = Form()
    for name, value in found.multi_items():
        if isinstance(value, UploadFile):
            form.files[name] = value
        else:
            form.values.setdefault(name, []).append(_storable(value))
    return form


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    read = 0
    try:
        async for piece in request.stream():
            read += len(piece)
            if read > most:
                raise TooLarge(f"What was sent is larger than {most // 1024:,} KB.", hint="Send less at once.")
            yield piece
    except ClientDisconnect as error:
        raise InvalidInput("The form did not arrive whole.") from error


def _storable(value: str) -> str:
    # PostgreSQL stores no NUL and neither engine a lone surrogate; what replaces them is visible.
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
