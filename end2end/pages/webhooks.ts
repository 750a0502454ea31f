import { type Locator, type Page, expect } from "@playwright/test";

export const LIST = "/integrations/webhook";

/** The list of webhooks, with its dialogs over it. */
export class Webhooks {
  readonly heading: Locator;
  readonly addLink: Locator;
  readonly search: Locator;
  readonly eventType: Locator;
  readonly status: Locator;
  readonly adding: WebhookDialog;
  readonly editing: WebhookDialog;

  constructor(readonly page: Page) {
    this.heading = page.getByRole("heading", { name: "Webhook", level: 1, exact: true });
    this.addLink = page.getByRole("link", { name: "+ Add Webhook", exact: true });
    this.search = page.getByRole("searchbox", { name: "Search" });
    this.eventType = page.getByRole("combobox", { name: "Event type" });
    this.status = page.getByRole("combobox", { name: "Status" });
    this.adding = new WebhookDialog(page, "Add Webhook");
    this.editing = new WebhookDialog(page, "Edit Webhook");
  }

  async open(query = ""): Promise<void> {
    await this.page.goto(LIST + query);
    await expect(this.heading).toBeVisible();
  }

  row(name: string): Locator {
    return this.page.getByRole("row").filter({ has: this.link(name) });
  }

  link(name: string): Locator {
    return this.page.getByRole("link", { name, exact: true });
  }

  /** The names in the list, from top to bottom. */
  async expectNames(...names: string[]): Promise<void> {
    await expect(this.page.getByRole("rowheader").getByRole("link")).toHaveText(names);
  }

  async apply(): Promise<void> {
    await this.page.getByRole("button", { name: "Apply" }).click();
  }

  /** What the last thing that was done is said to have done. */
  async expectMessage(text: string): Promise<void> {
    await expect(this.page.getByRole("status").filter({ hasText: text })).toHaveText(text);
  }

  async openAdding(): Promise<WebhookDialog> {
    await this.addLink.click();
    await expect(this.adding.root).toBeVisible();
    return this.adding;
  }

  async openEditing(name: string): Promise<WebhookDialog> {
    await this.link(name).click();
    await expect(this.editing.root).toBeVisible();
    return this.editing;
  }

  deleting(name: string): Locator {
    return this.page.getByRole("alertdialog", { name: `Delete “${name}”?`, exact: true });
  }

  async openDeleting(name: string): Promise<Locator> {
    const editing = await this.openEditing(name);
    await editing.delete.click();
    await expect(this.deleting(name)).toBeVisible();
    return this.deleting(name);
  }

  /** The script has made the dialog a modal one. */
  async expectModal(dialog: Locator): Promise<void> {
    await expect.poll(() => dialog.evaluate((element) => element.matches(":modal"))).toBe(true);
  }

  /** At the list again, with nothing over it. */
  async expectList(): Promise<void> {
    await expect(this.page).toHaveURL(/\/integrations\/webhook(\?.*)?$/);
    await expect(this.heading).toBeVisible();
    await expect(this.page.getByRole("dialog").or(this.page.getByRole("alertdialog"))).toHaveCount(0);
  }
}

export interface Fields {
  url?: string;
  name?: string;
  secret?: string;
  /** All that shall be ticked. */
  events?: string[];
}

export const EVENT_TYPES = [
  "chat",
  "message",
  "insight.summary",
  "insight.topic",
  "insight.key",
  "insight.conversation",
  "insight.sentiment",
];

/** “Add Webhook” or “Edit Webhook”. */
export class WebhookDialog {
  readonly root: Locator;
  readonly url: Locator;
  readonly name: Locator;
  readonly secret: Locator;
  readonly events: Locator;
  readonly delete: Locator;

  constructor(page: Page, title: "Add Webhook" | "Edit Webhook") {
    this.root = page.getByRole("dialog", { name: title, exact: true });
    this.url = this.root.getByLabel("URL", { exact: true });
    this.name = this.root.getByLabel("Webhook name", { exact: true });
    this.secret = this.root.getByLabel("Secret", { exact: true });
    this.events = this.root.getByRole("group", { name: "Events", exact: true });
    this.delete = this.button("Delete");
  }

  button(name: string): Locator {
    return this.root.getByRole("button", { name, exact: true });
  }

  event(type: string): Locator {
    return this.events.getByRole("checkbox", { name: type, exact: true });
  }

  async fill(fields: Fields): Promise<void> {
    if (fields.url !== undefined) await this.url.fill(fields.url);
    if (fields.name !== undefined) await this.name.fill(fields.name);
    if (fields.secret !== undefined) await this.secret.fill(fields.secret);
    if (fields.events === undefined) return;
    for (const type of EVENT_TYPES) {
      await this.event(type).setChecked(fields.events.includes(type));
    }
  }

  async expectFields(fields: Fields): Promise<void> {
    if (fields.url !== undefined) await expect(this.url).toHaveValue(fields.url);
    if (fields.name !== undefined) await expect(this.name).toHaveValue(fields.name);
    if (fields.secret !== undefined) await expect(this.secret).toHaveValue(fields.secret);
    if (fields.events === undefined) return;
    for (const type of EVENT_TYPES) {
      await expect(this.event(type)).toBeChecked({ checked: fields.events.includes(type) });
    }
  }

  /** The field is marked as refused, and described by why. */
  async expectRefused(field: Locator, message: string): Promise<void> {
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(field).toHaveAccessibleDescription(new RegExp(literally(message)));
    await expect(this.root.getByText(message, { exact: true })).toBeVisible();
  }
}

export function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
