"""JSON from outside: one encoding, and each key once."""

import codecs
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.strict_json import DuplicateKey, NotJson, NotUtf8, TooDeep, check, value_of


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"a": 1, "a": 2}', "/a"),
        ('{"a": 1, "a": 1}', "/a"),
        ('{"a": 1, "\\u0061": 2}', "/a"),
        ('{"a": {"b": [0, {"c": 1, "c": 2}]}}', "/a/b/1/c"),
        ('[{"x/y": 1, "x/y": 2}]', "/0/x~1y"),
        ('{"~": 1, "~": 2}', "/~0"),
        ('{"a": {"b": 1, "b": 2}, "c": 1, "c": 2}', "/c"),
        ('{"a": {"b": 1, "b": 2}, "a": {}}', "/a"),
    ],
)
def test_a_key_that_is_given_twice_is_found_with_its_place(text: str, pointer: str) -> None:
    with pytest.raises(DuplicateKey) as found:
        check(text.encode())
    assert found.value.pointer == pointer


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig"])
def test_another_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(NotUtf8):
        check('{"name": "王强"}'.encode(encoding))


@pytest.mark.parametrize("raw", [b'{"a": "\xff"}', codecs.BOM_UTF8, b"\xed\xa0\x80", b'{"a": 1}\x00'])
def test_bytes_that_are_no_utf_8_are_refused(raw: bytes) -> None:
    with pytest.raises(NotUtf8):
        check(raw)


@pytest.mark.parametrize("raw", [b"", b"{", b"nothing", b"9" * 5000 + b"x"])
def test_what_is_no_json_is_left_to_its_reader(raw: bytes) -> None:
    check(raw)


def test_a_number_that_python_does_not_read_hides_no_key_that_is_given_twice() -> None:
    with pytest.raises(DuplicateKey):
        check(b'{"a": 1, "a": 2, "n": ' + b"9" * 5000 + b"}")
    with pytest.raises(NotJson):
        value_of(b"9" * 5000)


def test_what_is_nested_too_deep_to_compare_its_keys_is_refused() -> None:
    with pytest.raises(TooDeep):
        check(b'{"a": 1, "a": 2, "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_of_single_keys_is_let_through(value: object) -> None:
    check(json.dumps(value).encode())
