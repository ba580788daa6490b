"""CloudFormation's intrinsic functions, strictly: what names nothing is an error, never an empty string.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html

References to resources are the caller's to answer.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from zendesk_push.template.errors import TemplateError

_SUB_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]*)\}")


class _NoValue:
    """``AWS::NoValue``: the property is left out."""


NO_VALUE: Final = _NoValue()


class Resolver:
    """Evaluates the values of one template.

    Args:
        values: parameters and pseudo parameters by name.
        conditions: the template's ``Conditions``.
        mappings: the template's ``Mappings``.
        ref: what ``Ref`` of a resource is.
        attribute: what ``Fn::GetAtt`` of a resource and an attribute is.

    ``ref`` and ``attribute`` raise TemplateError for what the template does not have.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        conditions: Mapping[str, Any],
        mappings: Mapping[str, Any],
        ref: Callable[[str], Any],
        attribute: Callable[[str, str], Any],
    ) -> None:
        self._values = values
        self._conditions = conditions
        self._mappings = mappings
        self._ref = ref
        self._attribute = attribute
        self._functions: dict[str, Callable[[Any, str], Any]] = {
            "Ref": self._resolve_ref,
            "Fn::GetAtt": self._resolve_get_att,
            "Fn::Sub": self._resolve_sub,
            "Fn::Join": self._resolve_join,
            "Fn::If": self._resolve_if,
            "Fn::FindInMap": self._resolve_find_in_map,
            "Fn::Equals": self._resolve_equals,
            "Fn::Not": lambda argument, where: not self.boolean(argument[0], where),
            "Fn::And": lambda argument, where: all(self.boolean(one, where) for one in argument),
            "Fn::Or": lambda argument, where: any(self.boolean(one, where) for one in argument),
            "Condition": lambda argument, _: self.condition(argument),
        }

    def resolve(self, value: Any, where: str) -> Any:
        """``value`` without intrinsic functions; ``where`` is its place in the template, for errors."""
        if isinstance(value, Mapping):
            if len(value) == 1:
                [(name, argument)] = value.items()
                if name.startswith("Fn::") or name == "Ref":
                    function = self._functions.get(name)
                    if function is None:
                        raise TemplateError(f"{where}: {name} is not supported on this machine")
                    return function(argument, where)
            resolved = {key: self.resolve(item, f"{where}.{key}") for key, item in value.items()}
            return {key: item for key, item in resolved.items() if item is not NO_VALUE}
        if isinstance(value, list):
            items = [self.resolve(item, f"{where}[{index}]") for index, item in enumerate(value)]
            return [item for item in items if item is not NO_VALUE]
        return value

    def condition(self, name: str) -> bool:
        """Whether the template's condition of that name holds."""
        if name not in self._conditions:
            raise TemplateError(f"there is no condition {name!r} in the template")
        return self.boolean(self._conditions[name], f"Conditions.{name}")

    def boolean(self, value: Any, where: str) -> bool:
        """Evaluate a condition function, as rules have them."""
        if isinstance(value, Mapping) and len(value) == 1:
            [(name, argument)] = value.items()
            if name in ("Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Condition"):
                return bool(self._functions[name](argument, where))
        raise TemplateError(f"{where}: not a condition")

    def _resolve_ref(self, name: Any, where: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._values:
            return self._values[name]
        if isinstance(name, str) and name.startswith("AWS::"):
            raise TemplateError(f"{where}: the pseudo parameter {name} does not exist")
        return self._at(where, self._ref, name)

    def _resolve_get_att(self, argument: Any, where: str) -> Any:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if len(parts) != 2:
            raise TemplateError(f"{where}: Fn::GetAtt needs a resource and an attribute, got {argument!r}")
        return self._at(where, self._attribute, *parts)

    def _resolve_sub(self, argument: Any, where: str) -> Any:
        text, local = (argument, {}) if isinstance(argument, str) else argument
        parts: list[Any] = []
        end = 0
        for match in _SUB_VARIABLE.finditer(text):
            parts.append(text[end : match.start()])
            end = match.end()
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                parts.append(f"${{{name}}}")
            elif name in local:
                parts.append(self.resolve(local[name], where))
            elif "." in name:
                parts.append(self._resolve_get_att(name, where))
            else:
                parts.append(self._resolve_ref(name, where))
        parts.append(text[end:])
        return self._joined("", parts, where)

    def _resolve_join(self, argument: Any, where: str) -> Any:
        delimiter, items = argument
        return self._joined(delimiter, self.resolve(items, where), where)

    @staticmethod
    def _joined(delimiter: str, items: Any, where: str) -> str:
        if not isinstance(items, list) or any(isinstance(item, (Mapping, list)) for item in items):
            raise TemplateError(f"{where}: only a list of texts can be joined, not {items!r}")
        return delimiter.join(text_of(item) for item in items)

    def _resolve_if(self, argument: Any, where: str) -> Any:
        name, then, otherwise = argument
        return self.resolve(then if self._at(where, self.condition, name) else otherwise, where)

    def _resolve_find_in_map(self, argument: Any, where: str) -> Any:
        found: Any = self._mappings
        for key in self.resolve(argument, where):
            if not isinstance(found, Mapping) or key not in found:
                raise TemplateError(f"{where}: Fn::FindInMap finds nothing at {argument}")
            found = found[key]
        return found

    def _resolve_equals(self, argument: Any, where: str) -> bool:
        left, right = self.resolve(argument, where)
        return str(left) == str(right)

    @staticmethod
    def _at(where: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call, and give an error the place in the template."""
        try:
            return function(*arguments)
        except TemplateError as error:
            raise TemplateError(f"{where}: {error}") from None


def text_of(value: Any) -> str:
    """A scalar as CloudFormation writes it into a string."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
