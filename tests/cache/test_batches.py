from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from khazad_mitm.cache.batches import joined
from khazad_mitm.cache.commands import Get, GetMany, PutMany
from khazad_mitm.cache.keeping import keep_rest
from khazad_mitm.exchange import Answer, Entry, Hit, Miss, Outcome, ParsedRequest, Unsatisfied
from khazad_mitm.messages import Headers, Response
from tests.wire.embedding import KEY, answer_to, asked

from .desk import Desk
from .script import NOW, RULES, entry, keep, kinds, lookup, play

BATCH = asked(["a", "b", "c"])


def known(item: str, **fields: Any) -> Entry:
    answer = fields.pop("answer", answer_to([item]))
    return entry(None, answer=answer, original=answer, **fields)


def looked_up(
    *found: Entry | None, parsed: ParsedRequest = BATCH, **rules: Any
) -> tuple[list[Any], Any]:
    return play(lookup(parsed, replace(RULES, **rules), NOW), None, found)


def with_headers(headers: Mapping[str, str], url: str = "") -> ParsedRequest:
    more = {"url": url} if url else {}
    return asked(["a", "b", "c"], headers=KEY.plus(*headers.items()), **more)


def vectors(body: bytes) -> Any:
    return [row["embedding"] for row in json.loads(body, parse_float=str)["data"]]


def test_a_batch_is_looked_for_as_a_whole_and_then_item_by_item() -> None:
    commands, _ = looked_up(None, None, None)
    alone, _ = play(lookup(asked("b"), RULES, NOW), None)

    get, get_many = commands
    assert isinstance(get, Get)
    assert isinstance(get_many, GetMany)
    assert alone[0].fingerprint == get_many.fingerprints[1]
    assert 3 == len({fingerprint[:4] for fingerprint in get_many.fingerprints})


def test_a_batch_of_known_items_is_a_hit() -> None:
    _, hit = looked_up(
        known("a", stored_at=NOW - 30, expires_at=None, tokens=1, took_s=3),
        known("b", stored_at=NOW - 20, expires_at=NOW + 50, tokens=2, took_s=5),
        known("c", stored_at=NOW - 10, expires_at=NOW + 90, tokens=3),
    )

    assert isinstance(hit, Hit)
    assert vectors(answer_to(["a", "b", "c"])) == vectors(hit.entry.answer)
    assert (NOW - 30, NOW + 50, 6, 5) == (
        hit.entry.stored_at,
        hit.entry.expires_at,
        hit.entry.tokens,
        hit.entry.took_s,
    )


def test_of_a_batch_that_is_partly_known_the_rest_is_asked_for() -> None:
    _, miss = looked_up(known("a"), None, known("c"))

    assert isinstance(miss, Miss)
    assert miss.partial is not None
    assert ([0, 2], (1,)) == (list(miss.partial.known), miss.partial.wanted)
    assert ["b"] == json.loads(miss.partial.rest.request.body)["input"]


def test_a_batch_of_unknown_items_goes_as_it_is() -> None:
    _, miss = looked_up(None, None, None)

    assert (3, None) == (len(miss.items), miss.partial)


def test_items_that_do_not_fit_each_other_are_all_asked_for_again() -> None:
    _, miss = looked_up(known("a"), known("b", answer=answer_to(["b"], dimensions=9)), known("c"))
    _, some = looked_up(known("a"), known("b", answer=answer_to(["b"], model="m-2")), None)

    assert (None, None) == (miss.partial, some.partial)


def test_an_item_that_is_too_old_for_this_caller_is_asked_for() -> None:
    parsed = with_headers({"cache-control": "max-age=5"})
    _, miss = looked_up(known("a"), known("b", stored_at=NOW), None, parsed=parsed)
    _, late = looked_up(known("a", expires_at=NOW - 1), known("b"), None)

    assert ((0, 2), (0, 2)) == (miss.partial.wanted, late.partial.wanted)


def test_only_if_cached_takes_all_or_nothing() -> None:
    parsed = with_headers({"cache-control": "only-if-cached"})

    assert isinstance(looked_up(known("a"), None, None, parsed=parsed)[1], Unsatisfied)
    assert isinstance(looked_up(known("a"), known("b"), known("c"), parsed=parsed)[1], Hit)


