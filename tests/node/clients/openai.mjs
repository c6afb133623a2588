import OpenAI from "openai";

import { PLAIN, STREAM, asked, rounds } from "./rounds.mjs";

const { completions } = new OpenAI({ apiKey: "k", maxRetries: 0 }).chat;

await rounds(
  "openai",
  async () => (await completions.create(asked(PLAIN))).choices[0].message.content,
  async () => {
    let all = "";
    for await (const chunk of await completions.create(asked(STREAM, { stream: true }))) {
      all += chunk.choices[0]?.delta?.content ?? "";
    }
    return all;
  },
);
