"""The part of CloudWatch's metric math that the template's alarms use, with its rules for what is missing.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

A time series has a value for some of the periods that are looked at. Arithmetic between two has one only where both
have; a function over an array takes what there is; FILL of a series that is empty stays empty.
"""

import ast
import functools
import itertools
import re
from collections.abc import Callable, Mapping, Sequence

Series = Mapping[int, float]
"""Values by period, oldest first; what is missing is left out."""
Value = Series | float | Sequence[Series]


class UnknownMathError(Exception):
    """An expression uses what is not played here."""


def evaluate(expression: str, metrics: Mapping[str, Series], periods: Sequence[int]) -> Series:
    """The expression's series over the periods, oldest first. ``metrics`` are those with a MetricStat, by id."""
    value = _Evaluation(metrics, periods).of(_parsed(expression))
    if isinstance(value, Mapping):
        return value
    raise UnknownMathError(f"{expression} is no time series")


@functools.cache
def _parsed(expression: str) -> ast.expr:
    return ast.parse(re.sub(r"\bAND\b", "and", re.sub(r"\bOR\b", "or", expression)), mode="eval").body


class _Evaluation:
    def __init__(self, metrics: Mapping[str, Series], periods: Sequence[int]) -> None:
        self._metrics = metrics
        self._periods = periods

    def of(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return self._metrics[name]
            case ast.List(elts=parts):
                return [self._series(part) for part in parts]
            case ast.BinOp(left=left, op=operator, right=right):
                return self._between(left, _ARITHMETIC[type(operator)], right)
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return self._between(left, _COMPARISON[type(operator)], right)
            case ast.BoolOp(op=operator, values=[left, right]):
                both = isinstance(operator, ast.And)
                return self._between(
                    left, lambda a, b: float((a and b) != 0 if both else (a or b) != 0), right
                )
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments)
        raise UnknownMathError(ast.unparse(node))

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> Value:
        match name, arguments:
            case "METRICS", []:
                return list(self._metrics.values())
            case "SUM" | "MAX", [array]:
                combine = sum if name == "SUM" else max
                series = self.of(array)
                if not isinstance(series, list):
                    raise UnknownMathError(f"{name} of one series is a number, and no alarm may have that")
                return {
                    period: float(combine(there))
                    for period in self._periods
                    if (there := [one[period] for one in series if period in one])
                }
            case "FILL", [filled, with_value]:
                value, number = self.of(filled), self.of(with_value)
                assert isinstance(number, float)
                if isinstance(value, list):
                    return [self._filled(one, number) for one in value]
                assert isinstance(value, Mapping)
                return self._filled(value, number)
            case "DIFF", [argument]:
                series = self._series(argument)
                there = sorted(series)
                return {after: series[after] - series[before] for before, after in itertools.pairwise(there)}
            case "IF", [condition, then, otherwise]:
                decided = self._series(condition)
                yes, no = self._spread(then), self._spread(otherwise)
                chosen = {period: (yes if value else no) for period, value in decided.items()}
                return {period: of[period] for period, of in chosen.items() if period in of}
        raise UnknownMathError(name)

    def _series(self, node: ast.expr) -> Series:
        value = self.of(node)
        if not isinstance(value, Mapping):
            raise UnknownMathError(f"{ast.unparse(node)} is no time series")
        return value

    def _spread(self, node: ast.expr) -> Series:
        value = self.of(node)
        if isinstance(value, float):
            return dict.fromkeys(self._periods, value)
        assert isinstance(value, Mapping)
        return value

    def _filled(self, series: Series, value: float) -> Series:
        return {period: series.get(period, value) for period in self._periods} if series else {}

    def _between(
        self, left: ast.expr, operator: Callable[[float, float], float], right: ast.expr
    ) -> Series | float:
        a, b = self.of(left), self.of(right)
        if isinstance(a, float) and isinstance(b, float):
            return operator(a, b)
        first, second = self._spread(left), self._spread(right)
        return {
            period: operator(first[period], second[period])
            for period in self._periods
            if period in first and period in second
        }


_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
}
_COMPARISON: Mapping[type[ast.cmpop], Callable[[float, float], float]] = {
    ast.GtE: lambda a, b: float(a >= b),
    ast.Lt: lambda a, b: float(a < b),
}
