"""miniwdl's view of us: a container backend, a call cache, and coroutines that keep the journal.

`container.py` is the one subclass of miniwdl's `TaskContainer`: WDL in, `Backend.run` out, `Ending` mapped
onto miniwdl's exceptions. `coroutines.py` and `listener.py` turn the life of calls into journal events,
`session.py` holds what one process has of us (backend, head, journals), `pulse.py` is the one thread that
serves all waiting tasks. All of it sleeps unless miniwdl's configuration chooses our backend.
"""
