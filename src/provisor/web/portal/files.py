"""The admin centre, import and export: the directory's CSV files, with a look at what a file would change first."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.directory.files.exporting import export_members, export_users
from provisor.directory.files.importing import import_files
from provisor.directory.files.previewing import TOLD, RowChange, preview_files
from provisor.directory.files.report import ImportReport, InputFile
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.forms import Form
from provisor.web.html.guard import form_of
from provisor.web.portal.attribute_form import as_text, label_of
from provisor.web.portal.centre import Centre, done, downloaded, nothing, show

_MAX_FILE = 64 * 1024 * 1024
# Excel opens a file as UTF-8 only when it begins so.
_BOM = "\ufeff"


class FilePages:
    """Files in and out of the session's tenant."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        page, action = self._centre.page, self._centre.action
        return [
            page("/portal/files", self.page),
            action("/portal/files/preview", self.preview, max_body=_MAX_FILE),
            action("/portal/files/apply", self.apply, max_body=_MAX_FILE),
            page("/portal/files/users.csv", self.users),
            page("/portal/groups/{id}/members.csv", self.members),
        ]

    async def page(self, request: Request, session: Session) -> Response:
        session.actor.require(Right.DIRECTORY_READ, session.realm_id)
        return self._page(request, Form.empty())

    async def preview(self, request: Request, session: Session) -> Response:
        form = form_of(request)
        files = await self._files(form)
        if not form.ok:
            return self._page(request, form, status=422)
        found = await preview_files(self._centre.app.directory, session.actor, session.realm_id, files)
        return self._page(
            request,
            form,
            status=422 if found.report.errors else 200,
            report=found.report,
            rows=[
                (row, [(label_of(one.name), as_text(one.before), as_text(one.after)) for one in row.changes])
                for row in found.rows
            ],
            mark=_mark(files),
        )

    async def apply(self, request: Request, session: Session) -> Response:
        form = form_of(request)
        files = await self._files(form)
        if form.ok and form.raw("mark") != _mark(files):
            form.fail("", "These are not the files that were looked at. Preview them, then apply them.")
        if not form.ok:
            return self._page(request, form, status=422)
        report = await import_files(self._centre.app.directory, session.actor, session.realm_id, files)
        if report.errors:
            return self._page(request, form, status=422, report=report)
        members = sum(group.added for group in report.groups)
        said = f"Imported: {report.created} created, {report.updated} changed, {report.unchanged} as they were"
        return done(request, "/portal/files", f"{said}, {members} members added." if report.groups else f"{said}.")

    async def users(self, request: Request, session: Session) -> Response:
        pieces = export_users(self._centre.app.directory, session.actor, session.realm_id)
        return downloaded(await _begun(pieces), "users.csv", "text/csv; charset=utf-8")

    async def members(self, request: Request, session: Session) -> Response:
        id_ = request.path_params["id"]
        found = await self._centre.app.directory.groups_by_id(session.actor, session.realm_id, [id_])
        if id_ not in found:
            raise nothing("group")
        pieces = export_members(self._centre.app.directory, session.actor, session.realm_id, id_)
        return downloaded(await _begun(pieces), "members.csv", "text/csv; charset=utf-8")

    async def _files(self, form: Form) -> list[InputFile]:
        found = []
        for name, group in (("users", None), ("members", form.text("group") or None)):
            upload = form.files.get(name)
            data = b""
            if upload is not None:
                data = await upload.read()
                await upload.close()
            if upload is not None and data:
                found.append(InputFile((upload.filename or name)[:100], data, group))
        if not found:
            form.fail("", "Choose a file first.")
        elif len(found) == 2 and found[0].name == found[1].name:
            form.fail("members", "This is the same file twice.")
        return found

    def _page(
        self,
        request: Request,
        form: Form,
        *,
        status: int = 200,
        report: ImportReport | None = None,
        rows: Sequence[tuple[RowChange, list[tuple[str, str, str]]]] = (),
        mark: str = "",
    ) -> Response:
        return show(
            request, "files.html", status=status, form=form, report=report, rows=rows, mark=mark, most_rows=TOLD
        )


async def _begun(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """The same pieces, the first one made already: so a refusal is a page and not half a file."""
    first = await anext(pieces, "")

    async def all_of_them() -> AsyncIterator[str]:
        yield _BOM + first
        async for piece in pieces:
            yield piece

    return all_of_them()


def _mark(files: list[InputFile]) -> str:
    digest = hashlib.sha256()
    for file in files:
        for part in (file.name.encode(), (file.group or "").encode(), file.data):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
