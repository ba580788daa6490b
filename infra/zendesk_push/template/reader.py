"""Reads template.yaml: the one description of the stack that everything else here is made from."""

from pathlib import Path
from typing import Any, Final

import yaml

from zendesk_push.template.errors import TemplateError

_CHECKOUT: Final = Path(__file__).resolve().parents[3]
# Where the command is installed alone, the checkout is where it is run.
TEMPLATE: Final = (_CHECKOUT if (_CHECKOUT / "template.yaml").is_file() else Path()) / "template.yaml"


def load_source(path: Path = TEMPLATE) -> dict[str, Any]:
    """A template as written, short forms such as ``!Ref`` spelled out.

    Raises:
        TemplateError: it can't be read, or is not a template.
    """
    try:
        document = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader with tags
    except FileNotFoundError:
        raise TemplateError(f"there is no template at {path}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TemplateError(f"{path} can't be read: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError(f"{path} is not a CloudFormation template: it has no Resources")
    return document


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
