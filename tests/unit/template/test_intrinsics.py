"""The intrinsic functions: they give what CloudFormation gives, and what names nothing is an error."""

from typing import Any

import pytest

from zendesk_push.template.errors import TemplateError
from zendesk_push.template.intrinsics import Resolver

QUEUE_URL = "http://127.0.0.1:1/queue"


def known_ref(name: str) -> Any:
    if name != "Queue":
        raise TemplateError(f"{name!r} names nothing in the template")
    return QUEUE_URL


def known_attribute(name: str, attribute: str) -> Any:
    if (name, attribute) != ("Queue", "Arn"):
        raise TemplateError(f"{name}.{attribute} names nothing in the template")
    return "arn:queue"


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(
        {"Level": "INFO", "Empty": "", "List": ["a", "b"], "AWS::Region": "us-east-1"},
        conditions={
            "IsInfo": {"Fn::Equals": [{"Ref": "Level"}, "INFO"]},
            "IsNotInfo": {"Fn::Not": [{"Condition": "IsInfo"}]},
            "Both": {"Fn::And": [{"Condition": "IsInfo"}, {"Condition": "IsNotInfo"}]},
            "Either": {"Fn::Or": [{"Condition": "IsInfo"}, {"Condition": "IsNotInfo"}]},
        },
        mappings={"ByRegion": {"us-east-1": {"Name": "Virginia"}}},
        ref=known_ref,
        attribute=known_attribute,
    )


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Level"}, "INFO"),
        ({"Ref": "Queue"}, QUEUE_URL),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:queue"),
        ({"Fn::GetAtt": "Queue.Arn"}, "arn:queue"),
        ({"Fn::Sub": "${AWS::Region}/${Queue.Arn}/${Level}"}, "us-east-1/arn:queue/INFO"),
        ({"Fn::Sub": "${!Literal} ${Level}"}, "${Literal} INFO"),
        ({"Fn::Sub": ["${x}-${Level}", {"x": {"Ref": "Queue"}}]}, f"{QUEUE_URL}-INFO"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Level"}, 3, True]]}, "a-INFO-3-true"),
        ({"Fn::Join": ["", {"Ref": "List"}]}, "ab"),
        ({"Fn::If": ["IsInfo", "yes", {"Ref": "Nothing"}]}, "yes"),
        ({"Fn::If": ["Both", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"Fn::FindInMap": ["ByRegion", {"Ref": "AWS::Region"}, "Name"]}, "Virginia"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ([{"Fn::If": ["IsNotInfo", 1, {"Ref": "AWS::NoValue"}]}, 2], [2]),
        ({"Ref": "Level", "other": 1}, {"Ref": "Level", "other": 1}),
    ],
)
def test_resolves(resolver: Resolver, value: Any, resolved: Any) -> None:
    assert resolver.resolve(value, "here") == resolved


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Queu"},
        {"Ref": "AWS::Regio"},
        {"Fn::GetAtt": ["Queue", "Ar"]},
        {"Fn::GetAtt": ["Queue"]},
        {"Fn::Sub": "x${Queu}"},
        {"Fn::Sub": "x${Queue.Ar}"},
        {"Fn::If": ["NoSuch", 1, 2]},
        {"Fn::Select": [0, {"Ref": "List"}]},
        {"Fn::Split": [",", "x"]},
        {"Fn::FindInMap": ["ByRegion", "eu-west-1", "Name"]},
        {"Fn::ImportValue": "x"},
        {"Fn::Join": ["", "text"]},
        {"Fn::Sub": ["${x}", {"x": {"Ref": "List"}}]},
    ],
)
def test_what_leads_nowhere_is_an_error_that_names_the_place(resolver: Resolver, value: Any) -> None:
    with pytest.raises(TemplateError, match=r"Function\.Environment\.URL"):
        resolver.resolve({"Environment": {"URL": value}}, "Function")


def test_only_conditions_are_conditions(resolver: Resolver) -> None:
    with pytest.raises(TemplateError, match="not a condition"):
        resolver.boolean({"Fn::Contains": [["a"], "a"]}, "Rules.X")
