import { once } from "node:events";
import { type IncomingHttpHeaders, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { Webhook } from "standardwebhooks";

/** A received request. */
export interface Call {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Raw body. */
  body: string;
  /** Result of the official library: `verified` or the error. */
  verification: string;
}

export interface ReceiverResponse {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** A webhook receiver that verifies each call with the official library and records it. */
export class Receiver {
  readonly calls: Call[] = [];
  /** Response to every call. */
  response: ReceiverResponse = { status: 200 };
  /** Secret of the webhook. */
  secret: string | undefined;
  private readonly server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const body = Buffer.concat(chunks).toString();
      this.calls.push({ method, path: url, headers, body, verification: this.verify(body, headers) });
      this.respond(response);
    });
  });

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.server.listen(0, "127.0.0.1");
    await once(receiver.server, "listening");
    return receiver;
  }

  url(path = "/"): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  /** Returns the calls to a path. */
  callsTo(path: string): Call[] {
    return this.calls.filter((call) => call.path === path);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private verify(body: string, headers: IncomingHttpHeaders): string {
    if (this.secret === undefined) return "no secret to verify with";
    try {
      verifier(this.secret).verify(body, headers as Record<string, string>);
      return "verified";
    } catch (error) {
      return String(error);
    }
  }

  private respond(response: ServerResponse): void {
    const { status, headers = {}, body = "" } = this.response;
    response.writeHead(status, headers).end(body);
  }
}

/** Returns the verifier. A plain-text secret is the raw key; `whsec_…` is decoded. */
function verifier(secret: string): Webhook {
  return secret.startsWith("whsec_") ? new Webhook(secret) : new Webhook(secret, { format: "raw" });
}
