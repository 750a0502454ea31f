import { type Locator, type Page, expect } from "@playwright/test";

import type { Role } from "../support/account.ts";

export const USERS = "/settings/users";

/** Who belongs to the account, and each of them. */
export class Users {
  readonly heading: Locator;
  readonly email: Locator;
  readonly makeLink: Locator;
  readonly link: Locator;

  constructor(readonly page: Page) {
    this.heading = page.getByRole("heading", { name: "Users", level: 1 });
    this.email = page.getByRole("textbox", { name: "Email" });
    this.makeLink = page.getByRole("button", { name: "Make a link" });
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

  /** Fills in the form, and answers the link that it makes. */
  async invite(email: string, role: Role): Promise<string> {
    await this.email.fill(email);
    await this.role(role).check();
    await this.makeLink.click();
    return this.newLink(email);
  }

  async newLink(email: string): Promise<string> {
    await expect(this.page.getByRole("heading", { name: `Link for ${email}` })).toBeVisible();
    return (await this.link.textContent())!;
  }

  async openPerson(email: string): Promise<void> {
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

/** What an invited person sees. */
export class Joining {
  readonly heading: Locator;
  readonly email: Locator;
  readonly password: Locator;
  readonly button: Locator;
  readonly refusal: Locator;

  constructor(readonly page: Page) {
    this.heading = page.getByRole("heading", { name: "Join", exact: true });
    this.email = page.getByLabel("Email", { exact: true });
    this.password = page.getByLabel("Password", { exact: true });
    this.button = page.getByRole("button", { name: "Join", exact: true });
    this.refusal = page.getByRole("heading", { name: "This link cannot be used" });
  }
}
