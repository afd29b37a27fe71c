"""Last step of every configuration change: the names of the activities.

Of provisioning they are those of reference entra-provisioning-service.md section 22; of users, groups, applications and
assignments Entra's directory audit has them. The app side has no model in Entra: its names follow the same form.
"""

from __future__ import annotations

from provisor.events.audit.model import Activity


def _core(name: str, category: str, operation: str) -> Activity:
    return Activity(name, category, "Core Directory", operation)


def _provisioning(name: str, operation: str = "Update") -> Activity:
    return Activity(name, "ProvisioningManagement", "Account Provisioning", operation)


def _company(name: str, category: str, operation: str) -> Activity:
    return Activity(name, category, "SCIM Service", operation)


# Directory
ADD_TENANT = _core("Create tenant", "DirectoryManagement", "Add")
DELETE_TENANT = _core("Delete tenant", "DirectoryManagement", "Delete")
USERS = {
    "created": _core("Add user", "UserManagement", "Add"),
    "updated": _core("Update user", "UserManagement", "Update"),
    "deleted": _core("Delete user", "UserManagement", "Delete"),
    "restored": _core("Restore user", "UserManagement", "Update"),
    "purged": _core("Hard Delete user", "UserManagement", "Delete"),
}
GROUPS = {
    "created": _core("Add group", "GroupManagement", "Add"),
    "updated": _core("Update group", "GroupManagement", "Update"),
    "deleted": _core("Delete group", "GroupManagement", "Delete"),
    "restored": _core("Restore Group", "GroupManagement", "Update"),
    "purged": _core("Hard Delete group", "GroupManagement", "Delete"),
}
ADD_MEMBER = _core("Add member to group", "GroupManagement", "Assign")
REMOVE_MEMBER = _core("Remove member from group", "GroupManagement", "Unassign")
ADD_OWNER = _core("Add owner to group", "GroupManagement", "Assign")
REMOVE_OWNER = _core("Remove owner from group", "GroupManagement", "Unassign")

# Applications
ADD_EXTENSION = _core("Add extension property", "ApplicationManagement", "Add")
REMOVE_EXTENSION = _core("Remove extension property", "ApplicationManagement", "Delete")
ADD_APP = _core("Add service principal", "ApplicationManagement", "Add")
REMOVE_APP = _core("Remove service principal", "ApplicationManagement", "Delete")
UPDATE_APP = _core("Update service principal", "ApplicationManagement", "Update")
ADD_APPLICATION = _core("Add application", "ApplicationManagement", "Add")
UPDATE_APPLICATION = _core("Update application", "ApplicationManagement", "Update")
REMOVE_APPLICATION = _core("Delete application", "ApplicationManagement", "Delete")
ADD_OWNER = _core("Add owner to application", "ApplicationManagement", "Assign")
REMOVE_OWNER = _core("Remove owner from application", "ApplicationManagement", "Unassign")
ADD_PASSWORD = _core("Add client secret", "ApplicationManagement", "Add")
REMOVE_PASSWORD = _core("Remove client secret", "ApplicationManagement", "Delete")
CONSENT = _core("Consent to application", "ApplicationManagement", "Assign")
UPDATE_CONSENT = _core("Update delegated permission grant", "ApplicationManagement", "Update")
REVOKE_CONSENT = _core("Remove delegated permission grant", "ApplicationManagement", "Unassign")
ASSIGN = {
    "User": _core("Add app role assignment grant to user", "UserManagement", "Assign"),
    "Group": _core("Add app role assignment to group", "GroupManagement", "Assign"),
    "ServicePrincipal": _core("Add app role assignment to service principal", "ApplicationManagement", "Assign"),
}
UNASSIGN = {
    "User": _core("Remove app role assignment from user", "UserManagement", "Unassign"),
    "Group": _core("Remove app role assignment from group", "GroupManagement", "Unassign"),
    "ServicePrincipal": _core("Remove app role assignment from service principal", "ApplicationManagement", "Unassign"),
}

