"""All that is known of the emulator's insides: ministack, pinned to one version, and what is repaired in it.

`base.py` loads it, refuses any other version, and has the one function by which a repair takes the place of
something in it, so that a place that has gone is noticed at once. The repairs are one module a service:

- `cloudformation.py` resource types from botocore's models; `batch.py`, `networks.py`, `buckets.py`,
  `ecs_resources.py` the types and attributes that it lacks or drops; `drift.py` what it does not compare;
  `stack_events.py` what it tells of updates
- `states.py`, `states_ecs.py`, `states_paths.py`, `states_attempts.py` Step Functions: executions, `ecs:runTask`, what
  a path may miss, how long attempts take; `machine_definitions.py` machines that cannot be
- `file_systems.py`, `objects.py`, `log_groups.py`, `rules.py` EFS, S3, Logs and EventBridge, where they are laxer than
  AWS's; `policy_simulator.py` IAM's
- `authorization.py` who may do what, when asked for: ECS by its own resources, Step Functions by its machine's role
  (`machine_roles.py`), keys of one's own (`keys.py`)
- `tagging.py` the tagging API sees our ECS; `quotas.py`, `prices.py` Service Quotas and the Price List, which it lacks
- `door.py` the ECS of every request is our own engine; `world.py` is what that engine sees of the rest, with
  `mounting.py` and `secrets.py` for what a task's roles may mount and fetch
- `persistence.py` its own way of keeping its state

tests/simulator/test_repairs.py, test_repairs_of_services.py and test_stack_events.py have a test for each repair that
fails when ministack no longer needs it.
"""
