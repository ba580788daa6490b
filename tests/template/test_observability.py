"""Alarms, dashboard and saved queries look at what is really emitted, under the names it has in the code."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import admin_callback.telemetry
import push_content.telemetry
from push_content.outcomes.outcome import Delivered, ErrorCode, Rejected, Retry

Document = dict[str, Any]
FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"

NAMESPACE = "ZendeskPush/${AWS::StackName}"
SERVICES: Mapping[str, Mapping[str, Any]] = {
    "push-content": push_content.telemetry.METRICS,
    "admin-callback": admin_callback.telemetry.METRICS,
}
BY_REASON = push_content.telemetry.METRICS_BY_REASON
# What AWS emits by itself, and by which dimension.
AWS_METRICS = {
    "AWS/SQS": (
        "QueueName",
        {
            "NumberOfMessagesSent",
            "NumberOfMessagesReceived",
            "NumberOfMessagesDeleted",
            "ApproximateNumberOfMessagesVisible",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateAgeOfOldestMessage",
        },
    ),
    "AWS/Lambda": ("FunctionName", {"Invocations", "Errors", "Throttles", "Duration"}),
    "AWS/ApiGateway": ("ApiId", {"Count", "4xx", "5xx", "Latency"}),
}
# Lambda counts by version of an alias too.
BY_VERSION = ["FunctionName", "Resource", "ExecutedVersion"]
# Accounts that become so: when that is over, only their administrators know.
WITHOUT_ALL_CLEAR = {"CredentialsRefusedAlarm", "WrongAddressAlarm"}
# Levels; everything else that is watched is counted.
THERE_IS = {
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateAgeOfOldestMessage",
    "OldestRetriedMessageAge",
}
# The keys of a push request's `outcomes`, as Insights addresses what is inside a field.
OUTCOMES = {f"outcomes.{kind.__name__.lower()}" for kind in (Delivered, Rejected, Retry)}
INSIGHTS_WORDS = {
    *(
        "filter",
        "stats",
        "count",
        "sum",
        "min",
        "max",
        "avg",
        "pct",
        "latest",
        "by",
        "sort",
        "asc",
        "desc",
        "limit",
    ),
    *("as", "fields", "like", "and", "or", "not", "ispresent"),
}


class AlarmedMetric(NamedTuple):
    """A metric that something looks at."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


