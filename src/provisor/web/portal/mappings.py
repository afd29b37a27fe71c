"""The admin centre, mappings of an app: which objects, which actions, and each row of the mapping table."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.errors import ObjectMappingNotFound
from provisor.applications.model import App, Job
from provisor.applications.schema import AttributeMapping, FlowType, ObjectMapping, SourceType
from provisor.applications.schema_editing import (
    ActionsEdit,
    Edit,
    RowEdit,
    put_row,
    remove_row,
    set_actions,
    source_attributes,
    target_attributes,
)
from provisor.errors import Conflict, InvalidInput, NotFound, ProvisorError
from provisor.expressions.functions.all import FUNCTIONS
from provisor.expressions.tree import Attribute as AttributeNode
from provisor.expressions.tree import Text as TextNode
from provisor.expressions.values import NO_FLOW
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.forms import PAGE, Form
from provisor.web.html.guard import form_of
from provisor.web.portal.apps import APP, app_path, found_app, preview
from provisor.web.portal.attribute_form import as_text
from provisor.web.portal.centre import Centre, confirm, done, show

MAPPINGS = f"{APP}/provisioning/mappings"
OBJECT = f"{MAPPINGS}/{{object}}"
TYPES: tuple[tuple[SourceType, str], ...] = (
    ("Attribute", "Direct"),
    ("Constant", "Constant"),
    ("Function", "Expression"),
    ("None", "None"),
)
APPLIES = (
    (FlowType.ALWAYS, "Always"),
    (FlowType.OBJECT_ADD_ONLY, "Only during object creation"),
    (FlowType.ATTRIBUTE_ADD_ONLY, "Only while the target has no value"),
    (FlowType.VALUE_ADD_ONLY, "Values are added, never replaced"),
    (FlowType.MULTI_VALUE_ADD_ONLY, "Several values: added, never removed"),
)
WHEN_EMPTY = (
    ("", "As the job's dialect does"),
    ("Remove", "The value in the target is removed"),
    ("Keep", "The value in the target stays"),
)
Kind = Literal["User", "Group"]


async def found_mapping(centre: Centre, request: Request, session: Session) -> tuple[App, Job, Kind, ObjectMapping]:
    """What the address names. Raises ``AppNotFound``, ``Forbidden``, ``NotFound`` for an object without a mapping."""
    session.actor.require(Right.SYNCHRONIZATION_READ, session.realm_id)
    app = await found_app(centre, request, session)
    kind = request.path_params["object"]
    mapping = app.job.schema.mapping(cast("Kind", kind)) if kind in ("User", "Group") else None
    if mapping is None:
        raise ObjectMappingNotFound(f"{app.service_principal.display_name} has no mapping of {kind} objects.")
    return app, app.job, cast("Kind", kind), mapping


async def save_edit(centre: Centre, session: Session, job: Job, form: Form, edit: Edit, beside: str = "") -> Job | None:
    """Save an edit of the version that the form was made from; null where it was refused, told in the form.

    ``beside``: the field beside which the schema's faults are told.
    """
    version = form.number("version", 1, 1_000_000_000) or job.schema_version
    if not form.ok:
        return None
    try:
        return await centre.app.applications.edit_schema(session.actor, job.id, version, edit)
    except (InvalidInput, Conflict, NotFound) as error:
        form.fail(beside, str(error))
        return None


class MappingPages:
    """The mapping table of each kind of object."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page, action = self._centre.page, self._centre.action
        return [
            page(MAPPINGS, self.index),
            page(OBJECT, self.one),
            action(OBJECT, self.save_actions),
            page(f"{OBJECT}/row", self.row),
            action(f"{OBJECT}/row", self.save_row),
            action(f"{OBJECT}/try", self.attempt),
            page(f"{OBJECT}/row/delete", self.ask_delete),
            action(f"{OBJECT}/row/delete", self.delete),
        ]

    async def index(self, request: Request, session: Session) -> Response:
        session.actor.require(Right.SYNCHRONIZATION_READ, session.realm_id)
        app = await found_app(self._centre, request, session)
        job = app.job
        kinds = [(kind, mapping) for kind in ("User", "Group") if (mapping := job.schema.mapping(kind)) is not None]
        return show(request, "mappings.html", app=app, job=job, kinds=kinds)

    async def one(self, request: Request, session: Session) -> Response:
        app, job, kind, mapping = await found_mapping(self._centre, request, session)
        return self._one(request, app, job, kind, mapping, _actions_form(mapping))

    async def save_actions(self, request: Request, session: Session) -> Response:
        app, job, kind, mapping = await found_mapping(self._centre, request, session)
        form = form_of(request)
        actions = ActionsEdit(
            enabled=form.ticked("enabled"),
            add=form.ticked("add"),
            update=form.ticked("update"),
            delete=form.ticked("delete"),
        )
        saved = await save_edit(self._centre, session, job, form, lambda document: set_actions(document, kind, actions))
        if saved is None:
            return self._one(request, app, job, kind, mapping, form, status=422)
        return _saved(request, app, kind, job, saved, f"The mapping of {_noun(kind)}")

    async def row(self, request: Request, session: Session) -> Response:
        app, job, kind, mapping = await found_mapping(self._centre, request, session)
        target = request.query_params.get("target", "")
        if not target:
            form = Form.filled(
                type="Attribute", matching="", apply=FlowType.ALWAYS.value, version=str(job.schema_version)
            )
            return self._row(request, app, job, kind, mapping, form, "")
        return self._row(request, app, job, kind, mapping, _row_form(_found_row(mapping, target), job), target)

    async def save_row(self, request: Request, session: Session) -> Response:
        app, job, kind, mapping = await found_mapping(self._centre, request, session)
        form = form_of(request)
        replacing = form.text("replacing", most=1000)
        edit = _row_edit(form)
        saved = None
        if edit is not None:
            put = partial(put_row, kind=kind, row=edit, replacing=replacing or None)
            saved = await save_edit(self._centre, session, job, form, put)
        if edit is None or saved is None:
            return self._row(request, app, job, kind, mapping, form, replacing, status=422)
        return _saved(request, app, kind, job, saved, f"The mapping to {edit.target}")

    async def ask_delete(self, request: Request, session: Session) -> Response:
        app, job, kind, mapping = await found_mapping(self._centre, request, session)
        row = _found_row(mapping, request.query_params.get("target", ""))
        return confirm(
            request,
            title=f"Remove the mapping to {row.target}?",
            text=["What was written to this attribute stays in the target; it is not kept up to date any more."],
            action=f"{_object_path(app, kind)}/row/delete",
            verb="Remove",
            back=_object_path(app, kind),
            fields={"target": row.target, "version": str(job.schema_version)},
        )

    async def delete(self, request: Request, session: Session) -> Response:
        app, job, kind, mapping = await found_mapping(self._centre, request, session)
        form = form_of(request)
        row = _found_row(mapping, form.text("target", most=1000))
        saved = await save_edit(
            self._centre, session, job, form, lambda document: remove_row(document, kind, row.target)
        )
        if saved is None:
            return self._one(request, app, job, kind, mapping, form, status=422)
        return done(request, _object_path(app, kind), f"Nothing is mapped to {row.target} any more.", preview(app))

    async def attempt(self, request: Request, session: Session) -> Response:
        """The live result of an expression: a piece of the row's page, and without scripts the page itself."""
        app, job, kind, mapping = await found_mapping(self._centre, request, session)
        form = form_of(request)
        expression, who = form.text("expression", most=PAGE), form.text("who")
        tried: dict[str, Any] = {"tried": None, "trouble": ""}
        if expression and who:
            try:
                found = await self._centre.app.tryout.expression(session.actor, job, kind, expression, who)
            except ProvisorError as error:
                tried["trouble"] = str(error)
            else:
                steps = [(step.text, _told(step.value), step.error) for step in found.steps]
                tried["tried"] = {"name": found.name, "value": _told(found.value), "error": found.error, "steps": steps}
        return self._row(request, app, job, kind, mapping, form, form.text("replacing", most=1000), **tried)

    def _one(
        self, request: Request, app: App, job: Job, kind: Kind, mapping: ObjectMapping, form: Form, status: int = 200
    ) -> Response:
        form.values["version"] = [str(job.schema_version)]
        return show(
            request,
            "mapping.html",
            status=status,
            app=app,
            job=job,
            kind=kind,
            mapping=mapping,
            form=form,
            noun=_noun(kind),
            types=dict(TYPES),
            applies={flow.value: text for flow, text in APPLIES},
        )

    def _row(
        self,
        request: Request,
        app: App,
        job: Job,
        kind: Kind,
        mapping: ObjectMapping,
        form: Form,
        target: str,
        status: int = 200,
        **tried: Any,
    ) -> Response:
        document = job.schema.document
        taken = {row.target.casefold() for row in mapping.attribute_mappings} - {target.casefold()}
        targets = [one["name"] for one in target_attributes(document, kind)]
        return show(
            request,
            "mapping_row.html",
            status=status,
            app=app,
            job=job,
            kind=kind,
            noun=_noun(kind),
            form=form,
            target=target,
            types=TYPES,
            applies=[(flow.value, text) for flow, text in APPLIES],
            when_empty=WHEN_EMPTY,
            sources=[(one["name"], one["name"]) for one in source_attributes(document, kind)],
            targets=[(name, name) for name in targets if name.casefold() not in taken],
            functions=sorted(FUNCTIONS.values(), key=lambda function: function.name),
            **({"tried": None, "trouble": ""} | tried),
        )


