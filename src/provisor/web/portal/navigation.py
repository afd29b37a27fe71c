"""The admin centre's frame: what is offered at the side, to whom."""

from __future__ import annotations

from provisor.security.actor import Right
from provisor.web.html.shell import Item, Shell

SHELL = Shell(
    "tenant",
    "Admin centre",
    "/portal",
    (
        Item("Overview", "/portal", "home"),
        Item("Users", "/portal/users", "user", Right.DIRECTORY_READ),
        Item("Groups", "/portal/groups", "group", Right.DIRECTORY_READ),
        Item(
            "Enterprise applications",
            "/portal/apps",
            "apps",
            Right.APPLICATIONS_READ,
            (Item("New application", "/portal/gallery", "plus", Right.APPLICATIONS_WRITE),),
        ),
        Item("Provisioning logs", "/portal/logs", "list", Right.PROVISIONING_LOG_READ),
        Item("Audit logs", "/portal/audit", "history", Right.AUDIT_READ),
        Item("Import and export", "/portal/files", "upload", Right.DIRECTORY_READ),
        Item("Deleted objects", "/portal/deleted", "trash", Right.DIRECTORY_READ),
    ),
)
