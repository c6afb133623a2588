import axios from "axios";

import { HEADERS, PLAIN, STREAM, URL, asked, rounds } from "./rounds.mjs";

await rounds(
  "axios",
  async () => JSON.stringify((await axios.post(URL, asked(PLAIN), { headers: HEADERS })).data),
  async () => {
    const body = asked(STREAM, { stream: true });
    const answer = await axios.post(URL, body, { headers: HEADERS, responseType: "stream" });
    let all = "";
    for await (const piece of answer.data) all += piece;
    return all;
  },
);
