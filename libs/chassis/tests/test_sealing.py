"""Sealed, it says nothing; elsewhere or changed, it does not open; a master key can be replaced."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.sealing import DoesNotOpen, MasterKeys, SealingKey, Wrapped
from chassis.settings import Settings


def master(name: str, byte: int) -> str:
    return f"{name}:{base64.b64encode(bytes([byte] * 32)).decode()}"


KEY = SealingKey(bytes(32))


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_what_was_sealed_opens_to_the_same(text: str) -> None:
    assert KEY.open(KEY.seal(text, place="here"), place="here") == text


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert KEY.seal("x", place="here") != KEY.seal("x", place="here")


@pytest.mark.parametrize(
    ("key", "place", "change"),
    [
        (SealingKey(bytes([1] * 32)), "here", str),
        (KEY, "there", str),
        (KEY, "here", lambda sealed: sealed[:-4] + "AAAA"),
        (KEY, "here", lambda sealed: sealed[:20]),
        (KEY, "here", lambda sealed: "AAAA" + sealed[4:]),
        (KEY, "here", lambda sealed: ""),
    ],
)
def test_with_another_key_elsewhere_or_changed_it_does_not_open(key, place, change) -> None:
    with pytest.raises(DoesNotOpen):
        key.open(change(KEY.seal("a text", place="here")), place=place)


def test_a_key_is_wrapped_with_the_first_master_key_and_unwrapped_with_any() -> None:
    old = MasterKeys.parse(master("old", 1))
    key, wrapped = old.new_key(place="p")
    both = MasterKeys.parse(f"{master('new', 2)}, {master('old', 1)}")
    again = both.wrap_anew(wrapped, place="p")
    assert (wrapped.master_key_id, again.master_key_id) == ("old", "new")
    sealed = key.seal("a text", place="q")
    for masters, held in ((both, wrapped), (both, again), (MasterKeys.parse(master("new", 2)), again)):
        assert masters.unwrap(held, place="p").open(sealed, place="q") == "a text"
    for masters, held, place in (
        (MasterKeys.parse(master("new", 2)), wrapped, "p"),
        (both, again, "elsewhere"),
        (both, Wrapped("new", wrapped.text), "p"),
    ):
        with pytest.raises(DoesNotOpen):
            masters.unwrap(held, place=place)


@pytest.mark.parametrize(
    "text", ["", "secretsecret", "a:secret", "a b:" + "A" * 43 + "=", master("a", 1) + "," + master("a", 2), "a:"]
)
def test_a_master_key_that_cannot_be_read_stops_the_start_without_being_shown(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "DATABASE_URL": "postgresql://x/y",
        "KAFKA_BOOTSTRAP_SERVERS": "x",
        "OIDC_ISSUER": "https://x",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SEALING_MASTER_KEYS", text)
    with pytest.raises(SystemExit) as stopped:
        Settings.from_environment()
    assert "SEALING_MASTER_KEYS" in str(stopped.value)
    assert "secret" not in str(stopped.value)


def test_settings_do_not_show_a_master_key() -> None:
    settings = Settings(
        database_url="postgresql://x/y",
        kafka_bootstrap_servers="x",
        oidc_issuer="https://x",
        sealing_master_keys=master("a", 7),
    )
    assert master("a", 7).split(":")[1] not in repr(settings)
    assert settings.master_keys.current == "a"
