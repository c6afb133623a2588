from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.errors import ConfigError
from khazad_mitm.store.keys import Keys

namespaces = st.text(st.sampled_from(list("ab{}:%*?[]\\0-^!ex")), min_size=1, max_size=12)


@given(namespaces, namespaces)
def test_no_key_is_in_two_namespaces(one: str, other: str) -> None:
    if one != other:
        keys, others = Keys.of(one), Keys.of(other)
        for key in (others.entry("x"), others.secret, others.expiry):
            assert not key.startswith(keys.prefix)
        assert keys.secret != others.secret


@given(namespaces)
def test_all_keys_of_a_namespace_share_one_hash_tag(namespace: str) -> None:
    keys = Keys.of(namespace)
    key = keys.entry("x{y}")

    # Redis cluster specification, "hash tags": between the first { and the first } after it.
    assert 0 == key.index("{")
    assert key[: key.index("}") + 2] == keys.prefix


@given(namespaces)
def test_the_pattern_has_no_wildcard_but_the_last(namespace: str) -> None:
    pattern = Keys.of(namespace).pattern
    literal = pattern[:-1].replace("\\\\", "").replace("\\*", "")
    literal = literal.replace("\\?", "").replace("\\[", "").replace("\\]", "")

    assert "*" == pattern[-1]
    assert not set(literal) & set("*?[]\\")


def test_a_namespace_is_not_empty() -> None:
    with pytest.raises(ConfigError, match="khazad_namespace: is empty"):
        Keys.of("")
