from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from khazad_mitm.cache.tenant import NoTenant, Tenant, tenant_of
from khazad_mitm.messages import Headers
from tests.cache.script import asked, jwt

SECRET = b"s" * 32
URL = "https://api.example.com/v1/chat"


def of(*headers: tuple[str, str], setting: str = "credential", url: str = URL, **more: Any) -> Any:
    """The tenant of a request with these headers and no others."""
    model = more.pop("model", "m")
    parsed = asked("hello", url=url, model=model)
    return tenant_of(_sent(parsed, headers, **more), setting, SECRET)


def _sent(parsed: Any, headers: Any, **more: Any) -> Any:
    return replace(parsed, request=replace(parsed.request, headers=Headers(headers), **more))


def bearer(token: str) -> tuple[str, str]:
    return ("Authorization", f"Bearer {token}")


ONE = of(bearer("one"))
ENTRA = {"iss": "https://sts/t1", "sub": "s1", "aud": "a1", "oid": "o1", "tid": "t1", "appid": "p1"}


@pytest.mark.parametrize(
    "header",
    [
        ("Authorization", "Bearer one"),
        ("x-api-key", "one"),
        ("api-key", "one"),
        ("x-goog-api-key", "one"),
        ("X-Auth-Token", "one"),
        ("Ocp-Apim-Subscription-Key", "one"),
        ("cf-aig-authorization", "one"),
        ("x-portkey-virtual-key", "one"),
        ("Helicone-Auth", "one"),
        ("X-Auth-Key", "one"),
        ("x-goog-iap-jwt-assertion", "one"),
        ("Cookie", "session=one"),
        # Nobody has told us of this one, and nothing else is shown.
        ("X-House-Pass", "one"),
    ],
)
def test_another_credential_is_another_tenant(header: tuple[str, str]) -> None:
    other = (header[0], header[1].replace("one", "two"))

    assert 3 == len({of().name, of(header).name, of(other).name})


@pytest.mark.parametrize("name", ["OpenAI-Organization", "OpenAI-Project", "X-Goog-User-Project"])
def test_organisation_and_project_are_part_of_the_tenant(name: str) -> None:
    assert ONE.name != of(bearer("one"), (name, "p")).name


@pytest.mark.parametrize(
    "name",
    ["key", "api_key", "api-key", "apikey", "access_token", "token", "subscription-key", "K%45Y"],
)
def test_a_key_in_the_query_is_a_credential(name: str) -> None:
    one, two = (of(url=f"{URL}?{name}={value}") for value in ("one", "two"))

    assert one.name != two.name


def test_keys_that_cannot_be_decoded_are_not_the_same_key() -> None:
    assert of(url=f"{URL}?key=%ff").name != of(url=f"{URL}?key=%fe").name


def test_the_order_of_headers_and_the_case_of_names_do_not_count() -> None:
    forth = of(("Authorization", "a"), ("X-Api-Key", "b"))

    assert forth == of(("x-api-key", "b"), ("AUTHORIZATION", "a"))


@pytest.mark.parametrize(
    "header",
    [
        ("Idempotency-Key", "0e7f"),
        ("X-Request-Id", "0e7f"),
        ("traceparent", "00-0e7f"),
        ("Cookie", "__cf_bm=0e7f; _cfuvid=0e7f"),
        ("User-Agent", "openai-python 3.1"),
        ("Proxy-Authorization", "Basic 0e7f"),
    ],
)
def test_what_is_new_with_each_call_parts_nobody_from_himself(header: tuple[str, str]) -> None:
    assert ONE == of(bearer("one"), header)
    assert of() == of(header)


# -- tokens that are renewed


def test_a_renewed_token_is_the_same_tenant_and_has_to_be_accepted_anew() -> None:
    old = of(bearer(jwt(**ENTRA, exp=1, iat=1, nbf=1, jti="a", uti="a", aio="a", rh="a")))
    new = of(bearer(jwt("b3RoZXI", **ENTRA, exp=2, iat=2, nbf=2, jti="b", uti="b")))

    assert old.name == new.name
    assert set(old.proofs).isdisjoint(new.proofs)
    assert not old.is_secret


@pytest.mark.parametrize("claim", [*ENTRA, "azp", "client_id", "scp", "roles", "nobody_knows"])
def test_every_claim_but_those_of_one_token_tells_holders_apart(claim: str) -> None:
    one, two = (of(bearer(jwt(**ENTRA | {claim: value}))) for value in ("x", "y"))

    assert one.name != two.name


