"""Storms: whole runs on the simulator while requests, tasks and heads fail at random, and what must be true after.

`storms.py` draws from a seed what goes wrong; `voyages.py` sends a run through it, killing its head if so drawn;
`test_chaos.py` holds what is left against the promises. `make chaos` does many seeds, CI a few.
"""
