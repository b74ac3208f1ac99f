"""What happened, what it cost, what to change: pure functions of a run's record.

Everything begins with a `RunStatus` (a fold over the journal, `runs/status.py`) and a run directory. `why.py` explains
a failure or a wait in a screenful; what it says comes from `evidence.py`, which reads the failed call's files, and
`advice.py`, the one table from an Ending to what to do next. `tuning.py` is a fold over the events.
`page/` makes a run's record one HTML file, and `drawing.py` a workflow's graph an SVG. Nothing here prints, and
nothing changes a run.
"""
