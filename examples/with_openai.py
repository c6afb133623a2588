"""OpenAI's SDK, twice plain and twice as a stream: the provider is asked once for each.

pip install "khazad-mitm[embedded]" openai
OPENAI_API_KEY=sk-... python examples/with_openai.py
"""

import time

from openai import OpenAI

import khazad

khazad.init()

# Before or after init(): every client of this process is reached.
client = OpenAI()

for call in (1, 2):
    start = time.perf_counter()
    response = client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "What is the capital of Italy?"}],
    )
    took_ms = (time.perf_counter() - start) * 1000
    print(f"[plain {call}] {took_ms:.1f} ms: {response.choices[0].message.content}")

for call in (1, 2):
    start = time.perf_counter()
    stream = client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "Who wrote the Divine Comedy?"}],
        stream=True,
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    took_ms = (time.perf_counter() - start) * 1000
    print(f"[stream {call}] {took_ms:.1f} ms: {text}")

print(khazad.get_stats())
khazad.stop()