def test_no_cache_asks_for_all_and_keeps_each() -> None:
    parsed = with_headers({"cache-control": "no-cache"})
    commands, miss = play(lookup(parsed, RULES, NOW))

    assert ([], None, 3) == (commands, miss.partial, len(miss.items))


@pytest.mark.parametrize("rules", [{"split_batches": False}, {"mode": "exact"}])
def test_a_setting_keeps_batches_whole(rules: dict[str, Any]) -> None:
    commands, miss = play(lookup(BATCH, replace(RULES, **rules), NOW), None)

    assert (["Get"], ()) == (kinds(commands), miss.items)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-md5": "x"},
        {"content-digest": "sha-256=:x:"},
        {"signature-input": "sig1=()"},
        {"x-amz-content-sha256": "x"},
        {"authorization": "AWS4-HMAC-SHA256 Credential=a/b"},
        {"authorization": "HMAC abc"},
    ],
)
def test_a_signed_request_is_never_rewritten(headers: dict[str, str]) -> None:
    parsed = asked(["a", "b", "c"], headers=Headers(headers.items()))
    _, miss = looked_up(known("a"), None, None, parsed=parsed)
    _, hit = looked_up(known("a"), known("b"), known("c"), parsed=parsed)

    assert (None, 3) == (miss.partial, len(miss.items))
    assert isinstance(hit, Hit)


def test_a_presigned_url_is_never_rewritten() -> None:
    parsed = with_headers({}, url="https://llm.test/v1/embeddings?X-Amz-Signature=abc&v=1")

    assert looked_up(known("a"), None, None, parsed=parsed)[1].partial is None


@pytest.mark.parametrize("credential", ["Bearer k", "Basic k", "k"])
def test_a_credential_that_signs_nothing_does_no_harm(credential: str) -> None:
    parsed = asked(["a", "b", "c"], headers=Headers([("Authorization", credential)]))

    assert looked_up(known("a"), None, None, parsed=parsed)[1].partial is not None


def test_the_answer_to_a_batch_is_kept_whole_and_item_by_item() -> None:
    _, miss = looked_up(None, None, None)
    body = answer_to(["a", "b", "c"])
    response = Response(200, Headers(), body)
    commands, kept = play(keep(miss, response, Answer(body, tokens=7), RULES, NOW), None)

    (put,) = commands
    assert isinstance(put, PutMany)
    whole, *items = put.entries
    assert (kept, body, 7) == (whole, whole.answer, whole.tokens)
    assert list(miss.items) == [item.id for item in items]
    assert vectors(body) == [vectors(item.answer)[0] for item in items]
    assert [2, 2, 2] == [item.tokens for item in items]


def test_an_answer_that_cannot_be_taken_apart_is_kept_whole() -> None:
    _, miss = looked_up(None, None, None)
    body = answer_to(["a", "b", "c"], languages=["en", "en", "en"])
    commands, _ = play(keep(miss, Response(200, Headers(), body), Answer(body), RULES, NOW), None)

    assert ["Put"] == kinds(commands)


def test_the_upstreams_answer_to_the_rest_makes_the_whole() -> None:
    _, miss = looked_up(known("a"), None, known("c"))
    batch = joined(miss, answer_to(["b"], created=5))

    assert batch is not None
    assert vectors(answer_to(["a", "b", "c"])) == vectors(batch.whole)
    whole = json.loads(batch.whole)
    assert [0, 1, 2] == [row["index"] for row in whole["data"]]
    assert (1, 5) == (whole["usage"]["total_tokens"], whole["created"])


def test_the_same_item_twice_is_asked_for_twice_and_answered_twice() -> None:
    _, miss = looked_up(None, None, known("c"), parsed=asked(["a", "a", "c"]))
    batch = joined(miss, answer_to(["a", "a"]))

    assert ["a", "a"] == json.loads(miss.partial.rest.request.body)["input"]
    assert batch is not None
    assert vectors(answer_to(["a", "a", "c"])) == vectors(batch.whole)


