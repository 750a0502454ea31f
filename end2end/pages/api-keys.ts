import { type Locator, type Page, expect } from "@playwright/test";

export const API_KEYS = "/settings/api-keys";

/** The list of API keys, with its dialogs over it. */
export class ApiKeys {
  readonly heading: Locator;
  readonly addLink: Locator;
  readonly addDialog: Locator;
  readonly name: Locator;
  readonly expires: Locator;
  readonly lastDay: Locator;
  /** The new key, shown once. */
  readonly newKey: Locator;

  constructor(readonly page: Page) {
    this.heading = page.getByRole("heading", { name: "API keys", level: 1, exact: true });
    this.addLink = page.getByRole("link", { name: "+ Add API key", exact: true }).first();
    this.addDialog = page.getByRole("dialog", { name: "Add API key", exact: true });
    this.name = this.addDialog.getByLabel("Name", { exact: true });
    this.expires = this.addDialog.getByRole("combobox", { name: "Expires" });
    this.lastDay = this.addDialog.getByLabel("Last day (UTC)");
    this.newKey = page.getByRole("region", { name: /^API key “.*” added$/ });
  }

  async open(): Promise<void> {
    await this.page.goto(API_KEYS);
    await expect(this.heading).toBeVisible();
  }

  row(name: string): Locator {
    return this.page.getByRole("row").filter({ has: this.page.getByText(name, { exact: true }) });
  }

  scope(name: string): Locator {
    return this.addDialog.getByRole("checkbox", { name, exact: true });
  }

  revokeLink(name: string): Locator {
    return this.row(name).getByRole("link", { name: "Revoke" });
  }

  /** The dialog that confirms the revocation. */
  revokeDialog(name: string): Locator {
    return this.page.getByRole("alertdialog", { name: `Revoke “${name}”?`, exact: true });
  }

  async openAddDialog(): Promise<void> {
    await this.addLink.click();
    await expect(this.addDialog).toBeVisible();
  }

  async submit(): Promise<void> {
    await this.addDialog.getByRole("button", { name: "Add", exact: true }).click();
  }

  /** Adds a key with the scope to publish events and returns it. */
  async add(name: string): Promise<string> {
    await this.openAddDialog();
    await this.name.fill(name);
    await this.submit();
    await expect(this.newKey).toBeVisible();
    return (await this.newKey.locator("code").textContent()) ?? "";
  }
}
