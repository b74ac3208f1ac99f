"""What tasks say in `runtime` for a cloud."""

from __future__ import annotations

import pytest
from WDL import Error, Type, Value

from cromulent_wdl.plugin.runtime_values import architecture_of, disk_of, timeout_of
from cromulent_wdl.units import GIB


def disks(text: str) -> dict[str, Value.Base]:
    return {"disks": Value.String(text)}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("local-disk 100 SSD", 100 * GIB),
        ("local-disk 375 HDD, /mnt/data 50 SSD", 425 * GIB),
        ("100", 100 * GIB),
        ("100 GiB", 100 * GIB),
        ("100 GB", 100 * 1000**3),
        ("/mnt/2024 10 GiB", 10 * GIB),
        ("1.5 TiB", 1536 * GIB),
    ],
)
def test_disks(text: str, size: int) -> None:
    assert disk_of(disks(text)) == size


def test_disks_may_be_a_number_several_or_none() -> None:
    assert disk_of({"disks": Value.Int(30)}) == 30 * GIB
    several = Value.Array(Type.String(), [Value.String("10 GiB"), Value.String("20 GiB")])
    assert disk_of({"disks": several}) == 30 * GIB
    assert disk_of({}) == 0
    with pytest.raises(Error.RuntimeError, match=r"runtime\.disks"):
        disk_of(disks("much"))


def test_a_time_limit() -> None:
    assert timeout_of({}) is None
    assert timeout_of({"timeout_minutes": Value.Int(90)}) == 5400
    assert timeout_of({"timeout_minutes": Value.Float(0.5)}) == 30
    for wrong in (Value.Int(0), Value.String("soon")):
        with pytest.raises(Error.RuntimeError, match="timeout_minutes"):
            timeout_of({"timeout_minutes": wrong})


def test_an_architecture() -> None:
    assert architecture_of({}) == ""
    assert architecture_of({"architecture": Value.String("aarch64")}) == "arm64"
    assert architecture_of({"platform": Value.String("linux/amd64")}) == "amd64"
    with pytest.raises(Error.RuntimeError, match="arm64 or amd64"):
        architecture_of({"architecture": Value.String("riscv")})
