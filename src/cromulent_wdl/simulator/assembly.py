"""Puts the parts of a simulator together: ministack repaired, our ECS engine, a data plane, and the front."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec

from ..clock import Clock
from ..engine import Engine
from .admin import Admin
from .ecs import EcsService, EcsSettings, Snapshot
from .ecs.fault_plan import FaultPlan
from .ecs.settings import NEAR_ZERO, REALISTIC, Uniform
from .ecs.timers import Timers
from .front import Front
from .keeping import Keeping, Saver
from .ministack import (
    authorization,
    base,
    batch,
    buckets,
    change_sets,
    conditions,
    drift,
    log_groups,
    machine_definitions,
    networks,
    objects,
    persistence,
    policy_simulator,
    prices,
    request_resources,
    role_boundaries,
    rollbacks,
    stack_callers,
    stack_events,
    states,
    states_attempts,
    states_paths,
)
from .ministack.authorization import Judge
from .ministack.door import EcsDoor
from .ministack.ecs_resources import EcsResources
from .ministack.file_systems import FileSystems
from .ministack.keys import Keys
from .ministack.quotas import Quotas
from .ministack.roles import keys_of
from .ministack.rules import Rules
from .ministack.states_ecs import EcsTasks
from .ministack.tagging import EcsTags
from .ministack.world import MinistackWorld
from .others import Others, of_ecs
from .planes.disks import probe
from .planes.opening import open_plane
from .planes.play_script import PlayScript
from .planes.surroundings import Surroundings
from .settings import Settings
from .task_endpoint import TaskEndpoint, environment

__all__ = ["Assembly", "ecs_settings"]


class Assembly:
    """A simulator that can be served. A process can hold one, since ministack's state is its modules'.

    `places` are where all of it lives, and what outlives it, if anything does. `uses_engine` hears of a container
    engine before a container is on it. Raises BaseChanged if ministack is not
    what the repairs were made for, and SandboxMissing or EngineUnavailable where tasks cannot run as wanted.
    """

    def __init__(
        self,
        settings: Settings,
        port: int,
        places: tuple[Path, Keeping | None],
        clock: Clock,
        uses_engine: Callable[[Engine], None],
    ) -> None:
        self.port = port
        directory, self._keeping = places
        self._last: Snapshot | None = None
        plan = msgspec.json.decode(settings.faults, type=FaultPlan) if settings.faults else FaultPlan()
        kept = persistence.environment(self._keeping.services, self._keeping.objects) if self._keeping else {}
        emulator = base.load(settings, port, kept)
        judge = Judge() if settings.enforce_iam else None
        self._world = MinistackWorld(judge)
        timers = Timers(clock)
        surroundings = Surroundings(
            directory=directory,
            files=self._keeping.files if self._keeping else directory / "efs",
            owner=settings.owner,
            clock=clock,
            timers=timers,
            put_lines=self._world.put_log_lines,
            environment=partial(environment, port, settings.tasks_endpoint),
            disks=probe(directory) if settings.data_plane != "play" else None,
        )
        script = (
            msgspec.json.decode(settings.play, type=PlayScript) if settings.play else PlayScript(seed=settings.seed)
        )
        plane = open_plane(settings.data_plane, surroundings, script, uses_engine)
        self._ecs = EcsService(clock, self._world, plane, timers, ecs_settings(settings))
        self._ecs.set_faults(of_ecs(plan))
        door = EcsDoor(self._ecs, judge)
        self._tags = EcsTags(door)
        self._repair(settings, door, judge)
        others = Others(clock, plan, settings.limited)
        self.application = Front(emulator.app, door, judge, others, self._admin(others, plan, judge))
        self._saver = Saver(lambda: self.application.requests + self._world.emitted, self._save)

    def _admin(self, others: Others, plan: FaultPlan, judge: Judge | None) -> Admin:
        decisions = judge.decisions.told if judge is not None else dict
        return Admin(self._ecs, others, TaskEndpoint(self._ecs, keys_of), plan, decisions)

    def start(self) -> None:
        """Begin to move tasks, with what was kept."""
        if self._keeping is not None:
            persistence.load()
            if content := self._keeping.read_ecs():
                kept = msgspec.json.decode(content, type=_Kept)
                self._ecs.restore(kept.ecs)
                self._tags.restore(kept.reserved)
            self._keeping.note_port(self.port)
            self._saver.start()
        self._ecs.start()

    def close(self) -> None:
        """End all tasks, deliver what they have to say, and keep what is to be kept."""
        # Tasks that run are lost, not ended by themselves: they are kept as they are before we end them.
        self._last = self._ecs.snapshot() if self._keeping is not None else None
        self._ecs.close()
        self._world.close()
        if self._keeping is not None:
            self._saver.close()

    def _save(self) -> None:
        assert self._keeping is not None  # only then anything is saved
        persistence.save()
        self._keeping.write_ecs(msgspec.json.encode(_Kept(self._last or self._ecs.snapshot(), self._tags.reserved)))

    def _repair(self, settings: Settings, door: EcsDoor, judge: Judge | None) -> None:
        door.install()
        FileSystems(judge).repair()
        networks.count_addresses(self._ecs.addresses_in_use)
        Quotas(settings.vcpu_quota).install()
        prices.install()
        drift.repair(door)
        for part in (
            batch,
            buckets,
            change_sets,
            conditions,
            log_groups,
            machine_definitions,
            networks,
            objects,
            policy_simulator,
            role_boundaries,
            rollbacks,
            stack_events,
        ):
            part.repair()
        states.repair(settings.waits)
        states_attempts.repair()
        states_paths.repair()
        self._tags.repair()
        EcsResources(door, self._tags).repair()
        EcsTasks(door, self._world, settings.enforce_iam).repair()
        if judge is not None:
            authorization.repair(settings.root)
            judge.decisions.repair()
            request_resources.repair()
            stack_callers.repair()
            Keys(judge).repair()
            Rules(judge).repair()


class _Kept(msgspec.Struct, frozen=True):
    """What is kept of ECS: the engine's state, and what only AWS itself could tag."""

    ecs: Snapshot
    reserved: Mapping[str, list[dict[str, str]]]


def ecs_settings(settings: Settings) -> EcsSettings:
    """Return what a simulator's settings mean for its ECS."""
    return EcsSettings(
        seed=settings.seed,
        latency=REALISTIC if settings.realistic else NEAR_ZERO,
        consistency_delay=Uniform(0, 1) if settings.realistic else Uniform(),  # facts: DescribeTasks
        enforce_limits=settings.limited,
        vcpu_quota=settings.vcpu_quota,
    )
