"""RegisterTaskDefinition and its kin."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from .answers import ApiError, invalid_parameter
from .definition_checks import check_definition
from .definitions import normal_form
from .paging import most_results, start_of_page, token_after
from .seam import Caller
from .state import Action, State
from .tags import as_list, from_request

__all__ = ["DefinitionActions"]

_MOST_DELETED = 10

Request = Mapping[str, Any]


class DefinitionActions:
    """Actions on task definitions."""

    def __init__(self, state: State) -> None:
        self._state = state

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "RegisterTaskDefinition": self.register,
            "DescribeTaskDefinition": self.describe,
            "DeregisterTaskDefinition": self.deregister,
            "DeleteTaskDefinitions": self.delete,
            "ListTaskDefinitions": self.list,
            "ListTaskDefinitionFamilies": self.list_families,
        }

    def register(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Register a revision."""
        check_definition(request)
        tags = from_request(request.get("tags") or ())
        document = normal_form(request)
        now = self._state.clock.now()
        with self._state.driver.lock:
            made = self._state.of(caller.place).definitions.register(document, tags, now, caller.arn)
        answer: dict[str, Any] = {"taskDefinition": made.document}
        return {**answer, "tags": as_list(tags)} if tags else answer

    def describe(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Describe a revision, or a family's newest that is ACTIVE."""
        with self._state.driver.lock:
            holdings = self._state.of(caller.place)
            holdings.definitions.sweep(holdings.tasks.in_use)
            found = holdings.definitions.described(request["taskDefinition"])
        answer: dict[str, Any] = {"taskDefinition": found.document}
        return {**answer, "tags": as_list(found.tags)} if "TAGS" in (request.get("include") or ()) else answer

    def deregister(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Make a revision INACTIVE."""
        with self._state.driver.lock:
            definitions = self._state.of(caller.place).definitions
            return {
                "taskDefinition": definitions.deregister(request["taskDefinition"], self._state.clock.now()).document
            }

    def delete(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Delete INACTIVE revisions; what cannot be deleted is in failures[]."""
        references = request["taskDefinitions"]
        if not 1 <= len(references) <= _MOST_DELETED:
            raise invalid_parameter(f"You can specify up to {_MOST_DELETED} task definitions.")
        deleted: list[Mapping[str, Any]] = []
        failures: list[dict[str, str]] = []
        with self._state.driver.lock:
            definitions = self._state.of(caller.place).definitions
            for reference in references:
                try:
                    deleted.append(definitions.delete(reference, self._state.clock.now()).document)
                except ApiError as refusal:
                    failures.append({"arn": reference, "reason": refusal.message})
        return {"taskDefinitions": deleted, "failures": failures}

    def list(self, caller: Caller, request: Request) -> dict[str, Any]:
        """List ARNs; familyPrefix is a whole family's name (botocore, ListTaskDefinitions.familyPrefix)."""
        start, most = start_of_page(request), most_results(request)
        family, status = request.get("familyPrefix"), request.get("status") or "ACTIVE"
        with self._state.driver.lock:
            holdings = self._state.of(caller.place)
            holdings.definitions.sweep(holdings.tasks.in_use)
            arns = holdings.definitions.arns(family, status, request.get("sort") == "DESC")
            page = list(islice(arns, start, start + most + 1))
        answer: dict[str, Any] = {"taskDefinitionArns": page[:most]}
        return {**answer, "nextToken": token_after(start + most)} if len(page) > most else answer

    def list_families(self, caller: Caller, request: Request) -> dict[str, Any]:
        """List families; familyPrefix is a beginning here, and a family is ACTIVE if a revision is (botocore)."""
        start, most = start_of_page(request), most_results(request)
        prefix, status = request.get("familyPrefix") or "", request.get("status") or "ALL"
        with self._state.driver.lock:
            holdings = self._state.of(caller.place)
            holdings.definitions.sweep(holdings.tasks.in_use)
            page = list(islice(holdings.definitions.families(prefix, status), start, start + most + 1))
        answer: dict[str, Any] = {"families": page[:most]}
        return {**answer, "nextToken": token_after(start + most)} if len(page) > most else answer
