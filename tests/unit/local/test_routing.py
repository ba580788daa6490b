"""Which route a request takes."""

import pytest

from zendesk_push.local.event_wiring import Route
from zendesk_push.local.routing import Router

ROUTES = [
    Route("$default", "Rest"),
    Route("ANY /things/{proxy+}", "Greedy"),
    Route("GET /things/{id}", "Thing"),
    Route("ANY /things/{id}", "AnyThing"),
    Route("GET /things/new", "NewThing"),
    Route("POST /admin_ui", "Admin"),
    Route("GET /manifest.json", "Manifest"),
]


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("POST", "/admin_ui", "Admin", {}),
        ("GET", "/admin_ui", "Rest", {}),
        ("GET", "/manifest.json", "Manifest", {}),
        ("GET", "/manifestXjson", "Rest", {}),
        ("GET", "/manifest.json/", "Rest", {}),
        ("GET", "/things/new", "NewThing", {}),
        ("GET", "/things/7", "Thing", {"id": "7"}),
        ("PUT", "/things/new", "AnyThing", {"id": "new"}),
        ("GET", "/things/7/parts", "Greedy", {"proxy": "7/parts"}),
        ("GET", "/", "Rest", {}),
    ],
)
def test_the_most_specific_route_wins(
    method: str, path: str, function: str, parameters: dict[str, str]
) -> None:
    found = Router(ROUTES).match(method, path)

    assert found is not None
    assert (found[0].function, found[1]) == (function, parameters)


def test_without_a_default_route_there_may_be_none() -> None:
    assert Router(ROUTES[1:]).match("GET", "/nowhere") is None