def _dashboard_text(document: Document, *, whole: bool = True) -> str:
    """The dashboard's body, with references left in as text; ``whole`` with the parts that depend on conditions."""
    body, parts = document["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for name, part in parts.items():
        then, otherwise = part["Fn::If"][1:]
        body = body.replace(f"${{{name}}}", then["Fn::Sub"] if whole else otherwise)
    return str(body)


def _dashboard(document: Document, *, whole: bool = True) -> Any:
    """It must be JSON before anything is filled in, but for the one number that has no quotes."""
    return json.loads(_dashboard_text(document, whole=whole).replace("${LateAfterSeconds}", "3600"))


def _widgets(document: Document, kind: str) -> Iterator[Any]:
    return (widget["properties"] for widget in _dashboard(document)["widgets"] if widget["type"] == kind)


def dashboard_metrics(document: Document) -> Iterator[AlarmedMetric]:
    """Everything that the dashboard draws; of a SEARCH, the metric that it looks for."""
    for properties in _widgets(document, "metric"):
        for row in properties["metrics"]:
            if isinstance(row[0], dict):
                found = re.search(
                    r"""SEARCH\('{"(.+)",([\w,]+)} MetricName="(\w+)"', 'Sum'\)""", row[0]["expression"]
                )
                assert found, row
                namespace, dimensions, name = found.groups()
                yield AlarmedMetric(
                    namespace, name, tuple((dimension, "*") for dimension in dimensions.split(","))
                )
            else:
                namespace, name, *rest = (part for part in row if not isinstance(part, dict))
                yield AlarmedMetric(namespace, name, tuple(zip(rest[::2], rest[1::2], strict=True)))


def alarms(document: Document) -> Iterator[tuple[str, Any]]:
    """Every alarm's logical id and properties."""
    for name, resource in document["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            yield name, resource["Properties"]


def deployment_alarms(document: Document) -> set[str]:
    """What gradual deployments watch, and nobody else."""
    return {
        alarm["Ref"]
        for function in ("PushContentFunction", "AdminCallbackFunction")
        for alarm in document["Resources"][function]["Properties"]["DeploymentPreference"]["Alarms"]
    }


def alarm_metrics(document: Document) -> Iterator[tuple[str, AlarmedMetric]]:
    """Everything that alarms watch."""
    for name, properties in alarms(document):
        queries = properties.get("Metrics", [{"MetricStat": {"Metric": properties}}])
        for metric in (query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query):
            namespace = metric["Namespace"]
            dimensions = tuple((part["Name"], json.dumps(part["Value"])) for part in metric["Dimensions"])
            yield (
                name,
                AlarmedMetric(
                    namespace["Fn::Sub"] if isinstance(namespace, dict) else namespace,
                    metric["MetricName"],
                    tuple((key, value.strip('"')) for key, value in dimensions),
                ),
            )


def exists(metric: AlarmedMetric) -> bool:
    """Whether anything emits this metric with these dimensions: another set of dimensions is another metric."""
    if metric.namespace in AWS_METRICS:
        dimension, names = AWS_METRICS[metric.namespace]
        keys = [key for key, _ in metric.dimensions]
        return metric.name in names and (
            keys == [dimension] or (metric.namespace == "AWS/Lambda" and keys == BY_VERSION)
        )
    if metric.namespace != NAMESPACE:
        return False
    if metric.name in BY_REASON:
        if ("reason", "*") in metric.dimensions:
            return metric.dimensions == (("reason", "*"), ("service", "*"))
        # An alarm can't search: it names its reasons.
        return metric.name == "MessagesDelivered" or (
            [key for key, _ in metric.dimensions] == ["service", "reason"]
            and metric.dimensions[1][1] in set(ErrorCode)
        )
    return metric.dimensions in {
        (("service", service),) for service, metrics in SERVICES.items() if metric.name in metrics
    }


def test_what_the_dashboard_draws_is_emitted(source: Document) -> None:
    drawn = list(dashboard_metrics(source))
    assert len(drawn) > 30
    assert [metric for metric in drawn if not exists(metric)] == []


def test_what_alarms_watch_is_emitted(source: Document) -> None:
    watched = list(alarm_metrics(source))
    assert len(watched) > 10
    assert [(alarm, metric) for alarm, metric in watched if not exists(metric)] == []


def test_the_namespace_is_the_one_the_functions_write_to(source: Document) -> None:
    variables = source["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == {"Fn::Sub": NAMESPACE}
    services = {
        source["Resources"][name]["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for name in ("PushContentFunction", "AdminCallbackFunction")
    }
    assert services == SERVICES.keys()


def test_the_dashboard_refers_to_what_is_there(source: Document) -> None:
    body = _dashboard_text(source)
    known = source["Resources"].keys() | source["Parameters"].keys() | {"AWS::Region", "AWS::StackName"}
    assert {name.partition(".")[0] for name in re.findall(r"\${([^}]+)}", body)} <= known


def test_the_dashboard_shows_every_alarm(source: Document) -> None:
    shown = next(_widgets(source, "alarm"))["alarms"]
    assert sorted(shown) == sorted(f"${{{name}.Arn}}" for name, _ in alarms(source))


def test_widgets_do_not_overlap_and_fill_the_width(source: Document) -> None:
    cells: set[tuple[int, int]] = set()
    for widget in _dashboard(source)["widgets"]:
        covered = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & covered, widget
        cells |= covered
    assert len(cells) == 24 * (1 + max(y for _, y in cells))


def test_every_alarm_says_what_it_means_and_tells_somebody(source: Document) -> None:
    told = [
        {"Fn::If": [condition, {"Ref": topic}, {"Ref": "AWS::NoValue"}]}
        for condition, topic in (("HasAlarmEmail", "AlarmTopic"), ("HasAlarmTopicArn", "AlarmTopicArn"))
    ]
    for name, properties in alarms(source):
        assert properties["AlarmDescription"].endswith((".", ").")), name
        assert properties["TreatMissingData"] == "notBreaching", name
        if name in deployment_alarms(source):
            assert not properties.keys() & {"AlarmActions", "OKActions"}, name
            continue
        assert properties["AlarmActions"] == told, name
        assert properties.get("OKActions") == (None if name in WITHOUT_ALL_CLEAR else told), name


def test_an_alarm_goes_off_when_there_is_too_much(source: Document) -> None:
    """Of what happens, the sum; of what there is, the most: an average of either hides one among many."""
    for name, properties in alarms(source):
        assert properties["ComparisonOperator"] == "GreaterThanOrEqualToThreshold", name
        queries = [query["MetricStat"] for query in properties.get("Metrics", []) if "MetricStat" in query]
        watched = {query["Metric"]["MetricName"]: query["Stat"] for query in queries} or {
            properties["MetricName"]: properties["Statistic"]
        }
        for metric, statistic in watched.items():
            assert statistic == ("Maximum" if metric in THERE_IS else "Sum"), (name, metric)


def test_a_sum_that_has_to_reach_more_than_one_is_over_single_minutes(source: Document) -> None:
    """Longer ones slide along with the clock: the same events reach the threshold at one look and not at the next."""
    for name, properties in alarms(source):
        queries = [query["MetricStat"] for query in properties.get("Metrics", []) if "MetricStat" in query]
        summed = [
            query for query in queries or [properties] if "Sum" in (query.get("Stat"), query.get("Statistic"))
        ]
        if summed and properties["Threshold"] != 1:
            assert {query["Period"] for query in summed} == {60}, name


@pytest.mark.parametrize(
    ("namespace", "metric", "of"),
    [
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "DeadLetterQueue"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "DeadLetterQueue"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "ContentQueue"),
        ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "ContentQueue"),
        (NAMESPACE, "OldestRetriedMessageAge", "push-content"),
        (NAMESPACE, "CredentialsRefused", "push-content"),
        (NAMESPACE, "WrongAddress", "push-content"),
        (NAMESPACE, "UnforeseenErrors", "push-content"),
        (NAMESPACE, "UnforeseenErrors", "admin-callback"),
        ("AWS/Lambda", "Errors", "PushContentFunction"),
        ("AWS/Lambda", "Throttles", "PushContentFunction"),
        # Of the admin function, Lambda's own errors and throttles are 5xx of the API as well.
        ("AWS/ApiGateway", "5xx", "HttpApi"),
        (NAMESPACE, "RegistrationsFailed", "admin-callback"),
        (NAMESPACE, "EventsFailed", "admin-callback"),
        (NAMESPACE, "EventsForged", "admin-callback"),
        (NAMESPACE, "UnauthenticatedRequests", "admin-callback"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "RepliesQueue"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "RepliesDeadLetterQueue"),
    ],
)
def test_what_must_not_go_unseen_has_an_alarm(source: Document, namespace: str, metric: str, of: str) -> None:
    watched = [
        watched
        for alarm, watched in alarm_metrics(source)
        if alarm not in deployment_alarms(source)
        and (watched.namespace, watched.name) == (namespace, metric)
        and of in re.findall(r"[\w-]+", watched.dimensions[0][1])
    ]
    assert watched
    assert all(map(exists, watched))


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("UnforeseenErrors", None),
        ("MessagesDelivered", None),
        ("NumberOfMessagesReceived", None),
        ("RegistrationsFailed", None),
        ("EventsFailed", None),
        ("MessagesDeadLettered", "invalid_message"),
        ("MessagesDeadLettered", "zendesk_400"),
        ("MessagesDeadLettered", "zendesk_422"),
    ],
)
def test_a_gradual_deployment_watches_what_the_functions_do(
    source: Document, metric: str, reason: str | None
) -> None:
    """They catch everything, so that Lambda's errors alone see no bad version."""
    watched = [found for alarm, found in alarm_metrics(source) if alarm in deployment_alarms(source)]
    assert [
        found
        for found in watched
        if found.name == metric and (reason is None or found.dimensions[1] == ("reason", reason))
    ]


