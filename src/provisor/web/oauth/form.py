"""Token addresses, step 1: the form of a token request, read once and strictly."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from provisor.provider.clients.model import InvalidRequest

_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 8 * 1024


async def read_form(request: Request) -> dict[str, str]:
    """The form's parameters; what has no value was not sent (RFC 6749 section 3.2). Raises ``InvalidRequest``."""
    return _form(request, await _body(request))


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise InvalidRequest(f"The form is larger than {_MOST_BYTES} bytes.")
    return body


def _form(request: Request, body: bytes) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise InvalidRequest(f"The body is not {_FORM}.", hint=f"Send it as {_FORM}.")
    try:
        pairs = parse_qsl(body.decode(), strict_parsing=bool(body), keep_blank_values=True, max_num_fields=32)
    except ValueError:
        raise InvalidRequest("The body is no form.", hint="Send name=value pairs, joined by '&'.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise InvalidRequest("A parameter is there twice.")
    return {name: value for name, value in form.items() if value}
