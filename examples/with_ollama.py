"""A model on your own machine: Ollama, vLLM, LiteLLM, or whatever else speaks as OpenAI does.

    pip install "khazad-mitm[embedded]" openai
    ollama pull llama3
    python examples/with_ollama.py

`OPENAI_BASE_URL` names another server.
"""

import os
import time

from openai import OpenAI

import khazad

khazad.init(namespace="ollama_example")

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:11434/v1"),
    api_key="ollama",  # such servers want one, and any will do
)

for call in (1, 2):
    start = time.perf_counter()
    response = client.chat.completions.create(
        model="llama3",
        messages=[{"role": "user", "content": "What is the capital of Spain?"}],
    )
    took_ms = (time.perf_counter() - start) * 1000
    print(f"[plain {call}] {took_ms:.1f} ms: {response.choices[0].message.content}")

for call in (1, 2):
    start = time.perf_counter()
    stream = client.chat.completions.create(
        model="llama3",
        messages=[{"role": "user", "content": "Who wrote Don Quixote?"}],
        stream=True,
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    took_ms = (time.perf_counter() - start) * 1000
    print(f"[stream {call}] {took_ms:.1f} ms: {text}")

print(khazad.get_stats())
khazad.stop()
