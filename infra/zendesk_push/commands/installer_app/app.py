"""The Zendesk app that brings the integration to a customer: a ZIP without code, only its requirements.

The same arguments give the same bytes, everywhere: fixed times and permissions, and no compression, whose output
depends on zlib's version.
"""

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

from zendesk_push.errors import UsageError

MAX_URL: Final = 511  # characters, as of every URL of the Channel framework's
_DEFAULT_LOCALE: Final = "en"
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_VERSION: Final = re.compile(r"\d+(\.\d+){0,3}([-+][A-Za-z0-9.-]+)?", re.ASCII)
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)  # ZIP knows no earlier date
_REGULAR_FILE: Final = 0o100644 << 16
_UNIX: Final = 3


@dataclass(frozen=True)
class InstallerApp:
    """What goes into the ZIP, checked.

    Attributes:
        manifest_url: of the integration. Zendesk takes no other for this app, ever: a new one means a new app.
        key: the integration's name inside requirements.json.
        version: the app's own, which Zendesk shows to administrators.

    Raises:
        UsageError: Zendesk would refuse one of the values; the text says which and why.
    """

    manifest_url: str
    name: str
    author_name: str
    author_email: str
    key: str
    version: str

    def __post_init__(self) -> None:
        check_manifest_url(self.manifest_url)
        for value, what in ((self.name, "name"), (self.author_name, "author's name")):
            if not value.strip() or len(value) > 255 or not value.isprintable():
                raise UsageError(f"the {what} must be 1 to 255 printable characters")
        if not _EMAIL.fullmatch(self.author_email):
            raise UsageError(f"{self.author_email!r} is not an e-mail address")
        if not _KEY.fullmatch(self.key):
            raise UsageError(f"the key {self.key!r} must be 1 to 100 letters, digits, '-' or '_'")
        if not _VERSION.fullmatch(self.version):
            raise UsageError(f"{self.version!r} is not a version such as 1.0.0")

    def files(self) -> dict[str, Any]:
        """The files by their path in the ZIP, as JSON values."""
        return {
            "manifest.json": {
                "name": self.name,
                "author": {"name": self.author_name, "email": self.author_email},
                "defaultLocale": _DEFAULT_LOCALE,
                "private": True,
                "requirementsOnly": True,
                "frameworkVersion": "2.0",
                "version": self.version,
            },
            "requirements.json": {"channel_integrations": {self.key: {"manifest_url": self.manifest_url}}},
            **{
                f"translations/{locale}.json": {
                    "app": {
                        "name": self.name,
                        "short_description": texts["short_description"],
                        "installation_instructions": texts["installation_instructions"].replace(
                            "{name}", self.name
                        ),
                    }
                }
                for locale, texts in _texts().items()
            },
        }

    def to_zip(self) -> bytes:
        """The ZIP's bytes."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for path, content in self.files().items():
                entry = zipfile.ZipInfo(path, _EARLIEST)
                entry.create_system = _UNIX
                entry.external_attr = _REGULAR_FILE
                archive.writestr(entry, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        return buffer.getvalue()


def check_manifest_url(url: str) -> None:
    """Hold a manifest's URL against what Zendesk demands.

    Raises:
        UsageError: it is not an absolute https URL of at most 511 printable ASCII characters.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"the manifest URL {url!r} is not a URL") from None
    if parts.scheme != "https":
        raise UsageError(f"the manifest URL {url!r} must begin with https://, which Zendesk demands")
    if not host or parts.username is not None or parts.fragment or parts.path in ("", "/"):
        raise UsageError(
            f"the manifest URL {url!r} must be a host and a path, such as https://example.com/manifest.json"
        )
    if len(url) > MAX_URL or not re.fullmatch(r"[!-~]+", url):
        raise UsageError(f"the manifest URL must be at most {MAX_URL} printable ASCII characters")


def _texts() -> Mapping[str, Mapping[str, str]]:
    """By locale, what the administrator reads before and after installing; {name} is the integration's."""
    texts: Mapping[str, Mapping[str, str]] = json.loads(
        files(__package__).joinpath("texts.json").read_text(encoding="utf-8")
    )
    return texts
