import { type Locator, expect } from "@playwright/test";

/** The optional settings in the dialog of a webhook. */
export class Advanced {
  readonly disclosure: Locator;
  readonly description: Locator;
  readonly headers: Locator;
  readonly filter: Locator;
  readonly rateLimit: Locator;
  readonly timeout: Locator;
  readonly retries: Locator;
  readonly preview: Locator;

  constructor(private readonly dialog: Locator) {
    this.disclosure = dialog.locator("summary").filter({ hasText: "Advanced" });
    this.description = dialog.getByLabel("Description", { exact: true });
    this.headers = dialog.getByRole("group", { name: "Headers", exact: true });
    this.filter = dialog.getByRole("group", { name: "Filter", exact: true });
    this.rateLimit = dialog.getByLabel("Rate limit", { exact: true });
    this.timeout = dialog.getByLabel("Timeout", { exact: true });
    this.retries = dialog.getByLabel("Retries", { exact: true });
    this.preview = this.filter.locator(".preview");
  }

  async open(): Promise<void> {
    if (!(await this.description.isVisible())) await this.disclosure.click();
    await expect(this.description).toBeVisible();
  }

  button(name: string): Locator {
    return this.dialog.getByRole("button", { name, exact: true });
  }

  header(number: number): Locator {
    return this.headers.getByRole("group", { name: `Header ${number}`, exact: true });
  }

  condition(number: number): Locator {
    return this.filter.getByRole("group", { name: `Condition ${number}`, exact: true });
  }

  /** Adds a header with one of the buttons, and fills its last field. */
  async addHeader(button: string, number: number, fields: Record<string, string>): Promise<void> {
    await this.button(button).click();
    await expect(this.header(number)).toBeVisible();
    for (const [label, value] of Object.entries(fields)) {
      await this.header(number).getByLabel(label, { exact: true }).fill(value);
    }
  }

  async fillCondition(number: number, field: string, operator: string, value: string): Promise<void> {
    const row = this.condition(number);
    await row.getByLabel("Field", { exact: true }).fill(field);
    await row.getByLabel("Operator", { exact: true }).selectOption(operator);
    await row.getByLabel("Value", { exact: true }).fill(value);
  }
}
