"""Looks whether everything that runs workflows is as it must be, and changes nothing.

`facts.py` is what can be known, and the file to read first. `here.py` gathers it of this machine, `account.py` of AWS;
whatever could not be learnt is `Unknown`, with the reason, and no error. `checks.py` (this machine, the account) and
`deployment_checks.py` make findings of the facts, without asking anybody. `needs.py` lists what IAM is asked for.
"""

from .facts import Facts
from .findings import Finding, State, findings

__all__ = ["Facts", "Finding", "State", "findings"]
