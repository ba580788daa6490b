"""The Zendesk app that brings the integration to a customer: a ZIP without code, only its requirements.

The same arguments give the same bytes, everywhere: fixed times and permissions, and no compression, whose output
depends on zlib's version.
"""

import io
import ipaddress
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

from zendesk_push.commands.installer_app.app_rules import LOGOS, MANIFEST, REQUIREMENTS, broken_rules
from zendesk_push.commands.installer_app.logo import draw
from zendesk_push.errors import CommandError, UsageError

MAX_URL: Final = 511  # characters, as of every URL of the Channel framework's
_DEFAULT_LOCALE: Final = "en"
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_UNREAD: Final = {"noreply", "donotreply", "devnull"}
_VERSION: Final = re.compile(r"\d+(\.\d+){0,3}([-+][A-Za-z0-9.-]+)?", re.ASCII)
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)  # ZIP knows no earlier date
_REGULAR_FILE: Final = 0o100644 << 16
_UNIX: Final = 3


@dataclass(frozen=True)
class InstallerApp:
    """What goes into the ZIP, checked.

    Attributes:
        manifest_url: of the integration. Zendesk takes no other for this app, ever: a new one means a new app.
        author_email: Zendesk shows it to administrators as the address to ask for help.
        key: the integration's name inside requirements.json.
        version: the app's own, which Zendesk shows to administrators.
        private: only the account that it is uploaded to can install it; an app for the Marketplace is not.
        logos: PNG images by their path in the ZIP, instead of ours.

    Raises:
        UsageError: Zendesk would refuse one of the values; the text says which and why.
    """

    manifest_url: str
    name: str
    author_name: str
    author_email: str
    key: str
    version: str
    private: bool = True
    logos: Mapping[str, bytes] | None = None

    def __post_init__(self) -> None:
        check_manifest_url(self.manifest_url)
        for value, what in ((self.name, "name"), (self.author_name, "author's name")):
            if not value.strip() or len(value) > 255 or not value.isprintable():
                raise UsageError(f"the {what} must be 1 to 255 printable characters")
        check_support_address(self.author_email)
        if not _KEY.fullmatch(self.key):
            raise UsageError(f"the key {self.key!r} must be 1 to 100 letters, digits, '-' or '_'")
        if not _VERSION.fullmatch(self.version):
            raise UsageError(f"{self.version!r} is not a version such as 1.0.0")

    def files(self) -> dict[str, bytes]:
        """The files' bytes by their path in the ZIP."""
        content = {
            MANIFEST: {
                "name": self.name,
                "author": {"name": self.author_name, "email": self.author_email},
                "defaultLocale": _DEFAULT_LOCALE,
                "private": self.private,
                "requirementsOnly": True,
                "version": self.version,
            },
            REQUIREMENTS: {"channel_integrations": {self.key: {"manifest_url": self.manifest_url}}},
            **{
                f"translations/{locale}.json": {
                    "app": {
                        "name": self.name,
                        **{key: text.replace("{name}", self.name) for key, text in texts.items()},
                    }
                }
                for locale, texts in _texts().items()
            },
        }
        given = self.logos or {}
        return {path: _json(value) for path, value in content.items()} | {
            path: given[path] if path in given else draw(side) for path, side in LOGOS.items()
        }

    def to_zip(self) -> bytes:
        """The ZIP's bytes.

        Raises:
            CommandError: Zendesk would refuse it; the text has a sentence for every rule that it breaks.
        """
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for path, content in self.files().items():
                entry = zipfile.ZipInfo(path, _EARLIEST)
                entry.create_system = _UNIX
                entry.external_attr = _REGULAR_FILE
                archive.writestr(entry, content)
        made = buffer.getvalue()
        if broken := broken_rules(made):
            raise CommandError(f"Zendesk would refuse this app: {'; '.join(broken)}")
        return made


def check_manifest_url(url: str) -> None:
    """Hold a manifest's URL against what Zendesk demands.

    Raises:
        UsageError: it is not an absolute https URL of at most 511 printable ASCII characters, or its host is
            one that Zendesk can't reach.
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
    if not _is_public(host):
        raise UsageError(
            f"the manifest URL {url!r} must have a host that Zendesk can reach from the internet"
        )


def check_support_address(address: str) -> None:
    """Hold the address that administrators are told to write to against common sense.

    Raises:
        UsageError: it is not an e-mail address, or one that says by its name that nobody reads it.
    """
    if not _EMAIL.fullmatch(address) or len(address) > 254 or not address.isprintable():
        raise UsageError(f"{address!r} is not an e-mail address")
    if re.sub(r"[^a-z]", "", address.partition("@")[0].lower()) in _UNREAD:
        raise UsageError(
            f"{address!r} says that nobody reads it: Zendesk shows it to administrators who need help"
        )


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        name, _, last = host.rstrip(".").rpartition(".")
        # 127.1 and 0x7f.1 are addresses as well, to those who read numbers in a host's name.
        return bool(name) and last[:1].isalpha() and last not in ("localhost", "local", "internal")


def _json(value: Any) -> bytes:
    return f"{json.dumps(value, indent=2, ensure_ascii=False)}\n".encode()


def _texts() -> Mapping[str, Mapping[str, str]]:
    """By locale, what the administrator reads before and after installing; {name} is the integration's."""
    texts: Mapping[str, Mapping[str, str]] = json.loads(
        files(__package__).joinpath("texts.json").read_text(encoding="utf-8")
    )
    return texts
