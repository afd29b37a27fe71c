"""The admin centre, an app's schema as a whole: attribute lists, download, upload, versions and differences."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, cast, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.directories import Attribute, AttributeType, Mutability
from provisor.applications.model import App, Job
from provisor.applications.schema_editing import put_attribute, remove_attribute, target_attributes
from provisor.errors import InvalidInput
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.forms import Form
from provisor.web.html.guard import form_of
from provisor.web.portal.apps import APP, app_path, found_app, preview
from provisor.web.portal.centre import Centre, confirm, done, downloaded, nothing, show
from provisor.web.portal.mappings import OBJECT, Kind, found_mapping, save_edit

SCHEMA = f"{APP}/provisioning/schema"
_MAX_FILE = 8 * 1024 * 1024
_TYPES = get_args(AttributeType)
_MUTABILITIES = get_args(Mutability)


class SchemaPages:
    """The synchronization schema behind the mappings."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page, action = self._centre.page, self._centre.action
        return [
            page(f"{OBJECT}/attributes", self.attributes),
            page(f"{OBJECT}/attributes/edit", self.edit_attribute),
            action(f"{OBJECT}/attributes/edit", self.save_attribute),
            action(f"{OBJECT}/attributes/delete", self.delete_attribute),
            page(SCHEMA, self.page),
            page(f"{SCHEMA}/download", self.download),
            action(f"{SCHEMA}/upload", self.upload, max_body=_MAX_FILE),
            page(f"{SCHEMA}/diff", self.diff),
            page(f"{SCHEMA}/restore", self.ask_restore),
            action(f"{SCHEMA}/restore", self.restore),
        ]

    # The attribute list

    async def attributes(self, request: Request, session: Session) -> Response:
        app, job, kind, _ = await found_mapping(self._centre, request, session)
        return self._attributes(request, app, job, kind, Form.empty())

    async def edit_attribute(self, request: Request, session: Session) -> Response:
        app, job, kind, _ = await found_mapping(self._centre, request, session)
        name = request.query_params.get("name", "")
        form = Form.filled(type="String", mutability="ReadWrite")
        if name:
            known = {one["name"]: one for one in target_attributes(job.schema.document, kind)}
            if name not in known:
                raise nothing("attribute", "Somebody may have changed the list meanwhile.")
            form = _attribute_form(known[name])
        return self._attribute(request, app, job, kind, form, name)

    async def save_attribute(self, request: Request, session: Session) -> Response:
        app, job, kind, _ = await found_mapping(self._centre, request, session)
        form = form_of(request)
        replacing = form.text("replacing", most=1000)
        references = form.choice("references", ("", "User", "Group"))
        attribute = Attribute(
            name=form.text("name", "Give the attribute its name in the target.", most=1000),
            type=cast("AttributeType", form.choice("type", _TYPES)),
            multivalued=form.ticked("multivalued"),
            case_exact=form.ticked("case_exact"),
            required=form.ticked("required"),
            anchor=form.ticked("anchor"),
            mutability=cast("Mutability", form.choice("mutability", _MUTABILITIES)),
            references=references or None,
        )
        saved = None
        if form.ok:
            put = partial(put_attribute, kind=kind, attribute=attribute, replacing=replacing or None)
            saved = await save_edit(self._centre, session, job, form, put)
        if saved is None:
            return self._attribute(request, app, job, kind, form, replacing, status=422)
        return done(request, f"{_mapping_path(app, kind)}/attributes", f"{attribute.name} is in the list.")

    async def delete_attribute(self, request: Request, session: Session) -> Response:
        app, job, kind, _ = await found_mapping(self._centre, request, session)
        form = form_of(request)
        name = form.text("name", "Name the attribute.", most=1000)
        saved = await save_edit(self._centre, session, job, form, partial(remove_attribute, kind=kind, name=name))
        if saved is None:
            return self._attributes(request, app, job, kind, form, status=422)
        return done(request, f"{_mapping_path(app, kind)}/attributes", f"{name} is not in the list any more.")

    # The schema as a whole

    async def page(self, request: Request, session: Session) -> Response:
        app, job = await self._found(request, session)
        return await self._page(request, session, app, job, Form.empty())

    async def download(self, request: Request, session: Session) -> Response:
        app, job = await self._found(request, session)
        text = json.dumps(job.schema.document, indent=2, ensure_ascii=False)

        async def pieces() -> Any:
            yield text

        return downloaded(pieces(), f"{app.service_principal.template_id}-schema.json", "application/json")

    async def upload(self, request: Request, session: Session) -> Response:
        app, job = await self._found(request, session)
        form = form_of(request)
        file = form.files.get("file")
        data = b""
        if file is not None:
            data = await file.read()
            await file.close()
        document = _document(form, data)
        saved = None
        if document is not None:
            with form.catching("file"):
                saved = await self._centre.app.applications.set_schema(session.actor, job.id, document)
        if saved is None:
            return await self._page(request, session, app, job, form, status=422)
        said = f"The schema was saved as version {saved.schema_version}."
        return done(request, _schema_path(app), said, preview(app))

    async def diff(self, request: Request, session: Session) -> Response:
        app, job = await self._found(request, session)
        before, after = (_version(request, name) for name in ("before", "after"))
        found = await self._centre.app.applications.schema_diff(session.actor, job.id, before, after)
        rows = [(str(one), _brief(one.before), _brief(one.after)) for one in found.changes]
        return show(request, "schema_diff.html", app=app, job=job, before=found.before, after=found.after, rows=rows)

    async def ask_restore(self, request: Request, session: Session) -> Response:
        app, _ = await self._found(request, session)
        version = _version(request, "version")
        what = "the gallery's default mappings" if version is None else f"version {version}"
        text = [
            f"The mappings become those of {what}, as a new version; today's stays in the list of versions.",
            "The next cycle looks at everybody anew.",
        ]
        if version is None:
            text.insert(1, "Scoping filters go: whoever is assigned is in scope then.")
        return confirm(
            request,
            title=f"Restore {what}?",
            text=text,
            action=f"{_schema_path(app)}/restore",
            verb="Restore",
            back=_schema_path(app),
            fields={"version": "" if version is None else str(version)},
        )

    async def restore(self, request: Request, session: Session) -> Response:
        app, job = await self._found(request, session)
        form = form_of(request)
        version = form.number("version", 1, 10**9)
        if not form.ok:
            raise InvalidInput(form.errors["version"])
        applications = self._centre.app.applications
        if version is None:
            saved = await applications.restore_default_schema(session.actor, job.id)
        else:
            saved = await applications.restore_schema_version(session.actor, job.id, version)
        return done(request, _schema_path(app), f"Restored, as version {saved.schema_version}.", preview(app))

    async def _found(self, request: Request, session: Session) -> tuple[App, Job]:
        session.actor.require(Right.SYNCHRONIZATION_READ, session.realm_id)
        app = await found_app(self._centre, request, session)
        return app, app.job

    async def _page(
        self, request: Request, session: Session, app: App, job: Job, form: Form, status: int = 200
    ) -> Response:
        versions = await self._centre.app.applications.schema_versions(session.actor, job.id)
        return show(request, "schema.html", status=status, app=app, job=job, versions=versions, form=form)

    def _attributes(self, request: Request, app: App, job: Job, kind: Kind, form: Form, status: int = 200) -> Response:
        rows = target_attributes(job.schema.document, kind)
        return show(request, "attributes.html", status=status, app=app, job=job, kind=kind, rows=rows, form=form)

    def _attribute(
        self, request: Request, app: App, job: Job, kind: Kind, form: Form, name: str, status: int = 200
    ) -> Response:
        form.values.setdefault("version", [str(job.schema_version)])
        return show(
            request,
            "attribute.html",
            status=status,
            app=app,
            job=job,
            kind=kind,
            form=form,
            name=name,
            types=[(one, one) for one in _TYPES],
            mutabilities=[(one, one) for one in _MUTABILITIES],
        )


