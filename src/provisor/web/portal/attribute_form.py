"""Users and groups as forms: which attributes are asked for, in which order, and from texts to values and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from provisor.directory.attributes import EXTENSION_ATTRIBUTES, USER, Attribute, Fault, InvalidAttributes, ObjectType
from provisor.web.html.forms import PAGE, Form

Control = Literal["text", "area", "lines", "choice", "flag", "moment"]


@dataclass(frozen=True, slots=True)
class Field:
    """One control. ``name`` is the form's: an attribute, or ``record.part``."""

    name: str
    label: str
    control: Control
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Controls under one title."""

    title: str
    fields: tuple[Field, ...]


# Attribute or record.part -> label, as the directory's own portal words them.
_USER: tuple[tuple[str, Mapping[str, str]], ...] = (
    (
        "Identity",
        {
            "displayName": "Display name",
            "userPrincipalName": "User principal name",
            "givenName": "First name",
            "surname": "Last name",
            "userType": "User type",
            "mailNickname": "Mail nickname",
        },
    ),
    (
        "Job information",
        {
            "jobTitle": "Job title",
            "companyName": "Company name",
            "department": "Department",
            "employeeId": "Employee ID",
            "employeeType": "Employee type",
            "employeeHireDate": "Employee hire date",
            "employeeLeaveDateTime": "Employee leave date",
            "officeLocation": "Office location",
            "employeeOrgData.costCenter": "Cost centre",
            "employeeOrgData.division": "Division",
        },
    ),
    (
        "Contact information",
        {
            "mail": "Email",
            "otherMails": "Other emails",
            "businessPhones": "Business phone",
            "mobilePhone": "Mobile phone",
            "faxNumber": "Fax number",
            "streetAddress": "Street address",
            "city": "City",
            "state": "State or province",
            "postalCode": "ZIP or postal code",
            "country": "Country or region",
        },
    ),
    (
        "Settings",
        {
            "accountEnabled": "Account enabled",
            "usageLocation": "Usage location",
            "preferredLanguage": "Preferred language",
            "preferredDataLocation": "Preferred data location",
            "passwordPolicies": "Password policies",
            "showInAddressList": "Show in address list",
            "ageGroup": "Age group",
            "consentProvidedForMinor": "Consent provided for minor",
            "onPremisesImmutableId": "On-premises immutable ID",
        },
    ),
    (
        "Extension attributes",
        {f"onPremisesExtensionAttributes.{part}": part for part in EXTENSION_ATTRIBUTES},
    ),
)
_HINTS = {
    "userPrincipalName": "What the person signs in with, such as anna@example.org.",
    "usageLocation": "Two capital letters, such as CH.",
    "mailNickname": "Left empty, it is what stands before the @.",
    "otherMails": "One on each line.",
    "employeeHireDate": "Such as 2026-01-31T08:00:00Z.",
    "employeeLeaveDateTime": "Such as 2026-01-31T08:00:00Z.",
}
_GROUP: Mapping[str, str] = {
    "displayName": "Name",
    "description": "Description",
    "mailNickname": "Mail nickname",
    "securityEnabled": "Security group",
    "classification": "Classification",
    "visibility": "Visibility",
}
_GROUP_HINTS = {
    "securityEnabled": "Only security groups can be assigned to an application.",
    "mailNickname": "Left empty, it follows from the name.",
}


def user_sections() -> list[Section]:
    """Every attribute of a user that can be set, but for the manager and directory extensions."""
    return [
        Section(title, tuple(_field(USER, name, label, _HINTS.get(name, "")) for name, label in rows.items()))
        for title, rows in _USER
    ]


def group_fields(kind: ObjectType) -> list[Field]:
    """The attributes of a group that can be set by hand."""
    return [_field(kind, name, label, _GROUP_HINTS.get(name, "")) for name, label in _GROUP.items()]


def label_of(name: str) -> str:
    """What a person calls an attribute."""
    for _, rows in _USER:
        if name in rows:
            return rows[name]
    return _GROUP.get(name, name)


def filled(fields: Sequence[Field], attributes: Mapping[str, Any]) -> Form:
    """The form that shows these attributes."""
    form = Form()
    for field in fields:
        value = _value_at(attributes, field.name)
        if field.control == "flag":
            form.values[field.name] = ["yes"] if value else []
        elif isinstance(value, list):
            form.values[field.name] = ["\n".join(value)]
        else:
            form.values[field.name] = ["" if value is None else str(value)]
    return form


def read(form: Form, fields: Sequence[Field]) -> dict[str, Any]:
    """The attributes that a sent form says; null where a field was left empty."""
    found: dict[str, Any] = {}
    for field in fields:
        value: Any
        if field.control == "flag":
            value = form.ticked(field.name)
        elif field.control == "choice":
            value = _CHOSEN.get(form.choice(field.name, [value for value, _ in field.choices]), form.raw(field.name))
        elif field.control == "lines":
            value = [line.strip() for line in form.raw(field.name)[:PAGE].splitlines() if line.strip()] or None
        else:
            value = form.text(field.name, most=PAGE) or None
        record, _, part = field.name.partition(".")
        if part:
            found.setdefault(record, {})[part] = value
        elif field.control == "text" and USER.attributes.get(field.name, _TEXT).type == "texts":
            found[field.name] = [value] if value else None
        else:
            found[field.name] = value
    return found


@contextmanager
def telling(form: Form) -> Iterator[None]:
    """What the directory finds wrong: each fault beside its field, else said of the form as a whole."""
    try:
        with form.catching():
            try:
                yield
            except InvalidAttributes as error:
                raise _FaultsError(error.faults) from error
    except _FaultsError as error:
        for fault in error.faults:
            names = [name for name in form.values if name.partition(".")[0] == fault.attribute]
            form.fail(names[0] if names else "", f"{label_of(fault.attribute)} {fault.reason}.")


class _FaultsError(Exception):
    """Passes by what catches errors as a whole."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults


