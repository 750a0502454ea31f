import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const MAX_BODY = 1024 * 1024;
const TOLERANCE = 5 * 60; // seconds

const secret = process.env.WEBHOOK_SECRET;
if (!secret) {
  console.error("Set WEBHOOK_SECRET to the webhook's secret.");
  process.exit(1);
}
// whsec_ is followed by the key in base64. Any other secret is itself the key.
const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);

// In production, store the ids in a database, in a unique column.
const seen = new Set();

function verify(body, headers) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = headers;
  if (!id || !timestamp || !signatures) throw new Error("a webhook header is missing");
  // Rejects replays: a recorded call has a valid signature, but an old timestamp.
  const now = Math.floor(Date.now() / 1000);
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp)) > TOLERANCE) {
    throw new Error("webhook-timestamp is not within 5 minutes of now");
  }
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  const expected = Buffer.from(`v1,${mac}`);
  // During a rotation there are two signatures, and one match is enough.
  // timingSafeEqual takes constant time, so timing reveals nothing about the expected signature.
  const good = signatures.split(" ").map((given) => Buffer.from(given))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
  if (!good) throw new Error("no signature matches");
}

async function receive(request, response) {
  const answer = (status, reason) => response.writeHead(status).end(reason);
  if (request.method !== "POST") return answer(405, "send a POST");
  if (Number(request.headers["content-length"]) > MAX_BODY) return answer(413, "the body is too large");
  const chunks = []; // the raw bytes: re-serialized JSON would not match the signature
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) return answer(413, "the body is too large");
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  let event;
  try {
    verify(body, request.headers);
    event = JSON.parse(body.toString());
  } catch (error) {
    return answer(400, error.message);
  }
  const id = request.headers["webhook-id"];
  const again = seen.has(id) ? " again" : "";
  seen.add(id);
  // Put new events into a queue here: processing must not delay the response.
  console.log(`${event?.type ?? "unknown"} ${id}${again}`);
  answer(204);
}

const server = createServer((request, response) => {
  receive(request, response).catch(() => response.destroy()); // the caller disconnected
});
server.listen(Number(process.env.PORT ?? 4040), "127.0.0.1", () => console.log("listening"));
