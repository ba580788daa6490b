"""What Zendesk demands of an app that has only requirements; every ZIP is held against it before it is written.

The rules are those of Zendesk's own validator (its gem zendesk_apps_support, version of August 2026) and of its
documentation. One function is one rule, and yields the sentence that the user sees for each time it is broken.
"""

import io
import json
import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

from zendesk_push.commands.installer_app import png

MANIFEST: Final = "manifest.json"
REQUIREMENTS: Final = "requirements.json"
LOGOS: Final = {"assets/logo.png": 320, "assets/logo-small.png": 128}  # pixels a side

_TRANSLATION: Final = re.compile(r"translations/(.*)\.json")
_LOCALE: Final = re.compile(r"[a-z]{2,3}(-\w{2,3})?", re.ASCII)
_MARKETPLACE_TEXTS: Final = ("short_description", "long_description", "installation_instructions")
_BOOLEANS: Final = ("requirementsOnly", "marketingOnly", "private", "singleInstall", "signedUrls")
_STRINGS: Final = ("name", "version", "defaultLocale", "termsConditionsURL", "remoteInstallationURL", "gaID")
_FORBIDDEN: Final = {
    "frameworkVersion": "framework versions can't be set in an app that has only requirements",
    "location": "locations can't be set in an app that has only requirements",
    "marketingOnly": "an app is for marketing only or has only requirements, not both",
    "parameters": "an app without code has no use for parameters",
    "oauth": "an app without code has no use for an OAuth client",
    "experiments": "experiments are not for published apps",
}


class _JsonError(ValueError):
    """A file of the app is not a JSON object with keys that are there once; the text completes "<path> …"."""


@dataclass(frozen=True)
class _App:
    """An installer app as it lies in its ZIP."""

    archive: zipfile.ZipFile

    @cached_property
    def paths(self) -> list[str]:
        return [entry.filename for entry in self.archive.infolist() if not entry.is_dir()]

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """Empty where it is missing or not JSON, which is a rule of its own."""
        return self.read_or_nothing(MANIFEST)

    @cached_property
    def locales(self) -> Mapping[str, str]:
        """Locale by path."""
        return {path: found[1] for path in self.paths if (found := _TRANSLATION.fullmatch(path))}

    def read(self, path: str) -> dict[str, Any]:
        try:
            content = json.loads(self.archive.read(path).decode(), object_pairs_hook=_once)
        except RecursionError:
            raise _JsonError("is nested too deep") from None
        except ValueError as error:
            raise error if isinstance(error, _JsonError) else _JsonError("is not valid JSON") from None
        if not isinstance(content, dict):
            raise _JsonError("is not a JSON object")
        return content

    def read_or_nothing(self, path: str) -> dict[str, Any]:
        try:
            return self.read(path)
        except (_JsonError, KeyError):
            return {}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise _JsonError(f"has the key {key!r} twice")
        content[key] = value
    return content


