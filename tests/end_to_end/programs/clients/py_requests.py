import requests

from rounds import HEADERS, PLAIN, STREAM, URL, body, rounds


def plain():
    return requests.post(URL, body(PLAIN, stream=False), headers=HEADERS, timeout=60).text


def stream():
    asked = body(STREAM, stream=True)
    with requests.post(URL, asked, headers=HEADERS, timeout=60, stream=True) as answer:
        for line in answer.iter_lines():
            yield line.decode()


rounds("requests", plain, stream)
