// What a client that is generated from docs/openapi does: registers a subscriber, changes it, and meets a refusal.
//
//     node act.js ADDRESS TOKEN

import createClient from "openapi-fetch";
import type { components, paths } from "./intake.js";

const [address, token] = process.argv.slice(2);
const intake = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${token}` } });

const wanted: components["schemas"]["NewSubscriber"] = {
  subscriber_no: "ts-1",
  name: "王小明",
  phones: ["13800001111"],
  address: "漕溪路 251 号",
};
const made = await intake.POST("/v1/subscribers", { body: wanted, params: { header: { "Idempotency-Key": "ts-1" } } });
if (made.data === undefined) throw new Error(made.error.detail);

const changed = await intake.PATCH("/v1/subscribers/{subscriber_id}", {
  params: { path: { subscriber_id: made.data.id }, header: { "If-Match": made.response.headers.get("etag") ?? "" } },
  body: { address: "漕溪路 252 号" },
});
if (changed.data === undefined) throw new Error(changed.error.detail);

const refused = await intake.PATCH("/v1/subscribers/{subscriber_id}", {
  params: { path: { subscriber_id: made.data.id }, header: { "If-Match": '"1"' } },
  body: { address: "漕溪路 253 号" },
});
const problem: components["schemas"]["Problem"] | undefined = refused.error;

console.log(JSON.stringify({ version: changed.data.version, address: changed.data.address, code: problem?.code }));
