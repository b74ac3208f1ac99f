import threading

from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.plugin.pulse import Pulse


def test_an_action_runs_once_when_cancelled_within_the_block() -> None:
    cancelled, calls = Cancellation(), []
    with cancelled.calling(lambda: calls.append(1)):
        cancelled.cancel()
        cancelled.cancel()
    assert calls == [1]
    assert cancelled


def test_an_action_runs_at_once_when_it_is_too_late() -> None:
    cancelled, calls = Cancellation(), []
    cancelled.cancel()
    with cancelled.calling(lambda: calls.append(1)):
        assert calls == [1]


def test_an_action_is_forgotten_after_its_block() -> None:
    cancelled, calls = Cancellation(), []
    with cancelled.calling(lambda: calls.append(1)):
        pass
    cancelled.cancel()
    assert calls == []


def test_the_pulse_wakes_every_waiter_when_the_flag_goes_up() -> None:
    pulse, flag = Pulse(), threading.Event()
    woken = threading.Semaphore(0)
    ready = threading.Barrier(6)

    def wait() -> None:
        gone = threading.Event()
        with pulse.watching(flag.is_set) as cancelled, cancelled.calling(gone.set):
            ready.wait(60)
            gone.wait(60)
            woken.release()

    threads = [threading.Thread(target=wait) for _ in range(5)]
    for thread in threads:
        thread.start()
    ready.wait(60)
    flag.set()
    assert all(woken.acquire(timeout=60) for _ in threads)


def test_the_pulse_follows_while_a_task_runs_and_not_after() -> None:
    pulse, followed = Pulse(), threading.Event()
    calls: list[int] = []

    def follow() -> None:
        calls.append(1)
        followed.set()

    with pulse.watching(lambda: False, follow):
        assert followed.wait(timeout=60)
    count = len(calls)
    with pulse.watching(lambda: False):
        threading.Event().wait(0.8)
    assert len(calls) == count


def test_the_pulse_survives_a_follower_that_fails() -> None:
    pulse, flag, gone = Pulse(), threading.Event(), threading.Event()

    def follow() -> None:
        flag.set()
        raise OSError("the disk is gone")

    with pulse.watching(flag.is_set, follow) as cancelled, cancelled.calling(gone.set):
        assert gone.wait(timeout=60)


def test_a_pause_ends_with_the_time_or_with_a_cancellation() -> None:
    cancelled, woken = Cancellation(), threading.Event()
    assert not cancelled.wait(0.0)

    def pause() -> None:
        if cancelled.wait(3600.0):
            woken.set()

    threading.Thread(target=pause, daemon=True).start()
    cancelled.cancel()
    assert woken.wait(60)
    assert cancelled.wait(3600.0), "it is too late to pause"