def shown(sections: Sequence[Section], attributes: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Section by section what is set: (title, [(label, text)])."""
    for section in sections:
        rows = [(field.label, as_text(_value_at(attributes, field.name))) for field in section.fields]
        if rows := [(label, text) for label, text in rows if text]:
            yield section.title, rows


def as_text(value: Any) -> str:
    """A value for a person to read."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(as_text(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {as_text(one)}" for name, one in value.items())
    return str(value)


_TEXT = Attribute("", "text")
_CHOSEN: Mapping[str, bool | None] = {"": None, "True": True, "False": False}


def _value_at(attributes: Mapping[str, Any], name: str) -> Any:
    record, _, part = name.partition(".")
    value = attributes.get(record)
    if part:
        return (value or {}).get(part)
    if isinstance(value, list) and USER.attributes.get(name, _TEXT).items == 1:
        return value[0] if value else None
    return value


def _field(kind: ObjectType, name: str, label: str, hint: str) -> Field:
    attribute = kind.attributes[name.partition(".")[0]]
    control: Control = "text"
    choices: tuple[tuple[str, str], ...] = ()
    match attribute.type:
        case "flag" if attribute.required:
            control = "flag"
        case "flag":
            # Not set is neither yes nor no: saving a form must not turn one into the other.
            control, choices = "choice", (("", "Not set"), ("True", "Yes"), ("False", "No"))
        case "texts" if attribute.items != 1:
            control = "lines"
        case _ if attribute.choices:
            control, choices = "choice", (("", "Not set"), *((choice, choice) for choice in attribute.choices))
        case "text" if (attribute.max or 0) > 256 and "." not in name:
            control = "area"
        case _:
            control = "text"
    required = attribute.required and name in ("displayName", "userPrincipalName")
    return Field(name, label, control, choices, required, hint)
