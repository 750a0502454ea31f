import { randomUUID } from "node:crypto";

import { Api } from "./api.ts";
import type { Server } from "./server.ts";

export type Role = "admin" | "member" | "viewer";

export interface Credentials {
  email: string;
  password: string;
}

/** An account for one test. Accounts are isolated, so tests do not see each other's webhooks. */
export class Account {
  private readonly name = `e2e-${randomUUID()}`;

  constructor(readonly server: Server) {}

  /** Creates a user with this role and returns the credentials. */
  async createUser(role: Role): Promise<Credentials> {
    const user = { email: `${role}-${randomUUID()}@caleida.test`, password: `${role} of ${this.name}` };
    const args = ["user", "add", "--email", user.email, "--role", role, "--account", this.name, "--password-stdin"];
    await this.server.command(args, user.password);
    return user;
  }

  async api(): Promise<Api> {
    const key = await this.server.command(["api-key", "create", "--name", `e2e ${randomUUID()}`, "--account", this.name]);
    return new Api(this.server.url, key);
  }
}
