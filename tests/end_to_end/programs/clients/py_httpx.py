import httpx

from rounds import HEADERS, PLAIN, STREAM, URL, body, rounds


def plain():
    return httpx.post(URL, content=body(PLAIN, stream=False), headers=HEADERS).text


def stream():
    asked = body(STREAM, stream=True)
    with httpx.stream("POST", URL, content=asked, headers=HEADERS) as answer:
        yield from answer.iter_lines()


rounds("httpx", plain, stream)
