"""The company portal's frame."""

from __future__ import annotations

from provisor.web.html.shell import Item, Shell

SHELL = Shell("company", "Company portal", "/company", (Item("Overview", "/company", "home"),))
