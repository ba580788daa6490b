"""Each rule of Zendesk's for an installer app, broken on its own in an app that is good otherwise."""

import io
import json
import zipfile
from typing import Any

import pytest

from zendesk_push.commands.installer_app import png
from zendesk_push.commands.installer_app.app import InstallerApp
from zendesk_push.commands.installer_app.app_rules import broken_rules

Files = dict[str, bytes]


def good(*, private: bool = True) -> Files:
    return InstallerApp(
        manifest_url="https://push.example.com/manifest.json",
        name="Push",
        author_name="Someone",
        author_email="someone@example.com",
        key="push",
        version="1.0.0",
        private=private,
    ).files()


def pack(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def manifest(**changed: Any) -> Files:
    return {"manifest.json": json.dumps(json.loads(good()["manifest.json"]) | changed).encode()}


def without(files: Files, *paths: str) -> Files:
    return {path: content for path, content in files.items() if path not in paths}


def square(side: int) -> bytes:
    return png.encode([bytes(side)] * side, [(0, 0, 0)])


@pytest.mark.parametrize("private", [True, False])
def test_what_we_write_breaks_no_rule(private: bool) -> None:
    assert broken_rules(pack(good(private=private))) == []


BROKEN: list[tuple[Files, str]] = [
    (without(good(), "manifest.json"), "there is no manifest.json at the root of the ZIP"),
    (without(good(), "requirements.json"), "there is no requirements.json at the root of the ZIP"),
    (good() | {"app.js": b""}, ("app.js does not belong in an app that has only requirements (no scripts, "
     "templates or style sheets)")),
    (good() | {"assets/notes.pdf": b""}, ("assets/notes.pdf does not belong in an app that has only requirements "
     "(no scripts, templates or style sheets)")),
    (good() | {"translations/de.json": b"[]"}, "translations/de.json is not a JSON object"),
    (good() | {"translations/de.json": b"{"}, "translations/de.json is not valid JSON"),
    (good() | {"translations/de.json": b"\xff{}"}, "translations/de.json is not valid JSON"),
    (good() | {"translations/de.json": b'{"a":' * 99_999}, "translations/de.json is nested too deep"),
    (good() | {"translations/de.json": b'{"app": {}, "app": {}}'}, "translations/de.json has the key 'app' twice"),
    (good() | {"translations/de.json": b'{"app": "x"}'}, "app in translations/de.json must be a JSON object"),
    (good() | manifest(requirementsOnly="yes"), ('manifest.json must say "requirementsOnly": true; '
     "requirementsOnly in manifest.json must be true or false")),
    (good() | manifest(frameworkVersion="2.0"), ("manifest.json must not have frameworkVersion: framework versions "
     "can't be set in an app that has only requirements")),
    (good() | manifest(location={"support": {"nav_bar": "assets/x.html"}}), ("manifest.json must not have location: "
     "locations can't be set in an app that has only requirements")),
    (good() | manifest(marketingOnly=True), ("manifest.json must not have marketingOnly: an app is for marketing only "
     "or has only requirements, not both")),
    (good() | manifest(version=1), "version in manifest.json must be a string"),
    (good() | manifest(private="no"), "private in manifest.json must be true or false"),
    (good() | manifest(termsConditionsURL="x"), "the termsConditionsURL in manifest.json must be an http or https URL"),
    (good() | manifest(author={"name": "A", "email": "a@b.c", "url": "ftp://x"}),
     "the author's url in manifest.json must be an http or https URL"),
    (good() | manifest(author=None), "manifest.json must have an author with a name and an email"),
    (good() | manifest(author={"name": "A"}), "the author in manifest.json must have an email"),
    (good() | manifest(defaultLocale="english"), "manifest.json must have a defaultLocale such as en or pt-br"),
    (good() | manifest(defaultLocale="nl"), "translations/nl.json is missing: nl is the default locale"),
    (good() | {"translations/English.json": b"{}"},
     "translations/English.json must be named after a locale such as en or pt-br"),
    (good() | {"translations/en.json": b"{}"}, "translations/en.json must have these texts under app: name"),
    (
        good(private=False) | {"translations/en.json": b'{"app": {"name": "P", "long_description": "L"}}'},
        ("translations/en.json of an app that is not private must have these texts under app: short_description, "
        "installation_instructions"),
    ),
    (good() | {"requirements.json": b"{}"}, "requirements.json must name one channel integration, and nothing else"),
    (
        good() | {"requirements.json": json.dumps(
            {"channel_integrations": {key: {"manifest_url": "https://x.y/m"} for key in "ab"}}).encode()},
        "requirements.json must name one channel integration, and nothing else",
    ),
    (
        good() | {"requirements.json": b'{"channel_integrations": {"a": {"manifest_url": "http://x.y/m"}}}'},
        "a in requirements.json must have a manifest_url that begins with https://",
    ),
    (
        good() | {"requirements.json": b'{"channel_integrations": {"a": ["manifest_url"]}}'},
        "a in requirements.json must have a manifest_url that begins with https://",
    ),
    (without(good(), "assets/logo.png"), "assets/logo.png is missing: a PNG image of 320 x 320 pixels"),
    (good() | {"assets/logo.png": square(128)}, "assets/logo.png must be 320 x 320 pixels: it is 128 x 128"),
    (good() | {"assets/logo.png": b"GIF89a"},
     "assets/logo.png must be a PNG image of 320 x 320 pixels: it is not a PNG image"),
    (good() | {"assets/logo.png": square(320)[:-20]},
     "assets/logo.png must be a PNG image of 320 x 320 pixels: it is a PNG image that is cut off"),
    (good() | {"assets/logo.png": square(320)[:-20] + bytes(20)},
     "assets/logo.png must be a PNG image of 320 x 320 pixels: it is a damaged PNG image"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "says"), BROKEN, ids=[says[:60] for _, says in BROKEN])
def test_a_broken_rule_has_its_sentence(files: Files, says: str) -> None:
    assert "; ".join(broken_rules(pack(files))) == says


def test_a_manifest_in_a_folder_is_found_and_named() -> None:
    nested = {f"app/{path}": content for path, content in good().items()}
    assert broken_rules(pack(nested))[0] == (
        "there is no manifest.json at the root of the ZIP, but there is app/manifest.json: "
        "make the ZIP inside that folder"
    )


def test_a_symbolic_link() -> None:
    link = zipfile.ZipInfo("translations/it.json")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO(pack(good()))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(link, b"{}")
    assert broken_rules(buffer.getvalue()) == [
        "translations/it.json is a symbolic link: Zendesk does not allow them in a ZIP"
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice() -> None:
    buffer = io.BytesIO(pack(good()))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("manifest.json", good()["manifest.json"])
    assert broken_rules(buffer.getvalue()) == ["manifest.json is in the ZIP more than once"]


def test_bytes_that_are_no_zip() -> None:
    for content in (b"", b"PK", pack(good())[:-30], b"x" * 1000):
        assert broken_rules(content) == ["this is not a ZIP, or a damaged one"]
    damaged = bytearray(pack(good()))
    damaged[60] ^= 1
    assert broken_rules(bytes(damaged)) == ["manifest.json is damaged"]
