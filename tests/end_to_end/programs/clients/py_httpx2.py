import httpx2

from rounds import HEADERS, PLAIN, STREAM, URL, body, rounds


def plain():
    return httpx2.post(URL, content=body(PLAIN, stream=False), headers=HEADERS).text


def stream():
    asked = body(STREAM, stream=True)
    with httpx2.stream("POST", URL, content=asked, headers=HEADERS) as answer:
        yield from answer.iter_lines()


rounds("httpx2", plain, stream)
