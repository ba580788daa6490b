"""template.yaml as the plain CloudFormation that AWS makes of it, for the checks that only see mistakes there.

Offline: SAM's own translator.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from boto3.session import Session
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from zendesk_push.errors import CommandError

TEMPLATE: Final = Path(__file__).resolve().parents[3] / "template.yaml"
# Where `sam package` would have put the code.
_PACKAGED_CODE: Final = "s3://packaged-code/artifact"
# Conditions come out for this region; nothing else depends on it.
_REGION: Final = "us-east-1"


def load_source(path: Path = TEMPLATE) -> dict[str, Any]:
    """The template as written, short forms such as ``!Ref`` spelled out."""
    source: dict[str, Any] = yaml_parse(path.read_text("utf-8"))  # type: ignore[no-untyped-call]
    return source


def translate(source: dict[str, Any], parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Plain CloudFormation; ``source`` is used up.

    Raises:
        CommandError: SAM refuses the template.
    """
    # It warns of switches that are Amazon's own.
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    source["Globals"]["Function"]["CodeUri"] = _PACKAGED_CODE
    defaults = {name: str(given.get("Default", "")) for name, given in source.get("Parameters", {}).items()}
    translator = Translator({}, Parser(), boto_session=Session(region_name=_REGION))
    try:
        translated: dict[str, Any] = translator.translate(source, {**defaults, **(parameters or {})})
    except InvalidDocumentException as error:
        raise CommandError(
            "SAM refuses the template: " + "; ".join(c.message for c in error.causes)
        ) from None
    return translated
