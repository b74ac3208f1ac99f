"""Reads what a run is made of: the WDL source, and its inputs, each problem in a sentence of its own.

The reading and checking is miniwdl's; here its exceptions become ours, and names that are nearly right get a
suggestion.
"""

from __future__ import annotations

import difflib
import io
import logging
import os
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stderr
from typing import Any

import msgspec
from WDL import CLI, Env, Error, Tree, Value, values_to_json
from WDL.runtime import download
from WDL.runtime.config import Loader

from ..errors import InputsError, SourceError
from .document import read_document
from .guesses import absent, given_so, meant, within
from .options import RunOptions
from .wrong_inputs import NOT_OF_JSON, no_such_input, refuse_unholdable, unreadable

__all__ = ["Bound", "Source", "bind_inputs", "load_source", "tasks_of"]


class Source(msgspec.Struct, frozen=True):
    """A document, and the inputs that came with it if it was a zip."""

    document: Tree.Document
    input_file: str | None = None


class Bound(msgspec.Struct, frozen=True):
    """What is to be run, with its inputs."""

    target: Tree.Workflow | Tree.Task
    inputs: Env.Bindings[Value.Base]
    inputs_json: dict[str, Any]


def load_source(options: RunOptions, cfg: Loader, cleanup: ExitStack) -> Source:
    """Read, parse and type-check a .wdl file, URL or zip; what is unpacked goes with `cleanup`.

    Raises SourceError.
    """
    try:
        uri, manifest = CLI.unpack_source_zip(
            logging.getLogger("cromulent"), cleanup, options.source, cfg["file_io"]["root"]
        )
    except (Error.InputError, OSError, zipfile.BadZipFile) as error:
        if not os.path.exists(options.source) and not options.source.startswith(("http:", "https:")):
            raise absent(options.source) from error
        if os.path.isdir(options.source):
            raise SourceError(f"{options.source} is a directory", hint=within(options.source)) from error
        raise SourceError(f"{options.source} cannot be unpacked: {error}", hint="make it with `miniwdl zip`") from error
    document = read_document(uri, options.path, options.check_quant, options.no_outside_imports)
    return Source(document, manifest)


def bind_inputs(source: Source, options: RunOptions, cfg: Loader) -> Bound:
    """Find what to run in the document, and give it the inputs. Raises InputsError."""
    root = cfg["file_io"]["root"] if not cfg["file_io"].get_bool("copy_input_files") else "/"
    target = None

    def downloadable(name: str, directory: bool) -> bool:
        return bool(download.able(cfg, name, directory=directory))

    try:
        target = CLI.runner_exe(source.document, options.task)
        with redirect_stderr(io.StringIO()):  # its list of inputs; ours comes with the error
            _, inputs, inputs_json = CLI.runner_input(
                source.document,
                list(options.inputs),
                options.input_file or source.input_file,
                options.empty,
                options.none,
                task=options.task,
                check_required=False,
                downloadable=downloadable,
                root=root,
            )
    except Error.InputError as error:
        raise _explain(str(error), target) from error
    except FileNotFoundError as error:
        file = str(error.filename or options.input_file)
        raise InputsError(f"there is no input file {file}", hint=meant(file, (".json", ".yaml", ".yml"))) from error
    except (ValueError, OSError, _yaml_error(), *NOT_OF_JSON) as error:
        if mistyped := _mistyped(options, target):
            raise InputsError(mistyped, hint=f"`cromulent template {options.source}` shows what each takes") from error
        raise unreadable(options, error) from error
    refuse_unholdable(inputs_json)
    missing = values_to_json(target.required_inputs.subtract(inputs))
    if missing:
        raise InputsError(
            f"{target.name} needs inputs that were not given:\n" + input_table(target, set(missing)),
            hint=f"give them as NAME=VALUE, or fill in `cromulent template {options.source}` and pass it with -i",
        ) from Error.InputError(f"missing required inputs for {target.name}: {', '.join(missing)}")
    return Bound(target, inputs, inputs_json)


def _yaml_error() -> type[Exception]:
    from ruamel.yaml.error import YAMLError  # slow to import, and asked for only when something is wrong

    return YAMLError


def _explain(message: str, target: Tree.Workflow | Tree.Task | None) -> InputsError:
    """Add to miniwdl's sentence what inputs there are, and a guess where a name is unknown."""
    if target is None:
        empty = message == "Empty WDL document"
        return InputsError("the document has neither a workflow nor a task" if empty else message)
    kind, found, path = message.partition(" not found: ")
    if found and kind in ("File", "Directory"):
        return no_such_input(kind.lower(), path)
    kind, found, pair = message.partition("name=value pair: ")
    if found:
        return InputsError(f"'{pair}' is not understood: an input is given as NAME=VALUE", hint=given_so(pair))
    if message.endswith(" duplicated"):
        name = message.removeprefix("non-array input ").removesuffix(" duplicated")
        return InputsError(f"input '{name}' is given more than once, and takes one value")
    prefix = f"No such input to {target.name}: "
    unknown = message.removeprefix(prefix) if message.startswith(prefix) else None
    if unknown is None and "unknown input" in message:
        unknown = message.rpartition(": ")[2].strip()
    if unknown is None:
        return InputsError(message)
    names = [binding.name for binding in target.available_inputs]
    near = difflib.get_close_matches(unknown.removeprefix(f"{target.name}."), names, n=1)
    guess = f" Did you mean '{near[0]}'?" if near else ""
    return InputsError(f"{target.name} has no input '{unknown}'.{guess}\n" + input_table(target))


def input_table(target: Tree.Workflow | Tree.Task, only: set[str] | None = None) -> str:
    """Return a line an input: name, type, default or `required`."""
    required = {binding.name for binding in target.required_inputs}
    rows = [
        (binding.name, str(binding.value.type), _default(binding.value, binding.name in required))
        for binding in target.available_inputs
        if (only is None or binding.name in only) and not binding.name.rpartition(".")[2].startswith("_")
    ]
    rows.sort(key=lambda row: row[0] not in required)
    width = max((len(name) for name, _, _ in rows), default=0)
    return "\n".join(f"  {name:{width}}  {type_}{default}" for name, type_, default in rows)


def _default(declaration: Tree.Decl, required: bool) -> str:
    if required:
        return "  required"
    return f" = {declaration.expr}" if declaration.expr is not None else ""


def _mistyped(options: RunOptions, target: Tree.Workflow | Tree.Task | None) -> str | None:
    """Find the NAME=VALUE whose value its type does not take; miniwdl's ValueError does not say."""
    for pair in options.inputs:
        name, _, text = pair.partition("=")
        declaration = target.available_inputs.get(name) if target is not None else None
        if declaration is None or not text:
            continue
        try:
            CLI.runner_input_value(text, declaration.type, lambda *_: True, "/")
        except (ValueError, Error.InputError):
            return f"input '{name}' is {declaration.type}, and {text!r} is not"
    return None


def tasks_of(target: Tree.Workflow | Tree.Task) -> Iterator[Tree.Task]:
    """Yield every task that running the target may call, each once."""
    seen: set[int] = set()

    def walk(node: Any) -> Iterator[Tree.Task]:
        if isinstance(node, Tree.Call):
            node = node.callee
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, Tree.Task):
            yield node
        for child in getattr(node, "body", []):
            yield from walk(child)

    return walk(target)


def source_name(options: RunOptions) -> str:
    """Return the source's last path component, for talk."""
    return os.path.basename(options.source.rstrip("/"))
