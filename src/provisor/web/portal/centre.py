"""The admin centre: what every section of it has at hand, and the small words that its pages share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from provisor.errors import NotFound
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.flash import Next, redirect
from provisor.web.html.guard import Guard, Handler, form_of
from provisor.web.html.live import Closing
from provisor.web.html.templating import render

if TYPE_CHECKING:
    from provisor.app.services import AppServices

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Centre:
    """The services, the wrapper that asks who the browser is, and what says that the server ends."""

    app: AppServices
    guard: Guard
    closing: Closing

    def page(self, path: str, handler: Handler) -> Route:
        """A page to be looked at by whoever has signed in; the services decide what they may see."""
        return Route(path, self.guard.signed_in(handler), methods=["GET"])

    def action(self, path: str, handler: Handler, *, max_body: int | None = None) -> Route:
        """Where a form goes, its token checked. ``max_body``: of an uploaded file's form, in bytes."""
        return Route(path, self.guard.signed_in(handler, max_body=max_body), methods=["POST"])


def show(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page of the admin centre; ``may(right)`` tells templates what to offer."""
    session: Session = request.state.session
    rights = {right.name.lower(): right in session.actor.rights for right in Right}
    return render(request, f"portal/{template}", status=status, may=rights, **context)


def confirm(
    request: Request,
    *,
    title: str,
    text: Sequence[str],
    action: str,
    verb: str,
    back: str,
    danger: bool = True,
    fields: dict[str, str] | None = None,
) -> HTMLResponse:
    """ "Are you sure": a dialog with scripts, a page of its own without."""
    return render(
        request,
        "confirm.html",
        title=title,
        text=text,
        action=action,
        verb=verb,
        back=back,
        danger=danger,
        fields=fields or {},
        form=form_of(request),
    )


def done(request: Request, address: str, said: str, then: Next | None = None) -> RedirectResponse:
    """After a form: the page that is next, what it says, and what it offers."""
    return redirect(request, address, said, then=then)


def nothing(what: str, hint: str = "It may have been removed meanwhile.") -> NotFound:
    """There is no such thing, or not here."""
    return NotFound(f"There is no such {what} in this directory.", hint=hint)


def downloaded(pieces: Any, name: str, media_type: str) -> Response:
    """A file for the browser to keep."""
    from starlette.responses import StreamingResponse

    quoted = name.replace('"', "")
    headers = {
        "content-disposition": f'attachment; filename="{quoted}"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(pieces, media_type=media_type, headers=headers)


def joined(words: Iterable[str], last: str = "and") -> str:
    """a, b and c."""
    *most, end = [*words] or [""]
    return f"{', '.join(most)} {last} {end}" if most else end
