import pytest
from hypothesis import given
from hypothesis import strategies as st

from cromulent_wdl.units import (
    format_bytes,
    format_dollars,
    format_duration,
    format_memory,
    parse_bytes,
    parse_dollars,
    parse_duration,
)


@pytest.mark.parametrize(
    ("text", "count"),
    [("1024", 1024), ("2 GiB", 2 << 30), ("2GB", 2_000_000_000), ("1.5 K", 1500), ("7 Mi", 7 << 20), ("3 B", 3)],
)
def test_bytes_are_read_in_wdl_units(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "GB", "-1", "1 gb", "1e3", "12 parsecs"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it like '4 GB'"):
        parse_bytes(text)


@given(st.integers(min_value=0, max_value=10**18))
def test_printed_bytes_read_back_within_their_precision(count: int) -> None:
    printed = format_bytes(count).replace(" bytes", "").replace(" byte", "")
    assert abs(parse_bytes(printed) - count) <= 0.051 * 10 ** (3 * ((len(str(count)) - 1) // 3)) + 1 or count >= 10**15


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (7.4, "0:07"), (760, "12:40"), (11100, "3:05:00")])
def test_durations_are_printed_as_clocks_show_them(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("30s", 30), ("5m", 300), ("2 h", 7200), ("1d", 86400)])
def test_durations_are_read_with_their_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("amount", "printed"),
    [
        (0, "$0.00"),
        (1234.5, "$1,234.50"),
        (0.2331, "$0.2331"),
        (0.0000123, "$0.000012"),
        (0.999, "$1.00"),
        (4e-7, "< $0.000001"),
    ],
)
def test_small_amounts_have_enough_decimals_to_be_told_from_nothing(amount: float, printed: str) -> None:
    assert format_dollars(amount) == printed


@pytest.mark.parametrize(("text", "amount"), [("2", 2.0), ("0.50", 0.5), (".5", 0.5), ("3.", 3.0)])
def test_amounts_are_read(text: str, amount: float) -> None:
    assert parse_dollars(text) == amount


@pytest.mark.parametrize("text", ["", "abc", "0", "-1", "nan", "inf", "1e3", "0.0"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no amount of dollars above nothing"):
        parse_dollars(text)


@pytest.mark.parametrize(
    ("count", "of", "text"),
    [
        (512 << 20, 0, "512 MiB"),
        (2 << 30, 0, "2 GiB"),
        (4_000_000_000, 0, "4 GB"),
        (536_870_000, 2 << 30, "512 MiB"),
        (1_181_116_006, 4 << 30, "1.1 GiB"),
        (300_000, 512 << 20, "293 KiB"),
        (1_100_000_000, 4_000_000_000, "1.1 GB"),
        (1536 << 20, 0, "1.5 GiB"),
        (1_073_699_881, 2 << 30, "1 GiB"),
        (1_048_500, 2 << 30, "1 MiB"),
        (300, 2 << 30, "300 bytes"),
        (0, 2 << 30, "0 bytes"),
    ],
)
def test_memory_is_printed_in_the_units_in_which_it_was_asked_for(count: int, of: int, text: str) -> None:
    assert format_memory(count, of) == text
