import pytest
from hypothesis import given
from hypothesis import strategies as st

from cromulent_wdl.units import format_bytes, format_dollars, format_duration, parse_bytes, parse_duration


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
    [(0, "$0.00"), (1234.5, "$1,234.50"), (0.2331, "$0.2331"), (0.0000123, "$0.000012"), (0.999, "$1.00")],
)
def test_small_amounts_have_enough_decimals_to_be_told_from_nothing(amount: float, printed: str) -> None:
    assert format_dollars(amount) == printed
