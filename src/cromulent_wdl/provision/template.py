"""The template, as it is shipped."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any

__all__ = ["body", "parsed"]


@lru_cache
def body() -> str:
    """Return the text of the template."""
    return resources.files(__package__).joinpath("template.yaml").read_text(encoding="utf-8")


@lru_cache
def parsed() -> dict[str, Any]:
    """Return the template as JSON has it: CloudFormation's short forms written out."""
    import yaml

    class Loader(yaml.SafeLoader):
        """YAML with tags that are CloudFormation's functions."""

    def function(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
        name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
        if isinstance(node, yaml.ScalarNode):
            return {name: loader.construct_scalar(node)}
        if isinstance(node, yaml.SequenceNode):
            return {name: loader.construct_sequence(node, deep=True)}
        assert isinstance(node, yaml.MappingNode)
        return {name: loader.construct_mapping(node, deep=True)}

    Loader.add_multi_constructor("!", function)
    template: dict[str, Any] = yaml.load(body(), Loader=Loader)
    return template
