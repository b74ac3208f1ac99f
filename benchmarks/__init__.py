"""Measures this project against its goals, beside what others need for the same work.

`local.py` is the program. `goals_*.py` say what is run for each goal; `measure.py` runs commands in turn and takes
their CPU time, wall time and memory; `figures.py` makes rows of the medians. `environments.py` installs the peers, each
in an environment of its own, and `commands.py` says how each is called. `standins/` holds what replaces the real
work where only the engine is to be measured.
"""
