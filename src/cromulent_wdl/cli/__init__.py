"""The `cromulent` command: parse, call, show.

`main.py` is the way in and the boundary at which an error becomes a sentence and an exit status. It answers
`--help`, `--version` and the completion of a command's name from `overview.py` alone; everything else goes
through `group.py`, which imports the one command that was asked for. Each command module has its click command
as `command`, whose result, if it is an int, is the exit status. Only `ui.py` prints.
"""
