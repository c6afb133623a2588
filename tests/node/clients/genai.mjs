import { GoogleGenAI } from "@google/genai";

import { PLAIN, STREAM, rounds } from "./rounds.mjs";

const { models } = new GoogleGenAI({ apiKey: "k" });
const model = "gemini-2.5-flash";

await rounds(
  "@google/genai",
  async () => (await models.generateContent({ model, contents: PLAIN })).text,
  async () => {
    let all = "";
    for await (const chunk of await models.generateContentStream({ model, contents: STREAM })) {
      all += chunk.text ?? "";
    }
    return all;
  },
);
