import asyncio

import aiohttp

from rounds import HEADERS, PLAIN, STREAM, URL, body, rounds


async def ask(question, *, stream):
    # aiohttp looks at the variables for a proxy only when told to.
    async with aiohttp.ClientSession(trust_env=True) as session:
        asked = body(question, stream=stream)
        async with session.post(URL, data=asked, headers=HEADERS) as answer:
            return [piece.decode() async for piece in answer.content.iter_any()]


rounds(
    "aiohttp",
    lambda: "".join(asyncio.run(ask(PLAIN, stream=False))),
    lambda: asyncio.run(ask(STREAM, stream=True)),
)