# Provisioning
ADD_JOB = _provisioning("Add provisioning configuration", "Add")
REMOVE_JOB = _provisioning("Delete provisioning configuration", "Delete")
SETTINGS = _provisioning("Update provisioning setting or credentials")
MAPPINGS = _provisioning("Update attribute mappings or scope")
START = _provisioning("Enable/start provisioning configuration")
PAUSE = _provisioning("Disable/pause provisioning configuration")
RESTART = _provisioning("Enable/restart provisioning configuration")
QUARANTINE_ENTRY = _provisioning("Quarantine entry", "Other")
QUARANTINE_EXIT = _provisioning("Quarantine exit", "Other")
HOLD = _provisioning("Hold deletions or changes", "Other")
APPROVE_HELD = _provisioning("Approve held deletions or changes")
REJECT_HELD = _provisioning("Reject held deletions or changes")
APPROVE_PLAN = _provisioning("Approve provisioning plan")
APPLY_PLAN = _provisioning("Apply provisioning plan")
FORGET_CONNECTION = _provisioning("Delete object connection", "Other")
HOLD = _provisioning("Hold deletions or changes", "Other")
APPROVE = _provisioning("Approve held changes", "Other")
REJECT = _provisioning("Reject held changes", "Other")

# Companies
ADD_COMPANY = _company("Add company", "CompanyManagement", "Add")
DELETE_COMPANY = _company("Delete company", "CompanyManagement", "Delete")
SET_LIMITS = _company("Update rate limits", "CompanyManagement", "Update")
SET_GROUP_NAMES = _company("Update group names", "CompanyManagement", "Update")
ADD_ADMINISTRATOR = _company("Add administrator", "RoleManagement", "Add")
UPDATE_ADMINISTRATOR = _company("Update administrator", "RoleManagement", "Update")
REMOVE_ADMINISTRATOR = _company("Remove administrator", "RoleManagement", "Delete")
REMOVE_SERVICE_ACCOUNT = _company("Remove service account", "RoleManagement", "Delete")
ADD_KEY = _company("Add API key", "CredentialManagement", "Add")
REVOKE_KEY = _company("Revoke API key", "CredentialManagement", "Delete")
ADD_CLIENT = _company("Add OAuth client", "CredentialManagement", "Add")
ADD_SECRET = _company("Add OAuth client secret", "CredentialManagement", "Add")
REVOKE_SECRET = _company("Revoke OAuth client secret", "CredentialManagement", "Delete")
REVOKE_CLIENT = _company("Revoke OAuth client", "CredentialManagement", "Delete")
ADD_SCHEMA = _company("Add schema", "SchemaManagement", "Add")
REMOVE_SCHEMA = _company("Remove schema", "SchemaManagement", "Delete")
ADD_WEBHOOK = _company("Add webhook", "WebhookManagement", "Add")
REMOVE_WEBHOOK = _company("Remove webhook", "WebhookManagement", "Delete")
REPLAY_WEBHOOK = _company("Replay webhook", "WebhookManagement", "Update")


# Signing in, on either side
def _signing(name: str, category: str, operation: str) -> Activity:
    return Activity(name, category, "Authentication", operation)


ADD_ROLE = _core("Add member to role", "RoleManagement", "Assign")
REMOVE_ROLE = _core("Remove member from role", "RoleManagement", "Unassign")
SIGN_IN = _signing("Sign in", "SignIn", "Other")
SET_PASSWORD = _signing("Set password", "UserManagement", "Update")
SIGN_OUT_EVERYWHERE = _signing("Revoke sessions and tokens", "UserManagement", "Update")
ADD_SECOND_FACTOR = _signing("Add second factor", "UserManagement", "Add")
REMOVE_SECOND_FACTOR = _signing("Remove second factor", "UserManagement", "Delete")
ADD_LINK = _signing("Create sign-in link", "UserManagement", "Add")
INVITE = _signing("Invite administrator", "UserManagement", "Add")
WITHDRAW_INVITATION = _signing("Withdraw invitation", "UserManagement", "Delete")
ADD_TOKEN = _signing("Create access token", "CredentialManagement", "Add")
REVOKE_TOKEN = _signing("Revoke access token", "CredentialManagement", "Delete")
ROTATE_SIGNING_KEY = _signing("Rotate signing key", "CredentialManagement", "Update")
BIND_IDENTITY = _signing("Bind Microsoft account", "UserManagement", "Update")

# The program itself
ROTATE_SECRETS = Activity("Rotate sealing key", "Policy", "Provisor", "Update")
RESTORE_BACKUP = Activity("Restore backup", "Policy", "Provisor", "Update")
