import { type Locator, type Page, expect } from "@playwright/test";

import type { Role } from "../support/account.ts";

export const USERS = "/settings/users";

/** The pages of the users of the account. */
export class Users {
  readonly heading: Locator;
  readonly email: Locator;
  readonly createLink: Locator;
  readonly link: Locator;

  constructor(readonly page: Page) {
    this.heading = page.getByRole("heading", { name: "Users", level: 1 });
    this.email = page.getByRole("textbox", { name: "Email" });
    this.createLink = page.getByRole("button", { name: "Create invite link" });
    this.link = page.getByRole("status").locator("code");
  }

  async open(): Promise<void> {
    await this.page.goto(USERS);
    await expect(this.heading).toBeVisible();
  }

  row(email: string): Locator {
    return this.page.getByRole("row").filter({ has: this.page.getByText(email, { exact: true }) });
  }

  role(role: Role): Locator {
    return this.page.getByRole("radio", { name: role[0]!.toUpperCase() + role.slice(1) });
  }

  /** Invites a user and returns the link. */
  async invite(email: string, role: Role): Promise<string> {
    await this.email.fill(email);
    await this.role(role).check();
    await this.createLink.click();
    return this.newLink(email);
  }

  async newLink(email: string): Promise<string> {
    await expect(this.page.getByRole("heading", { name: `Link for ${email}` })).toBeVisible();
    return (await this.link.textContent())!;
  }

  async openUser(email: string): Promise<void> {
    await this.page.getByRole("link", { name: email, exact: true }).click();
    await expect(this.page.getByRole("heading", { name: email })).toBeVisible();
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  async expectMessage(text: string): Promise<void> {
    await expect(this.page.getByRole("status").filter({ hasText: text })).toHaveText(text);
  }
}

/** The page of an invite. */
export class JoinPage {
  readonly heading: Locator;
  readonly email: Locator;
  readonly password: Locator;
  readonly button: Locator;
  readonly error: Locator;

  constructor(readonly page: Page) {
    this.heading = page.getByRole("heading", { name: "Join", exact: true });
    this.email = page.getByLabel("Email", { exact: true });
    this.password = page.getByLabel("Password", { exact: true });
    this.button = page.getByRole("button", { name: "Join", exact: true });
    this.error = page.getByRole("heading", { name: "This link cannot be used" });
  }
}
