"""A manifest against the contract's limits: a pure function of what was served and where."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from zendesk_channel.addresses import is_loopback

_MAX_URL: Final = 511
# Name, longest length, whether Zendesk (or push) demands it. 127 is the stricter of two published limits.
_STRINGS: Final = (
    ("name", 255, True),
    ("id", 511, True),
    ("push_client_id", 127, True),
    ("version", 255, False),
    ("author", 255, False),
)
_BOOLEANS: Final = ("channelback_files", "create_followup_tickets")
_REQUIRED_URLS: Final = ("admin_ui", "event_callback_url")
_URLS: Final = (
    *_REQUIRED_URLS,
    "pull_url",
    "channelback_url",
    "clickthrough_url",
    "healthcheck_url",
    "about_url",
    "dashboard_url",
)


def manifest_problems(manifest: Any, served_from: str, replies: bool | None = None) -> list[str]:
    """Everything in a manifest that breaks the contract, or that push would not work with; empty when it is good.

    Args:
        manifest: the parsed JSON.
        served_from: the API's origin, which every URL should be at.
        replies: whether there is a queue for agents' answers; None where that is not known.
    """
    if not isinstance(manifest, dict):
        return ["it is not a JSON object"]
    return [
        *_string_problems(manifest),
        *_url_problems(manifest, served_from),
        *_reply_problems(manifest, replies),
    ]


def _string_problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    for name, limit, required in _STRINGS:
        value = manifest.get(name)
        if value is None:
            if required:
                yield f"{name} is missing"
        elif not isinstance(value, str) or not 1 <= len(value) <= limit:
            yield f"{name} must be a string of 1 to {limit} characters"
    for name in _BOOLEANS:
        if name in manifest and not isinstance(manifest[name], bool):
            yield f"{name} must be true or false"


def _url_problems(manifest: Mapping[str, Any], served_from: str) -> Iterator[str]:
    urls = manifest.get("urls")
    if not isinstance(urls, dict):
        yield "urls must be an object"
        return
    for name in _REQUIRED_URLS:
        if name not in urls:
            yield f"urls.{name} is missing"
    for name in _URLS:
        if name in urls:
            problem = _url_problem(urls[name], served_from)
            if problem:
                yield f"urls.{name} {problem}"


def _reply_problems(manifest: Mapping[str, Any], replies: bool | None) -> Iterator[str]:
    urls = manifest.get("urls")
    if replies is None or not isinstance(urls, dict):
        return
    if replies and "channelback_url" not in urls:
        yield "urls.channelback_url is missing, though there is a replies queue"
    if not replies and "channelback_url" in urls:
        yield "urls.channelback_url is there, though there is no replies queue"


def _url_problem(url: Any, served_from: str) -> str | None:
    if not isinstance(url, str) or not 1 <= len(url) <= _MAX_URL:
        return f"must be a string of 1 to {_MAX_URL} characters"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "is not a URL"
    # Zendesk itself demands https; a simulated one on this machine does not.
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host))):
        return "must be an absolute https URL"
    if parts.netloc != urlsplit(served_from).netloc:
        return f"is at another host ({parts.netloc}) than the manifest"
    return None