def test_a_metric_that_was_never_written_takes_no_other_along(source: Document) -> None:
    """Plain ``a + b`` is missing where one of them was never written, and missing is not breaching."""
    for name, alarm in alarms(source):
        for query in alarm.get("Metrics", []):
            if "+" in query.get("Expression", ""):
                added = re.findall(r"(\w+) \+ (\w+)", query["Expression"])
                ids = {
                    part["Id"]: part["MetricStat"]["Metric"]
                    for part in alarm["Metrics"]
                    if "MetricStat" in part
                }
                assert {ids[part]["Namespace"] for pair in added for part in pair} == {"AWS/SQS"}, name


def _logged(package: str) -> dict[str, set[str]]:
    """The fields of each log line, by its message: literal keys of ``extra``, or names of keyword arguments."""
    lines: dict[str, set[str]] = {}
    for path in sorted((FUNCTIONS / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in ("info", "warning", "error") or not node.args:
                continue
            if isinstance(node.args[0], ast.Constant):
                fields = lines.setdefault(str(node.args[0].value), set())
                fields |= {str(keyword.arg) for keyword in node.keywords}
                fields |= {
                    str(key.value)
                    for keyword in node.keywords
                    if isinstance(keyword.value, ast.Dict)
                    for key in keyword.value.keys
                    if isinstance(key, ast.Constant)
                }
    return lines


PACKAGES = {"PushContentLogs": "push_content", "AdminCallbackLogs": "admin_callback"}


def _queries(document: Document) -> Iterator[tuple[str, str, list[str]]]:
    """Name, text and packages whose lines it looks at, of every saved query and of the dashboard's."""
    for name, resource in document["Resources"].items():
        if resource["Type"] == "AWS::Logs::QueryDefinition":
            groups = [group["Ref"] for group in resource["Properties"]["LogGroupNames"]]
            yield name, resource["Properties"]["QueryString"], [PACKAGES[group] for group in groups]
    for properties in _widgets(document, "log"):
        origin, _, text = properties["query"].partition("|")
        yield properties["title"], text, [PACKAGES[name] for name in re.findall(r"\${(\w+)}", origin)]


def test_queries_ask_for_fields_that_are_logged(source: Document) -> None:
    queries = list(_queries(source))
    assert {name for name, _, _ in queries} >= {
        "DeadLettersByReasonQuery",
        "SlowestAccountsQuery",
        "MessageLifeQuery",
    }
    for name, text, packages in queries:
        logged: dict[str, set[str]] = {}
        for package in packages:
            logged |= _logged(package)
        asked = re.search("""message = ["']([^"']+)["']""", text)
        if asked:
            assert asked[1] in logged, name
            fields = logged[asked[1]]
        else:
            fields = set().union(*logged.values()) | {"function_request_id"}
        aliases = set(re.findall(r" as (\w+)", text))
        without_texts = re.sub("""["'][^"']*["']""", "", text)
        words = set(re.findall(r"(?<![@\w])[a-z_][\w.]*", without_texts)) - INSIGHTS_WORDS - aliases
        inside = OUTCOMES if "outcomes" in fields else set()
        assert words <= fields | inside | {"message"}, name
