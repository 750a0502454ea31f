import { type Locator, type Page, expect } from "@playwright/test";

export const API_KEYS = "/settings/api-keys";

/** The list of API keys, with its dialogs over it. */
export class ApiKeys {
  readonly heading: Locator;
  readonly addLink: Locator;
  readonly adding: Locator;
  readonly name: Locator;
  readonly expires: Locator;
  readonly lastDay: Locator;
  /** The key that was just made. */
  readonly made: Locator;

  constructor(readonly page: Page) {
    this.heading = page.getByRole("heading", { name: "API keys", level: 1, exact: true });
    this.addLink = page.getByRole("link", { name: "+ Add API key", exact: true }).first();
    this.adding = page.getByRole("dialog", { name: "Add API key", exact: true });
    this.name = this.adding.getByLabel("Name", { exact: true });
    this.expires = this.adding.getByRole("combobox", { name: "Expires" });
    this.lastDay = this.adding.getByLabel("Last day (UTC)");
    this.made = page.getByRole("region", { name: /^API key “.*” made$/ });
  }

  async open(): Promise<void> {
    await this.page.goto(API_KEYS);
    await expect(this.heading).toBeVisible();
  }

  row(name: string): Locator {
    return this.page.getByRole("row").filter({ has: this.page.getByText(name, { exact: true }) });
  }

  scope(name: string): Locator {
    return this.adding.getByRole("checkbox", { name, exact: true });
  }

  revokeLink(name: string): Locator {
    return this.row(name).getByRole("link", { name: "Revoke" });
  }

  /** The dialog that asks whether to revoke the key. */
  revoking(name: string): Locator {
    return this.page.getByRole("alertdialog", { name: `Revoke “${name}”?`, exact: true });
  }

  async openAdding(): Promise<void> {
    await this.addLink.click();
    await expect(this.adding).toBeVisible();
  }

  async submit(): Promise<void> {
    await this.adding.getByRole("button", { name: "Add", exact: true }).click();
  }

  /** Makes a key that may publish, and answers it. */
  async make(name: string): Promise<string> {
    await this.openAdding();
    await this.name.fill(name);
    await this.submit();
    await expect(this.made).toBeVisible();
    return (await this.made.locator("code").textContent()) ?? "";
  }
}
