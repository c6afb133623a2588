from __future__ import annotations

import pytest
from mitmproxy import exceptions
from mitmproxy.options import Options
from mitmproxy.test import taddons

from khazad_mitm import settings
from khazad_mitm.proxy import options
from khazad_mitm.proxy.addon import KhazadAddon


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in settings.OPTIONS:
        monkeypatch.delenv(f"KHAZAD_{option.name.upper()}", raising=False)


async def test_every_setting_is_an_option_with_its_default():
    with taddons.context(KhazadAddon()) as context:
        assert settings.from_mapping({}) == options.read(context.options)


async def test_options_are_parsed_by_the_table():
    with taddons.context(KhazadAddon()) as context:
        context.options.update(
            khazad_threshold="0.95", khazad_hosts=["a.example,b.example", "c.example"]
        )
        read = options.read(context.options)

    assert 0.95 == read.threshold
    assert ("a.example", "b.example", "c.example") == read.hosts


async def test_a_wrong_value_is_refused_with_option_value_and_hint():
    with taddons.context(KhazadAddon()) as context:
        with pytest.raises(exceptions.OptionsError, match=r"(?s)khazad_threshold: 1\.2 .*hint: "):
            context.options.update(khazad_threshold="1.2")
        assert settings.from_mapping({}) == options.read(context.options)


async def test_the_environment_is_the_default_and_an_option_goes_before_it(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("KHAZAD_TTL", "60")
    monkeypatch.setenv("KHAZAD_MODE", "off")
    monkeypatch.setenv("KHAZAD_HOSTS", "a.example b.example")

    with taddons.context(KhazadAddon()) as context:
        context.options.update(khazad_mode="cache")
        read = options.read(context.options)

    assert (60, "cache", ("a.example", "b.example")) == (read.ttl, read.mode, read.hosts)


async def test_deferred_values_are_taken_over():
    deferred = Options()
    deferred.set("khazad_max_entries=7", defer=True)

    with taddons.context(KhazadAddon(), options=deferred) as context:
        assert 7 == options.read(context.options).max_entries
        assert "" == options.misspelt(context.options)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("khazad_treshold", "did you mean khazad_threshold"),
        ("khazad_zzzz", "options are redis_url, "),
    ],
)
async def test_a_misspelt_option_is_told_what_there_is(name: str, hint: str):
    deferred = Options()
    deferred.set(f"{name}=1", "other_addon=1", defer=True)

    with taddons.context(KhazadAddon(), options=deferred) as context:
        message = options.misspelt(context.options)

    assert message.startswith(f"{name}: no such option")
    assert hint in message