def _object_path(app: App, kind: str) -> str:
    return f"{app_path(app)}/provisioning/mappings/{kind}"


def _noun(kind: Kind) -> str:
    return "users" if kind == "User" else "groups"


def _saved(request: Request, app: App, kind: Kind, before: Job, after: Job, what: str) -> Response:
    if before.schema.document == after.schema.document:
        return done(request, _object_path(app, kind), "Nothing was different.")
    said = f"{what} was saved as version {after.schema_version}. The next cycle looks at everybody anew."
    return done(request, _object_path(app, kind), said, preview(app))


def _found_row(mapping: ObjectMapping, target: str) -> AttributeMapping:
    for row in mapping.attribute_mappings:
        if row.target.casefold() == target.casefold():
            return row
    raise NotFound(f"Nothing is mapped to {target[:100]!r}.", hint="Somebody may have changed the mappings meanwhile.")


def _actions_form(mapping: ObjectMapping) -> Form:
    ticked = {
        "enabled": mapping.enabled,
        "add": mapping.flow_types.add,
        "update": mapping.flow_types.update,
        "delete": mapping.flow_types.delete,
    }
    return Form.filled(**{name: "yes" for name, on in ticked.items() if on})


def _row_form(row: AttributeMapping, job: Job) -> Form:
    tree = row.source.tree
    return Form.filled(
        type=row.source_type,
        attribute=tree.name if isinstance(tree, AttributeNode) else "",
        constant=tree.value if row.source_type == "Constant" and isinstance(tree, TextNode) else "",
        expression="" if row.source_type == "None" else row.source_text,
        default_value=row.default_value or "",
        target=row.target,
        matching=str(row.matching_priority) if row.matching_priority else "",
        apply=row.flow_type.value,
        when_empty=row.when_empty or "",
        version=str(job.schema_version),
    )


def _row_edit(form: Form) -> RowEdit | None:
    """The row that a form says; null where something is wrong with it, told in the form."""
    type_ = cast("SourceType", form.choice("type", [value for value, _ in TYPES]))
    target = form.text("target", "Choose the target attribute.", most=1000)
    matching = form.number("matching", 1, 100)
    flow = FlowType(form.choice("apply", [value.value for value, _ in APPLIES]))
    empty = form.choice("when_empty", [value for value, _ in WHEN_EMPTY])
    text = ""
    match type_:
        case "Attribute":
            text = form.text("attribute", "Choose the source attribute.")
        case "Constant":
            text = form.raw("constant")[:PAGE]
        case "Function":
            text = form.text("expression", "Write the expression.", most=PAGE)
        case "None":
            text = ""
    if not form.ok:
        return None
    return RowEdit(
        target=target,
        source_type=type_,
        text=text,
        default_value=form.text("default_value", most=PAGE) or None,
        matching_priority=matching or 0,
        flow_type=flow,
        when_empty=cast("Any", empty or None),
    )


def _told(value: Any) -> str:
    if value is NO_FLOW:
        return "(left out)"
    return "(empty)" if value in (None, "", []) else as_text(value)
