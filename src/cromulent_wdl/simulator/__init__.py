"""A local AWS: good enough to run whole workflows on, with real containers, through the ordinary AWS clients.

One process, one port on loopback. `process.py` starts it for whoever wants one (`cromulent simulate`, a test) and
sees that nothing outlives it; `server.py` is that process, `assembly.py` puts its parts together:

- `front.py` what every request passes first: meters, rates and faults (`others.py`), the admin path (`admin.py`)
- `ecs/` our own ECS, and `planes/` which run its tasks; both know nothing of what carries them
- `ministack/` everything else of AWS: the emulator that we stand on, and all that we know of its insides

Production code never imports this package; it knows an endpoint's address. What the simulator enforces, and what it
cannot prove, is told in docs/concepts/simulator.md.
"""
