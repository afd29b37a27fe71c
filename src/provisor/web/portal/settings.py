"""The admin centre, an app's provisioning set up: mode, admin credentials with their test, notification, settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.applications.model import App, JobSettings
from provisor.applications.synchronization.keys import BASE_ADDRESS, MASK, SECRET_TOKEN
from provisor.connector.check import ConnectionResult
from provisor.errors import Conflict, InvalidInput, NotFound
from provisor.provisioning.credentials import refused
from provisor.provisioning.settings import SETTINGS, shown_settings
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.html.flash import redirect
from provisor.web.html.forms import Form
from provisor.web.html.guard import form_of
from provisor.web.portal.apps import APP, app_path, found_app, preview
from provisor.web.portal.centre import Centre, show

_SETTINGS = f"{APP}/provisioning/settings"
_BEARER, _OAUTH = "StaticBearerToken", "OAuth2ClientCredentialsGrant"
_AUTHENTICATIONS = ((_BEARER, "Secret token (bearer)"), (_OAUTH, "OAuth 2.0 client credentials"))
_MODES = (("Manual", "Manual"), ("Automatic", "Automatic"))
# The form's field -> the credential's key. Secret ones are never shown: empty keeps what is stored.
_TEXTS = {"tenant_url": BASE_ADDRESS, "token_url": "Oauth2TokenExchangeUri", "client_id": "Oauth2ClientId"}
_SECRETS = {"secret_token": SECRET_TOKEN, "client_secret": "Oauth2ClientSecret"}
_LONGEST = 16_384
# Settings that are switches, and those that are chosen or typed; their keys are those of ``SETTINGS``.
_FLAGS = (
    "default-access",
    "nested-groups",
    "skip-out-of-scope-deletions",
    "match-aliases",
    "delete-threshold",
)
_WORDS = ("scope", "interval", "group-rename", "dialect", "delete-threshold-value")
_GUARD = ("deletions", "deletions_percent", "changes_percent")


class SettingsPages:
    """``…/provisioning/settings``."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def routes(self) -> list[Route]:
        """The section's addresses."""
        return [
            self._centre.page(_SETTINGS, self.page),
            self._centre.action(f"{_SETTINGS}/test", self.test),
            self._centre.action(f"{_SETTINGS}/credentials", self.save_credentials),
            self._centre.action(f"{_SETTINGS}/job", self.save_settings),
        ]

    async def page(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session)
        return await self._page(request, session, app)

    async def test(self, request: Request, session: Session) -> Response:
        """Test Connection with what stands in the form, saved or not."""
        app = await self._found(request, session, Right.SYNCHRONIZATION_WRITE)
        form = form_of(request)
        result = await self._tried(session, app, form)
        status = 200 if result is not None and result.ok else 422
        return await self._page(request, session, app, credentials=form, result=result, status=status)

    async def save_credentials(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session, Right.SYNCHRONIZATION_WRITE)
        form = form_of(request)
        mode = form.choice("mode", [mode for mode, _ in _MODES])
        if mode == "Manual":
            said = "Provisioning stays manual: nothing runs."
            if app.has_job:
                said = "Once automatic, it does not go back to manual. To stop it, switch the status off."
            return redirect(request, f"{app_path(app)}/provisioning/settings", said, kind="warning")
        address = form.text("notification_email")
        result = await self._tried(session, app, form)
        if result is None or (refused(result) and not form.ticked("unverified")):
            return await self._page(request, session, app, credentials=form, result=result, status=422, refused=True)
        saved = False
        with form.catching():
            await self._save(session, app, form, address)
            saved = True
        if not saved:
            return await self._page(request, session, app, credentials=form, result=result, status=422)
        said = "The credentials were saved, and the app accepts them."
        if not result.ok:
            said = f"The credentials were saved, but not accepted yet: {result.message}"
        kind: Any = "success" if result.ok else "warning"
        return redirect(request, f"{app_path(app)}/provisioning/settings", said, kind=kind)

    async def save_settings(self, request: Request, session: Session) -> Response:
        app = await self._found(request, session, Right.SYNCHRONIZATION_WRITE)
        form = form_of(request)
        job = app.job
        texts = {key: "on" if form.ticked(key) else "off" for key in _FLAGS}
        texts |= {key: form.text(key) for key in _WORDS if form.raw(key).strip()}
        guard = {name: form.number(f"guard_{name}", 0, 10**9) for name in _GUARD}
        status = form.choice("status", ("off", "on"))
        provisioning = self._centre.app.provisioning
        warnings: list[str] = []
        changed = job
        if form.ok:
            with form.catching():
                _, warnings = await provisioning.change_settings(session.actor, job.id, texts)
                held = {"enabled": form.ticked("guard_enabled")} | {
                    name: number for name, number in guard.items() if number is not None
                }
                changed = await self._centre.app.applications.change_settings(session.actor, job.id, {"guard": held})
                await self._switch(session, app, on=status == "on")
        if not form.ok:
            return await self._page(request, session, app, settings=form, status=422)
        said = " ".join(["The settings were saved.", *warnings])
        return redirect(
            request,
            f"{app_path(app)}/provisioning{'' if status == 'on' else '/settings'}",
            said,
            kind="warning" if warnings else "success",
            then=None if changed.settings == job.settings else preview(app),
        )

    async def _switch(self, session: Session, app: App, *, on: bool) -> None:
        """Provisioning Status as the form has it; what it is already is left alone."""
        provisioning = self._centre.app.provisioning
        state = await provisioning.state(session.actor, app.job_id)
        running = state.code in ("NotRun", "Active", "Quarantine")
        if on and not running:
            await provisioning.start(session.actor, app.job_id)
        elif not on and running:
            await provisioning.pause(session.actor, app.job_id)

    async def _tried(self, session: Session, app: App, form: Form) -> ConnectionResult | None:
        """What the target says; null where the form cannot be used, told in it."""
        pairs = await self._pairs(session, app, form)
        if not form.ok:
            return None
        try:
            return await self._centre.app.credential_checks.check(
                session.actor, app.service_principal, _template_id(app), pairs, app.job if app.has_job else None
            )
        except (InvalidInput, NotFound, Conflict) as error:
            form.fail("tenant_url", str(error))
            return None

    async def _save(self, session: Session, app: App, form: Form, address: str) -> None:
        pairs = await self._pairs(session, app, form)
        sp = app.service_principal
        synchronization, provisioning = self._centre.app.synchronization, self._centre.app.provisioning
        await synchronization.set_secrets(session.actor, sp, pairs, replace=False)
        job_id = app.job_id
        if not app.has_job:
            job_id = (await synchronization.create_job(session.actor, sp, _template_id(app))).id
        notify = {"notify": "on" if form.ticked("notify") else "off", "notify-address": address}
        await provisioning.change_settings(session.actor, job_id, notify)
        # What this test says is remembered with the job: it does not start on credentials that are refused.
        await provisioning.test(session.actor, job_id)

    async def _pairs(self, session: Session, app: App, form: Form) -> list[tuple[str, str]]:
        """The credentials that the form says; a secret that was left empty is the stored one."""
        stored = dict(await self._centre.app.synchronization.secrets(session.actor, app.service_principal))
        kind = form.choice("authentication", [kind for kind, _ in _AUTHENTICATIONS])
        oauth = kind == _OAUTH
        address = form.text("tenant_url", "Enter the address of the app's SCIM endpoint.", most=_LONGEST)
        pairs = [("AuthenticationType", kind), (BASE_ADDRESS, address)]
        if oauth:
            pairs.append((_TEXTS["token_url"], form.text("token_url", "Enter the token address.", most=_LONGEST)))
            pairs.append((_TEXTS["client_id"], form.text("client_id", "Enter the client id.", most=_LONGEST)))
        for field, key in _SECRETS.items():
            if (field == "client_secret") is not oauth:
                continue
            given = form.text(field, most=_LONGEST)
            if given or key in stored:
                pairs.append((key, given or MASK))
        return pairs

    async def _found(self, request: Request, session: Session, right: Right = Right.SYNCHRONIZATION_READ) -> App:
        session.actor.require(right, session.realm_id)
        return await found_app(self._centre, request, session)

    async def _page(
        self,
        request: Request,
        session: Session,
        app: App,
        *,
        credentials: Form | None = None,
        settings: Form | None = None,
        result: ConnectionResult | None = None,
        status: int = 200,
        refused: bool = False,
    ) -> Response:
        stored = dict(await self._centre.app.synchronization.secrets(session.actor, app.service_principal))
        template = self._centre.app.applications.template(_template_id(app))
        job = app.job if app.has_job else None
        state = await self._centre.app.provisioning.state(session.actor, job.id) if job is not None else None
        on = state is not None and state.code in ("NotRun", "Active", "Quarantine")
        return show(
            request,
            "settings.html",
            status=status,
            app=app,
            job=job,
            form=credentials or _credentials_form(app, stored, template.tenant_url, job.settings if job else None),
            settings=settings or (_settings_form(job.settings, on=on) if job else Form.empty()),
            result=result,
            refused=refused,
            stored=stored,
            modes=_MODES if job is None else _MODES[1:],
            authentications=_AUTHENTICATIONS,
            dialects=[(name, name) for name in SETTINGS["dialect"].values.split("|")],
            template_url=template.tenant_url,
        )


