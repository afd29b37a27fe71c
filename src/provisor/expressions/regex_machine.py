"""Processing: a matcher that no pattern can hang.

It searches as `re` does, depth first, the preferred way first, so it finds the same match with the same groups. But it
remembers every (instruction, place) that it has been at: a second arrival cannot do better than the first, which
failed. So the work is at most instructions × places, where backtracking may be exponential. Back references make
arrivals differ, so with them nothing is remembered. In any case the steps are counted, and too many are an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from provisor.expressions.errors import EvaluationError
from provisor.expressions.regex_syntax import RegexError, Syntax
from provisor.expressions.regex_tree import (
    Assertion,
    Atomic,
    Backreference,
    Choice,
    Group,
    Look,
    Node,
    One,
    Repeat,
    Sequence,
    nullable,
)

MAX_PROGRAM = 5_000
"""Instructions: counted repetitions are written out."""
MAX_STEPS = 500_000
"""Steps for one search, or for one replacement over a whole text: well below a second."""

Program: TypeAlias = "list[tuple[int, Any, int]]"
"""Instructions: (operation, argument, target)."""
Spans: TypeAlias = tuple[tuple[int, int], ...]
"""Where the match and each group begin and end; (-1, -1) for a group that took no part. As `re.Match.regs`."""

_ONE, _SPLIT, _JUMP, _SAVE, _ASSERT, _SUB, _BACK, _CHECK, _END = range(9)


class _Character:
    """Whether a character matches; remembers its answers."""

    __slots__ = ("known", "pattern")

    def __init__(self, source: str) -> None:
        self.pattern = re.compile(source)
        self.known: dict[str, bool] = {}

    def __call__(self, character: str) -> bool:
        answer = self.known.get(character)
        if answer is None:
            answer = self.known[character] = self.pattern.fullmatch(character) is not None
        return answer


@dataclass(slots=True)
class _Sub:
    """A look-around or an atomic group: a search of its own within the search."""

    program: Program
    width: int | None
    negative: bool
    consumes: bool


@dataclass(slots=True)
class Budget:
    """Counts the steps of one evaluation."""

    left: int = MAX_STEPS

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise EvaluationError(
                "the regular expression takes too long on this text.",
                hint="Make it more definite: one repetition instead of several that can match the same characters.",
            )


@dataclass(slots=True)
class Machine:
    """A compiled pattern."""

    syntax: Syntax
    program: Program = field(default_factory=list)
    slots: int = 0

    def __post_init__(self) -> None:
        builder = _Builder(2 * (self.syntax.count + 1))
        self.program = builder.program_of(self.syntax.root)
        self.slots = builder.slots

    def search(self, text: str, start: int, budget: Budget) -> Spans | None:
        """The first match that begins at ``start`` or later. Raises `EvaluationError` when the budget is spent."""
        search = _Search(text, self.slots, budget, remember=not self.syntax.has_backreference)
        seen = search.seen()
        for place in range(start, len(text) + 1):
            end = search.run(self.program, place, seen)
            if end is not None:
                slots = search.slots
                groups = [(slots[2 * i], slots[2 * i + 1]) for i in range(1, self.syntax.count + 1)]
                return ((place, end), *((s, e) if s >= 0 and e >= 0 else (-1, -1) for s, e in groups))
        return None


class _Builder:
    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.size = 0
        self.code: Program = []

    def program_of(self, node: Node) -> Program:
        outer, self.code = self.code, []
        self.emit(node)
        self.add(_END)
        program, self.code = self.code, outer
        return program

    def add(self, operation: int, argument: Any = None, target: int = 0) -> int:
        self.size += 1
        if self.size > MAX_PROGRAM:
            raise RegexError("The regular expression is too large.", hint="Use smaller numbers in {n,m}.")
        self.code.append((operation, argument, target))
        return len(self.code) - 1

    def patch(self, index: int, argument: Any, target: int) -> None:
        self.code[index] = (self.code[index][0], argument, target)

    def emit(self, node: Node) -> None:
        match node:
            case One(source):
                self.add(_ONE, _Character(source))
            case Assertion(source):
                self.add(_ASSERT, re.compile(source))
            case Sequence(items):
                for item in items:
                    self.emit(item)
            case Choice(items):
                self.choice(items)
            case Group(item, index):
                self.add(_SAVE, 2 * index)
                self.emit(item)
                self.add(_SAVE, 2 * index + 1)
            case Repeat():
                self.repeat(node)
            case Look(item, negative, width):
                self.add(_SUB, _Sub(self.program_of(item), width, negative, consumes=False))
            case Atomic(item):
                self.add(_SUB, _Sub(self.program_of(item), None, negative=False, consumes=True))
            case Backreference(index, ignore_case):
                self.add(_BACK, index, int(ignore_case))

    def choice(self, items: tuple[Node, ...]) -> None:
        jumps = []
        for item in items[:-1]:
            split = self.add(_SPLIT)
            self.emit(item)
            jumps.append(self.add(_JUMP))
            self.patch(split, split + 1, len(self.code))
        self.emit(items[-1])
        for jump in jumps:
            self.patch(jump, None, len(self.code))

    def repeat(self, node: Repeat) -> None:
        for _ in range(node.low):
            self.emit(node.item)
        if node.high is None:
            self.loop(node)
            return
        splits = []
        for _ in range(node.high - node.low):
            splits.append(self.add(_SPLIT))
            self.emit(node.item)
        for split in splits:
            self.branch(split, node.lazy)

    def loop(self, node: Repeat) -> None:
        split = self.add(_SPLIT)
        if nullable(node.item):
            mark = self.slots
            self.slots += 1
            self.add(_SAVE, mark)
            self.emit(node.item)
            # A round that took nothing is the last: on to what follows the loop's jump back
            self.add(_CHECK, mark, len(self.code) + 2)
        else:
            self.emit(node.item)
        self.add(_JUMP, None, split)
        self.branch(split, node.lazy)

    def branch(self, split: int, lazy: bool) -> None:
        inside, after = split + 1, len(self.code)
        self.patch(split, after if lazy else inside, inside if lazy else after)


class _Search:
    """One search over one text."""

    def __init__(self, text: str, slots: int, budget: Budget, *, remember: bool) -> None:
        self.text = text
        self.slots = [-1] * slots
        self.budget = budget
        self.remember = remember

    def seen(self) -> set[int] | None:
        return set() if self.remember else None

    def run(self, program: Program, place: int, seen: set[int] | None) -> int | None:
        """Where the match that begins at ``place`` ends, else None. The slots receive the groups."""
        text, slots = self.text, self.slots
        length = len(text)
        # Alternatives still to be tried: (instruction, place); or a slot to be set back: (-1 - slot, its value)
        waiting: list[tuple[int, int]] = [(0, place)]
        while waiting:
            at, here = waiting.pop()
            if at < 0:
                slots[-1 - at] = here
                continue
            while True:
                self.budget.spend()
                if seen is not None:
                    key = at * (length + 1) + here
                    if key in seen:
                        break
                    seen.add(key)
                operation, argument, target = program[at]
                at += 1
                if operation == _ONE:
                    if here >= length or not argument(text[here]):
                        break
                    here += 1
                elif operation == _SPLIT:
                    waiting.append((target, here))
                    at = argument
                elif operation == _JUMP:
                    at = target
                elif operation == _SAVE:
                    waiting.append((-1 - argument, slots[argument]))
                    slots[argument] = here
                elif operation == _CHECK:
                    at = target if slots[argument] == here else at
                elif operation == _ASSERT:
                    if argument.match(text, here) is None:
                        break
                elif operation == _END:
                    return here
                else:
                    end = self.sub(argument, here, waiting) if operation == _SUB else self.back(argument, target, here)
                    if end is None:
                        break
                    here = end
        return None

    def sub(self, sub: _Sub, here: int, waiting: list[tuple[int, int]]) -> int | None:
        """A search within the search; what it does to the groups can be taken back."""
        start = here - (sub.width or 0)
        before = list(self.slots)
        end = self.run(sub.program, start, self.seen()) if start >= 0 else None
        if sub.negative:
            self.slots[:] = before
            return here if end is None else None
        waiting += [(-1 - slot, old) for slot, old in enumerate(before) if self.slots[slot] != old]
        return end if sub.consumes or end is None else here

    def back(self, group: int, ignore_case: int, here: int) -> int | None:
        """Past a repetition of what the group captured."""
        start, end = self.slots[2 * group], self.slots[2 * group + 1]
        if start < 0 or end < 0:
            return None
        captured = self.text[start:end]
        found = self.text[here : here + len(captured)]
        self.budget.spend(len(captured))
        same = found.lower() == captured.lower() if ignore_case else found == captured
        return here + len(captured) if same else None
