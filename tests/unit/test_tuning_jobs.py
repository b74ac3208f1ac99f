"""Jobs kept away until they can run: the scheduler does the same things in the same order."""

from __future__ import annotations

import logging
import pickle
import random
from pathlib import Path
from types import ModuleType

import pytest
import WDL
from WDL import Env, StdLib, Value, values_to_json
from WDL.runtime import _workflow_state as stock
from WDL.runtime import config

from cromulent_wdl.plugin.tuning.waiting_jobs import JOBS, _Finished
from tests.fakes.second_copy import second_copy

WORKFLOW = """
version 1.1
workflow w {
  input { Int n = 4 }
  Int twice = n * 2
  call t as first { input: i = twice }
  scatter (a in range(n)) {
    call t as outer { input: i = a }
    Int next = outer.o + 1
    scatter (b in range(a)) {
      call t as inner { input: i = next + b + first.o }
      if (inner.o > 3) { call t as large { input: i = inner.o } }
    }
    call t as after { input: i = length(inner.o) }
  }
  if (n > 100) { call t as never { input: i = first.o } }
  call t as last { input: i = length(after.o) }
  call t as very_last { input: i = last.o + first.o }
  output {
    Array[Int] afters = after.o
    Array[Array[Int?]] larges = large.o
    Int? none = never.o
    Int end = very_last.o
  }
}
task t {
  input { Int i }
  command {}
  output { Int o = i }
}
"""


@pytest.fixture(scope="module")
def tuned() -> ModuleType:
    module = second_copy("WDL.runtime._workflow_state")
    JOBS.replace(module)
    return module


def workflow() -> WDL.Tree.Workflow:
    document = WDL.parse_document(WORKFLOW)
    document.typecheck()
    assert document.workflow is not None
    return document.workflow


def drive(states: ModuleType, place: Path, seed: int) -> tuple[list[str], object]:
    """Run the workflow with calls that finish in an order drawn at random; return what happened, and outputs."""
    state = states.StateMachine("quiet", str(place), workflow(), Env.Bindings())
    cfg, library = config.Loader(logging.getLogger("quiet"), filenames=[]), StdLib.Base("1.1")
    choose, running, happened = random.Random(seed), {}, []
    while state.outputs is None:
        while call := state.step(cfg, library):
            running[call.id] = call.inputs["i"]
            happened.append(f"begin {call.id}")
        if running:
            done = choose.choice(sorted(running))
            state.call_finished(done, Env.Bindings(Env.Binding("o", running.pop(done))))
            happened.append(f"finish {done}")
    assert state.finished == state.jobs.keys() and not state.waiting
    return happened, values_to_json(state.outputs)


@pytest.mark.parametrize("seed", range(20))
def test_the_same_jobs_in_the_same_order(tuned: ModuleType, tmp_path: Path, seed: int) -> None:
    happened, outputs = drive(tuned, tmp_path, seed)
    assert (happened, outputs) == drive(stock, tmp_path, seed)
    assert "finish call-very_last" in happened


def job(dependencies: set[str]) -> stock._Job:
    return stock._Job("c", stock.WorkflowOutputs(workflow()), dependencies, [])


def test_a_job_is_let_go_by_the_last_of_its_dependencies() -> None:
    finished = _Finished({"before"})
    finished.waiting = {"c"}
    finished.hold(job({"a", "b", "before"}))
    assert finished.waiting == set()
    finished.add("a")
    finished.add("a")
    assert finished.waiting == set()
    finished.add("b")
    assert finished.waiting == {"c"} and finished == {"before", "a", "b"}


def test_a_job_that_nothing_blocks_goes_on_waiting() -> None:
    finished = _Finished({"a"})
    finished.waiting = {"c"}
    finished.hold(job({"a"}))
    assert finished.waiting == {"c"}


def test_a_state_can_be_kept_and_taken_up_again() -> None:
    """miniwdl's state machine can be pickled between steps."""
    finished = _Finished({"a"})
    finished.waiting = {"c"}
    finished.hold(job({"a", "b"}))
    waiting, again = pickle.loads(pickle.dumps((finished.waiting, finished)))
    again.add("b")
    assert waiting == {"c"} and waiting is again.waiting


def test_what_is_blocked_is_not_looked_at_again(tuned: ModuleType, tmp_path: Path) -> None:
    """After the first call of a long scatter nothing waits that would have to be gone through."""
    inputs = Env.Bindings(Env.Binding("n", Value.Int(50)))
    state = tuned.StateMachine("quiet", str(tmp_path), workflow(), inputs)
    cfg, library = config.Loader(logging.getLogger("quiet"), filenames=[]), StdLib.Base("1.1")
    while state.step(cfg, library):
        pass
    assert len(state.jobs) > 100 and state.waiting == set()
    state.call_finished("call-outer-07", Env.Bindings(Env.Binding("o", Value.Int(7))))
    assert state.waiting == {"decl-next-07"}