def _template_id(app: App) -> str:
    return app.service_principal.template_id or "scim"


def _credentials_form(app: App, stored: Mapping[str, str], template_url: str, settings: JobSettings | None) -> Form:
    values = {field: stored.get(key, "") for field, key in _TEXTS.items()}
    values["tenant_url"] = values["tenant_url"] or template_url
    kind = stored.get("AuthenticationType") or (_OAUTH if values["token_url"] else _BEARER)
    notification = settings.notification if settings is not None else None
    form = Form.filled(
        **values,
        mode="Automatic" if app.has_job else "Manual",
        authentication=_OAUTH if kind.lower().startswith("oauth2client") else _BEARER,
        notification_email=notification.recipients if notification else "",
    )
    if notification is not None and notification.enabled:
        form.values["notify"] = ["yes"]
    return form


def _settings_form(settings: JobSettings, *, on: bool) -> Form:
    shown = shown_settings(settings)
    form = Form.filled(
        status="on" if on else "off",
        **{key: shown[key] for key in _WORDS},
        **{f"guard_{name}": str(getattr(settings.guard, name)) for name in _GUARD},
    )
    for key in _FLAGS:
        if shown[key] == "on":
            form.values[key] = ["yes"]
    if settings.guard.enabled:
        form.values["guard_enabled"] = ["yes"]
    return form
