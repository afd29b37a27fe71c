"""The company portal's frame."""

from __future__ import annotations

from provisor.security.actor import Right
from provisor.web.html.shell import Item, Shell

_ADMIN = Right.COMPANY_ADMINISTER
SETTINGS = "/company/settings"
AUTHENTICATION = f"{SETTINGS}/authentication"
KEYS = f"{AUTHENTICATION}/api-keys"
CLIENTS = f"{AUTHENTICATION}/oauth-clients"
ACCOUNTS = f"{AUTHENTICATION}/service-accounts"
ADMINISTRATORS = f"{SETTINGS}/administrators"
SCHEMAS = f"{SETTINGS}/schemas"
AUDIT = f"{SETTINGS}/audit"
MESSAGES = f"{SETTINGS}/messages"

SHELL = Shell(
    "company",
    "Company portal",
    "/company",
    (
        Item("Overview", "/company", "home"),
        Item("Users", "/company/users", "user", _ADMIN),
        Item("Groups", "/company/groups", "group", _ADMIN),
        Item("Request log", "/company/requests", "history", _ADMIN),
        Item("Changes", "/company/changes", "outbox", _ADMIN),
        Item("Webhooks", "/company/webhooks", "bell", _ADMIN),
        Item(
            "Company Settings",
            SETTINGS,
            "gear",
            _ADMIN,
            (
                Item("Authentication", AUTHENTICATION, "key", _ADMIN),
                Item("Administrators", ADMINISTRATORS, "shield", _ADMIN),
                Item("Schemas", SCHEMAS, "code", _ADMIN),
                Item("Audit log", AUDIT, "list", Right.AUDIT_READ),
                Item("Messages", MESSAGES, "mail", Right.AUDIT_READ),
            ),
        ),
    ),
)
