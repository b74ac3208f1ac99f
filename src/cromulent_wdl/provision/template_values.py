"""CloudFormation's functions, as far as the template has them: what a part of it says for given parameters. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["ABSENT", "Values"]

ABSENT = "\0"
"""What stands for AWS::NoValue: an item or a property of this value is left out."""

_NAME = re.compile(r"\$\{([\w:.]+)\}")


class Values:
    """Values of a template under parameters and known ids. Raises KeyError for a reference that is not known."""

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str], known: Mapping[str, str]) -> None:
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._lists = {n for n, p in template["Parameters"].items() if p["Type"] == "CommaDelimitedList"}
        self._parameters = parameters
        self._known = known

    def of(self, value: Any) -> Any:
        """Return what a value comes to."""
        if isinstance(value, list):
            return [each for each in map(self.of, value) if each != ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and (name := next(iter(value))) in self._functions:
            return self._functions[name](self, value[name])
        return {key: found for key, each in value.items() if (found := self.of(each)) != ABSENT}

    def holds(self, condition: Any) -> bool:
        """Return whether a condition, by name or as it is written, holds."""
        if isinstance(condition, str):
            return self.holds(self._conditions[condition])
        ((name, value),) = condition.items()
        if name == "Condition":
            return self.holds(value)
        if name == "Fn::Equals":
            return bool(self.of(value[0]) == self.of(value[1]))
        return {"Fn::Not": not self.holds(value[0]), "Fn::And": all(map(self.holds, value))}.get(
            name, any(map(self.holds, value))
        )

    def _reference(self, name: str) -> Any:
        if name in self._parameters:
            text = self._parameters[name]
            return (text.split(",") if text else []) if name in self._lists else text
        return self._known[name]

    def _attribute(self, name: Any) -> str:
        return self._known[name if isinstance(name, str) else ".".join(name)]

    def _substituted(self, value: Any) -> str:
        text, own = value if isinstance(value, list) else (value, {})
        values = {name: self.of(each) for name, each in own.items()}
        return _NAME.sub(lambda found: str(values.get(found[1]) or self._reference(found[1])), text)

    def _either(self, value: Any) -> Any:
        condition, then, otherwise = value
        return self.of(then if self.holds(condition) else otherwise)

    def _joined(self, value: Any) -> str:
        delimiter, items = value
        return str(delimiter).join(self.of(items))

    _functions = {  # noqa: RUF012 - a table of the methods above
        "Ref": _reference,
        "Fn::GetAtt": _attribute,
        "Fn::Sub": _substituted,
        "Fn::If": _either,
        "Fn::Join": _joined,
    }
