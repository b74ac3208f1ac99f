"""The call cache that can be trusted: a call is known by its task and by what its inputs contain.

miniwdl asks `get` before a call and gives `put` its result, both in the call's own thread. What a result depends
on is in its key (`cache_key.py`) or in its entry (`cache_entry.py`), where `cache_check.py` looks it over before
it is used again. See docs/adr/0004-call-cache.md. Downloads are cached by miniwdl's own rules.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from WDL import Env, Error, Type, Value, values_from_json, values_to_json
from WDL._util import NOTICE_LEVEL, StructuredLogMessage, TerminationSignalFlag
from WDL.runtime import config
from WDL.runtime.cache import CallCache, CallCacheAddPaths
from WDL.runtime.download import able as downloadable

from ..errors import CromulentError, FileUnstable
from ..storage import layout
from ..storage.digest_memory import users_memory
from ..storage.digests import Digests, fingerprint
from ..storage.downloaded import content_by_name
from .cache_check import Judge, content, input_path
from .cache_entry import Entry, Store
from .cache_key import Call, CallKey, Configuration, InputPath, Leaf, difference, input_digests, leaves
from .cache_place import (
    Image,
    Place,
    current_place,
    remember_image,
    set_image_resolver,
    take_image,
)
from .cache_underway import Made, Pending, beside, last_hit_origin, note_download, underway
from .download import shared_inputs
from .resuming import where_outputs_are
from .settings import chosen

__all__ = ["ContentCache", "last_hit_origin", "remember_image", "set_image_resolver"]

Bindings = Env.Bindings[Value.Base]


def _named(cfg: config.Loader) -> Callable[[str], str | None]:
    """Return what knows the content of downloads by where they lie: in a head they need not be read."""
    root = shared_inputs(cfg)
    return (lambda path: None) if root is None else (lambda path: content_by_name(path, root))


class _Uncacheable(CromulentError):
    """Why a call can be neither looked up nor kept."""


class ContentCache(CallCache):
    """miniwdl's call cache with our own idea of when two calls are the same.

    Under another container backend than ours, whose images nobody tells us of, it is miniwdl's own cache.
    """

    def __init__(self, cfg: config.Loader, logger: logging.Logger) -> None:
        try:
            super().__init__(cfg, logger)
        except OSError as error:
            logger.log(NOTICE_LEVEL, StructuredLogMessage("running without call cache", error=str(error)))
            cfg.override({"call_cache": {"get": False, "put": False}})
            super().__init__(cfg, logger)
        self._ours = chosen(cfg)
        self._reads = cfg["call_cache"].get_bool("get")
        self._writes = cfg["call_cache"].get_bool("put")
        self._configuration = Configuration(cfg)
        self._store = Store(self._call_cache_dir, self._logger)
        self._digests = Digests(users_memory(), stopping=self._stopping, named=_named(cfg))
        self._images: dict[str, str] = {}

    def __exit__(self, *error: object) -> None:
        self._digests.close()
        super().__exit__(*error)

    def get(self, key: str, inputs: Bindings, output_types: Env.Bindings[Type.Base]) -> Bindings | None:
        """Return the outputs of an equal call made before, if they are as they were, or None."""
        underway.origin = None
        if not self._keeps(key):
            return super().get(key, inputs, output_types)
        underway.pending = Pending(key, self._seen(inputs)) if self._writes else None
        if not self._reads:
            return None
        call = Call.parse(key)
        try:
            entry, why = self._find(call, inputs)
            outputs = values_from_json(entry.outputs, output_types) if entry else None
        except (OSError, FileUnstable, _Uncacheable, Error.InputError) as error:
            outputs, entry, why = None, None, str(error)
        if entry is None or outputs is None:
            self._say_miss(call, why)
            return None
        underway.pending, underway.origin = None, entry.directory
        self._entry_add_paths[key] = CallCacheAddPaths(entry.present, entry.absent)
        self._logger.log(NOTICE_LEVEL, StructuredLogMessage("call cache hit", call=call.name, dir=entry.directory))
        return outputs

    def put(
        self,
        key: str,
        outputs: Bindings,
        run_dir: str | None = None,
        *,
        inputs: Bindings,
        add_paths: CallCacheAddPaths,
    ) -> None:
        """Keep the result of a task's call; that of a workflow is not kept, since its calls are."""
        if not self._keeps(key):
            super().put(key, outputs, run_dir, inputs=inputs, add_paths=add_paths)
            return
        self._entry_add_paths[key] = add_paths.copy()
        image = take_image(run_dir) if run_dir else None
        pending, underway.pending = underway.pending, None
        if (
            not run_dir
            or pending is None
            or pending.key != key
            or os.path.exists(os.path.join(run_dir, layout.RUN_LOG))
        ):
            return
        call = Call.parse(key)
        try:
            call_key = self._key_of_result(call, inputs, pending, image)
            made = Made(run_dir, image, beside(inputs, pending.fetched), add_paths)
            self._store.write(self._entry(call_key, outputs, made), call_key)
        except (OSError, FileUnstable, _Uncacheable) as error:
            self._logger.info(StructuredLogMessage("call not cached", call=call.name, why=str(error)))

    def get_download(self, uri: str, directory: bool = False, logger: logging.Logger | None = None) -> str | None:
        """Do as miniwdl does, and note for the call under way what it was given."""
        local = super().get_download(uri, directory, logger)
        if local is not None:
            note_download(uri, directory, local)
        return local

    def memo_download(self, uri: str, filename: str, directory: bool = False) -> None:
        """Do as miniwdl does, and note for the call under way what was downloaded."""
        super().memo_download(uri, filename, directory)
        note_download(uri, directory, filename)

    def _keeps(self, key: str) -> bool:
        """Whether the key is that of a call; files made by `write_lines()` and the like have keys of two parts."""
        return self._ours and key.count("/") == 2

    def _stopping(self) -> bool:
        """Whether the run has been told to stop; miniwdl has such a flag open around every call."""
        with TerminationSignalFlag(self._logger) as terminating:
            return terminating()

    def _find(self, call: Call, inputs: Bindings) -> tuple[Entry | None, str | None]:
        """Return a usable entry, or why there is none; (None, None) where no entry was to be expected."""
        if not self._store.knows_task(call):
            return None, self._explain(call, None)
        place = self._place()
        configuration = self._configuration.of_task(call.name, place.resolve is not None)
        key = CallKey(call, self._input_digests(inputs), configuration)
        if underway.pending is not None:
            underway.pending.asked = key
        entry = self._store.read(key)
        if entry is None:
            return None, self._explain(call, key)
        resolve = self._resolve if place.resolve else None
        judge = Judge(self._digests, resolve, super().get_download)
        objections = []
        for found in where_outputs_are(entry):
            objection = judge.objection(found)
            if objection is None and not self._store.use(key):
                return None, "it was removed just now"
            if objection is None:
                if self._writes:
                    self._store.point(key)
                return found, None
            objections.append(objection)
        return None, objections[0]

    def _explain(self, call: Call, key: CallKey | None) -> str | None:
        recent = self._store.recent(call)
        return difference(recent.key(), call, key) if recent else None

    def _say_miss(self, call: Call, why: str | None) -> None:
        level = NOTICE_LEVEL if why else logging.INFO
        details = {"why": why} if why else {}
        self._logger.log(level, StructuredLogMessage("call cache miss", call=call.name, **details))

    def _place(self) -> Place:
        """Return where tasks run; a cache that is asked before any task has run has the backend chosen now."""
        if current_place() is None:
            from .session import session  # which imports this module

            try:
                _ = session(self._cfg, os.getcwd()).choice
            except CromulentError as error:
                raise _Uncacheable(str(error)) from error
        place = current_place()
        if place is None:
            raise _Uncacheable("it is not known where tasks run")
        return place

    def _resolve(self, reference: str) -> str | None:
        """Look an image up once a run: however many calls want it, it is not pulled again in between."""
        digest = self._images.get(reference)
        if digest is None:
            place = self._place()
            digest = place.resolve(reference) if place.resolve else None
            if digest is not None:
                self._images[reference] = digest
        return digest

    def _input_digests(self, inputs: Bindings) -> dict[str, str]:
        return input_digests(inputs, self._locate, lambda path: content(self._digests, path))

    def _locate(self, leaf: Leaf) -> InputPath:
        directory = isinstance(leaf, Value.Directory)
        if not downloadable(self._cfg, leaf.value, directory=directory):
            return InputPath(leaf.value.rstrip("/"), directory)
        local = super().get_download(leaf.value, directory)
        if local is None:
            raise _Uncacheable(f"{leaf.value} is not downloaded yet")
        return InputPath(local.rstrip("/"), directory)

    def _seen(self, inputs: Bindings) -> dict[InputPath, str]:
        seen = {}
        for binding in inputs:
            for leaf in leaves(binding.value):
                try:
                    path = self._locate(leaf)
                    seen[path] = fingerprint(path.path)
                except (OSError, _Uncacheable):
                    continue  # not there; the call itself will say so, or fetch it
        return seen

    def _key_of_result(self, call: Call, inputs: Bindings, pending: Pending, image: Image | None) -> CallKey:
        """Return the key under which to keep a result, if its inputs are still those that the call began with."""
        for path, before in pending.seen.items():
            if fingerprint(path.path) != before:
                raise _Uncacheable(f"{path.path} changed while the task ran")
        place = current_place()
        if image is None and (place is None or place.resolve is not None):
            raise _Uncacheable("it is not known in which image it was made")
        configuration = self._configuration.of_task(call.name, image is not None)
        if pending.asked is not None and pending.asked.configuration is configuration:
            return pending.asked
        return CallKey(call, pending.asked.inputs if pending.asked else self._input_digests(inputs), configuration)

    def _entry(self, key: CallKey, outputs: Bindings, made: Made) -> Entry:
        image = made.image or Image("", "")
        if made.image is not None and not image.digest:
            raise _Uncacheable(f"the digest of its image {image.reference} is not known")
        return Entry(
            name=key.call.name,
            task_digest=key.call.task_digest,
            inputs=dict(key.inputs),
            configuration=dict(key.configuration),
            directory=made.run_dir,
            image=image.reference,
            image_digest=image.digest,
            outputs=values_to_json(outputs),
            files={leaf.value: fingerprint(leaf.value) for binding in outputs for leaf in leaves(binding.value)},
            fetched={uri: content(self._digests, path) for uri, path in made.fetched.items()},
            present={path: content(self._digests, input_path(path)) for path in sorted(made.paths.add_paths)},
            absent=sorted(made.paths.absent_paths),
        )
