from __future__ import annotations

import pytest

from khazad_mitm.cache.tenant import Tenant, tenant_of
from khazad_mitm.messages import Headers, Request

SECRET = b"s" * 32


def of(
    *headers: tuple[str, str], setting: str = "credential", url: str = "https://h/p"
) -> Tenant | None:
    return tenant_of(Request.to(url, headers=Headers(headers)), setting, SECRET)


ONE = of(("Authorization", "Bearer one"))


@pytest.mark.parametrize(
    "header",
    [
        ("Authorization", "Bearer two"),
        ("x-api-key", "one"),
        ("api-key", "one"),
        ("x-goog-api-key", "one"),
        ("X-Auth-Token", "one"),
        ("Ocp-Apim-Subscription-Key", "one"),
    ],
)
def test_another_credential_is_another_tenant(header: tuple[str, str]) -> None:
    assert of() != of(header) != ONE


def test_organisation_and_project_are_part_of_the_tenant() -> None:
    assert ONE != of(("Authorization", "Bearer one"), ("OpenAI-Project", "p"))


def test_a_key_in_the_query_is_a_credential() -> None:
    assert of(url="https://h/p?key=one") != of(url="https://h/p?key=two")


def test_the_order_of_headers_and_the_case_of_names_do_not_count() -> None:
    forth = of(("Authorization", "a"), ("X-Api-Key", "b"))

    assert forth == of(("x-api-key", "b"), ("AUTHORIZATION", "a"))


def test_a_signature_is_known_by_its_access_key_id() -> None:
    def signed(key: str, signature: str) -> Tenant | None:
        value = (
            f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/bedrock/aws4_request,"
            f" SignedHeaders=host, Signature={signature}"
        )
        return of(("Authorization", value), ("X-Amz-Security-Token", signature))

    assert signed("AKIA1", "aa") == signed("AKIA1", "bb")
    assert signed("AKIA1", "aa") != signed("AKIA2", "aa")


def test_no_credential_stands_in_a_tenant_in_the_clear() -> None:
    assert "Bearer" not in repr(ONE)
    assert ONE != tenant_of(
        Request.to("https://h/p", headers=Headers([("Authorization", "Bearer one")])),
        "credential",
        b"t" * 32,
    )


def test_shared_tenants_share_a_name_and_vouch_by_credential() -> None:
    one = of(("Authorization", "1"), setting="shared")
    two = of(("Authorization", "2"), setting="shared")

    assert one is not None
    assert two is not None
    assert one.name == two.name
    assert one.credential != two.credential


def test_a_tenant_header_names_the_tenant_and_is_needed() -> None:
    a = of(("X-Team", "a"), setting="header:X-Team")
    b = of(("X-Team", "b"), setting="header:X-Team")

    assert None is of(setting="header:X-Team")
    assert a != b
