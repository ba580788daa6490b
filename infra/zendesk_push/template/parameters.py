"""The template's parameters: defaults, what was given for them, and the constraints that CloudFormation checks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from zendesk_push.template.errors import TemplateError
from zendesk_push.template.intrinsics import Resolver


def parse_overrides(pairs: Iterable[str]) -> dict[str, str]:
    """``["Key=Value", …]`` as a mapping; of a repeated key the last value counts.

    Raises:
        TemplateError: an item without a key or without ``=``.
    """
    overrides = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise _misuse(f"--parameter-overrides takes Key=Value, not {pair!r}")
        overrides[key] = value
    return overrides


def judge_parameters(source: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Every parameter's value of a template, checked against its constraints and the template's rules.

    Raises:
        TemplateError: as ``resolve_parameters``, or a rule does not hold.
    """
    values = resolve_parameters(source.get("Parameters") or {}, given)
    resolver = Resolver(values, conditions={}, mappings={}, ref=_no_resource, attribute=_no_resource)
    for name, rule in (source.get("Rules") or {}).items():
        where = f"Rules.{name}"
        if "RuleCondition" in rule and not resolver.boolean(rule["RuleCondition"], where):
            continue
        for assertion in rule["Assertions"]:
            if not resolver.boolean(assertion["Assert"], where):
                broken = assertion.get("AssertDescription") or f"{where} does not hold"
                raise _misuse(broken) if given else TemplateError(broken)
    return values


def _no_resource(*name: str) -> str:
    raise TemplateError(f"a rule is about parameters, and {'.'.join(name)} is none")


def resolve_parameters(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, Any]:
    """Every parameter's value, checked; lists as lists, everything else as text.

    Raises:
        TemplateError: a parameter that the template does not have, one without a value, or a value that
            breaks a constraint.
    """
    for name in given:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(declared)) or 'none'}"
            raise _misuse(f"the template has no parameter {name!r}; {hint}")
    values = {}
    for name, declaration in declared.items():
        if name in given:
            text = given[name]
        elif "Default" in declaration:
            text = _text(declaration["Default"])
        else:
            raise _misuse(f"parameter {name} needs a value: --parameter-overrides {name}=…")
        try:
            values[name] = _checked(name, declaration, text)
        except TemplateError as error:
            raise (_misuse(str(error)) if name in given else error) from None
    return values


def _misuse(message: str) -> TemplateError:
    """The command line's fault, not the template's."""
    return TemplateError(message, exit_code=2)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(_text(item) for item in value) if isinstance(value, list) else str(value)


def _checked(name: str, declaration: Mapping[str, Any], text: str) -> Any:
    kind = str(declaration.get("Type", "String"))
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        items = [item.strip() for item in text.split(",")]
        for item in items:
            _check(name, declaration, item, is_number=kind == "List<Number>")
        return items
    _check(name, declaration, text, is_number=kind == "Number")
    return text


def _check(name: str, declaration: Mapping[str, Any], text: str, *, is_number: bool) -> None:
    problem = _problem(declaration, text, is_number=is_number)
    if problem is not None:
        raise TemplateError(f"parameter {name}={text!r} {problem}")


def _problem(declaration: Mapping[str, Any], text: str, *, is_number: bool) -> str | None:
    allowed = declaration.get("AllowedValues")
    if allowed is not None and text not in [_text(value) for value in allowed]:
        return f"is none of {', '.join(repr(_text(value)) for value in allowed)}"
    pattern = declaration.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, text):
        described = declaration.get("ConstraintDescription")
        return f"is not {described}" if described else f"does not match {pattern}"
    if is_number:
        return _number_problem(declaration, text)
    if len(text) < int(declaration.get("MinLength", 0)):
        return f"is shorter than {declaration['MinLength']} characters"
    if "MaxLength" in declaration and len(text) > int(declaration["MaxLength"]):
        return f"is longer than {declaration['MaxLength']} characters"
    return None


def _number_problem(declaration: Mapping[str, Any], text: str) -> str | None:
    try:
        number = float(text)
    except ValueError:
        return "is not a number"
    if "MinValue" in declaration and not number >= float(declaration["MinValue"]):
        return f"is less than {declaration['MinValue']}"
    if "MaxValue" in declaration and not number <= float(declaration["MaxValue"]):
        return f"is more than {declaration['MaxValue']}"
    return None
