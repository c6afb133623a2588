import boto3

from rounds import PLAIN, STREAM, rounds

client = boto3.client(
    "bedrock-runtime",
    region_name="us-east-1",
    aws_access_key_id="AKIDEXAMPLE",
    aws_secret_access_key="k",
)


def asked(question):
    said = [{"role": "user", "content": [{"text": question}]}]
    return {"modelId": "anthropic.claude-3-haiku-20240307-v1:0", "messages": said}


def plain():
    return client.converse(**asked(PLAIN))["output"]["message"]["content"][0]["text"]


def stream():
    for event in client.converse_stream(**asked(STREAM))["stream"]:
        yield event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")


rounds("boto3", plain, stream)
