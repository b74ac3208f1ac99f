"""Clusters, and the capacity providers that Fargate gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .answers import client_error, cluster_not_found, invalid_parameter
from .seam import Place
from .tags import Tags

__all__ = ["PROVIDERS", "Cluster", "Clusters", "check_strategy", "short_name"]

PROVIDERS = ("FARGATE", "FARGATE_SPOT")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MOST_PROVIDERS = 20

Strategy = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Cluster:
    """One cluster."""

    arn: str
    name: str
    status: str = "ACTIVE"
    providers: tuple[str, ...] = ()
    strategy: Strategy = ()
    settings: Sequence[Mapping[str, Any]] = ({"name": "containerInsights", "value": "disabled"},)
    configuration: Mapping[str, Any] | None = None
    tags: Tags = field(default_factory=dict)

    def view(self, running: int, pending: int, include: Sequence[str]) -> dict[str, Any]:
        """Return what DescribeClusters shows; tags, settings and configuration only where they are asked for."""
        shown: dict[str, Any] = {
            "clusterArn": self.arn,
            "clusterName": self.name,
            "status": self.status,
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": running,
            "pendingTasksCount": pending,
            "activeServicesCount": 0,
            "statistics": [],
            "tags": [],
            "settings": [],
            "capacityProviders": list(self.providers),
            "defaultCapacityProviderStrategy": list(self.strategy),
        }
        if "TAGS" in include:
            shown["tags"] = [{"key": key, "value": value} for key, value in self.tags.items()]
        if "SETTINGS" in include:
            shown["settings"] = list(self.settings)
        if "CONFIGURATIONS" in include and self.configuration:
            shown["configuration"] = self.configuration
        return shown


def short_name(reference: str | None) -> str:
    """Return the name in a cluster's name or ARN; nothing given is "default"."""
    return (reference or "default").rpartition("/")[2]


def check_strategy(strategy: Strategy, providers: Sequence[str]) -> None:
    """Refuse a capacity provider strategy that the cluster cannot serve (facts: capacityProviderStrategy)."""
    if len(strategy) > _MOST_PROVIDERS:
        raise invalid_parameter(
            f"The specified capacity provider strategy cannot contain more than {_MOST_PROVIDERS} capacity providers."
        )
    if any(item["capacityProvider"] not in providers for item in strategy):
        raise invalid_parameter(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with "
            "the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and "
            "try again."
        )
    if sum(1 for item in strategy if item.get("base")) > 1:
        raise invalid_parameter("Only one capacity provider in a strategy can have a base defined.")
    if len(strategy) > 1 and not any(item.get("weight") for item in strategy):
        raise invalid_parameter("At least one capacity provider must have a weight value greater than zero.")


@dataclass
class Clusters:
    """All clusters of a place. The caller holds the lock."""

    place: Place
    _clusters: dict[str, Cluster] = field(default_factory=dict)

    def create(self, request: Mapping[str, Any], tags: Tags) -> Cluster:
        """Create a cluster, or return the one of that name."""
        name = request.get("clusterName") or "default"
        if not _NAME.fullmatch(name):
            raise invalid_parameter("Invalid cluster name.")
        existing = self._clusters.get(name)
        if existing is not None and existing.status == "ACTIVE":
            return existing
        providers = _known(request.get("capacityProviders") or ())
        strategy = tuple(request.get("defaultCapacityProviderStrategy") or ())
        check_strategy(strategy, providers)
        arn = f"arn:aws:ecs:{self.place.region}:{self.place.account}:cluster/{name}"
        created = Cluster(arn, name, providers=providers, strategy=strategy, tags=tags)
        created = replace(created, configuration=request.get("configuration"))
        if request.get("settings"):
            created = replace(created, settings=tuple(request["settings"]))
        return self.put(created)

    def active(self, reference: str | None) -> Cluster:
        """Return the cluster, or say with AWS that it was not found."""
        found = self.find(reference)
        if found is None or found.status != "ACTIVE":
            raise cluster_not_found()
        return found

    def find(self, reference: str | None) -> Cluster | None:
        """Return the cluster, INACTIVE ones too; None where there is none, or it lives in another place."""
        found = self._clusters.get(short_name(reference))
        if found is None or (reference and ":" in reference and reference != found.arn):
            return None
        return found

    def associate(self, cluster: Cluster, providers: Sequence[str], strategy: Strategy) -> Cluster:
        """Give a cluster its capacity providers and its default strategy."""
        known = _known(providers)
        check_strategy(strategy, known)
        return self.put(replace(cluster, providers=known, strategy=tuple(strategy)))

    def delete(self, cluster: Cluster) -> Cluster:
        """Make a cluster INACTIVE; it is not listed any more (botocore, DeleteCluster)."""
        return self.put(replace(cluster, status="INACTIVE"))

    def all(self) -> list[Cluster]:
        """Return all clusters, INACTIVE ones too."""
        return list(self._clusters.values())

    def active_arns(self) -> list[str]:
        """Return the ARNs of all clusters that are not deleted."""
        return [cluster.arn for cluster in self._clusters.values() if cluster.status == "ACTIVE"]

    def put(self, cluster: Cluster) -> Cluster:
        """Store a cluster under its name."""
        self._clusters[cluster.name] = cluster
        return cluster


def _known(providers: Sequence[str]) -> tuple[str, ...]:
    for provider in providers:
        if provider not in PROVIDERS:
            raise client_error(
                "The specified capacity provider was not found. Specify a valid capacity provider and try again."
            )
    return tuple(dict.fromkeys(providers))
