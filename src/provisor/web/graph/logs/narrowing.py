"""Graph face, the logs' ``$filter``: what of it the store can look up. Pure.

The whole filter is evaluated on every entry that is read; what is found here only makes those fewer.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisor.odata.tree import And, Compare, Moment, Node, Path, Value

Found = dict[str, str | int]


def narrowed(node: Node | None, texts: dict[Path, str], moment: Path, words: dict[Path, frozenset[str]]) -> Found:
    """Arguments of a store's filter that every entry of the answer meets.

    ``texts``: paths that are compared as they are -> argument; ``words``: paths of enumerations -> their words, which
    are known in one spelling; ``moment``: the path of the entry's time, for ``since`` and ``until``.
    """
    found: Found = {}
    for one in _conditions(node):
        if one.operator == "eq" and one.path in texts and isinstance(one.value, str):
            known = words.get(one.path)
            value = one.value if known is None else _word(one.value, known)
            if value is not None:
                found[texts[one.path]] = value
        elif one.path == moment and isinstance(one.value, Moment):
            _bound(found, one.operator, one.value.ms)
    return found


def _conditions(node: Node | None) -> Iterator[Compare]:
    """What must hold: the comparison itself, or each of several joined by ``and``."""
    if isinstance(node, Compare):
        yield node
    elif isinstance(node, And):
        for one in node.nodes:
            yield from _conditions(one)


def _word(value: Value, known: frozenset[str]) -> str | None:
    return next((word for word in known if isinstance(value, str) and word.casefold() == value.casefold()), None)


def _bound(found: Found, op: str, ms: int) -> None:
    if op in ("gt", "ge", "eq"):
        found["since"] = max(ms, int(found.get("since", ms)))
    if op in ("lt", "le", "eq"):
        # Exclusive, and moments may have parts of a millisecond: one more is never one too few.
        until = ms + 1
        found["until"] = min(until, int(found.get("until", until)))
