"""Finishing an artifact, on a small one."""

import sys
from pathlib import Path

import pytest

from zendesk_push.errors import CommandError
from zendesk_push.packaging import artifact as packaging
from zendesk_push.packaging.artifact import artifacts, finish, measure, report

PYTHON = Path(sys.executable)


def _write(root: Path, name: str, text: str = "") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """What `sam build` leaves, in small."""
    root = tmp_path / "build/PushContentFunction"
    for name in (
        *("push_content/handler.py", "admin_callback/handler.py", "requirements.txt"),
        *("botocore/data/endpoints.json", "botocore/data/sqs/2012-11-05/service-2.json.gz"),
        *(
            "botocore/data/ec2/2016-11-15/service-2.json.gz",
            "boto3/data/ec2/resources-1.json",
            "boto3/session.py",
        ),
        *(
            "boto3/session.pyi",
            "boto3-1.0.dist-info/METADATA",
            "boto3-1.0.dist-info/RECORD",
            "jmespath-1.0.data/jp.py",
        ),
        "zendesk_channel/__pycache__/stale.cpython-39.pyc",
    ):
        _write(root, name)
    return root


def test_what_is_needed_stays_and_the_rest_goes(artifact: Path) -> None:
    finish(artifact, PYTHON)
    left = {path.relative_to(artifact).as_posix() for path in artifact.rglob("*") if path.is_file()}
    tag = sys.implementation.cache_tag
    assert left == {
        *("push_content/handler.py", f"push_content/__pycache__/handler.{tag}.pyc"),
        *("admin_callback/handler.py", f"admin_callback/__pycache__/handler.{tag}.pyc"),
        *("boto3/session.py", f"boto3/__pycache__/session.{tag}.pyc"),
        *("botocore/data/endpoints.json", "botocore/data/sqs/2012-11-05/service-2.json.gz"),
        "boto3-1.0.dist-info/METADATA",
    }


def test_nothing_is_removed_from_what_is_no_artifact(tmp_path: Path) -> None:
    kept = _write(tmp_path, "botocore/data/ec2/service-2.json.gz")
    with pytest.raises(CommandError, match=r"endpoints\.json is missing"):
        finish(tmp_path, PYTHON)
    assert kept.exists()


def test_a_source_that_does_not_compile_is_named(artifact: Path) -> None:
    _write(artifact, "push_content/broken.py", "def f(:\n")
    with pytest.raises(CommandError, match=r"broken\.py"):
        finish(artifact, PYTHON)


def test_size_is_what_lambda_unpacks_and_what_is_uploaded(tmp_path: Path) -> None:
    _write(tmp_path, "a.txt", "x" * 100_000)
    _write(tmp_path, "b/c.txt", "y" * 50_000)
    size = measure(tmp_path)
    assert size.unzipped == 150_000
    assert 200 < size.zipped < 2_000


def test_an_artifact_over_its_bound_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path, "a.txt", "x" * 2**20)
    report(tmp_path)
    assert "1.0 MB unpacked" in capsys.readouterr().out
    monkeypatch.setattr(packaging, "MAX_UNZIPPED", 0.5)
    with pytest.raises(CommandError, match="over its bound"):
        report(tmp_path)


def test_a_build_without_functions_is_none(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="sam build"):
        artifacts(tmp_path)