def _mapping_path(app: App, kind: str) -> str:
    return f"{app_path(app)}/provisioning/mappings/{kind}"


def _schema_path(app: App) -> str:
    return f"{app_path(app)}/provisioning/schema"


def _attribute_form(one: dict[str, Any]) -> Form:
    references = one.get("referencedObjects") or []
    ticked = {
        "multivalued": one.get("multivalued"),
        "case_exact": one.get("caseExact"),
        "required": one.get("required"),
        "anchor": one.get("anchor"),
    }
    return Form.filled(
        name=one["name"],
        type=one.get("type") or "String",
        mutability=one.get("mutability") or "ReadWrite",
        references=references[0].get("referencedObjectName", "") if references else "",
        **{name: "yes" for name, on in ticked.items() if on},
    )


def _document(form: Form, data: bytes) -> dict[str, Any] | None:
    if not data:
        form.fail("file", "Choose a file first.")
        return None
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        form.fail("file", f"This is not JSON: {error}")
        return None
    if not isinstance(document, dict):
        form.fail("file", "This holds no JSON object. Take what 'Download' gives, or what Entra ID exports.")
        return None
    return document


def _version(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(f"{text[:50]!r} is no version of the schema.")
    return int(text)


def _brief(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 400 else f"{text[:399]}…"
