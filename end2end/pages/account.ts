import { type Locator, type Page, expect } from "@playwright/test";

export const ACCOUNT = "/settings/account";

/** The page “Account”. */
export class AccountPage {
  readonly heading: Locator;
  readonly old: Locator;
  readonly new: Locator;
  readonly change: Locator;
  readonly sessions: Locator;
  readonly endOthers: Locator;

  constructor(readonly page: Page) {
    this.heading = page.getByRole("heading", { name: "Account", level: 1 });
    this.old = page.getByLabel("Current password", { exact: true });
    this.new = page.getByLabel("New password", { exact: true });
    this.change = page.getByRole("button", { name: "Change password" });
    this.sessions = page.getByRole("table", { name: "Sessions" }).getByRole("row").filter({ has: page.getByRole("rowheader") });
    this.endOthers = page.getByRole("button", { name: "End all other sessions" });
  }

  async open(): Promise<void> {
    await this.page.goto(ACCOUNT);
    await expect(this.heading).toBeVisible();
  }

  async changePassword(old: string, next: string): Promise<void> {
    await this.old.fill(old);
    await this.new.fill(next);
    await this.change.click();
  }

  async expectMessage(text: string): Promise<void> {
    await expect(this.page.getByRole("status").filter({ hasText: text })).toHaveText(text);
  }
}
