"""template.yaml as the plain CloudFormation that AWS makes of it. Offline, by SAM's own translator."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from zendesk_push.template.errors import TemplateError
from zendesk_push.template.parameters import judge_parameters
from zendesk_push.template.reader import load_source

# The translator wants code to be in S3, where `sam package` puts it.
_PACKAGED_CODE: Final = "s3://packaged-code/artifact"
_S3_URI: Final = re.compile(r"s3://.+/.+")
# Conditions come out for this region, all that is asked of a session; a real one would read the user's profile.
_SESSION: Final = SimpleNamespace(region_name="us-east-1")


@dataclass(frozen=True)
class StackTemplate:
    """A translated template and the values of its parameters.

    ``code`` is each function's folder by logical id; ``resources`` are plain CloudFormation.
    """

    parameters: Mapping[str, Any]
    conditions: Mapping[str, Any]
    mappings: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Any]
    code: Mapping[str, Path]


def load_template(path: Path, overrides: Mapping[str, str]) -> StackTemplate:
    """Read and translate a SAM template, source or built (``.aws-sam/build/template.yaml``).

    Raises:
        TemplateError: it can't be read, a parameter in ``overrides`` is wrong, or SAM refuses it.
    """
    source = load_source(path)
    parameters = judge_parameters(source, overrides)
    code = {logical_id: (path.parent / uri).resolve() for logical_id, uri in _take_code(source).items()}
    translated = _translate(source, parameters)
    return StackTemplate(
        parameters=parameters,
        conditions=translated.get("Conditions") or {},
        mappings=translated.get("Mappings") or {},
        resources=translated["Resources"],
        outputs=translated.get("Outputs") or {},
        code=code,
    )


def translate(source: dict[str, Any], overrides: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Plain CloudFormation; ``source`` is used up.

    Raises:
        TemplateError: a parameter in ``overrides`` is wrong, or SAM refuses the template.
    """
    parameters = judge_parameters(source, overrides or {})
    _take_code(source)
    return _translate(source, parameters)


def _take_code(source: dict[str, Any]) -> dict[str, str]:
    """Each function's CodeUri, taken out of the template and replaced by what the translator accepts."""
    shared = ((source.get("Globals") or {}).get("Function") or {}).pop("CodeUri", None)
    code = {}
    for logical_id, resource in source["Resources"].items():
        if resource.get("Type") != "AWS::Serverless::Function":
            continue
        properties = resource.setdefault("Properties", {})
        uri = properties.get("CodeUri", shared)
        if not isinstance(uri, str) or _S3_URI.fullmatch(uri):
            raise TemplateError(f"{logical_id}: CodeUri must be a folder on this machine, not {uri!r}")
        properties["CodeUri"] = _PACKAGED_CODE
        code[logical_id] = uri
    return code


def _translate(source: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of switches that are Amazon's own
    # Managed policies matter only to IAM, which nothing enforces here.
    translator = Translator({}, Parser(), boto_session=_SESSION)  # type: ignore[arg-type]
    try:
        # A plain dict of its own: the translator adds to it.
        translated: dict[str, Any] = translator.translate(source, dict(parameters))
    except InvalidDocumentException as error:
        reasons = "; ".join(cause.message for cause in error.causes)
        raise TemplateError(f"SAM refuses the template: {reasons}") from None
    return translated
