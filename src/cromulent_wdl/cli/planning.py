"""What each call of a workflow would get on Fargate, as far as that is known before anything runs.

A runtime that is constant is known; one that depends on data is not, and is shown as `?`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from WDL import Env, Tree, Value

from ..aws.ecr import is_ecr
from ..backends.fargate.images import choose
from ..backends.fargate.sizes import LARGEST_DISK, defaulted, no_size, rounding, size_for
from ..config import Settings
from ..engine.registries import Manifest, parse_reference
from ..errors import EngineError, ImageDenied, ImageNotFound, ImagePullFailed
from ..model import Resources
from ..plugin.constants import Constant, constant
from ..plugin.runtime_values import disk_of
from ..pricing.bill import Size as Billed
from ..pricing.bill import hourly
from ..pricing.card import Rates
from ..units import GIB, MIB, format_bytes, parse_bytes
from .outlook import SILENT

__all__ = ["Lookup", "Row", "World", "disk_warning", "looked_at", "plan"]

_LOG_IN = "If it is yours, `cromulent up --secret ARN` of its name and password, and set registries = {host}=ARN"
_RUNTIME = "runtime."
_PULLED_AND_UNPACKED = 3
"""Times the compressed size of an image that it takes on a task's disk."""

Lookup = Callable[[str], Manifest]
"""Returns what a registry says of an image. Raises ImageNotFound, ImageDenied, and other EngineErrors for silence."""


@dataclass(frozen=True)
class Row:
    """One call."""

    call: str
    size: str
    """`1 vCPU 2 GiB`, or what of it is not known."""
    rounding: str = ""
    spot: bool = True
    image: str = ""
    found: bool | None = None
    """Whether the image is there; None where nobody says."""
    dollars: float | None = None
    """An hour."""
    problem: str = ""
    """Why it cannot run on Fargate."""
    architecture: str = ""
    """Of the image as it would run there; empty where nobody says."""
    image_size: int = 0
    """Bytes that are pulled; 0 where nobody says."""
    warning: str = ""
    """What may go wrong there."""
    silence: str = ""
    """Why nobody says whether the image is there, with the registry as its subject."""


@dataclass(frozen=True)
class World:
    """What a plan is made by."""

    settings: Settings
    rates: Rates
    lookup: Lookup
    default_image: str


@dataclass(frozen=True)
class _Call:
    """A call of a task, and the inputs of the task that are not its defaults."""

    path: str
    task: Tree.Task
    given: frozenset[str]
    asked: Mapping[str, Constant]
    """What the inputs have it ask for instead of what its runtime says (`align.runtime.memory`)."""


_Given = Mapping[str, "Value.Base | None"]
"""Inputs that have a value, None where it comes of the graph."""


def plan(target: Tree.Workflow | Tree.Task, world: World, inputs: Iterable[Env.Binding[Value.Base]] = ()) -> list[Row]:
    """Return a row for each call of the graph, those of subworkflows under their own names.

    The defaults of inputs that have a value count for nothing.
    """
    given: _Given = {binding.name: binding.value for binding in inputs}
    top = given if isinstance(target, Tree.Task) else {}
    return [_row(call, world) for call in _calls(target, "", top, given)]


def _calls(target: Tree.Workflow | Tree.Task, prefix: str, given: _Given, inputs: _Given) -> Iterator[_Call]:
    if isinstance(target, Tree.Task):
        yield _Call(prefix.rstrip(".") or target.name, target, frozenset(given), _asked(given))
        return
    for node in _nodes(target.body):
        if isinstance(node, Tree.Call) and node.callee is not None:
            path = f"{prefix}{node.name}."
            further = {name.removeprefix(path): value for name, value in inputs.items() if name.startswith(path)}
            yield from _calls(node.callee, path, {**dict.fromkeys(node.inputs), **further}, inputs)


def _asked(given: _Given) -> dict[str, Constant]:
    plain = (Value.String, Value.Int, Value.Float, Value.Boolean)
    return {
        name.removeprefix(_RUNTIME): value.value if isinstance(value, plain) else None
        for name, value in given.items()
        if name.startswith(_RUNTIME)
    }


def _nodes(body: Any) -> Iterator[Any]:
    for node in body:
        yield node
        if isinstance(node, Tree.WorkflowSection):
            yield from _nodes(node.body)


