"""ECS's resource types, made by our own engine: ministack's know neither it nor most of their properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ecs import ApiError, Place
from ..ecs.tags import as_list
from . import base, cloudformation
from .cloudformation import Properties
from .door import EcsDoor
from .tagging import EcsTags

__all__ = ["EcsResources"]

_NAME = 255


class EcsResources:
    """Registers the types."""

    def __init__(self, door: EcsDoor, tags: EcsTags) -> None:
        self._door = door
        self._tags = tags
        self._responses = base.module("core.responses")

    def repair(self) -> None:
        """Register the types."""
        cloudformation.register("AWS::ECS::Cluster", _Cluster(self), "list")
        cloudformation.register("AWS::ECS::TaskDefinition", _TaskDefinition(self), "list")
        cloudformation.register("AWS::ECS::ClusterCapacityProviderAssociations", _Associations(self))

    def ask(self, action: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask the engine in the place of the stack. Raises ValueError with its words."""
        place = Place(self._responses.get_account_id(), self._responses.get_region())
        try:
            return self._door.call_within(action, request, place)
        except ApiError as refused:
            raise ValueError(f"{refused.message} (Service: AmazonECS; Error Code: {refused.code})") from refused

    def forget(self, action: str, request: Mapping[str, Any]) -> None:
        """Ask for a removal; what is not there is removed."""
        try:
            self.ask(action, request)
        except ValueError as refused:
            if not any(words in str(refused) for words in ("NotFound", "Unable to describe")):
                raise

    def made(self, arn: str, properties: Properties) -> None:
        """Remember the tags by which a stack knows its own."""
        self._tags.reserve(arn, all_tags(properties))

    def tagged(self, arn: str, old: Properties, new: Properties) -> None:
        """Have a resource's own tags follow its properties."""
        before, after = own_tags(old), own_tags(new)
        if gone := [key for key in before if key not in after]:
            self.ask("UntagResource", {"resourceArn": arn, "tagKeys": gone})
        if after != before and after:
            self.ask("TagResource", {"resourceArn": arn, "tags": as_list(after)})


def own_tags(properties: Properties) -> dict[str, str]:
    """Return the tags without those whose prefix AWS reserves, which only AWS itself can give."""
    return {key: value for key, value in all_tags(properties).items() if not key.lower().startswith("aws:")}


def all_tags(properties: Properties) -> dict[str, str]:
    """Return the tags of a resource in a stack."""
    return {each["Key"]: str(each["Value"]) for each in properties.get("Tags") or ()}


def _request(operation: str, properties: Properties) -> dict[str, Any]:
    """Return the request that makes a resource of the properties."""
    known = {name: value for name, value in properties.items() if name != "Tags"}
    request = cloudformation.request_of("ecs", operation, known)
    return {**request, "tags": as_list(own_tags(properties))}


class _Cluster:
    """AWS::ECS::Cluster. Ref is the name."""

    def __init__(self, ecs: EcsResources) -> None:
        self._ecs = ecs

    def create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        request = _request("CreateCluster", properties)
        request.setdefault("clusterName", cloudformation.physical_name(stack, logical_id, _NAME))
        there = self._ecs.ask("DescribeClusters", {"clusters": [request["clusterName"]]})["clusters"]
        if any(each["status"] == "ACTIVE" for each in there):
            raise ValueError(
                f"Resource of type 'AWS::ECS::Cluster' with identifier '{request['clusterName']}' already exists."
            )
        cluster = self._ecs.ask("CreateCluster", request)["cluster"]
        self._ecs.made(cluster["clusterArn"], properties)
        return self._made(cluster)

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        if old.get("ClusterName") != new.get("ClusterName"):
            return self.create(logical_id, new, stack)
        request = _request("CreateCluster", new)
        changes: dict[str, Any] = {name: request[name] for name in ("settings", "configuration") if name in request}
        if changes:
            self._ecs.ask("UpdateCluster", {"cluster": physical_id, **changes})
        if any(old.get(name) != new.get(name) for name in ("CapacityProviders", "DefaultCapacityProviderStrategy")):
            self._ecs.ask("PutClusterCapacityProviders", _providers(physical_id, request))
        cluster = self._ecs.ask("DescribeClusters", {"clusters": [physical_id]})["clusters"][0]
        self._ecs.tagged(cluster["clusterArn"], old, new)
        return self._made(cluster)

    def delete(self, physical_id: str, properties: Properties) -> None:
        self._ecs.forget("DeleteCluster", {"cluster": physical_id})

    def _made(self, cluster: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        return cluster["clusterName"], {"Arn": cluster["clusterArn"], "ClusterName": cluster["clusterName"]}


class _TaskDefinition:
    """AWS::ECS::TaskDefinition. Ref is the ARN with the revision; any change but of tags makes another revision."""

    def __init__(self, ecs: EcsResources) -> None:
        self._ecs = ecs

    def create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        request = _request("RegisterTaskDefinition", properties)
        request.setdefault("family", cloudformation.physical_name(stack, logical_id, _NAME))
        if not request["tags"]:
            del request["tags"]
        arn = self._ecs.ask("RegisterTaskDefinition", request)["taskDefinition"]["taskDefinitionArn"]
        self._ecs.made(arn, properties)
        return arn, {"TaskDefinitionArn": arn}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        if {**old, "Tags": None} != {**new, "Tags": None}:
            return self.create(logical_id, new, stack)
        self._ecs.tagged(physical_id, old, new)
        return physical_id, {"TaskDefinitionArn": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:
        self._ecs.forget("DeregisterTaskDefinition", {"taskDefinition": physical_id})


class _Associations:
    """AWS::ECS::ClusterCapacityProviderAssociations. Ref is the cluster."""

    def __init__(self, ecs: EcsResources) -> None:
        self._ecs = ecs

    def create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        request = cloudformation.request_of("ecs", "PutClusterCapacityProviders", properties)
        self._ecs.ask("PutClusterCapacityProviders", _providers(properties["Cluster"], request))
        return properties["Cluster"], {}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        return self.create(logical_id, new, stack)

    def delete(self, physical_id: str, properties: Properties) -> None:
        self._ecs.forget("PutClusterCapacityProviders", _providers(physical_id, {}))


def _providers(cluster: str, request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cluster": cluster,
        "capacityProviders": request.get("capacityProviders", []),
        "defaultCapacityProviderStrategy": request.get("defaultCapacityProviderStrategy", []),
    }
