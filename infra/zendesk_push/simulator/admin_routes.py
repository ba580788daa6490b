"""The Admin Center: the integration's accounts, its page in an iframe, and the finalizer that ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule

from zendesk_push.simulator.accounts import SimulatedAccount, SimulatedAccountState, UnknownAccountError
from zendesk_push.simulator.editors import Editor, SaveRefusedError
from zendesk_push.simulator.integration import Manifest, ManifestError
from zendesk_push.simulator.web import SUBDOMAIN, page, see_other

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from zendesk_push.simulator.web import Site, Visit

FINALIZER = "/zendesk/channels/integration_service_instances/editor_finalizer"
SAVED = "/zendesk/channels/integration_service_instances/saved"
COOKIE = "simulated_zendesk_editor"
LOCALES = {
    "en-US": "English (United States)",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pt-BR": "Português (Brasil)",
    "ja": "日本語",
    "nl": "Nederlands",
}


def home(site: Site, visit: Visit) -> Response:
    """Where everything starts: whose Zendesk, with which integration."""
    if visit.subdomain is not None:
        return see_other(f"/admin/{visit.subdomain}")
    with site.core.lock:
        rows = [_overview(site, subdomain) for subdomain in site.core.accounts.subdomains()]
    return page("home.html", section="admin", rows=rows, **_integration(site))


def find(_: Site, visit: Visit) -> Response:
    """``/admin?subdomain=acme``: what the form on the first page asks for."""
    subdomain = visit.request.args.get("subdomain", "").strip().lower()
    if not subdomain:
        return see_other("/")
    if SUBDOMAIN.fullmatch(subdomain) is None:
        return _problem("This is no Zendesk subdomain: letters, digits and hyphens, 63 at most.", "/", 400)
    return see_other(f"/admin/{subdomain}")


def accounts(site: Site, visit: Visit, subdomain: str) -> Response:
    visit.must_serve(subdomain)
    with site.core.lock:
        rows = [account for account in site.core.accounts.of(subdomain) if _is_listed(account)]
        installed = site.core.is_installed(subdomain)
        return page(
            "accounts.html",
            section="admin",
            subdomain=subdomain,
            accounts=rows,
            installed=installed,
            locales=LOCALES,
            has_messages=site.messages is not None,
            home=None if visit.subdomain else "/",
            **_integration(site),
        )


def add(site: Site, visit: Visit, subdomain: str) -> Response:
    visit.must_serve(subdomain)
    try:
        manifest = _manifest(site)
    except ManifestError as error:
        return _problem(str(error), f"/admin/{subdomain}", 502)
    return _editor(site, visit, manifest, site.core.open_new(subdomain, _locale(visit)), is_new=True)


def edit(site: Site, visit: Visit, subdomain: str, instance_push_id: str) -> Response:
    account = _account(site, visit, subdomain, instance_push_id)
    choice = visit.request.args.get("token")
    try:
        manifest = _manifest(site)
        editor = site.core.open_existing(
            account.instance_push_id,
            _locale(visit),
            new_token=None if choice is None else choice == "new",
        )
    except ManifestError as error:
        return _problem(str(error), f"/admin/{subdomain}", 502)
    except UnknownAccountError:
        raise NotFound from None
    return _editor(site, visit, manifest, editor, is_new=False)


def _editor(site: Site, visit: Visit, manifest: Manifest, editor: Editor, *, is_new: bool) -> Response:
    account = editor.account
    fields = {
        "name": account.name,
        "metadata": account.metadata,
        "state": account.pull_state,
        "return_url": visit.origin + FINALIZER,
        "subdomain": account.subdomain,
        "locale": editor.locale,
    }
    if manifest.push_client_id is not None:
        fields |= {"instance_push_id": account.instance_push_id, "zendesk_access_token": editor.token.value}
    response = page(
        "editor.html",
        section="admin",
        frames=[manifest.admin_ui, *([visit.other_name] if site.core.host_mapped else [])],
        manifest=manifest,
        account=account,
        is_new=is_new,
        fields=fields,
        locale_name=LOCALES.get(editor.locale, editor.locale),
    )
    # The finalizer's form does not say which account it is for; the browser's cookie does. On
    # *.localhost the integration's page is another site, and its form's POST carries only such a cookie.
    cross_site = visit.subdomain is not None
    response.set_cookie(
        COOKIE,
        editor.id,
        path="/zendesk/channels/",
        httponly=True,
        secure=cross_site,
        samesite="None" if cross_site else "Lax",
    )
    return response


def finalize(site: Site, visit: Visit) -> Response:
    """The browser's POST from the integration's page. Zendesk redirects, and so does this."""
    form = visit.request.form
    try:
        account = site.core.save(
            visit.request.cookies.get(COOKIE),
            visit.subdomain,
            name=form.get("name", ""),
            metadata=form.get("metadata", ""),
            pull_state=form.get("state", ""),
        )
    except SaveRefusedError as error:
        return page("refused.html", status=400, reason=str(error))
    # A page that may post to the one origin only gets no further, and browsers say so nowhere.
    origin = visit.other_name if site.core.host_mapped else ""
    return see_other(f"{origin}{SAVED}/{account.instance_push_id}")


def saved(site: Site, visit: Visit, instance_push_id: str) -> Response:
    """What is left in the iframe: it takes the administrator back to the list."""
    try:
        account = site.core.accounts.get(instance_push_id)
    except UnknownAccountError:
        raise NotFound from None
    visit.must_serve(account.subdomain)
    return page("saved.html", framed_by="*" if site.core.host_mapped else "'self'", account=account)


def change(site: Site, visit: Visit, subdomain: str, instance_push_id: str, action: str) -> Response:
    visit.must_be_same_origin()
    account = _account(site, visit, subdomain, instance_push_id)
    work = {"activate": site.core.activate, "deactivate": site.core.deactivate, "remove": site.core.remove}
    try:
        work[action](account.instance_push_id)
    except UnknownAccountError:
        return _problem("The account has been removed in the meantime.", f"/admin/{subdomain}", 409)
    return see_other(f"/admin/{subdomain}")


def confirm_removal(site: Site, visit: Visit, subdomain: str, instance_push_id: str) -> Response:
    account = _account(site, visit, subdomain, instance_push_id)
    back = f"/admin/{subdomain}"
    return page(
        "confirm.html",
        section="admin",
        question=f"Remove {account.name or account.instance_push_id} from {subdomain}?",
        consequence="Its token ends at once, and the integration is told. Its tickets stay.",
        verb="Remove the account",
        action=f"{back}/accounts/{instance_push_id}/remove",
        back=back,
    )


def confirm_uninstalling(_: Site, visit: Visit, subdomain: str) -> Response:
    visit.must_serve(subdomain)
    return page(
        "confirm.html",
        section="admin",
        question=f"Remove the app from {subdomain}?",
        consequence="All accounts of the integration go with it; their tickets stay.",
        verb="Remove the app and its accounts",
        action=f"/admin/{subdomain}/uninstall",
        back=f"/admin/{subdomain}",
    )


def uninstall(site: Site, visit: Visit, subdomain: str) -> Response:
    visit.must_be_same_origin()
    visit.must_serve(subdomain)
    site.core.uninstall(subdomain)
    return see_other(f"/admin/{subdomain}")


def _account(site: Site, visit: Visit, subdomain: str, instance_push_id: str) -> SimulatedAccount:
    visit.must_serve(subdomain)
    try:
        account = site.core.accounts.get(instance_push_id)
    except UnknownAccountError:
        raise NotFound from None
    if account.subdomain != subdomain:
        raise NotFound
    return account


def _manifest(site: Site) -> Manifest:
    manifest = site.integration.manifest()
    with site.core.lock:
        site.core.events.integration_name = manifest.name
        site.core.events.integration_id = manifest.id
        site.core.manifest_url = site.integration.manifest_url or ""
    return manifest


def _integration(site: Site) -> dict[str, Any]:
    try:
        return {
            "manifest": _manifest(site),
            "manifest_error": None,
            "manifest_url": site.integration.manifest_url,
        }
    except ManifestError as error:
        return {"manifest": None, "manifest_error": str(error), "manifest_url": site.integration.manifest_url}


def _overview(site: Site, subdomain: str) -> dict[str, Any]:
    listed = [account for account in site.core.accounts.of(subdomain) if _is_listed(account)]
    ids = {account.instance_push_id for account in site.core.accounts.of(subdomain)}
    return {
        "subdomain": subdomain,
        "accounts": [account.name for account in listed],
        "tickets": sum(1 for ticket in site.core.tickets if ticket.instance_push_id in ids),
    }


def _is_listed(account: SimulatedAccount) -> bool:
    return account.state in (SimulatedAccountState.ACTIVE, SimulatedAccountState.INACTIVE)


def _locale(visit: Visit) -> str:
    return visit.request.args.get("locale", "en-US")[:255]


def _problem(reason: str, back: str, status: int) -> Response:
    return page("problem.html", status=status, section="admin", reason=reason, back=back)


def rules() -> list[Rule]:
    account = "/admin/<subdomain>/accounts/<instance_push_id>"
    return [
        Rule("/", endpoint=home, methods=["GET"]),
        Rule("/admin", endpoint=find, methods=["GET"]),
        Rule("/admin/<subdomain>", endpoint=accounts, methods=["GET"]),
        Rule("/admin/<subdomain>/uninstall", endpoint=uninstall, methods=["POST"]),
        Rule("/admin/<subdomain>/accounts/new", endpoint=add, methods=["GET"]),
        Rule(f"{account}/edit", endpoint=edit, methods=["GET"]),
        Rule(f"{account}/remove", endpoint=confirm_removal, methods=["GET"]),
        Rule("/admin/<subdomain>/uninstall", endpoint=confirm_uninstalling, methods=["GET"]),
        Rule(f"{account}/<any(activate, deactivate, remove):action>", endpoint=change, methods=["POST"]),
        Rule(FINALIZER, endpoint=finalize, methods=["POST"]),
        Rule(f"{SAVED}/<instance_push_id>", endpoint=saved, methods=["GET"]),
    ]
