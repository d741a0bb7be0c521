"""What comes with a request: versions, keys, cursors, texts, times. Nothing strange gets through or breaks anything."""

import base64
import json
import re
import time
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chassis.entity_tags import NamedVersions, NotEntityTags, NoVersionNamed, etag_of, versions_of
from chassis.field_types import Code, Line, Moment, Name, PastMoment, Prose, Reference
from chassis.identity import new_id
from chassis.outbox import SHARDS, shard_of
from chassis.paging import CursorBroken, from_cursor, to_cursor
from contracts.plain_text import plain_reference


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ('"1"', {1}),
        ('"999999999"', {999_999_999}),
        (' "7" ', {7}),
        ('W/"3"', {3}),
        ('"3-gzip"', {3}),
        ('W/"3--gzip"', {3}),
        ('"3;br"', {3}),
        ('"3-zstd"', {3}),
        ('W/"3-part-gzip"', {3}),
        ('"1", W/"2","3-gzip"', {1, 2, 3}),
        (', ,"1",, "2" ,', {1, 2}),
        ('"a,b", "3"', {3}),
        ('"a", ",3,"', set()),
        ("", set()),
        ('""', set()),
        ('"0", "-1", "01", "1.0", "1000000000", "one", "3-beta", "3_"', set()),
    ],
)
def test_if_match_names_versions_as_a_client_got_them_through_any_gateway(header: str, named: set[int]) -> None:
    assert versions_of(header) == NamedVersions(frozenset(named))


@pytest.mark.parametrize(
    "header", ["1", '"1', '1"', 'w/"1"', 'W/ "1"', '"1" "2"', '"1""2"', '*, "1"', '"１"', '"1"x', "*x"]
)
def test_what_is_no_list_of_entity_tags_is_refused(header: str) -> None:
    with pytest.raises(NotEntityTags):
        versions_of(header)


@given(st.integers(1, 999_999_999))
def test_an_etag_is_what_if_match_takes(version: int) -> None:
    assert versions_of(etag_of(version)) == NamedVersions(frozenset({version}))


@given(st.text(st.sampled_from('"W/, \t*13-;gzip')))
def test_no_list_of_tags_is_too_strange(header: str) -> None:
    try:
        versions_of(header)
    except NotEntityTags:
        return


def test_four_thousand_tags_are_read_within_a_moment_and_so_is_what_never_ends() -> None:
    begun = time.process_time()
    assert len(versions_of(", ".join(f'"{number}"' for number in range(1, 4001))).named) == 4000
    for endless in ('"1"' + " " * 32_000 + "x", '"1",' + " ," * 16_000 + "x", '"' + "a" * 32_000, "W/" * 16_000):
        with pytest.raises(NotEntityTags):
            versions_of(endless)
    assert time.process_time() - begun < 1


def test_any_version_fits_a_star_but_not_what_is_not_there() -> None:
    star = versions_of(" * ")
    assert (star.fits(7), star.fits(0), star.decided_on(7), star.decided_on(0)) == (True, False, 7, 1)


def test_a_named_version_fits_the_present_one_or_any_since_the_oldest_that_still_counts() -> None:
    versions = versions_of('"2", "5"')
    assert [versions.fits_since(2, present) for present in (1, 2, 3, 6)] == [False, True, True, True]
    assert [versions.fits_since(6, present) for present in (6, 9)] == [False, False]
    assert [versions_of("*").fits_since(6, present) for present in (0, 6)] == [False, True]
    assert [versions.decided_on(present) for present in (1, 2, 6)] == [5, 2, 5]
    with pytest.raises(NoVersionNamed):
        versions_of('"somebody-elses"').decided_on(3)


