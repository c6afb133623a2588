from __future__ import annotations

import http.client
import json
import ssl

import pytest

from khazad_mitm.cli.clients.provider import BEDROCK, OPENAI, Handler
from khazad_mitm.cli.demo.provider import Provider
from khazad_mitm.exchange import Answer
from khazad_mitm.messages import Headers, Request
from khazad_mitm.wire import recognise


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (
            f"https://{OPENAI}/v1/chat/completions",
            {"model": "m", "messages": [{"role": "user", "content": "?"}]},
        ),
        (
            f"https://{BEDROCK}/model/m/converse",
            {"messages": [{"role": "user", "content": [{"text": "?"}]}]},
        ),
    ],
)
def test_what_it_answers_is_whole_in_the_words_of_the_provider(url: str, body: object) -> None:

    host, _, path = url.removeprefix("https://").partition("/")
    with Provider(Handler, (OPENAI, BEDROCK)) as provider:
        context = ssl.create_default_context(cadata=provider.certificate.decode())
        context.check_hostname = False
        connection = http.client.HTTPSConnection("127.0.0.1", provider.port, context=context)
        connection.request("POST", f"/{path}", json.dumps(body))
        answer = connection.getresponse().read()
        names = connection.sock.getpeercert()["subjectAltName"]
        connection.close()
    parsed = recognise(Request.to(url, json.dumps(body).encode(), Headers()))

    assert parsed is not None
    assert isinstance(parsed.provider.assemble(answer, parsed), Answer)
    assert ("DNS", host) in names
