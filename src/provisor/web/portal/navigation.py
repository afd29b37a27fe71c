"""The admin centre's frame."""

from __future__ import annotations

from provisor.web.html.shell import Item, Shell

SHELL = Shell("tenant", "Admin centre", "/portal", (Item("Overview", "/portal", "home"),))
