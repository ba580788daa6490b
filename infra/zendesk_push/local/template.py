"""template.yaml as CloudFormation sees it: read, checked, and translated by SAM's own translator.

There is no second description of the stack: whatever the local stack consists of comes from here.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from boto3.session import Session
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from zendesk_push.local.errors import TemplateError
from zendesk_push.local.parameters import resolve_parameters

DEFAULT_TEMPLATE: Final = Path(__file__).resolve().parents[3] / "template.yaml"

# The translator wants code to be in S3, where `sam package` puts it. Here it stays where it is.
_PLACEHOLDER_CODE: Final = "s3://this-machine/code"
_S3_URI: Final = re.compile(r"s3://.+/.+")


@dataclass(frozen=True)
class StackTemplate:
    """A translated template and the values of its parameters.

    ``code`` is each function's folder by logical id; ``resources`` are plain CloudFormation.
    """

    parameters: Mapping[str, Any]
    conditions: Mapping[str, Any]
    mappings: Mapping[str, Any]
    rules: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Any]
    code: Mapping[str, Path]


def load_template(path: Path, overrides: Mapping[str, str], session: Session) -> StackTemplate:
    """Read and translate a SAM template, source or built (``.aws-sam/build/template.yaml``).

    Args:
        path: the template.
        overrides: values for its parameters.
        session: whose region the translation is for.

    Raises:
        TemplateError: it can't be read, a parameter is wrong, or SAM refuses it.
    """
    source = _read(path)
    parameters = resolve_parameters(source.get("Parameters") or {}, overrides)
    code = _take_code(source, path.parent)
    translated = _translate(source, parameters, session)
    return StackTemplate(
        parameters=parameters,
        conditions=translated.get("Conditions") or {},
        mappings=translated.get("Mappings") or {},
        rules=translated.get("Rules") or {},
        resources=translated["Resources"],
        outputs=translated.get("Outputs") or {},
        code=code,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader with tags
    except FileNotFoundError:
        raise TemplateError(f"there is no template at {path}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TemplateError(f"{path} can't be read: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError(f"{path} is not a CloudFormation template: it has no Resources")
    return document


def _take_code(source: dict[str, Any], base: Path) -> dict[str, Path]:
    """Each function's folder, taken out of the template and replaced by what the translator accepts."""
    function_globals = (source.get("Globals") or {}).get("Function") or {}
    shared = function_globals.pop("CodeUri", None)
    code = {}
    for logical_id, resource in source["Resources"].items():
        if resource.get("Type") != "AWS::Serverless::Function":
            continue
        properties = resource.setdefault("Properties", {})
        uri = properties.get("CodeUri", shared)
        if not isinstance(uri, str) or _S3_URI.fullmatch(uri):
            raise TemplateError(f"{logical_id}: CodeUri must be a folder on this machine, not {uri!r}")
        properties["CodeUri"] = _PLACEHOLDER_CODE
        code[logical_id] = (base / uri).resolve()
    return code


def _translate(source: dict[str, Any], parameters: Mapping[str, Any], session: Session) -> dict[str, Any]:
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of switches that are Amazon's own
    # Managed policies matter only to IAM, which nothing enforces here.
    translator = Translator({}, Parser(), boto_session=session)
    try:
        # A plain dict of its own: the translator adds to it.
        translated: dict[str, Any] = translator.translate(source, dict(parameters))
    except InvalidDocumentException as error:
        reasons = "; ".join(cause.message for cause in error.causes)
        raise TemplateError(f"SAM refuses the template: {reasons}") from None
    return translated


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML with CloudFormation's short forms: ``!Ref X`` is ``{"Ref": "X"}``. In C, as the template is long."""

    def construct_intrinsic(self, suffix: str, node: yaml.Node) -> dict[str, Any]:
        value: Any
        if isinstance(node, yaml.ScalarNode):
            value = self.construct_scalar(node)
            if suffix == "GetAtt":
                value = value.split(".", 1)
        elif isinstance(node, yaml.SequenceNode):
            value = self.construct_sequence(node, deep=True)
        else:
            value = self.construct_mapping(node, deep=True)
        return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _Loader.construct_intrinsic)
