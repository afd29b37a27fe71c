"""``provisor demo``, what must be there before a cycle: each step gets what exists and makes what does not.

So a demo that was killed goes on where it was, and one that ended can be run again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from provisor.cli.demo_changes import Situation
from provisor.errors import InvalidInput, NotFound
from provisor.security.actor import operator

if TYPE_CHECKING:
    from provisor.app.services import AppServices
    from provisor.applications.model import App
    from provisor.directory.files.report import FileFault, InputFile
    from provisor.directory.model import Tenant
    from provisor.provider.model import Company

APP = "Dialpad"
KEY = "Entra provisioning"
KEY_DAYS = 365
_DOMAIN = re.compile(rb"@([A-Za-z0-9.-]+\.[A-Za-z]{2,})")
_AT_ONCE = 200


class FaultyFiles(InvalidInput):
    """The files cannot be imported."""

    def __init__(self, faults: Sequence[FileFault]) -> None:
        self.faults = faults
        super().__init__(
            f"The files have {len(faults)} fault{'s' if len(faults) > 1 else ''}, so nothing was imported.",
            hint="Mend these lines and run the command again.",
        )


@dataclass(frozen=True, slots=True)
class Organisation:
    """Whose story it is: the sample's, or that of the files."""

    name: str
    domain: str
    files: tuple[InputFile, ...] = ()


def sample_organisation(users: int) -> Organisation:
    """The invented company."""
    from provisor.directory.sample import sample_directory

    first = sample_directory(users).users[0]
    return Organisation(first["companyName"], first["userPrincipalName"].partition("@")[2])


def organisation_of(files: Sequence[Path]) -> Organisation:
    """Who the files are about: the domain that most addresses in them have. Members files fill the group of their
    name; those in a folder ``groups`` beside a users' file come along. Raises ``InvalidInput``."""
    from provisor.directory.files.report import InputFile
    from provisor.directory.files.rows import RowFile

    sources: list[InputFile] = []
    for file in [*files, *_group_files(files)]:
        try:
            data = file.read_bytes()
        except OSError as error:
            raise InvalidInput(f"{file} cannot be read: {error.strerror}.", hint="Name a CSV file.") from error
        is_members = RowFile(InputFile(str(file), data)).kind == "members"
        sources.append(InputFile(str(file), data, file.stem if is_members else None))
    domains = Counter(found.lower() for source in sources for found in _DOMAIN.findall(source.data))
    domain = domains.most_common(1)[0][0].decode() if domains else "demo.example"
    return Organisation(domain, domain, tuple(sources))


def _group_files(files: Sequence[Path]) -> list[Path]:
    named = {file.resolve() for file in files}
    found = [path for file in files for path in sorted((file.parent / "groups").glob("*.csv"))]
    return [path for path in dict.fromkeys(found) if path.resolve() not in named]


async def tenant(services: AppServices, organisation: Organisation) -> Tenant:
    """The tenant with the organisation's domain."""
    try:
        return await services.directory.find_tenant(operator(), organisation.domain)
    except NotFound:
        return await services.directory.create_tenant(operator(), organisation.name, organisation.domain)


async def fill_directory(services: AppServices, tenant_id: str, organisation: Organisation, users: int) -> str:
    """Bring the people in; what that came to, in words. Raises ``FaultyFiles``."""
    if not organisation.files:
        from provisor.directory.sample import load_sample

        loaded = await load_sample(services.directory, operator(), tenant_id, users)
        return f"{loaded.users} new people, {loaded.groups} new groups, {loaded.memberships} new memberships"
    from provisor.directory.files.importing import import_files

    report = await import_files(services.directory, operator(), tenant_id, organisation.files)
    if report.errors:
        raise FaultyFiles(report.errors)
    members = sum(group.added for group in report.groups)
    return (
        f"{report.created} new people, {report.updated} changed, {report.unchanged} as they were; "
        f"{members} new memberships in {len(report.groups)} groups"
    )


async def company(services: AppServices, organisation: Organisation) -> Company:
    """The organisation's account at the app, with an administrator."""
    try:
        return await services.companies.find_company(operator(), organisation.name)
    except NotFound:
        email = f"it-admin@{organisation.domain}"
        return await services.companies.create_company(operator(), organisation.name, email)


async def connect(services: AppServices, tenant_id: str, company: Company, url: str) -> tuple[App, bool]:
    """The app with this Tenant URL and a key that works; whether a key was made. Older keys of the demo are revoked."""
    me = operator()
    app = await _app(services, tenant_id)
    if app is not None and await _is_connected(services, app.job_id, company, url):
        return app, False
    for key in await services.companies.keys(me, company.id):
        if key.name == KEY and key.revoked_at is None:
            await services.companies.revoke_key(me, company.id, key.id)
    expires = datetime.fromtimestamp(services.clock.now_ms() / 1000, UTC).date() + timedelta(days=KEY_DAYS)
    _, text = await services.companies.create_key(me, company.id, name=KEY, expires=expires)
    if app is None:
        return await services.applications.add(me, tenant_id, "dialpad", APP, url, text), True
    await services.applications.set_credentials(me, app.job_id, url, text)
    return app, True


async def sign_in_links(services: AppServices, tenant_id: str, company_id: str) -> tuple[str, str]:
    """Paths that let one in, once: as the directory's Global Administrator (who is given the role where nobody has it),
    and as the company's administrator."""
    from provisor.signin.people import PersonKey
    from provisor.signin.roles.service import GLOBAL_ADMINISTRATOR

    me = operator()
    grants = await services.roles.grants(me, tenant_id)
    chosen = next((grant.user_id for grant in grants if grant.role == GLOBAL_ADMINISTRATOR), None)
    if chosen is None:
        chosen = (await services.directory.users_after(me, tenant_id, None, 1))[0].id
        await services.roles.grant(me, tenant_id, chosen, GLOBAL_ADMINISTRATOR)
    [first, *_] = await services.companies.administrators(me, company_id)
    portal = await services.links.for_person(me, PersonKey("tenant", tenant_id, chosen))
    company = await services.links.for_person(me, PersonKey("company", company_id, first.id))
    return portal.path, company.path


async def assign_everybody(services: AppServices, app: App, now: Situation) -> int:
    """Assign every person and every security group that is not assigned; how many those were."""
    import asyncio

    missing = [(user.id, "User") for user in now.users if user.id not in now.assigned]
    missing += [(g.id, "Group") for g in now.groups if g.id not in now.assigned and g.security_enabled]
    principal = app.service_principal
    for start in range(0, len(missing), _AT_ONCE):
        await asyncio.gather(
            *(
                services.applications.assign(
                    operator(), principal.tenant_id, principal.id, principal_id, "User" if kind == "User" else "Group"
                )
                for principal_id, kind in missing[start : start + _AT_ONCE]
            )
        )
    return len(missing)


async def _app(services: AppServices, tenant_id: str) -> App | None:
    try:
        return await services.applications.find(operator(), tenant_id, APP)
    except NotFound:
        return None


async def _is_connected(services: AppServices, job_id: str, company: Company, url: str) -> bool:
    from provisor.errors import Forbidden
    from provisor.provider.model import Unauthenticated

    credentials = await services.applications.credentials(operator(), job_id)
    if credentials.base_address != url or credentials.secret_token is None:
        return False
    try:
        caller = await services.companies.authenticate(f"Bearer {credentials.secret_token}")
    except (Unauthenticated, Forbidden):
        return False
    return caller.company_id == company.id
