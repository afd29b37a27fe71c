"""The admin centre, enterprise applications: the list, the gallery, one app, and who is assigned to it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.errors import AlreadyAssigned
from provisor.applications.gallery import Template
from provisor.applications.model import DEFAULT_ACCESS, App, PrincipalType
from provisor.errors import InvalidInput
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.signin.openid.vendor import TEMPLATE as VENDORS_TEMPLATE
from provisor.web.html.flash import Next
from provisor.web.html.forms import PAGE, Form
from provisor.web.html.guard import form_of
from provisor.web.html.lists import filters_of, followed
from provisor.web.html.templating import count
from provisor.web.portal.centre import PAGE_SIZE, Centre, confirm, done, show
from provisor.web.portal.states import AppState, app_state, app_states

APP = "/portal/apps/{id}"
# The gallery's entry for any app that is not in it.
ANY_APP = "scim"
# The app side of this program is an app of the gallery itself: whoever consents to it, adds it.
SIGN_UP = "/company/sign-up/microsoft"
# Who is assigned is counted up to here.
_COUNTED = 1_000
_KINDS: dict[str, PrincipalType] = {"users": "User", "groups": "Group"}


async def found_app(centre: Centre, request: Request, session: Session) -> App:
    """The app that the address names. Raises ``AppNotFound``."""
    return await centre.app.applications.find(session.actor, session.realm_id, request.path_params["id"])


def app_path(app: App) -> str:
    """Where its pages begin."""
    return f"/portal/apps/{app.service_principal.id}"


def preview(app: App) -> Next:
    """What is offered after a change of what is provisioned: to look at what it would do."""
    return Next(f"{app_path(app)}/provisioning/preview", "Preview what it would do")


class AppPages:
    """Enterprise applications of the session's tenant."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page, action = self._centre.page, self._centre.action
        return [
            page("/portal/apps", self.index),
            page("/portal/gallery", self.gallery),
            page("/portal/gallery/{template}", self.tile),
            action("/portal/gallery/{template}", self.create),
            page(APP, self.overview),
            page(f"{APP}/properties", self.properties),
            action(f"{APP}/properties", self.save_properties),
            page(f"{APP}/remove", self.ask_remove),
            action(f"{APP}/remove", self.remove),
            page(f"{APP}/users", self.assigned),
            page(f"{APP}/assign", self.choose),
            action(f"{APP}/assign", self.assign),
            action(f"{APP}/unassign", self.unassign),
        ]

    async def index(self, request: Request, session: Session) -> Response:
        filters = filters_of(request, {"q": ""})
        states = await app_states(self._centre.app, session.actor, session.realm_id)
        wanted = filters["q"].casefold()
        found = [one for one in states if wanted in one.app.service_principal.display_name.casefold()]
        return show(request, "apps.html", states=found, total=len(states), filters=filters)

    # The gallery

    async def gallery(self, request: Request, session: Session) -> Response:
        session.actor.require(Right.APPLICATIONS_WRITE, session.realm_id)
        filters = filters_of(request, {"q": ""})
        tiles = [one for one in self._centre.app.applications.templates() if one.id != ANY_APP]
        wanted = filters["q"].casefold().split()
        found = [one for one in tiles if all(word in _searched(one) for word in wanted)]
        return show(request, "gallery.html", tiles=found, filters=filters, any_app=ANY_APP)

    async def tile(self, request: Request, session: Session) -> Response:
        session.actor.require(Right.APPLICATIONS_WRITE, session.realm_id)
        template = self._centre.app.applications.template(request.path_params["template"])
        name = request.query_params.get("name", "")[:200] or ("" if template.id == ANY_APP else template.display_name)
        return self._tile(request, template, Form.filled(name=name))

    async def create(self, request: Request, session: Session) -> Response:
        template = self._centre.app.applications.template(request.path_params["template"])
        form = form_of(request)
        name = form.text("name", "Give the application a name.")
        made = None
        if form.ok:
            with form.catching("name"):
                made = await self._centre.app.registrations.instantiate(
                    session.actor, session.realm_id, template.id, name, owner_id=session.subject_id
                )
        if made is None:
            return self._tile(request, template, form, status=422)
        sp = made.service_principal
        return done(request, f"/portal/apps/{sp.id}", f"{sp.display_name} was added.")

    def _tile(self, request: Request, template: Template, form: Form, status: int = 200) -> Response:
        return show(
            request,
            "tile.html",
            status=status,
            gallery_app=template,
            form=form,
            own=template.id == ANY_APP,
            sign_up=SIGN_UP if template.id == VENDORS_TEMPLATE else "",
        )

    # One app

    async def overview(self, request: Request, session: Session) -> Response:
        app = await found_app(self._centre, request, session)
        state = AppState(app, None)
        if Right.SYNCHRONIZATION_READ in session.actor.rights:
            state = await app_state(self._centre.app, session.actor, app)
        assigned = await self._centre.app.role_assignments.how_many_people(
            session.actor, session.realm_id, app.service_principal.id, _COUNTED + 1
        )
        template = self._centre.app.applications.template(app.service_principal.template_id or ANY_APP)
        number = count(assigned) if assigned <= _COUNTED else f"over {count(_COUNTED)}"
        return show(request, "app.html", app=app, state=state, assigned=number, gallery_app=template)

    async def properties(self, request: Request, session: Session) -> Response:
        app = await found_app(self._centre, request, session)
        own = app.service_principal.properties
        form = Form.filled(name=app.service_principal.display_name, notes=own.notes or "")
        form.values["enabled"] = ["yes"] if own.account_enabled else []
        form.values["assignment_required"] = ["yes"] if own.app_role_assignment_required else []
        return self._properties(request, app, form)

    def _properties(self, request: Request, app: App, form: Form, status: int = 200) -> Response:
        template = self._centre.app.applications.template(app.service_principal.template_id or ANY_APP)
        return show(request, "app_properties.html", status=status, app=app, gallery_app=template, form=form)

    async def save_properties(self, request: Request, session: Session) -> Response:
        app = await found_app(self._centre, request, session)
        form = form_of(request)
        changes = {
            "displayName": form.text("name", "Give the application a name."),
            "notes": form.text("notes", most=PAGE) or None,
            "accountEnabled": form.ticked("enabled"),
            "appRoleAssignmentRequired": form.ticked("assignment_required"),
        }
        saved = None
        if form.ok:
            with form.catching("name"):
                saved = await self._centre.app.registrations.update_instance(
                    session.actor, session.realm_id, app.service_principal.id, changes
                )
        if saved is None:
            return self._properties(request, app, form, status=422)
        return done(request, f"{app_path(app)}/properties", "The properties were saved.")

    async def ask_remove(self, request: Request, session: Session) -> Response:
        app = await found_app(self._centre, request, session)
        name = app.service_principal.display_name
        return confirm(
            request,
            title=f"Remove {name}?",
            text=[
                "Its assignments, its provisioning with mappings, credentials and log go with it.",
                "The accounts in the app stay as they are: nobody is disabled there.",
            ],
            action=f"{app_path(app)}/remove",
            verb="Remove",
            back=f"{app_path(app)}/properties",
        )

    async def remove(self, request: Request, session: Session) -> Response:
        app = await found_app(self._centre, request, session)
        removed = await self._centre.app.applications.remove(session.actor, session.realm_id, app.service_principal.id)
        await self._centre.app.provisioning.forget(session.actor, removed)
        said = f"{app.service_principal.display_name} was removed. Its accounts stay as they are."
        return done(request, "/portal/apps", said)

    # Who is assigned

    async def assigned(self, request: Request, session: Session) -> Response:
        app = await found_app(self._centre, request, session)
        filters = filters_of(request, {"q": "", "kind": ""})
        rows, after = await self._centre.app.role_assignments.people(
            session.actor,
            session.realm_id,
            app.service_principal.id,
            filters["q"],
            _KINDS.get(filters["kind"]),
            request.query_params.get("after", "")[:200],
            PAGE_SIZE,
        )
        page = followed(request, rows, after)
        roles = {role.id: role.display_name for role in app.service_principal.app_roles}
        return show(request, "assigned.html", app=app, page=page, roles=roles, filters=filters)

    async def choose(self, request: Request, session: Session) -> Response:
        app = await found_app(self._centre, request, session)
        session.actor.require(Right.ASSIGNMENTS_WRITE, session.realm_id)
        filters = filters_of(request, {"q": "", "kind": "users"})
        listing, actor, tenant = self._centre.app.listing, session.actor, session.realm_id
        if filters["kind"] == "groups":
            groups = await listing.groups(actor, tenant, filters["q"], limit=20)
            rows = [(one.id, one.display_name, "", one.security_enabled) for one in groups.rows]
            more = groups.after is not None
        else:
            users = await listing.users(actor, tenant, filters["q"], limit=20)
            rows = [(one.id, one.display_name, one.user_principal_name, True) for one in users.rows]
            more = users.after is not None
        return show(request, "assign.html", app=app, filters=filters, rows=rows, more=more, roles=_roles(app))

    async def assign(self, request: Request, session: Session) -> Response:
        app = await found_app(self._centre, request, session)
        form = form_of(request)
        kind: PrincipalType = "Group" if form.choice("kind", ("users", "groups")) == "groups" else "User"
        role = form.choice("role", [id_ for id_, _ in _roles(app)])
        ids = form.every("principal")
        if not ids:
            return done(request, f"{app_path(app)}/assign", "Nobody was ticked.")
        assigned = before = 0
        for id_ in ids:
            try:
                await self._centre.app.applications.assign(
                    session.actor, session.realm_id, app.service_principal.id, id_, kind, role
                )
                assigned += 1
            except AlreadyAssigned:
                before += 1
        said = f"{assigned} assigned" + (f", {before} had the role before." if before else ".")
        return done(request, f"{app_path(app)}/users", said)

    async def unassign(self, request: Request, session: Session) -> Response:
        app = await found_app(self._centre, request, session)
        form = form_of(request)
        principal = form.text("principal", "Nobody was named.")
        if not form.ok:
            raise InvalidInput("Nobody was named.", hint="Use the button beside an assignment.")
        await self._centre.app.applications.unassign(
            session.actor, session.realm_id, app.service_principal.id, principal, form.text("role") or None
        )
        said = "The assignment was taken away. Who has the app by no other one is disabled there within seconds."
        return done(request, f"{app_path(app)}/users", said)


def _searched(template: Template) -> str:
    return f"{template.display_name} {template.publisher} {template.description}".casefold()


def _roles(app: App) -> list[tuple[str, str]]:
    roles = [(role.id, role.display_name) for role in app.service_principal.app_roles if role.enabled]
    return [*roles, (DEFAULT_ACCESS, "Default Access")]
