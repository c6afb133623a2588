"""Claude, by Anthropic's SDK.

pip install "khazad-mitm[embedded]" anthropic
ANTHROPIC_API_KEY=sk-ant-... python examples/with_anthropic.py
"""

import time

from anthropic import Anthropic

import khazad

khazad.init(namespace="anthropic_example")

client = Anthropic()

for call in (1, 2):
    start = time.perf_counter()
    message = client.messages.create(
        model="claude-haiku-4-5-20251001",
        max_tokens=256,
        messages=[{"role": "user", "content": "What is the capital of France?"}],
    )
    took_ms = (time.perf_counter() - start) * 1000
    text = "".join(block.text for block in message.content if block.type == "text")
    print(f"[plain {call}] {took_ms:.1f} ms: {text}")

for call in (1, 2):
    start = time.perf_counter()
    with client.messages.stream(
        model="claude-haiku-4-5-20251001",
        max_tokens=256,
        messages=[{"role": "user", "content": "Who wrote The Count of Monte Cristo?"}],
    ) as stream:
        text = "".join(stream.text_stream)
    took_ms = (time.perf_counter() - start) * 1000
    print(f"[stream {call}] {took_ms:.1f} ms: {text}")

print(khazad.get_stats())
khazad.stop()
