from __future__ import annotations

import pytest
from mitmproxy.options import Options

from khazad_mitm.proxy.remembered import Remembered


def test_a_value_is_what_it_was_until_one_changes():
    options = Options()
    remembered = Remembered(options)

    assert [] == remembered.ignore_hosts
    assert remembered.ignore_hosts is remembered.ignore_hosts
    options.update(ignore_hosts=["one"])

    assert ["one"] == remembered.ignore_hosts


def test_an_option_that_is_not_there_is_not_there():
    remembered = Remembered(Options())

    assert "proxyauth" not in remembered
    with pytest.raises(AttributeError):
        _ = remembered.proxyauth


def test_it_knows_whose_they_are():
    options = Options()

    assert Remembered(options).are(options)
    assert not Remembered(options).are(Options())