def _row(of: _Call, world: World) -> Row:
    call, settings = of.path, world.settings
    known: dict[str, Constant] = {
        name: None if _depends(expression, of.given) else constant(expression)
        for name, expression in of.task.runtime.items()
    }
    known.update(of.asked)
    unknown = {name for name, value in known.items() if value is None}
    image = _image(known, unknown, world.default_image)
    spot = settings.spot and known.get("preemptible", settings.preemptible) != 0
    if known.get("gpu") is True:
        return Row(call, "?", image=image, problem="it asks for a GPU, which Fargate does not have")
    if unknown & {"cpu", "memory", "disks"}:
        looked = looked_at(image, world)
        return replace(looked, call=call, spot=spot)
    try:
        resources = _resources(known)
    except ValueError as error:
        return Row(call, "?", image=image, problem=str(error))
    wanted = defaulted(resources, int(settings.default_cpu * 1024), settings.default_memory)
    size = size_for(*wanted, resources.disk)
    if size is None:
        return Row(call, "?", image=image, problem=no_size(*wanted, resources.disk))
    looked = looked_at(image, world)
    billed = Billed(size.vcpus, size.memory * MIB, size.disk, spot=spot, public_address=True)
    dollars = hourly(billed, world.rates).total
    rounded, warning = rounding(resources, size), disk_warning(looked.image_size, resources.disk, size.disk)
    return replace(looked, call=call, size=str(size), rounding=rounded, spot=spot, dollars=dollars, warning=warning)


def _depends(expression: Any, given: frozenset[str]) -> bool:
    """Whether an expression goes back to an input that has a value."""
    referee = getattr(expression, "referee", None)
    if isinstance(referee, Tree.Decl):
        return referee.name in given or (referee.expr is not None and _depends(referee.expr, given))
    return any(_depends(child, given) for child in getattr(expression, "children", ()))


def _image(known: Mapping[str, Constant], unknown: set[str], default: str) -> str:
    for name in ("container", "docker"):
        if name in unknown:
            return "?"
        value = known.get(name)
        if value is not None:
            return str(value[0] if isinstance(value, list) else value)
    return default


def looked_at(image: str, world: World) -> Row:
    """Return a row with what is known of the image, and nothing else."""
    row = Row("", "?", image=image)
    if image == "?":
        return row
    try:
        manifest = world.lookup(image)
        chosen = choose(image, manifest, "")
    except ImageNotFound as error:
        return replace(row, found=False, problem=str(error))
    except ImageDenied:
        return _behind_log_in(row, world.settings)
    except ImagePullFailed:
        return replace(row, silence="does not say")
    except EngineError:
        return replace(row, silence=SILENT)
    return replace(row, found=True, architecture=chosen.architecture, image_size=manifest.size)


def _behind_log_in(row: Row, settings: Settings) -> Row:
    """Return the row of an image that is shown to nobody without a log-in; Fargate may have one that we have not."""
    host = parse_reference(row.image).host
    if is_ecr(host):
        return replace(row, silence="wants the log-in that Fargate gets from ECR")
    if any(each.partition("=")[0] == host for each in settings.registries):
        return replace(row, silence="wants the log-in that Fargate finds in your secret")
    problem = f"image {row.image} is private, or there is none: {host} shows it to nobody without a log-in"
    return replace(row, found=False, problem=f"{problem}. {_LOG_IN.format(host=host)}")


def disk_warning(image: int, asked: int, disk: int) -> str:
    """Return in a sentence that an image of so many bytes may not fit, with what is asked, on a disk of so many GiB.

    The disk holds the image twice: as it was pulled, and unpacked to about twice as much (facts: ephemeralStorage).
    """
    needed = _PULLED_AND_UNPACKED * image + asked
    if not image or needed <= disk * GIB:
        return ""
    beside = f" beside the {format_bytes(asked)} asked for" if asked else ""
    needs = f"its image takes about {format_bytes(_PULLED_AND_UNPACKED * image)} pulled and unpacked{beside}"
    enough = -(-needed // GIB)
    more = f"ask for disks: 'local-disk {enough} SSD'" if enough <= LARGEST_DISK else "that is more than Fargate has"
    return f"{needs}, and its disk has {disk} GiB; {more}"


def _resources(known: Mapping[str, Constant]) -> Resources:
    cpu, memory, disks = known.get("cpu"), known.get("memory"), known.get("disks")
    size = parse_bytes(memory) if isinstance(memory, str) else int(memory) if isinstance(memory, int | float) else 0
    cores = max(1, int(float(cpu))) if isinstance(cpu, int | float | str) else 0
    return Resources(cpu=cores, memory=size, disk=disk_of({"disks": Value.String(str(disks))}) if disks else 0)
