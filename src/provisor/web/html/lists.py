"""Pages: lists with filters that stay in the address, and pages of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

T = TypeVar("T")

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list. ``total``: null where nobody counted. ``previous``, ``next``: addresses, or null.

    ``first``: the number of the first row, from 1; 0 where rows are not numbered.
    """

    rows: Sequence[T]
    first: int = 0
    total: int | None = None
    previous: str | None = None
    next: str | None = None

    @property
    def last(self) -> int:
        """The number of the last row."""
        return self.first + len(self.rows) - 1


def numbered(request: Request, rows: Sequence[T], number: int, size: int, total: int) -> Page[T]:
    """Page ``number`` (from 1) of a list of ``total`` rows that is paged by numbers."""
    return Page(
        rows,
        first=(number - 1) * size + 1 if rows else 0,
        total=total,
        previous=address(request, page=str(number - 1) if number > 2 else "") if number > 1 else None,
        next=address(request, page=str(number + 1)) if number * size < total else None,
    )


def followed(request: Request, rows: Sequence[T], after: str | None, name: str = "after") -> Page[T]:
    """A page of a list that goes on ``after`` a mark; back is what the browser's own button is for, or the start."""
    began = request.query_params.get(name)
    return Page(
        rows,
        previous=address(request, **{name: ""}) if began else None,
        next=address(request, **{name: after}) if after else None,
    )


def page_number(request: Request) -> int:
    """``?page=``, from 1; anything else is the first page."""
    text = request.query_params.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 and int(text) > 0 else 1


def address(request: Request, **changes: str) -> str:
    """This page's address with some of its query changed; what becomes empty goes."""
    query = {**request.query_params, **changes}
    text = urlencode({name: value for name, value in query.items() if value})
    return request.url.path + (f"?{text}" if text else "")


def filters_of(request: Request, names: Mapping[str, str]) -> dict[str, str]:
    """The filters of the address: name -> value, those of ``names`` (name -> default), cut to what is sensible."""
    return {name: request.query_params.get(name, default).strip()[:200] for name, default in names.items()}
