"""Prints the inventory: a line a call of AWS's API, who makes it, and what IAM calls it."""

from .actions import actions_of
from .api_calls import api_calls
from .needs import callers_of

for call in api_calls():
    who = " ".join(sorted(callers_of(call))) or "nobody"
    actions = " ".join(sorted(actions_of(call.service, call.operation))) or "no permission"
    print(f"{who:<16}{f'{call.module}.{call.function}':<40}{call.operation:<32}{actions}")  # noqa: T201