@given(st.integers(-(2**62), 2**62), st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_a_cursor_comes_back_as_it_was_given(number: int, text: str) -> None:
    assert from_cursor("toys", to_cursor("toys", number, text), int, str) == (number, text)


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_a_broken_cursor_is_refused_and_breaks_nothing(cursor: str) -> None:
    try:
        values = from_cursor("toys", cursor, int, str)
    except CursorBroken:
        return
    assert [type(value) for value in values] == [int, str]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(JSON)
def test_a_cursor_of_other_values_is_refused(values: Any) -> None:
    cursor = encoded(["toys", *values] if isinstance(values, list) else values)
    try:
        number, text = from_cursor("toys", cursor, int, str)
    except CursorBroken:
        return
    assert type(number) is int
    assert abs(number) <= 2**62
    assert "\x00" not in text
    assert text.encode()


@pytest.mark.parametrize("values", [[True, "a"], [1.0, "a"], [10**30, "a"], [1, "a\x00"], [1], [1, "a", "b"], []])
def test_a_cursor_of_almost_the_right_values_is_refused(values: Any) -> None:
    with pytest.raises(CursorBroken):
        from_cursor("toys", encoded(["toys", *values]), int, str)


@pytest.mark.parametrize("values", [{}, 1, "toys", ["toys"], [1, "a"], ["games", 1, "a"], [1, 1, "a"], [None, 1, "a"]])
def test_a_cursor_of_another_list_is_refused(values: Any) -> None:
    with pytest.raises(CursorBroken):
        from_cursor("toys", encoded(values), int, str)


def encoded(values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def test_a_cursor_that_nests_without_end_is_refused() -> None:
    with pytest.raises(CursorBroken):
        from_cursor("toys", base64.urlsafe_b64encode(b"[" * 100_000).decode(), int)


def test_a_cursor_with_half_a_character_is_refused() -> None:
    with pytest.raises(CursorBroken):
        from_cursor("toys", base64.urlsafe_b64encode(b'["toys","\\ud800"]').decode(), str)


def takes(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("text", ["a", "王强", "no picture 📺", "O’Neill; drop table work_orders; --", "é" * 200])
def test_any_script_is_a_line(text: str) -> None:
    assert TypeAdapter(Line).validate_python(text) == text


@pytest.mark.parametrize(
    "text", ["", "   ", "a\x00b", "a\x07", "a\x1b[2J", "a\nb", "a\tb", "a\rb", "a\x7f", "a\x85b", "a\ud800", "a" * 201]
)
def test_control_characters_half_characters_and_wrong_lengths_are_no_line(text: str) -> None:
    assert not takes(Line, text)


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [
        (Reference, "１０\u200b００1", "10001"),
        (Name, "王\u200b强", "王强"),
        (Name, "\uf9d1", "\uf9d1"),
        (Line, "\u202e北区（城东）", "北区（城东）"),
        (Prose, "a\u202e\n👨\u200d👩", "a\n👨\u200d👩"),
    ],
)
def test_each_kind_is_stored_in_one_spelling(kind: Any, typed: str, stored: str) -> None:
    assert TypeAdapter(kind).validate_python(typed) == stored


@pytest.mark.parametrize("kind", [Reference, Name, Line, Prose])
def test_a_text_without_a_visible_character_is_refused(kind: Any) -> None:
    assert not takes(kind, "\u200b\u2060")
    assert not takes(kind, "\u3164")


def test_a_text_that_grows_too_long_when_it_is_normalised_is_refused() -> None:
    assert takes(Reference, "\ufdfa")
    assert not takes(Reference, "\ufdfa" * 20)


@pytest.mark.parametrize("kind", [Reference, Name])
def test_control_characters_are_refused_and_not_left_out(kind: Any) -> None:
    for text in ("a\x00b", "a\nb", "a\tb", "a\x85b", "a\ud800"):
        assert not takes(kind, text), repr(text)


def test_prose_has_line_breaks_but_no_other_control_characters() -> None:
    assert takes(Prose, "first line\n\tsecond line")
    assert takes(Prose, "字" * 4000)
    for text in ("字" * 4001, "a\x00", "a\x0bb", "a\x9f", "a\udfff", "\n", ""):
        assert not takes(Prose, text), repr(text)


@given(st.text(max_size=250))
def test_what_a_line_lets_through_the_database_and_a_terminal_can_hold(text: str) -> None:
    if takes(Line, text):
        kept = TypeAdapter(Line).validate_python(text)
        assert 1 <= len(kept) <= 200
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", kept)


@pytest.mark.parametrize("code", ["a", "north-2", "A.b_c", "0", "a" * 64])
def test_a_code_is_letters_digits_dot_dash_underscore(code: str) -> None:
    assert takes(Code, code)


@pytest.mark.parametrize("code", ["", "-a", ".", "a b", "a/b", "北", "a" * 65, "a\n", "a%00", "../a"])
def test_anything_else_is_no_code(code: str) -> None:
    assert not takes(Code, code)


@pytest.mark.parametrize("year", [1900, 1999, 9999])
def test_a_time_far_away_is_refused(year: int) -> None:
    moment = f"{year}-12-31T23:59:59Z"
    assert not takes(Moment, moment)
    assert not takes(PastMoment, moment)


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00", "2026-01-01", "now", -1e30, 1e30],
)
def test_a_time_at_the_edge_without_a_zone_or_that_is_none_is_refused(moment: Any) -> None:
    assert not takes(Moment, moment)
    assert not takes(PastMoment, moment)


def test_what_was_done_is_not_in_the_future_but_clocks_differ() -> None:
    now = datetime.now(UTC)
    assert takes(PastMoment, now + timedelta(minutes=4))
    assert not takes(PastMoment, now + timedelta(minutes=6))
    assert takes(Moment, now + timedelta(days=365))


def test_a_time_is_kept_in_utc() -> None:
    moment = TypeAdapter(Moment).validate_python("2026-03-02T16:00:00+08:00")
    assert moment.isoformat() == "2026-03-02T08:00:00+00:00"


@given(st.text())
def test_every_key_has_a_shard(key: str) -> None:
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    assert 0 <= shard_of(key) < SHARDS


def test_the_shard_of_a_key_never_changes() -> None:
    assert [shard_of(key) for key in ("order-1", "order-2", "工单")] == [15, 5, 7]


def test_ids_are_uuids_of_version_7_that_grow_with_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one) for one in ids)
    assert [one[:13] for one in ids] == sorted(one[:13] for one in ids)


@given(st.text(min_size=1))
def test_a_text_shows_something_if_one_of_its_characters_does(text: str) -> None:
    """On which `Prose` and the others lean: they end with the first character that shows."""
    assert any(map(plain_reference, text)) == bool(plain_reference(text))


def test_control_characters_are_those_of_unicode() -> None:
    adapter = TypeAdapter(Prose)
    refused = set()
    for code in range(0x110000):
        if unicodedata.category(chr(code)) in ("Cc", "Cs"):
            try:
                adapter.validate_python(f"a{chr(code)}b")
            except ValidationError:
                refused.add(code)
    assert refused == {*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)} - {ord("\n"), ord("\t")}