@pytest.mark.parametrize(
    "token",
    [
        jwt(exp=1, iss="https://sts/t1"),
        "eyJhbGciOiJub25lIn0.!!!.",
        "eyJhbGciOiJub25lIn0.W10.",
        "eyJ.eyJ.",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIiwic3ViIjoiYiJ9.",  # sub twice
        "eyJhbGciOiJub25lIn0." + base64.urlsafe_b64encode(b"[" * 9_999).decode() + ".",
        "one",
    ],
)
def test_a_token_that_names_nobody_stands_for_itself(token: str) -> None:
    tenant = of(bearer(token))

    assert tenant.is_secret
    assert tenant.name != of(bearer(token + "A")).name


def test_a_token_in_another_place_is_another_tenant() -> None:
    token = jwt(**ENTRA)

    assert of(bearer(token)).name != of(("api-key", token)).name


# -- signatures


def signed(key: str, signature: str, **more: Any) -> Any:
    value = (
        f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/bedrock/aws4_request,"
        f" SignedHeaders=host, Signature={signature}"
    )
    return of(("Authorization", value), ("X-Amz-Security-Token", signature), **more)


def test_a_signature_is_known_by_its_access_key_id() -> None:
    assert signed("AKIA1", "aa") == signed("AKIA1", "bb")
    assert signed("AKIA1", "aa").name != signed("AKIA2", "aa").name


@pytest.mark.parametrize("setting", ["credential", "shared"])
def test_an_access_key_id_from_elsewhere_is_nobody_without_proxy_authentication(
    setting: str,
) -> None:
    remote = {"setting": setting, "is_local": False}
    nobody = NoTenant("signature without proxy authentication")

    assert nobody == signed("AKIA1", "aa", **remote)
    one, two = (signed("AKIA1", "aa", proxy_user=user, **remote) for user in ("one", "two"))
    assert set(one.proofs).isdisjoint(two.proofs)
    assert (one.name == two.name) is (setting == "shared")


# -- what a server has said


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1/chat",
        "https://api.example.com:8443/v1/chat",
        "https://evil.example.com/v1/chat",
    ],
)
def test_a_server_accepts_credentials_for_itself_only(url: str) -> None:
    assert set(ONE.proofs).isdisjoint(of(bearer("one"), url=url).proofs)


def test_a_site_accepts_credentials_for_no_other_at_the_same_address() -> None:
    other = of(bearer("one"), ("Host", "evil.example.com"))

    assert set(ONE.proofs).isdisjoint(other.proofs)
    assert ONE == of(bearer("one"), ("Host", "API.example.com:443"))


def test_what_is_accepted_for_one_model_or_endpoint_is_not_for_another() -> None:
    for other in (of(bearer("one"), model="dear"), of(bearer("one"), url=URL + "/more")):
        assert ONE.proofs[0] == other.proofs[0]
        assert ONE.proofs[1] != other.proofs[1]


# -- who shows nothing


@pytest.mark.parametrize("value", ["", "Bearer ", "bearer", "Basic"])
def test_a_scheme_without_a_token_shows_nothing(value: str) -> None:
    assert of() == of(("Authorization", value))


@pytest.mark.parametrize("setting", ["credential", "shared", "header:X-Team"])
def test_who_shows_nothing_is_a_tenant_apart(setting: str) -> None:
    team = ("X-Team", "a")
    nobody, organised = (
        of(*more, team, setting=setting) for more in ((), (("OpenAI-Organization", "o"),))
    )
    somebody = of(bearer("one"), team, setting=setting)

    assert somebody.name not in (nobody.name, organised.name)
    assert nobody.proofs


# -- settings


def test_no_credential_stands_in_a_tenant_in_the_clear() -> None:
    assert "one" not in repr(ONE)
    other_key = tenant_of(_sent(asked("hello", url=URL), [bearer("one")]), "credential", b"t" * 32)
    assert isinstance(other_key, Tenant)
    assert ONE.name != other_key.name


def test_shared_tenants_share_a_name_and_vouch_by_credential() -> None:
    one, two = (of(bearer(key), setting="shared") for key in ("1", "2"))

    assert one.name == two.name
    assert set(one.proofs).isdisjoint(two.proofs)
    assert not one.is_secret


def test_a_tenant_header_names_the_tenant_and_is_needed() -> None:
    a, b = (of(bearer("one"), ("X-Team", team), setting="header:X-Team") for team in "ab")

    assert NoTenant("no-tenant") == of(bearer("one"), setting="header:X-Team")
    assert a.name != b.name