def broken_rules(content: bytes) -> list[str]:
    """All that Zendesk would refuse in the bytes of an installer app's ZIP, a sentence each; empty: nothing."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            damaged = archive.testzip()
            if damaged is not None:
                return [f"{damaged} is damaged"]
            app = _App(archive)
            rules = (*RULES, *MANIFEST_RULES) if app.manifest else RULES
            return [sentence for rule in rules for sentence in rule(app)]
    except (zipfile.BadZipFile, NotImplementedError, EOFError):
        return ["this is not a ZIP, or a damaged one"]


def _no_links(app: _App) -> Iterator[str]:
    for entry in app.archive.infolist():
        if stat.S_ISLNK(entry.external_attr >> 16):
            yield f"{entry.filename} is a symbolic link: Zendesk does not allow them in a ZIP"


def _every_file_once(app: _App) -> Iterator[str]:
    for path in sorted({path for path in app.paths if app.paths.count(path) > 1}):
        yield f"{path} is in the ZIP more than once"


def _manifest_at_the_root(app: _App) -> Iterator[str]:
    if MANIFEST not in app.paths:
        nested = next((path for path in app.paths if re.fullmatch(rf"[^/]+/{MANIFEST}", path)), None)
        found = f", but there is {nested}: make the ZIP inside that folder" if nested else ""
        yield f"there is no {MANIFEST} at the root of the ZIP{found}"


def _requirements_at_the_root(app: _App) -> Iterator[str]:
    if REQUIREMENTS not in app.paths:
        yield f"there is no {REQUIREMENTS} at the root of the ZIP"


def _only_what_belongs(app: _App) -> Iterator[str]:
    for path in app.paths:
        if path not in (MANIFEST, REQUIREMENTS, *LOGOS, *app.locales):
            yield f"{path} does not belong in an app that has only requirements (no scripts, templates or style sheets)"


def _json_files_are_objects(app: _App) -> Iterator[str]:
    for path in (MANIFEST, REQUIREMENTS, *app.locales):
        if path in app.paths:
            try:
                app.read(path)
            except _JsonError as error:
                yield f"{path} {error}"


def _requirements_only(app: _App) -> Iterator[str]:
    if app.manifest.get("requirementsOnly") is not True:
        yield f'{MANIFEST} must say "requirementsOnly": true'


def _nothing_that_needs_code(app: _App) -> Iterator[str]:
    for key, why in _FORBIDDEN.items():
        if app.manifest.get(key):
            yield f"{MANIFEST} must not have {key}: {why}"


def _types_of_the_manifest(app: _App) -> Iterator[str]:
    for keys, kind, what in ((_BOOLEANS, bool, "true or false"), (_STRINGS, str, "a string")):
        for key in keys:
            if key in app.manifest and not isinstance(app.manifest[key], kind):
                yield f"{key} in {MANIFEST} must be {what}"


def _urls_of_the_manifest(app: _App) -> Iterator[str]:
    author = app.manifest.get("author")
    urls = {
        "termsConditionsURL": app.manifest.get("termsConditionsURL"),
        "author's url": author.get("url") if isinstance(author, dict) else None,
    }
    for key, url in urls.items():
        if isinstance(url, str) and not re.fullmatch(r"https?://[!-~]+", url):
            yield f"the {key} in {MANIFEST} must be an http or https URL"


def _an_author(app: _App) -> Iterator[str]:
    author = app.manifest.get("author")
    if not isinstance(author, dict):
        yield f"{MANIFEST} must have an author with a name and an email"
        return
    for key in ("name", "email"):
        if not isinstance(author.get(key), str) or not author[key]:
            yield f"the author in {MANIFEST} must have {'an' if key == 'email' else 'a'} {key}"


def _a_default_locale(app: _App) -> Iterator[str]:
    locale = app.manifest.get("defaultLocale")
    if not isinstance(locale, str) or not _LOCALE.fullmatch(locale):
        yield f"{MANIFEST} must have a defaultLocale such as en or pt-br"
    elif f"translations/{locale}.json" not in app.paths:
        yield f"translations/{locale}.json is missing: {locale} is the default locale"


def _names_of_translations(app: _App) -> Iterator[str]:
    for path, locale in app.locales.items():
        if not _LOCALE.fullmatch(locale):
            yield f"{path} must be named after a locale such as en or pt-br"


def _english_texts(app: _App) -> Iterator[str]:
    path = "translations/en.json"
    if path not in app.paths:
        return
    texts = app.read_or_nothing(path).get("app")
    wanted = ("name", *(() if app.manifest.get("private", True) else _MARKETPLACE_TEXTS))
    missing = [key for key in wanted if not (isinstance(texts, dict) and texts.get(key))]
    if missing:
        public = "" if app.manifest.get("private", True) else " of an app that is not private"
        yield f"{path}{public} must have these texts under app: {', '.join(missing)}"


def _translations_have_texts(app: _App) -> Iterator[str]:
    for path in app.locales:
        if not isinstance(app.read_or_nothing(path).get("app", {}), dict):
            yield f"app in {path} must be a JSON object"


def _one_channel_integration(app: _App) -> Iterator[str]:
    if REQUIREMENTS not in app.paths:
        return
    requirements = app.read_or_nothing(REQUIREMENTS)
    integrations = requirements.get("channel_integrations")
    if (
        list(requirements) != ["channel_integrations"]
        or not isinstance(integrations, dict)
        or len(integrations) != 1
    ):
        yield f"{REQUIREMENTS} must name one channel integration, and nothing else"


def _manifest_url(app: _App) -> Iterator[str]:
    integrations = app.read_or_nothing(REQUIREMENTS).get("channel_integrations")
    for key, integration in integrations.items() if isinstance(integrations, dict) else ():
        url = integration.get("manifest_url") if isinstance(integration, dict) else None
        if not isinstance(url, str) or urlsplit(url).scheme != "https":
            yield f"{key} in {REQUIREMENTS} must have a manifest_url that begins with https://"


def _logos(app: _App) -> Iterator[str]:
    for path, side in LOGOS.items():
        if path not in app.paths:
            yield f"{path} is missing: a PNG image of {side} x {side} pixels"
            continue
        try:
            width, height = png.measure(app.archive.read(path))
        except png.PngError as error:
            yield f"{path} must be a PNG image of {side} x {side} pixels: it is {error}"
        else:
            if (width, height) != (side, side):
                yield f"{path} must be {side} x {side} pixels: it is {width} x {height}"


_Rules = tuple[Callable[[_App], Iterator[str]], ...]
RULES: Final[_Rules] = (
    _no_links,
    _every_file_once,
    _manifest_at_the_root,
    _requirements_at_the_root,
    _only_what_belongs,
    _json_files_are_objects,
    _names_of_translations,
    _translations_have_texts,
    _one_channel_integration,
    _manifest_url,
    _logos,
)
# Without a manifest there is nothing to say about it but that.
MANIFEST_RULES: Final[_Rules] = (
    _requirements_only,
    _nothing_that_needs_code,
    _types_of_the_manifest,
    _urls_of_the_manifest,
    _an_author,
    _a_default_locale,
    _english_texts,
)
