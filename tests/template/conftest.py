"""The template as written and as AWS would make it, once for all tests here."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.template.template import Template

from zendesk_push.template.reader import load_source
from zendesk_push.template.translation import translate

Document = dict[str, Any]


@pytest.fixture(scope="session")
def _source() -> Document:
    return load_source()


@pytest.fixture(scope="session")
def _translated(_source: Document) -> Document:
    return translate(copy.deepcopy(_source))


@pytest.fixture
def source(_source: Document) -> Document:
    """template.yaml, with ``!Ref X`` as ``{"Ref": "X"}``; a copy, to be changed at will."""
    return copy.deepcopy(_source)


@pytest.fixture
def translated(_translated: Document) -> Document:
    """Plain CloudFormation, with every parameter at its default; a copy."""
    return copy.deepcopy(_translated)


@pytest.fixture
def translate_with(source: Document) -> Callable[..., Document]:
    """Translate with other values of parameters."""
    return lambda **parameters: translate(copy.deepcopy(source), parameters)


@pytest.fixture(scope="session")
def as_cfn() -> Callable[[Document], Template]:
    """A document as cfn-lint's rules see it."""
    return lambda document: Template("template.yaml", document, ["us-east-1"])
