import Anthropic from "@anthropic-ai/sdk";

import { PLAIN, STREAM, rounds } from "./rounds.mjs";

const { messages } = new Anthropic({ apiKey: "k", maxRetries: 0 });

function asked(question) {
  const said = [{ role: "user", content: question }];
  return { model: "claude-sonnet-4-5", max_tokens: 100, messages: said };
}

await rounds(
  "@anthropic-ai/sdk",
  async () => (await messages.create(asked(PLAIN))).content[0].text,
  async () => (await messages.stream(asked(STREAM)).finalMessage()).content[0].text,
);
