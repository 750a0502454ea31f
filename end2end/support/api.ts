/** API client with a key of the account. */
export class Api {
  constructor(
    private readonly server: string,
    private readonly key: string,
  ) {}

  /** Publishes an event. */
  async publish(type: string, data: object = { text: "hello" }, id?: string): Promise<Published> {
    return this.call("POST", "/events", id === undefined ? { type, data } : { type, data, id });
  }

  /** Publishes `count` events in one batch. */
  async publishMany(type: string, count: number): Promise<void> {
    const events = Array.from({ length: count }, (_, number) => ({ type, data: { number } }));
    await this.call("POST", "/events/batch", { events });
  }

  async add(webhook: { name: string; url: string; events?: string[]; secret?: string } & Options): Promise<Added> {
    return this.call("POST", "/webhooks", { events: ["chat"], ...webhook });
  }

  async webhooks(): Promise<Added[]> {
    const { webhooks } = await this.call<{ webhooks: Added[] }>("GET", "/webhooks");
    return webhooks;
  }

  async change(id: string, changes: object): Promise<void> {
    await this.call("PATCH", `/webhooks/${id}`, changes);
  }

  async pause(id: string): Promise<void> {
    await this.call("POST", `/webhooks/${id}/pause`, {});
  }

  async deliveries(webhook: string): Promise<Delivery[]> {
    const { deliveries } = await this.call<{ deliveries: Delivery[] }>("GET", `/deliveries?webhook=${webhook}`);
    return deliveries;
  }

  /** Returns the number of delivered deliveries in the log, which is updated shortly after the call. */
  async delivered(): Promise<number> {
    const { deliveries } = await this.call<{ deliveries: Delivery[] }>("GET", "/deliveries?status=delivered");
    return deliveries.length;
  }

  private async call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.server}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.key}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} returned ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }
}

export interface Published {
  id: string;
  deliveries: number;
}

/** Optional settings of a webhook. */
export interface Options {
  headers?: Record<string, string>;
  filter?: object;
  rate_limit?: number;
}

export interface Added {
  id: string;
  name: string;
  url: string;
  events: string[];
  status: string;
  secret: string;
}

export interface Delivery {
  id: string;
  event_id: string;
  status: string;
  attempts: number;
}
