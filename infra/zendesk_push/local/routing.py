"""Which route of an HTTP API a request belongs to: API Gateway's rules.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

import re
from collections.abc import Sequence
from typing import Final

from zendesk_push.local.event_wiring import Route

_PARAMETER: Final = re.compile(r"\{([^}+]+)(\+?)\}")


class Router:
    """Finds the most specific route: a full match, then one with parameters, then a greedy one, then ``$default``.

    Of two equally specific ones, that with the request's method comes before ``ANY``.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._default = next((route for route in routes if route.key == "$default"), None)
        compiled = [_Compiled(route) for route in routes if route.key != "$default"]
        self._compiled = sorted(compiled, key=lambda one: one.rank)

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route for a request and the values of its path parameters; None where there is none."""
        for candidate in self._compiled:
            found = candidate.pattern.fullmatch(path)
            if found and candidate.method in (method, "ANY"):
                return candidate.route, found.groupdict()
        return (self._default, {}) if self._default else None


class _Compiled:
    def __init__(self, route: Route) -> None:
        self.route = route
        self.method, path = route.key.split(" ", 1)
        parameters = _PARAMETER.findall(path)
        greedy = any(plus for _, plus in parameters)
        self.rank = (greedy, len(parameters), -len(path), self.method == "ANY")
        pattern, end = "", 0
        for match in _PARAMETER.finditer(path):
            pattern += re.escape(path[end : match.start()])
            pattern += f"(?P<{match.group(1)}>{'.+' if match.group(2) else '[^/]+'})"
            end = match.end()
        self.pattern = re.compile(pattern + re.escape(path[end:]), re.DOTALL)
