from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.exchange import Json
from khazad_mitm.record import bodies
from khazad_mitm.record.bodies import Beside, Shelf, names_beside
from khazad_mitm.record.yamls import Lined

PNG = b"\x89PNG\r\n" + bytes(range(256)) * 64


def written(data: bytes) -> tuple[dict[str, Json], dict[str, bytes]]:
    shelf = Shelf("x")
    document = bodies.write(data, "response", shelf)
    assert data == bodies.read(document, Shelf("x", shelf.files.__getitem__))
    return document, shelf.files


@given(st.binary(max_size=2000) | st.text().map(str.encode))
def test_a_body_comes_back_byte_for_byte(data: bytes) -> None:
    written(data)


def test_json_stands_as_values() -> None:
    assert {"json": {"a": 1}} == written(b'{"a":1}')[0]
    assert {"spelling": "spaced", "json": {"a": 1}} == written(b'{"a": 1}')[0]
    assert {"after": "\n", "json": {"a": 1}} == written(b'{"a":1}\n')[0]


def test_json_that_would_lose_bytes_stands_as_text() -> None:
    assert {"text": '{"a": 1.00}'} == written(b'{"a": 1.00}')[0]


def test_an_image_within_json_lies_beside_as_an_image() -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()

    document, files = written(json.dumps({"url": url, "again": url}).encode())

    assert {"x.response.png": PNG} == files
    beside = Beside("x.response.png", True, "data:image/png;base64,")
    assert {"url": beside, "again": beside} == document["json"]
    assert ["x.response.png"] * 2 == list(names_beside(document))


def test_two_images_have_two_names() -> None:
    coded = [base64.b64encode(PNG + bytes([n])).decode() for n in range(2)]

    assert {"x.response.png", "x.response-2.png"} == written(json.dumps(coded).encode())[1].keys()


def test_what_is_long_or_binary_lies_beside_whole() -> None:
    assert {"file": "x.response.bin"} == written(b"\x00\xff" * 1000)[0]
    assert {"file": "x.response.txt"} == written(b"x" * 100_000)[0]
    assert {"file": "x.response.json"} == written(json.dumps(list(range(30_000))).encode())[0]


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", "", 3])
def test_a_name_that_leads_elsewhere_is_refused(name: Json) -> None:
    with pytest.raises(ValueError, match="is not the name of a file beside"):
        bodies.read(Lined(file=name), Shelf("x", lambda name: b""))


def test_what_is_no_body_is_refused() -> None:
    with pytest.raises(ValueError, match="one of json, text, base64, file"):
        bodies.read(Lined(yaml=1), Shelf("x"))
