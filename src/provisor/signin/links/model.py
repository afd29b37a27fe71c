"""One-time links, their nouns."""

from __future__ import annotations

from dataclasses import dataclass

from provisor.signin.people import Kind, PersonKey


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is kept, without its text. ``subject_id`` is null of an invitation, which has ``email`` instead.

    ``id`` names it to those who may withdraw it, and opens nothing. Moments in ms UTC.
    """

    id: str
    kind: Kind
    realm_id: str
    subject_id: str | None
    email: str | None
    created_by: str
    created_at: int
    expires_at: int
    used_at: int | None = None

    @property
    def person(self) -> PersonKey | None:
        """Whom it lets in; null of an invitation."""
        return None if self.subject_id is None else PersonKey(self.kind, self.realm_id, self.subject_id)


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that was just made. ``path`` begins with ``/``, and is shown or sent this once."""

    path: str
    link: Link
