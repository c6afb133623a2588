from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.store import seal as seals
from khazad_mitm.store.seal import NONCE_BYTES, Seal

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
HEAD = 1 + 4 + NONCE_BYTES

texts = st.text(st.characters(), max_size=20)


@given(texts, texts, st.binary(max_size=200))
def test_what_was_closed_opens_under_its_name(namespace: str, name: str, plain: bytes) -> None:
    seal = Seal((OLD,), namespace)

    assert plain == seal.open(name, seal.close(name, plain))
    assert 0 == seal.unopened


@pytest.mark.parametrize(
    ("key", "bound", "sealed"),
    [
        (b"\x01" * 32, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (
            b"\x03" * 32,
            b"c2sp.org/XAES-256-GCM",
            "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
        ),
    ],
)
def test_it_is_the_cipher_of_the_specification(key: bytes, bound: bytes, sealed: str) -> None:
    nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX"
    cipher = seals._Key.of(key).cipher(nonce)

    assert sealed == cipher.encrypt(nonce[12:], b"XAES-256-GCM", bound).hex()


def test_what_was_moved_to_another_name_or_namespace_does_not_open() -> None:
    sealed = Seal((OLD,), "one").close("e:1", b"an answer")

    assert Seal((OLD,), "one").open("e:2", sealed) is None
    assert Seal((OLD,), "other").open("e:1", sealed) is None
    # Nor where namespace and name run into the same letters.
    assert Seal((OLD,), "one\0e").open(":1", sealed) is None


@given(st.data())
def test_what_was_changed_in_any_place_does_not_open_and_is_counted(data: st.DataObject) -> None:
    seal = Seal((OLD, NEW), "n")
    sealed = bytearray(seal.close("e:1", b"an answer"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))

    assert seal.open("e:1", bytes(sealed)) is None
    assert seal.open("e:1", bytes(sealed[:place])) is None
    assert 2 == seal.unopened


@given(st.binary(max_size=80))
def test_what_was_never_sealed_does_not_open(noise: bytes) -> None:
    assert Seal((OLD,), "n").open("e:1", noise) is None


def test_the_first_key_seals_and_every_key_opens() -> None:
    before, between, after = Seal((OLD,), "n"), Seal((NEW, OLD), "n"), Seal((NEW,), "n")
    old, new = before.close("e:1", b"old"), between.close("e:1", b"new")

    assert (b"old", b"new") == (between.open("e:1", old), between.open("e:1", new))
    assert (None, b"new") == (after.open("e:1", old), after.open("e:1", new))
    assert before.open("e:1", new) is None
    assert (False, True) == (between.is_of_first_key(old), between.is_of_first_key(new))


def test_nothing_is_sealed_twice_alike() -> None:
    seal = Seal((OLD,), "n")

    assert seal.close("e:1", b"an answer") != seal.close("e:1", b"an answer")


def test_the_length_of_what_is_sealed_is_all_that_can_be_seen_of_it() -> None:
    sealed = Seal((OLD,), "n").close("e:1", b"an answer" * 9)

    assert b"answer" not in sealed
    assert HEAD + 81 + 16 == len(sealed)


def test_a_mark_is_of_one_text_under_one_name_by_one_key() -> None:
    seal = Seal((NEW, OLD), "n")
    mark = Seal((OLD,), "n").mark("a:1", "text")

    assert seal.bears("a:1", "text", mark)
    assert not seal.bears("a:1", "text2", mark)
    assert not seal.bears("a:2", "text", mark)
    assert not Seal((NEW,), "n").bears("a:1", "text", mark)
    assert not seal.bears("a:1", "text", "")
    assert not seal.bears("a:1", "text", "�")
    assert 4 == seal.unopened


def test_a_key_is_not_shown() -> None:
    assert OLD.hex() not in repr(Seal((OLD,), "n")._keys)
    assert 8 == len(Seal((OLD,), "n").key_ids[0])
