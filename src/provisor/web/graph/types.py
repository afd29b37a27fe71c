"""Graph face, the types of the directory: the properties that each has, and which are shown without ``$select``.

Those of users and groups come from the directory's own table of attributes; the rest of reference section 11 is here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provisor.directory.attributes import GROUP as GROUP_ATTRIBUTES
from provisor.directory.attributes import USER as USER_ATTRIBUTES
from provisor.directory.attributes import Attribute, ObjectType
from provisor.odata.types import EntityType, Kind, Property, properties

EXTENSION = re.compile(r"extension_[0-9a-fA-F]{32}_\w{1,200}")
_KINDS: dict[str, Kind] = {
    "text": "text",
    "upn": "text",
    "flag": "flag",
    "moment": "moment",
    "texts": "texts",
    "record": "record",
}
_USER_SHOWN = frozenset(
    (
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    )
)


def _property(attribute: Attribute, *, shown: bool) -> Property:
    parts = {part: Property() for part in attribute.parts}
    return Property(_KINDS[attribute.type], parts, shown)


def _attributes(kind: ObjectType, shown: frozenset[str] | None = None) -> dict[str, Property]:
    return {
        name: _property(attribute, shown=shown is None or name in shown)
        for name, attribute in sorted(kind.attributes.items())
    }


def _records(one: str, many: str) -> dict[str, Property]:
    return {
        **{name: Property("record", shown=False, filterable=False) for name in one.split()},
        **{name: Property("records", shown=False, filterable=False) for name in many.split()},
    }


def _absent(**names: str) -> dict[str, Property]:
    """Properties that Graph has and this directory has not: they may be selected, and are never set."""
    made = properties(**names)  # type: ignore[arg-type]
    return {name: Property(found.kind, shown=False, filterable=False) for name, found in made.items()}


_USER_ABSENT = {
    **_absent(
        texts="aboutMe mySite onPremisesObjectIdentifier preferredName",
        flags="isManagementRestricted",
        numbers="deviceEnrollmentLimit",
        moments="birthday externalUserStateChangeDateTime hireDate lastPasswordChangeDateTime "
        "onPremisesLastSyncDateTime refreshTokensValidFromDateTime",
        lists="infoCatalogs interests pastProjects responsibilities schools skills",
    ),
    **_records(
        one="authorizationInfo customSecurityAttributes mailboxSettings print signInActivity",
        many="assignedLicenses assignedPlans licenseAssignmentStates onPremisesProvisioningErrors provisionedPlans "
        "serviceProvisioningErrors",
    ),
}
_GROUP_ABSENT = {
    **_absent(
        texts="onPremisesDomainName onPremisesNetBiosName preferredDataLocation preferredLanguage theme",
        flags="allowExternalSenders autoSubscribeNewMembers hasMembersWithLicenseErrors hideFromAddressLists "
        "hideFromOutlookClients isArchived isFavorite isManagementRestricted isSubscribedByMail welcomeMessageEnabled",
        numbers="unseenCount",
        moments="onPremisesLastSyncDateTime",
        lists="infoCatalogs resourceBehaviorOptions resourceProvisioningOptions",
    ),
    **_records(
        one="licenseProcessingState",
        many="assignedLabels assignedLicenses onPremisesProvisioningErrors serviceProvisioningErrors",
    ),
}
_PASSWORD = {
    "password": Property(),
    "forceChangePasswordNextSignIn": Property("flag"),
    "forceChangePasswordNextSignInWithMfa": Property("flag"),
}
_IDENTITY = {"signInType": Property(), "issuer": Property(), "issuerAssignedId": Property()}

USER = EntityType(
    "user",
    {
        **_USER_ABSENT,
        **_attributes(USER_ATTRIBUTES, _USER_SHOWN),
        "passwordProfile": Property("record", _PASSWORD, shown=False, filterable=False),
        "identities": Property("records", _IDENTITY, shown=False, filterable=False),
    },
    links={
        "manager": "directoryObject",
        "directReports": "directoryObject",
        "memberOf": "directoryObject",
        "transitiveMemberOf": "directoryObject",
        "ownedObjects": "directoryObject",
    },
    open_names=EXTENSION,
)
# What those see of a person who may read basic profiles only.
_BASIC = ("displayName", "givenName", "id", "mail", "surname", "userPrincipalName")
BASIC_USER = EntityType("user", {name: USER.properties[name] for name in _BASIC})
GROUP = EntityType(
    "group",
    {**_GROUP_ABSENT, **_attributes(GROUP_ATTRIBUTES)},
    links={
        "members": "directoryObject",
        "owners": "directoryObject",
        "memberOf": "directoryObject",
        "transitiveMembers": "directoryObject",
        "transitiveMemberOf": "directoryObject",
    },
    open_names=EXTENSION,
)
# What is behind a link may be a user or a group: every property of either can be selected.
DIRECTORY_OBJECT = EntityType(
    "directoryObject", {**USER.properties, **GROUP.properties}, links={}, open_names=EXTENSION
)
ORGANIZATION = EntityType(
    "organization",
    properties(
        texts="id city country countryLetterCode displayName preferredLanguage state street tenantType",
        moments="createdDateTime deletedDateTime",
        lists="businessPhones technicalNotificationMails",
        record_lists={
            "verifiedDomains": {
                "capabilities": Property(),
                "isDefault": Property("flag"),
                "isInitial": Property("flag"),
                "name": Property(),
                "type": Property(),
            }
        },
    ),
)
DOMAIN = EntityType(
    "domain",
    properties(
        texts="id authenticationType",
        flags="isAdminManaged isDefault isInitial isRoot isVerified",
        lists="supportedServices",
    ),
)
EXTENSION_PROPERTY = EntityType(
    "extensionProperty",
    properties(
        texts="id name appDisplayName dataType",
        flags="isMultiValued isSyncedFromOnPremises",
        moments="deletedDateTime",
        lists="targetObjects",
    ),
)


def without_absent(kind: EntityType, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body without properties that Graph has and this directory has not, where they are empty."""
    absent = _USER_ABSENT if kind is USER else _GROUP_ABSENT
    return {name: value for name, value in body.items() if value not in (None, []) or name not in absent}


TYPES = {kind.name: kind for kind in (USER, GROUP, DIRECTORY_OBJECT, ORGANIZATION, DOMAIN, EXTENSION_PROPERTY)}
