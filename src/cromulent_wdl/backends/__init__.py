"""Where tasks run. A `Task` goes in, an `Outcome` comes out; what happens between is one backend's business.

Read `seam.py` first, which is the protocol. `registry.py` makes the backend that the
settings ask for; `router.py` chooses among several and is itself one. `process` runs commands on this
machine, `container` runs them in Docker or Podman, `fargate` on AWS. All calls of all runs on this machine share
its cores and memory through `ledger.py`; `heads.py` and `guardian.py` see to it that nothing outlives its head.
"""
