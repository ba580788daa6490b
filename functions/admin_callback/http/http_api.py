"""Which route does what: an exact path, one method each."""

from collections.abc import Callable, Mapping
from typing import Any

from admin_callback.http import manifest
from admin_callback.http.http_request import HttpEvent, came_through_edge, public_origin, source_address
from admin_callback.http.http_response import NO_STORE, HttpResponse, json_response
from admin_callback.settings import Settings

Route = Callable[[HttpEvent, str, str], HttpResponse]
"""Takes a request, the viewer's address, and the invocation's id, which a page shows as the reference for support."""


class HttpApi:
    """The HTTP side of the function: ``posts`` are the routes besides the manifest and the healthcheck."""

    def __init__(self, settings: Settings, posts: Mapping[str, Route]) -> None:
        self._settings = settings
        self._routes: dict[str, tuple[str, Route]] = {
            manifest.MANIFEST_PATH: ("GET", self._manifest),
            manifest.HEALTHCHECK_PATH: ("GET", _healthcheck),
            **{path: ("POST", route) for path, route in posts.items()},
        }

    def answer(self, event: HttpEvent, request_id: str) -> dict[str, Any]:
        """The answer to an HTTP API request."""
        return self._answer(event, request_id).as_event()

    def _answer(self, event: HttpEvent, request_id: str) -> HttpResponse:
        origin_secret = self._settings.origin_secret
        if not came_through_edge(event, origin_secret):
            return json_response(403, {"error": "forbidden"}, NO_STORE)
        method, route = self._routes.get(event["rawPath"], ("", None))
        if route is None:
            return json_response(404, {"error": "not_found"})
        if event["requestContext"]["http"]["method"] != method:
            return json_response(405, {"error": "method_not_allowed"}, {"Allow": method})
        return route(event, source_address(event, behind_edge=bool(origin_secret)), request_id)

    def _manifest(self, event: HttpEvent, _source: str, _request_id: str) -> HttpResponse:
        document = manifest.render(self._settings, public_origin(event))
        return json_response(200, document, {"Cache-Control": "public, max-age=300"})


def _healthcheck(_event: HttpEvent, _source: str, _request_id: str) -> HttpResponse:
    return json_response(200, {"status": "ok"}, NO_STORE)
