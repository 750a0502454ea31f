import { readFile } from "node:fs/promises";

import { type Locator, type Page } from "@playwright/test";

import { expectAccessible } from "../support/axe.ts";
import { expect, test } from "../support/test.ts";

const LOG = "/settings/audit-log";

test.describe.configure({ timeout: 120_000 });

const entries = (page: Page): Locator => page.getByRole("rowheader");

test("changes are listed with their actor and previous values", async ({ webhooks, api }) => {
  const { page } = webhooks;
  await api.add({ name: "Orders", url: "https://example.com/orders" });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.fill({ name: "Invoices" });
  await dialog.button("Save").click();
  await webhooks.expectMessage("Webhook “Invoices” saved.");

  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Audit log" }).click();
  const edited = page.getByRole("row").filter({ hasText: "Webhook edited" });
  await expect(edited).toContainText(/admin-.*@caleida\.test/);
  await expect(edited).toContainText("127.0.0.1");
  // Opens by keyboard, with and without JavaScript.
  await edited.getByText("Details", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(edited.getByText("Orders", { exact: true })).toBeVisible();
  await expect(edited.locator("dl")).toContainText("NameBeforeOrdersAfterInvoices");

  // Links from an entry to all entries of the same webhook and of the same actor.
  await edited.getByRole("link", { name: "Invoices" }).click();
  await expect(entries(page)).toHaveText([/Webhook edited/, /Webhook added/]);
  await page.getByRole("link", { name: /^API key “/ }).click();
  await expect(entries(page)).toHaveText([/Webhook added/]);
  await page.getByRole("link", { name: "Clear filters" }).click();
  await expect(page).toHaveURL(LOG);
});

test("log can be filtered and exported", async ({ webhooks, api }) => {
  const { page } = webhooks;
  const { id } = await api.add({ name: "Orders", url: "https://example.com/orders" });
  await api.pause(id);
  await page.goto(LOG);
  await page.getByRole("combobox", { name: "Action" }).selectOption("Webhook paused");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(`${LOG}?action=webhook.paused`);
  await expect(entries(page)).toHaveText([/Webhook paused/]);

  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export as JSON Lines" }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^caleida-audit-log-\d{4}-\d\d-\d\d\.jsonl$/);
  const lines = (await readFile(await download.path(), "utf8")).trimEnd().split("\n");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ action: "webhook.paused", subject: id, subject_name: "Orders" });

  await page.getByLabel("Until").fill("2026-01-01T00:00");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("No matches")).toBeVisible();
});

test("non-admins see an error page", async ({ signedInPage }) => {
  const page = await signedInPage("viewer");
  await page.goto(LOG);
  await expect(page.getByText("Only admins may see the audit log.")).toBeVisible();
});

test("all states of the log are accessible", async ({ webhooks, api }) => {
  const { page } = webhooks;
  const { id } = await api.add({ name: "N".repeat(100), url: `https://example.com/${"path".repeat(60)}` });
  await api.pause(id);
  await page.goto(LOG);
  for (const details of await page.getByText("Details", { exact: true }).all()) {
    await details.focus();
    await page.keyboard.press("Enter");
  }
  await expectAccessible(page);
  await page.goto(`${LOG}?action=nothing.like_it`);
  await expect(page.getByText("No matches")).toBeVisible();
  await expectAccessible(page);
});
