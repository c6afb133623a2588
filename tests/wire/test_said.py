"""Is anything said by a value?"""

from __future__ import annotations

import pytest

from khazad_mitm.wire.said import is_filled


@pytest.mark.parametrize("value", ["a", 0.5, {"a": {"b": "c"}}, ["", "a"], True])
def test_something_is_said(value):
    assert is_filled(value)


@pytest.mark.parametrize("value", [None, "", " \n", 0, False, {}, [], {"a": ""}, [{"a": [None]}]])
def test_nothing_is_said(value):
    assert not is_filled(value)
