import { randomUUID } from "node:crypto";

import { Api } from "./api.ts";
import type { Server } from "./server.ts";

export type Role = "admin" | "member" | "viewer";

export interface Person {
  email: string;
  password: string;
}

/** An account that only one test knows: nothing crosses accounts, so no test sees another's webhooks. */
export class Account {
  private readonly name = `e2e-${randomUUID()}`;

  constructor(readonly server: Server) {}

  async person(role: Role): Promise<Person> {
    const person = { email: `${role}-${randomUUID()}@caleida.test`, password: `${role} of ${this.name}` };
    const args = ["user", "add", "--email", person.email, "--role", role, "--account", this.name, "--password-stdin"];
    await this.server.command(args, person.password);
    return person;
  }

  async api(): Promise<Api> {
    const key = await this.server.command(["api-key", "create", "--name", `e2e ${randomUUID()}`, "--account", this.name]);
    return new Api(this.server.url, key);
  }
}
