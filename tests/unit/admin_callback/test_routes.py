"""HTTP: what is answered where, to people and to machines, and that a refusal reaches nobody."""

import json

import pytest

from worlds.admin_requests import FORM_TYPE
from worlds.admin_world import AdminWorld


def test_the_manifest_has_absolute_urls_of_the_public_name(world: AdminWorld) -> None:
    answer = world.request("GET", "/manifest.json", host="evil.example.com")
    manifest = json.loads(answer.body)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert manifest["push_client_id"] == "zendesk_push"
    assert manifest["urls"]["admin_ui"] == "https://push.example.com/admin_ui"
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_the_healthcheck_asks_nobody(world: AdminWorld) -> None:
    answer = world.request("GET", "/healthcheck")
    assert (answer.status, json.loads(answer.body), world.calls()) == (200, {"status": "ok"}, {})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/manifest.json", None),
        ("GET", "/healthcheck", None),
        ("POST", "/event_callback", '{"events": []}'),
        ("POST", "/event_callback", "nonsense"),
        ("GET", "/admin_ui", None),
        ("GET", "/nothing", None),
    ],
)
def test_json_is_not_to_be_taken_for_anything_else(
    world: AdminWorld, method: str, path: str, body: str | None
) -> None:
    answer = world.request(method, path, body)
    assert (answer.headers["Content-Type"], answer.headers["X-Content-Type-Options"]) == (
        "application/json",
        "nosniff",
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/manifest.json"),
        ("GET", "/admin_ui"),
        ("HEAD", "/admin_ui"),
        ("PUT", "/admin_ui"),
        ("GET", "/event_callback"),
        ("DELETE", "/healthcheck"),
        ("PATCH", "/admin_ui"),
        ("OPTIONS", "/admin_ui"),
    ],
)
def test_another_method_is_405(world: AdminWorld, method: str, path: str) -> None:
    answer = world.request(method, path)
    assert (answer.status, json.loads(answer.body)) == (405, {"error": "method_not_allowed"})
    assert answer.headers["Allow"] in ("GET", "POST")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/admin_ui/x",
        "/admin_ui/",
        "/admin_ui\n",
        "/ADMIN_UI",
        "/.env",
        "/admin_ui%00",
        "/manifest.json/..",
        "/manifest/json",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PROPFIND"])
def test_another_path_is_404(world: AdminWorld, method: str, path: str) -> None:
    answer = world.request(method, path)
    assert (answer.status, json.loads(answer.body)) == (404, {"error": "not_found"})
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ('{"subdomain": "acme"}', "application/json", 415),
        ("x" * (256 * 1024 + 1), FORM_TYPE, 413),
        ("subdomain=acme", FORM_TYPE, 400),
        ("subdomain=acme.evil.com&return_url=x", FORM_TYPE, 400),
        ("", FORM_TYPE, 400),
        (None, FORM_TYPE, 400),
    ],
)
def test_a_refused_form_gets_a_page_without_a_form_and_reaches_nobody(
    world: AdminWorld, capsys: pytest.CaptureFixture[str], body: str | None, content_type: str, status: int
) -> None:
    answer = world.request("POST", "/admin_ui", body, content_type=content_type)
    assert (answer.status, answer.state) == (status, "refused")
    assert "<form" not in answer.body
    assert "form-action 'none'" in answer.headers["Content-Security-Policy"]
    assert world.calls() == {}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["status"] for line in lines if line.get("message") == "callback"] == [status]
    assert sum("_aws" in line for line in lines) == 1


def test_a_refusal_is_shown_in_the_zendesk_that_it_is_about(world: AdminWorld) -> None:
    fields = world.form(locale="es")
    del fields["zendesk_access_token"]
    answer = world.post_form(fields)
    assert (answer.status, '<html lang="es">' in answer.body, "PushClientId" in answer.body) == (
        400,
        True,
        True,
    )
    assert f"frame-ancestors {world.zendesk.origin('acme')}" in answer.headers["Content-Security-Policy"]


def counted(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """The metrics since this was last asked."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {
        metric["Name"]: line[metric["Name"]][0]
        for line in lines
        if "_aws" in line
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


def test_every_answer_is_counted_as_what_it_is(world: AdminWorld, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    world.callback(instance_push_id="new")
    assert counted(capsys) == {"RegistrationsUnconfirmed": 1, "UnauthenticatedRequests": 1}
    metadata = world.connect(account="new").metadata
    assert counted(capsys) == {"AccountsConnected": 1}
    world.zendesk.accept("other", "new", "a" * 64)
    for refused in (world.callback("other", instance_push_id="new"), world.post_form("subdomain=acme")):
        assert refused.state == "refused"
    assert counted(capsys) == {"RegistrationsRefused": 1, "UnauthenticatedRequests": 1}  # in each of the two
    for verb, metric in (("deactivate", "AccountsDeactivated"), ("destroy", "AccountsDestroyed")):
        world.event(f"{verb}_integration_instance", metadata)
        assert counted(capsys) == {metric: 1}
    world.event("destroy_integration_instance", metadata)
    assert counted(capsys) == {"EventsForged": 1, "UnauthenticatedRequests": 1}
    world.accounts.failing = True
    assert world.callback().status == 503
    assert counted(capsys) == {"RegistrationsFailed": 1}
    assert world.event("destroy_integration_instance", metadata).status == 503
    assert counted(capsys) == {"EventsFailed": 1}


def test_an_error_that_nobody_foresaw_is_not_shown_to_a_caller(world: AdminWorld) -> None:
    """Lambda turns it into a 500 of API Gateway's, without its text."""
    with pytest.raises(KeyError):
        world.handle({"version": "2.0"})
