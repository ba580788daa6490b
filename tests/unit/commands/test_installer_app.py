"""The installer app's ZIP is what Zendesk takes, to the byte, every time."""

import hashlib
import io
import json
import zipfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest

from zendesk_push.commands.installer_app import command
from zendesk_push.commands.installer_app.app import InstallerApp, check_manifest_url
from zendesk_push.errors import CommandError, UsageError

URL = "https://push.example.com/manifest.json"


def make(**changed: str) -> InstallerApp:
    values = {
        "manifest_url": URL,
        "name": "Push",
        "author_name": "Someone",
        "author_email": "someone@example.com",
        "key": "push",
        "version": "1.2.3",
    }
    return InstallerApp(**(values | changed))


def read(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def test_it_holds_requirements_and_no_code() -> None:
    files = read(make().to_zip())
    assert files["requirements.json"] == {"channel_integrations": {"push": {"manifest_url": URL}}}
    assert files["manifest.json"] == {
        "name": "Push",
        "author": {"name": "Someone", "email": "someone@example.com"},
        "defaultLocale": "en",
        "private": True,
        "requirementsOnly": True,
        "frameworkVersion": "2.0",
        "version": "1.2.3",
    }
    assert {name for name in files if not name.startswith("translations/")} == {
        "manifest.json",
        "requirements.json",
    }


def test_every_translation_names_the_app_and_says_what_it_is() -> None:
    files = read(make(name="Push {0} %s").to_zip())
    translations = {name: content for name, content in files.items() if name.startswith("translations/")}
    assert "translations/en.json" in translations
    assert len(translations) == 6
    for content in translations.values():
        assert content["app"]["name"] == "Push {0} %s"
        assert content["app"]["short_description"]
        assert "Push {0} %s" in content["app"]["installation_instructions"]


def test_the_bytes_do_not_depend_on_when_or_where() -> None:
    # A change of the texts changes this; a change of clock, machine or zlib must not.
    assert (
        hashlib.sha256(make().to_zip()).hexdigest()
        == "e4439c42707b8bebdb1f314f2e12f2469917558b30122437bfe6043888a28251"
    )


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://push.example.com/manifest.json", "must begin with https://"),
        ("push.example.com/manifest.json", "must begin with https://"),
        ("https://push.example.com", "must be a host and a path"),
        ("https:///manifest.json", "must be a host and a path"),
        ("https://user@push.example.com/manifest.json", "must be a host and a path"),
        ("https://push.example.com/manifest.json#x", "must be a host and a path"),
        ("https://[push/manifest.json", "is not a URL"),
        ("https://push.example.com:port/manifest.json", "is not a URL"),
        ("https://push.example.com/" + "m" * 500, "at most 511"),
        ("https://push.example.com/mänifest.json", "at most 511 printable ASCII"),
        ("https://push.example.com/a b", "at most 511 printable ASCII"),
    ],
)
def test_a_manifest_url_that_zendesk_refuses(url: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_manifest_url(url)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"author_name": " "},
        {"author_email": "x"},
        {"key": "a b"},
        {"version": "one"},
    ],
)
def test_other_values_that_zendesk_refuses(changed: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        make(**changed)


def run(*arguments: str) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


def test_the_command_writes_the_file_and_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "app.zip"
    assert run("--manifest-url", URL, "--output", str(target)) == 0
    assert capsys.readouterr().out == f"{target}\n"
    assert read(target.read_bytes())["manifest.json"]["author"]["email"] == "noreply@push.example.com"


def test_the_command_does_not_write_over_another_file_unasked(tmp_path: Path) -> None:
    target = tmp_path / "app.zip"
    target.write_bytes(b"another")
    with pytest.raises(CommandError, match="--force"):
        run("--manifest-url", URL, "--output", str(target))
    assert target.read_bytes() == b"another"
    assert run("--manifest-url", URL, "--output", str(target), "--force") == 0
    assert run("--manifest-url", URL, "--output", str(target)) == 0  # the same once more is no loss


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be written: No such file"):
        run("--manifest-url", URL, "--output", str(tmp_path / "no" / "app.zip"))


def test_without_any_address_it_says_what_to_give() -> None:
    with pytest.raises(UsageError, match="--manifest-url"):
        run()


def test_an_api_address_is_completed() -> None:
    with pytest.raises(UsageError, match="must begin with https"):
        run("--api-url", "http://127.0.0.1:1", "--region", "us-east-1")
