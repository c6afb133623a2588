import os

import urllib3

from rounds import HEADERS, PLAIN, STREAM, URL, body, rounds

# urllib3 looks at no variable for the proxy.
pool = urllib3.ProxyManager(os.environ["HTTPS_PROXY"])


def plain():
    answer = pool.request("POST", URL, body=body(PLAIN, stream=False), headers=HEADERS)
    return answer.data.decode()


def stream():
    asked = body(STREAM, stream=True)
    answer = pool.request("POST", URL, body=asked, headers=HEADERS, preload_content=False)
    for piece in answer.stream():
        yield piece.decode()
    answer.release_conn()


rounds("urllib3", plain, stream)
