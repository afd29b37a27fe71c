"""Step export, for the log: one request and its reply as a person may see them. The secret never gets in here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from provisor.connector.transport import Response

BLACK = "█████"
_EXCERPT = 300
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply. Cheap to make: texts are rendered only when somebody looks.

    ``headers`` are those of the request, the token blacked out. ``response`` is null where none came.
    Show what the properties return: the secret is blacked out of it, also where the server repeated it.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    response: Response | None
    duration_ms: int
    secret: Secret = field(repr=False)

    @property
    def request_line(self) -> str:
        _, _, rest = self.url.partition("://")
        path = rest[rest.find("/") :] if "/" in rest else ""
        return self.secret.black(f"{self.method} {path.partition('#')[0]}")

    @property
    def request_body(self) -> str:
        return self.secret.black((self.body or b"").decode("utf-8", "replace"))

    @property
    def status(self) -> int | None:
        return self.response.status if self.response else None

    @property
    def response_body(self) -> str:
        return self.secret.black(self.response.body.decode("utf-8", "replace")) if self.response else ""

    def excerpt(self) -> str:
        """The beginning of the reply as one line of at most 300 characters, without HTML's tags."""
        text = " ".join(_TAGS.sub(" ", self.response_body[: 20 * _EXCERPT]).split())
        return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"


class Secret:
    """The token, only to be searched for and blacked out. Prints as nothing."""

    __slots__ = ("_token",)

    def __init__(self, token: str | None) -> None:
        self._token = token or ""

    def __repr__(self) -> str:
        return BLACK

    def black(self, text: str) -> str:
        """``text`` without the token: a server may well repeat it in what it answers."""
        return text.replace(self._token, BLACK) if self._token else text
