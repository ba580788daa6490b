"""The integration as Zendesk sees it: what its manifest says, fetched from ``manifest_url``."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3

MAX_MANIFEST_BYTES = 256 * 1024
FETCH_TIMEOUT = urllib3.Timeout(connect=5, read=10)


class ManifestError(Exception):
    """The manifest can't be had or breaks Zendesk's rules; the text says how."""


@dataclass(frozen=True)
class Manifest:
    name: str
    id: str
    admin_ui: str
    author: str | None = None
    version: str | None = None
    push_client_id: str | None = None
    """Without it Zendesk hands out neither instance_push_id nor token."""
    event_callback_url: str | None = None
    channelback_url: str | None = None


class Integration:
    """Fetches the manifest; Zendesk polls it, so whatever it says now counts."""

    def __init__(self, manifest_url: str | None) -> None:
        self.manifest_url = manifest_url
        self._pool = urllib3.PoolManager(num_pools=4, timeout=FETCH_TIMEOUT, retries=False)
        self._lock = threading.Lock()
        self._last: tuple[str, Manifest] | None = None

    def manifest(self) -> Manifest:
        """The manifest as it is now; raises ManifestError."""
        url = self.manifest_url
        if url is None:
            raise ManifestError(
                "No integration is installed: the simulator was started without a manifest URL."
            )
        manifest = read_manifest(self._fetch(url))
        with self._lock:
            self._last = (url, manifest)
        return manifest

    def last_manifest(self) -> Manifest:
        """The manifest as it was read last, fetched if it never was; raises ManifestError."""
        with self._lock:
            last = self._last
        if last is not None and last[0] == self.manifest_url:
            return last[1]
        return self.manifest()

    def close(self) -> None:
        self._pool.clear()

    def _fetch(self, url: str) -> bytes:
        try:
            response = self._pool.request(
                "GET",
                url,
                retries=urllib3.Retry(total=3, connect=0, read=0, redirect=3),
                preload_content=False,
            )
            body = response.read(MAX_MANIFEST_BYTES + 1)
            response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ManifestError(f"{url} can't be reached ({type(error).__name__}).") from error
        if response.status != 200:
            raise ManifestError(f"{url} answers with status {response.status}.")
        if len(body) > MAX_MANIFEST_BYTES:
            raise ManifestError(f"{url} is larger than {MAX_MANIFEST_BYTES} bytes.")
        return body


def read_manifest(body: bytes) -> Manifest:
    """Parse and check; raises ManifestError. https is demanded except on loopback."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise ManifestError("The manifest is not JSON.") from error
    if not isinstance(value, dict) or not isinstance(value.get("urls"), dict):
        raise ManifestError("The manifest is not an object with urls.")
    urls = value["urls"]
    return Manifest(
        name=_required(_text(value, "name", 255), "name"),
        id=_required(_text(value, "id", 511), "id"),
        author=_text(value, "author", 255),
        version=_text(value, "version", 255),
        push_client_id=_text(value, "push_client_id", 127),
        admin_ui=_required(_url(urls, "admin_ui"), "urls.admin_ui"),
        event_callback_url=_url(urls, "event_callback_url"),
        channelback_url=_url(urls, "channelback_url"),
    )


def _required(value: str | None, key: str) -> str:
    if value is None:
        raise ManifestError(f"The manifest lacks {key}.")
    return value


def _text(value: dict[str, Any], key: str, limit: int) -> str | None:
    text = value.get(key)
    if text is None:
        return None
    if not isinstance(text, str) or not 1 <= len(text) <= limit:
        raise ManifestError(f"{key} in the manifest must be a string of 1 to {limit} characters.")
    return text


def _url(urls: dict[str, Any], key: str) -> str | None:
    url = _text(urls, key, 511)
    if url is None:
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    loopback = host in ("localhost", "::1", "host.docker.internal") or host.startswith("127.")
    if not host or not (
        parts.scheme == "https" or (parts.scheme == "http" and (loopback or host.endswith(".localhost")))
    ):
        raise ManifestError(f"urls.{key} in the manifest must be an https URL.")
    return url
