"""infra/edge.yaml: what a linter does not see of the edge, and that it fits what is behind it."""

from pathlib import Path
from typing import Any

import pytest

from admin_callback.http.http_request import came_through_edge, source_address
from zendesk_push.template.reader import load_source

Document = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def edge() -> Document:
    return load_source(ROOT / "infra/edge.yaml")


def _properties(document: Document, name: str) -> Any:
    return document["Resources"][name]["Properties"]


def _distribution(edge: Document) -> Any:
    return _properties(edge, "Distribution")["DistributionConfig"]


def test_both_stacks_take_the_same_secret_and_name(edge: Document, source: Document) -> None:
    """Behind, both may be empty: there need not be an edge."""
    for name in ("OriginSecret", "DomainName"):
        behind = source["Parameters"][name]["AllowedPattern"]
        assert behind == f"^({edge['Parameters'][name]['AllowedPattern'][1:-1]})?$"
    assert edge["Parameters"]["OriginSecret"]["NoEcho"] is True
    assert source["Parameters"]["OriginSecret"]["NoEcho"] is True


def test_the_edge_proves_itself_and_says_who_asked(edge: Document) -> None:
    [origin] = _distribution(edge)["Origins"]
    assert origin["OriginCustomHeaders"] == [
        {"HeaderName": "x-origin-secret", "HeaderValue": {"Ref": "OriginSecret"}}
    ]
    policy = _properties(edge, "EverythingAndTheViewersAddress")["OriginRequestPolicyConfig"]
    # All of the viewer's headers, and so Host: without it the API knows neither its domain nor its certificate.
    assert policy["HeadersConfig"] == {
        "HeaderBehavior": "allViewerAndWhitelistCloudFront",
        "Headers": ["CloudFront-Viewer-Address"],
    }
    assert policy["QueryStringsConfig"] == {"QueryStringBehavior": "all"}


def test_the_function_knows_the_edge_by_what_it_adds(edge: Document) -> None:
    [origin] = _distribution(edge)["Origins"]
    [secret] = origin["OriginCustomHeaders"]
    policy = _properties(edge, "EverythingAndTheViewersAddress")["OriginRequestPolicyConfig"]
    [viewer] = policy["HeadersConfig"]["Headers"]
    event: Any = {
        "headers": {secret["HeaderName"].lower(): "s" * 32, viewer.lower(): "203.0.113.7:4711"},
        "requestContext": {"http": {"sourceIp": "130.176.0.1"}},
    }
    assert came_through_edge(event, "s" * 32)
    assert source_address(event, behind_edge=True) == "203.0.113.7"
    assert not came_through_edge({**event, "headers": {}}, "s" * 32)


def test_nothing_is_cached_and_nothing_goes_in_the_clear(edge: Document) -> None:
    behaviour = _distribution(edge)["DefaultCacheBehavior"]
    assert behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # Managed-CachingDisabled
    assert behaviour["ViewerProtocolPolicy"] == "https-only"
    assert "POST" in behaviour["AllowedMethods"]
    [origin] = _distribution(edge)["Origins"]
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


def test_who_asks_too_often_is_told_to_wait(edge: Document) -> None:
    rules = _properties(edge, "Firewall")["Rules"]
    for rule in rules:
        statement = rule["Statement"]["RateBasedStatement"]
        assert statement["AggregateKeyType"] == "IP"
        answer = rule["Action"]["Block"]["CustomResponse"]
        assert answer["ResponseCode"] == 429
        assert answer["ResponseHeaders"] == [
            {"Name": "retry-after", "Value": str(statement["EvaluationWindowSec"])}
        ]
    # Zendesk's few addresses send the events of all customers; only browsers open the interface.
    [interface, everything] = rules
    match = interface["Statement"]["RateBasedStatement"]["ScopeDownStatement"]["ByteMatchStatement"]
    assert (match["SearchString"], match["PositionalConstraint"]) == ("/admin_ui", "EXACTLY")
    assert "ScopeDownStatement" not in everything["Statement"]["RateBasedStatement"]
    assert _distribution(edge)["WebACLId"] == {"Fn::GetAtt": ["Firewall", "Arn"]}
    limits = edge["Parameters"]
    assert limits["AdminRequestsPerAddress"]["Default"] < limits["RequestsPerAddress"]["Default"]


def test_every_parameter_explains_itself_and_the_guide_knows_it(edge: Document) -> None:
    guide = (ROOT / "docs/deployment.md").read_text("utf-8").partition("## An edge in front")[2]
    for name, parameter in edge["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        assert "AllowedPattern" in parameter or {"MinValue", "MaxValue"} <= parameter.keys(), name
        assert name in guide, name
