"""What administrators, Zendesk and strangers send to the function, and what they get back."""

import base64
import html
import json
import logging
import re
import sys
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from admin_callback.accounts.sealed_metadata import Metadata, MetadataSealer
from admin_callback.composition import Application
from push_content.accounts.revalidation import SCHEDULE_SOURCE, Revalidation
from worlds.scripted_zendesk import ScriptedZendesk
from worlds.set_clock import SetClock
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain

FORM_TYPE = "application/x-www-form-urlencoded"
SOURCE = "203.0.113.1"  # Zendesk's, and administrators'


@dataclass(frozen=True)
class AdminContext:
    """What the function reads of Lambda's context."""

    aws_request_id: str = "req-0001"
    remaining_ms: int = 29_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of the function."""

    status: int
    headers: dict[str, str]
    body: str = field(repr=False)

    @property
    def state(self) -> str | None:
        found = re.search(r'<body data-state="([a-z]+)">', self.body)
        return found[1] if found else None

    @property
    def fields(self) -> dict[str, str]:
        """What the page's form posts."""
        inputs = re.findall(r"<input ([^>]*)>", self.body)
        pairs = [dict(re.findall(r'([a-z-]+)="([^"]*)"', text)) for text in inputs]
        return {pair["name"]: html.unescape(pair["value"]) for pair in pairs}

    @property
    def action(self) -> str | None:
        found = re.search(r'<form method="post" action="([^"]*)"', self.body)
        return html.unescape(found[1]) if found else None

    @property
    def metadata(self) -> str:
        return self.fields["metadata"]


class AdminRequests:
    """Requests to ``app``, whose Zendesk is ``zendesk``."""

    app: Application
    zendesk: ScriptedZendesk
    clock: SetClock

    @property
    def sealer(self) -> MetadataSealer:
        """What writes and reads this stack's metadata."""
        raise NotImplementedError

    def request(
        self, method: str, path: str, body: str | None = None, *, base64_encoded: bool = False, **headers: str
    ) -> Answer:
        return self.handle(self.http_event(method, path, body, base64_encoded=base64_encoded, **headers))

    @staticmethod
    def http_event(
        method: str,
        path: str,
        body: str | None = None,
        *,
        base64_encoded: bool = False,
        source: str = SOURCE,
        **headers: str,
    ) -> dict[str, Any]:
        """A request as API Gateway hands it over."""
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {
                "domainName": "push.example.com",
                "http": {"method": method, "path": path, "sourceIp": source},
                "requestId": "api-1",
                "stage": "$default",
            },
            "isBase64Encoded": base64_encoded,
        }
        if body is not None:
            event["body"] = body
        return event

    def handle(self, event: dict[str, Any], app: Application | None = None) -> Answer:
        answer = self._invoke(event, AdminContext(), app)
        return Answer(answer["statusCode"], answer["headers"], answer["body"])

    def form(self, subdomain: str = "acme", **fields: str) -> dict[str, str]:
        """A callback's fields, as Zendesk fills them in for a new account."""
        return {
            "name": "",
            "metadata": "",
            "state": "",
            "return_url": self.zendesk.origin(subdomain)
            + "/zendesk/channels/integration_service_instances/editor_finalizer",
            "subdomain": subdomain,
            "locale": "en-US",
            "instance_push_id": "3cd1d2a5-aaf2-41fe-a9f1-519499605854",
            "zendesk_access_token": "a" * 64,
            **fields,
        }

    def post_form(
        self, fields: dict[str, str] | str, app: Application | None = None, *, source: str = SOURCE
    ) -> Answer:
        return self.handle(self.form_event(fields, source=source), app)

    def form_event(
        self, fields: dict[str, str] | str, *, source: str = SOURCE, **headers: str
    ) -> dict[str, Any]:
        """A form as API Gateway hands it over."""
        text = fields if isinstance(fields, str) else urlencode(fields)
        body = base64.b64encode(text.encode()).decode()
        return self.http_event(
            "POST", "/admin_ui", body, base64_encoded=True, source=source, content_type=FORM_TYPE, **headers
        )

    def callback(self, subdomain: str = "acme", **fields: str) -> Answer:
        return self.post_form(self.form(subdomain, **fields))

    def connect(
        self, subdomain: str = "acme", *, token: str = "a" * 64, account: str | None = None
    ) -> Answer:
        """Register an account that Zendesk confirms."""
        account = account or str(uuid.uuid4())
        self.zendesk.accept(subdomain, account, token)
        answer = self.callback(subdomain, instance_push_id=account, zendesk_access_token=token)
        assert (answer.status, answer.state) == (200, "connected"), answer
        return answer

    def events(self, *events: dict[str, Any], source: str = SOURCE) -> Answer:
        body = self.events_body(*events)
        return self.handle(
            self.http_event("POST", "/event_callback", body, source=source, content_type="application/json")
        )

    @staticmethod
    def events_body(*events: dict[str, Any]) -> str:
        return json.dumps({"events": list(events)})

    def event(self, type_id: str, metadata: str | None = None, at: Any = None, **data: Any) -> Answer:
        return self.events(self.event_body(type_id, metadata, at, **data))

    @staticmethod
    def event_body(type_id: str, metadata: str | None = None, at: Any = None, **data: Any) -> dict[str, Any]:
        return {
            "type_id": type_id,
            "timestamp": at or "2026-01-01T00:00:00Z",
            "subdomain": "acme",
            "integration_name": "Newsroom",
            "integration_id": "1",
            "data": {**({"metadata": metadata} if metadata is not None else {}), **data},
        }

    def revalidate(self, context: Any = None, **event: Any) -> dict[str, Any]:
        """A tick of the schedule, as the push function takes it."""
        context = context or AdminContext()
        self._show_logs()
        return self.revalidation().run(
            {"source": SCHEDULE_SOURCE, "action": "revalidate", **event},
            seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
            request_id=context.aws_request_id,
        )

    def revalidation(self) -> Revalidation:
        """A container's schedule."""
        raise NotImplementedError

    def read_metadata(self, text: str) -> Metadata:
        metadata = self.sealer.authenticate(text)
        assert metadata is not None
        return metadata

    def sealed_token(self, text: str) -> PushToken | None:
        return self.sealer.open(self.read_metadata(text))

    def metadata(self, instance_push_id: str, subdomain: str = "acme", **values: Any) -> str:
        """Metadata as the function would write it: what only a holder of its keys can make."""
        return self.sealer.write(
            InstancePushId(instance_push_id), Subdomain(subdomain), **{"issued_at": self.clock.time, **values}
        )

    def _invoke(self, event: dict[str, Any], context: Any, app: Application | None = None) -> dict[str, Any]:
        self._show_logs()
        return (app or self.app).handle(event, context)

    @staticmethod
    def _show_logs() -> None:
        # Powertools keeps the stream that was there when its logger was first made; pytest changes it for each test.
        for service in ("admin-callback", "push-content"):
            for handler in logging.getLogger(service).handlers:
                if isinstance(handler, logging.StreamHandler):
                    handler.stream = sys.stdout  # not setStream: it flushes the old one, which is closed