@pytest.mark.parametrize(
    "rest",
    [
        answer_to(["a", "b"]),
        answer_to([]),
        answer_to(["b"], model="m-2"),
        answer_to(["b"], dimensions=3),
        b'{"error":{}}',
        b"",
    ],
    ids=["more", "fewer", "model", "dimensions", "error", "nothing"],
)
def test_an_answer_that_does_not_fit_makes_nothing(rest: bytes) -> None:
    _, miss = looked_up(known("a"), None, known("c"))

    assert joined(miss, rest) is None


def test_of_a_rest_each_item_is_kept_and_not_the_whole() -> None:
    _, miss = looked_up(known("a"), None, None)
    body = answer_to(["b", "c"])
    batch = joined(miss, body)
    assert batch is not None
    steps = keep_rest(miss, Response(200, Headers(), body), batch.answer, batch.parts, RULES, NOW)
    commands, _ = play(steps, None)

    (put,) = commands
    assert isinstance(put, PutMany)
    assert list(miss.items[1:]) == [item.id for item in put.entries]
    assert [1, 1] == [item.tokens for item in put.entries]


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.cache.close()


def batch_of(*items: str) -> ParsedRequest:
    return asked(list(items), url="https://api.example.com/v1/embeddings")


def rest_of(miss: Outcome | None, **fields: Any) -> Response:
    """What an upstream would say to the rest of a batch."""
    assert isinstance(miss, Miss)
    assert miss.partial is not None
    body = answer_to(miss.partial.rest.body["input"], **fields)
    headers = [("Content-Length", "9"), ("ETag", "x"), ("X-Request-Id", "r1")]
    return Response(200, Headers(headers), body)


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_batch_is_answered_item_by_item(desk: Desk, awaiting: bool) -> None:
    asked_first = desk.ask(batch_of("a", "b"), awaiting=awaiting)
    desk.answer(asked_first, answer_to(["a", "b"]))
    alone = desk.ask(batch_of("b"), awaiting=awaiting)
    turned = desk.ask(batch_of("b", "a"), awaiting=awaiting)

    assert isinstance(alone, Hit)
    assert isinstance(turned, Hit)
    data = json.loads(desk.cache.reply(turned).body, parse_float=str)["data"]
    expected = json.loads(answer_to(["b", "a"]), parse_float=str)["data"]
    assert expected == data


@pytest.mark.parametrize("awaiting", [False, True])
def test_the_rest_of_a_batch_makes_it_whole_and_is_kept(desk: Desk, awaiting: bool) -> None:
    desk.answer(desk.ask(batch_of("a", "b")), answer_to(["a", "b"]))
    miss = desk.ask(batch_of("a", "c", "b"), awaiting=awaiting)
    assert isinstance(miss, Miss)
    if awaiting:
        reply = asyncio.run(desk.cache.complete_async(miss, rest_of(miss)))
    else:
        reply = desk.cache.complete(miss, rest_of(miss))
    assert desk.cache.drain(5)

    assert reply is not None
    assert [0, 1, 2] == [row["index"] for row in json.loads(reply.body)["data"]]
    assert [("X-Request-Id", "r1"), ("Cache-Status", desk.cache.cache_status(miss))] == list(
        reply.headers
    )
    assert isinstance(desk.ask(batch_of("c")), Hit)
    assert (2, 0) == (desk.cache.stats().stored, desk.cache.stats().errors)


def test_a_rest_that_does_not_fit_ends_the_splitting_for_its_host(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.answer(desk.ask(batch_of("a", "b")), answer_to(["a", "b"]))
    for _ in range(2):
        miss = desk.ask(batch_of("a", "c"))
        response = rest_of(miss, dimensions=9) if miss and miss.parsed.batch else None
        if response is not None:
            assert isinstance(miss, Miss)
            assert desk.cache.complete(miss, response) is None

    assert isinstance(miss, Miss)
    assert (None, ()) == (miss.partial, miss.items)
    assert 1 == sum("no longer split" in message for message in caplog.messages)


def test_a_cache_that_is_closed_puts_nothing_together(desk: Desk) -> None:
    desk.answer(desk.ask(batch_of("a", "b")), answer_to(["a", "b"]))
    miss = desk.ask(batch_of("a", "c"))
    response = rest_of(miss)
    desk.cache.close()

    assert isinstance(miss, Miss)
    assert asyncio.run(desk.cache.complete_async(miss, response)) is None
