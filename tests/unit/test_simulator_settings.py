"""What the simulator's settings ask of its ECS."""

from pathlib import Path

from cromulent_wdl.simulator.assembly import ecs_settings
from cromulent_wdl.simulator.ecs.settings import NEAR_ZERO, REALISTIC
from cromulent_wdl.simulator.planes.play_script import read_script
from cromulent_wdl.simulator.settings import Settings


def test_rates_can_hold_without_the_waits() -> None:
    asked = ecs_settings(Settings(rates=True))
    assert asked.enforce_limits
    assert asked.latency == NEAR_ZERO


def test_what_is_realistic_has_rates_and_waits() -> None:
    asked = ecs_settings(Settings(realistic=True))
    assert asked.enforce_limits
    assert asked.latency == REALISTIC


def test_neither_holds_by_itself() -> None:
    asked = ecs_settings(Settings())
    assert not asked.enforce_limits
    assert asked.latency == NEAR_ZERO


def test_a_script_says_how_played_tasks_go(tmp_path: Path) -> None:
    file = tmp_path / "script.toml"
    file.write_text('[[rules]]\nfamily = "align-*"\nseconds = [60, 60]\n')
    script = read_script(file)
    assert script.rule("align-1").seconds == (60, 60)
    assert script.rule("sort").seconds == (1, 1)
