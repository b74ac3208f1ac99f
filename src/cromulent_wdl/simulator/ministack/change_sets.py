"""Change sets' repairs: what a template's conditions leave out is not among the changes; more is changed in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import base

__all__ = ["repair"]

_Resolved = dict[str, Any]

_REPLACING = {
    "AWS::ECS::Cluster": ("ClusterName",),
    "AWS::Events::Rule": ("Name",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::S3::BucketPolicy": ("Bucket",),
}
"""Properties that cannot be changed in place, of types of which ministack knows none (createOnlyProperties in the
registry's schemas); it says of every property of such a type that it may replace the resource."""


def repair() -> None:
    """Judge conditions before templates are compared, and know what replaces a resource."""
    provisioners = base.module("services.cloudformation.provisioners")
    known = provisioners._REPLACING_PROPERTIES
    base.replace(provisioners, "_REPLACING_PROPERTIES", {**known, **_REPLACING})
    base.wrap(base.module("services.cloudformation.changesets"), "_resolve_props_for_diff", _that_hold)


def _that_hold(
    original: Callable[..., _Resolved], template: Mapping[str, Any], parameters: Mapping[str, Any], *stack: str
) -> _Resolved:
    resolved = original(template, parameters, *stack)
    if not resolved:
        return resolved
    hold = base.module("services.cloudformation.engine")._evaluate_conditions(template, parameters)
    resources = resolved["Resources"].items()
    return {"Resources": {name: each for name, each in resources if hold.get(each.get("Condition"), True)}}
