"""What CloudFormation makes of a template's values under given parameters.

Knows the intrinsic functions that the template uses, and fails on any other.
"""

import re
from collections.abc import Mapping
from typing import Any

PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "rekey",
    "AWS::URLSuffix": "amazonaws.com",
}
NOTHING = object()


class Evaluation:
    """One template, as these parameters make it."""

    def __init__(self, template: Mapping[str, Any], given: Mapping[str, str]) -> None:
        self._template = template
        self._values = PSEUDO | {
            name: _typed(parameter["Type"], given.get(name, str(parameter["Default"])))
            for name, parameter in template["Parameters"].items()
        }

    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources that exist, by logical id, their values resolved."""
        return {
            logical_id: self.resolve(resource)
            for logical_id, resource in self._template["Resources"].items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {name: self.resolve(item) for name, item in value.items()}
        return {name: item for name, item in resolved.items() if item is not NOTHING}

    def _call(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Ref", "AWS::NoValue":
                return NOTHING
            case "Ref", str():
                return self._values.get(argument, f"<{argument}>")
            case "Fn::GetAtt", [str() as logical_id, str() as attribute]:
                return f"<{logical_id}.{attribute}>"
            case "Fn::Sub", str():
                return re.sub(r"\$\{([\w:]+)\}", self._named, argument)
            case "Fn::Join", [str() as separator, parts]:
                return separator.join(self.resolve(parts))
            case "Fn::If", [str() as condition, then, otherwise]:
                return self.resolve(then if self._holds(condition) else otherwise)
            case "Fn::Select", [int() as index, items]:
                return self.resolve(items)[index]
        return self._logic(name, self.resolve(argument))

    def _named(self, found: re.Match[str]) -> str:
        """A parameter's value; a resource is told as Ref tells it."""
        return str(self._values.get(found[1], f"<{found[1]}>"))

    def _logic(self, name: str, values: list[Any]) -> bool:
        match name:
            case "Fn::Equals":
                return bool(values[0] == values[1])
            case "Fn::Not":
                return not values[0]
            case "Fn::And":
                return all(values)
            case "Fn::Or":
                return any(values)
        raise AssertionError(f"the tests do not know {name}")

    def _holds(self, condition: str) -> bool:
        return bool(self.resolve(self._template["Conditions"][condition]))


def _typed(kind: str, text: str) -> Any:
    return text.split(",") if kind == "CommaDelimitedList" else text
