import pytest
from WDL.runtime.error import CommandFailed, Interrupted, Terminated

from cromulent_wdl.model import Ending, Outcome
from cromulent_wdl.plugin.endings import ending_of, exception_of


@pytest.mark.parametrize("ending", [ending for ending in Ending if ending is not Ending.OK])
def test_every_ending_becomes_an_exception_that_keeps_its_name(ending: Ending) -> None:
    outcome = Outcome(ending, message="a sentence")
    error = exception_of(outcome, "stderr.txt", "stdout.txt")
    assert ending_of(error, outcome) is ending
    if ending is not Ending.STOPPED:
        assert vars(error)["more_info"] == {"ending": ending.value}


def test_a_command_that_failed_has_miniwdls_own_words() -> None:
    error = exception_of(Outcome(Ending.FAILED, 3, "ours"), "stderr.txt", "stdout.txt")
    assert isinstance(error, CommandFailed)
    assert error.exit_status == 3
    assert str(error) == "task command failed with exit status 3"


def test_a_command_that_was_killed_for_memory_says_so() -> None:
    error = exception_of(Outcome(Ending.OOM, 137, "killed at 2 GB"), "stderr.txt", "stdout.txt")
    assert isinstance(error, CommandFailed)
    assert str(error) == "killed at 2 GB"


def test_what_was_nobodys_fault_counts_as_an_interruption() -> None:
    assert isinstance(exception_of(Outcome(Ending.LOST, message="gone"), "", ""), Interrupted)


def test_a_termination_is_found_below_other_exceptions() -> None:
    try:
        try:
            raise Terminated
        except Terminated as error:
            raise RuntimeError("wrapped") from error
    except RuntimeError as error:
        assert ending_of(error, Outcome(Ending.FAILED, 1)) is Ending.STOPPED
