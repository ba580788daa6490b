"""The installer app's ZIP is what Zendesk takes, to the byte, every time."""

import hashlib
import io
import json
import zipfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest

from zendesk_push.commands.installer_app import command, png
from zendesk_push.commands.installer_app.app import InstallerApp, check_manifest_url
from zendesk_push.errors import CommandError, UsageError

URL = "https://push.example.com/manifest.json"


def make(**changed: Any) -> InstallerApp:
    values: dict[str, Any] = {
        "manifest_url": URL,
        "name": "Push",
        "author_name": "Someone",
        "author_email": "someone@example.com",
        "key": "push",
        "version": "1.2.3",
    }
    return InstallerApp(**(values | changed))


def read(content: bytes) -> dict[str, Any]:
    """The JSON files of a ZIP."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: json.loads(archive.read(name)) for name in archive.namelist() if ".json" in name}


def test_it_holds_requirements_and_no_code() -> None:
    files = read(make().to_zip())
    assert files["requirements.json"] == {"channel_integrations": {"push": {"manifest_url": URL}}}
    assert files["manifest.json"] == {
        "name": "Push",
        "author": {"name": "Someone", "email": "someone@example.com"},
        "defaultLocale": "en",
        "private": True,
        "requirementsOnly": True,
        "version": "1.2.3",
    }
    assert {name for name in files if not name.startswith("translations/")} == {
        "manifest.json",
        "requirements.json",
    }


def test_every_translation_names_the_app_and_says_what_it_is() -> None:
    files = read(make(name="Push {0} %s", private=False).to_zip())
    assert files["manifest.json"]["private"] is False
    translations = {name: content for name, content in files.items() if name.startswith("translations/")}
    assert "translations/en.json" in translations
    assert len(translations) == 6
    for content in translations.values():
        assert content["app"]["name"] == "Push {0} %s"
        assert content["app"]["short_description"]
        assert content["app"]["long_description"]
        assert "Push {0} %s" in content["app"]["installation_instructions"]


def test_the_bytes_do_not_depend_on_when_or_where() -> None:
    # A change of the texts changes this; a change of clock, machine or zlib must not.
    assert (
        hashlib.sha256(make().to_zip()).hexdigest()
        == "0d2d2c4ee163ae651c1422f8b71b92e656d505c680778962c41677fd325665d8"
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
        ("https://localhost/manifest.json", "can reach from the internet"),
        ("https://push.local/manifest.json", "can reach from the internet"),
        ("https://push/manifest.json", "can reach from the internet"),
        ("https://10.0.0.1/manifest.json", "can reach from the internet"),
        ("https://127.1/manifest.json", "can reach from the internet"),
        ("https://[::1]:8443/manifest.json", "can reach from the internet"),
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
        {"author_email": "a@b"},
        {"author_email": "noreply@example.com"},
        {"author_email": "No-Reply@example.com"},
        {"author_email": "do_not_reply@example.com"},
        {"key": "a b"},
        {"version": "one"},
    ],
)
def test_other_values_that_zendesk_refuses(changed: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        make(**changed)


def run(*arguments: str) -> int:
    """The command, with a support address unless the test brings its own."""
    return without_address("--author-email", "help@example.com", *arguments)


def without_address(*arguments: str) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


def test_the_command_writes_the_file_and_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "app.zip"
    assert run("--manifest-url", URL, "--output", str(target)) == 0
    assert capsys.readouterr().out == f"{target}\n"
    assert read(target.read_bytes())["manifest.json"]["author"]["email"] == "help@example.com"


def test_it_asks_for_a_support_address(tmp_path: Path) -> None:
    target = tmp_path / "app.zip"
    with pytest.raises(UsageError, match="--author-email ADDRESS"):
        without_address("--manifest-url", URL, "--output", str(target))
    assert not target.exists()


def logos(folder: Path, *sides: int) -> list[str]:
    arguments = []
    for option, side in zip(("--logo", "--logo-small"), sides, strict=False):
        path = folder / f"{option}.png"
        path.write_bytes(png.encode([bytes(side)] * side, [(200, 0, 0)]))
        arguments += [option, str(path)]
    return arguments


def test_the_logos_are_the_integrators_to_replace(tmp_path: Path) -> None:
    target = tmp_path / "app.zip"
    mine = logos(tmp_path, 320, 128)
    assert run("--manifest-url", URL, "--output", str(target), *mine) == 0
    with zipfile.ZipFile(target) as archive:
        assert archive.read("assets/logo.png") == Path(mine[1]).read_bytes()
        assert archive.read("assets/logo-small.png") == Path(mine[3]).read_bytes()


def test_a_logo_that_zendesk_refuses_writes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "app.zip"
    common = ("--manifest-url", URL, "--output", str(target))
    with pytest.raises(CommandError, match=r"assets/logo-small\.png must be 128 x 128 pixels: it is 64 x 64"):
        run(*common, *logos(tmp_path, 320, 64))
    with pytest.raises(UsageError, match="go together"):
        run(*common, *logos(tmp_path, 320))
    with pytest.raises(UsageError, match="can't be read: No such file"):
        run(*common, "--logo", str(tmp_path / "no.png"), "--logo-small", str(tmp_path / "no.png"))
    assert not target.exists()


def test_for_the_marketplace_or_not(tmp_path: Path) -> None:
    for option, private in (("--private", True), ("--public", False)):
        target = tmp_path / f"{option}.zip"
        assert run("--manifest-url", URL, "--output", str(target), option) == 0
        assert read(target.read_bytes())["manifest.json"]["private"] is private


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
