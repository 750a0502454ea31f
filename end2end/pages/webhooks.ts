import { type Locator, type Page, expect } from "@playwright/test";

export const LIST = "/integrations/webhook";

/** The list of webhooks, with its dialogs over it. */
export class Webhooks {
  readonly heading: Locator;
  readonly addLink: Locator;
  readonly search: Locator;
  readonly eventType: Locator;
  readonly status: Locator;
  readonly addDialog: WebhookDialog;
  readonly editDialog: WebhookDialog;

  constructor(readonly page: Page) {
    this.heading = page.getByRole("heading", { name: "Webhook", level: 1, exact: true });
    this.addLink = page.getByRole("link", { name: "+ Add Webhook", exact: true });
    this.search = page.getByRole("searchbox", { name: "Search" });
    this.eventType = page.getByRole("combobox", { name: "Event type" });
    this.status = page.getByRole("combobox", { name: "Status" });
    this.addDialog = new WebhookDialog(page, "Add Webhook");
    this.editDialog = new WebhookDialog(page, "Edit Webhook");
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

  /** Expects these names in the list, in this order. */
  async expectNames(...names: string[]): Promise<void> {
    await expect(this.page.getByRole("rowheader").getByRole("link")).toHaveText(names);
  }

  async apply(): Promise<void> {
    await this.page.getByRole("button", { name: "Apply" }).click();
  }

  /** Expects the status message of the latest change. */
  async expectMessage(text: string): Promise<void> {
    await expect(this.page.getByRole("status").filter({ hasText: text })).toHaveText(text);
  }

  async openAddDialog(): Promise<WebhookDialog> {
    await this.addLink.click();
    await expect(this.addDialog.root).toBeVisible();
    return this.addDialog;
  }

  async openEditDialog(name: string): Promise<WebhookDialog> {
    await this.link(name).click();
    await expect(this.editDialog.root).toBeVisible();
    return this.editDialog;
  }

  deleteDialog(name: string): Locator {
    return this.page.getByRole("alertdialog", { name: `Delete “${name}”?`, exact: true });
  }

  async openDeleteDialog(name: string): Promise<Locator> {
    const editDialog = await this.openEditDialog(name);
    await editDialog.delete.click();
    await expect(this.deleteDialog(name)).toBeVisible();
    return this.deleteDialog(name);
  }

  /** Expects that the script has made the dialog modal. */
  async expectModal(dialog: Locator): Promise<void> {
    await expect.poll(() => dialog.evaluate((element) => element.matches(":modal"))).toBe(true);
  }

  /** Expects the list without a dialog. */
  async expectList(): Promise<void> {
    await expect(this.page).toHaveURL(/\/integrations\/webhook(\?.*)?$/);
    await expect(this.heading).toBeVisible();
    await expect(this.page.getByRole("dialog").or(this.page.getByRole("alertdialog"))).toHaveCount(0);
  }
}

export interface WebhookFields {
  url?: string;
  name?: string;
  secret?: string;
  /** The checked events. */
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

/** The dialog “Add Webhook” or “Edit Webhook”. */
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

  async fill(fields: WebhookFields): Promise<void> {
    if (fields.url !== undefined) await this.url.fill(fields.url);
    if (fields.name !== undefined) await this.name.fill(fields.name);
    if (fields.secret !== undefined) await this.secret.fill(fields.secret);
    if (fields.events === undefined) return;
    for (const type of EVENT_TYPES) {
      await this.event(type).setChecked(fields.events.includes(type));
    }
  }

  async expectFields(fields: WebhookFields): Promise<void> {
    if (fields.url !== undefined) await expect(this.url).toHaveValue(fields.url);
    if (fields.name !== undefined) await expect(this.name).toHaveValue(fields.name);
    if (fields.secret !== undefined) await expect(this.secret).toHaveValue(fields.secret);
    if (fields.events === undefined) return;
    for (const type of EVENT_TYPES) {
      await expect(this.event(type)).toBeChecked({ checked: fields.events.includes(type) });
    }
  }

  /** Expects an error at the field. */
  async expectFieldError(field: Locator, message: string): Promise<void> {
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(field).toHaveAccessibleDescription(new RegExp(escapeRegExp(message)));
    await expect(this.root.getByText(message, { exact: true })).toBeVisible();
  }
}

export function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
