"""The records of runs: what a head writes while it works, and what everybody reads from it.

A head appends events to its run's journal (`journal.py`) and puts the run on this machine's list (`index.py`).
Readers go the other way: what the user calls a run becomes its directory (`find.py`), the journal there is
folded into a status (`status.py`; whether the head still lives is a fact from `head.py`), and the status says
where the files lie that the calls wrote (`logs.py`). Nothing here runs anything.

A head in the cloud puts its journal into the bucket as segments (`segments.py`), where it also hears that it is to stop
(`station.py`). `mirror.py` copies all that into a directory on this machine, which is read like any other run's.
"""
