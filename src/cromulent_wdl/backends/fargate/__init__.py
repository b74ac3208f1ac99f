"""Tasks as ECS tasks on Fargate, whose files are on a file system that they share with the head.

`staging.py` lays out a task's inputs on the shared file system before it starts: where tasks see what is `window.py`'s,
and what they would not see `copies.py` copies. `collecting.py` makes what it left readable for the head when it has
ended. `wrapper.py` writes the script that runs the command in the container (`wrapper.sh`) and
reads what that left: one directory an attempt, under a key that is its only one.

`backend.py` is what the seam asks; `attempt.py` is the way of one attempt, step by step, and the file to read first.
What is asked of AWS is decided in `sizes.py`, `request.py` and `ladder.py`, how an attempt ended in `verdict.py`: all
pure. `site.py` is a run as AWS knows it, `survivors.py` what an earlier head of it left, which `farewell.py` ends where
nobody takes it over, `memo.py` what attempts remember. `gate.py` paces launches, `patience.py` waits where AWS has no
room or wants fewer calls, `cromulent_wdl.monitor` watches them.
"""

from .opening import fargate

__all__ = ["fargate"]
