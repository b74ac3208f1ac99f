"""CreateCluster and its kin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .answers import ApiError, invalid_parameter
from .clusters import Cluster, short_name
from .lifecycle import Status
from .paging import most_results, start_of_page, token_after
from .seam import Caller
from .state import Action, Holdings, State
from .tags import from_request

__all__ = ["ClusterActions"]

_MOST_DESCRIBED = 100
_ALL = ("TAGS", "SETTINGS", "CONFIGURATIONS")

Request = Mapping[str, Any]


class ClusterActions:
    """Actions on clusters."""

    def __init__(self, state: State) -> None:
        self._state = state

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "CreateCluster": self.create,
            "DeleteCluster": self.delete,
            "DescribeClusters": self.describe,
            "ListClusters": self.list,
            "PutClusterCapacityProviders": self.put_providers,
            "UpdateCluster": self.update,
        }

    def create(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Create a cluster; one that is there already is answered as it is."""
        tags = from_request(request.get("tags") or ())
        with self._state.driver.lock:
            holdings = self._state.of(caller.place)
            return {"cluster": _view(holdings, holdings.clusters.create(request, tags), _ALL)}

    def delete(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Make a cluster INACTIVE, unless tasks run in it."""
        with self._state.driver.lock:
            holdings = self._state.of(caller.place)
            cluster = holdings.clusters.active(request["cluster"])
            alive = tuple(status for status in Status if status is not Status.STOPPED)
            if holdings.tasks.count(cluster.name, *alive):
                raise ApiError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
            return {"cluster": _view(holdings, holdings.clusters.delete(cluster), _ALL)}

    def describe(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Describe clusters; those that are not there are MISSING."""
        references: Sequence[str] = request.get("clusters") or ("default",)
        if len(references) > _MOST_DESCRIBED:
            raise invalid_parameter(f"Clusters can have at most {_MOST_DESCRIBED} items.")
        place, include = caller.place, request.get("include") or ()
        shown: list[dict[str, Any]] = []
        failures: list[dict[str, str]] = []
        with self._state.driver.lock:
            holdings = self._state.of(place)
            for reference in references:
                cluster = holdings.clusters.find(reference)
                if cluster is None:
                    arn = f"arn:aws:ecs:{place.region}:{place.account}:cluster/{short_name(reference)}"
                    failures.append({"arn": arn, "reason": "MISSING"})
                else:
                    shown.append(_view(holdings, cluster, include))
        return {"clusters": shown, "failures": failures}

    def list(self, caller: Caller, request: Request) -> dict[str, Any]:
        """List the ARNs of active clusters."""
        start, most = start_of_page(request), most_results(request)
        with self._state.driver.lock:
            arns = self._state.of(caller.place).clusters.active_arns()
        answer: dict[str, Any] = {"clusterArns": arns[start : start + most]}
        return {**answer, "nextToken": token_after(start + most)} if len(arns) > start + most else answer

    def put_providers(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Set a cluster's capacity providers and default strategy."""
        with self._state.driver.lock:
            holdings = self._state.of(caller.place)
            cluster = holdings.clusters.active(request["cluster"])
            providers, strategy = request["capacityProviders"], request["defaultCapacityProviderStrategy"]
            return {"cluster": _view(holdings, holdings.clusters.associate(cluster, providers, strategy), _ALL)}

    def update(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Give a cluster other settings and another configuration; what is not named stays."""
        with self._state.driver.lock:
            holdings = self._state.of(caller.place)
            cluster = holdings.clusters.active(request["cluster"])
            if request.get("settings"):
                cluster = replace(cluster, settings=tuple(request["settings"]))
            if request.get("configuration"):
                cluster = replace(cluster, configuration=request["configuration"])
            return {"cluster": _view(holdings, holdings.clusters.put(cluster), _ALL)}


def _view(holdings: Holdings, cluster: Cluster, include: Sequence[str]) -> dict[str, Any]:
    running = holdings.tasks.count(cluster.name, Status.RUNNING)
    pending = holdings.tasks.count(cluster.name, Status.PROVISIONING, Status.PENDING)
    return cluster.view(running, pending, include)
