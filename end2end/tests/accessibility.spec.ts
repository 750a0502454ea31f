import type { Page } from "@playwright/test";

import { Login } from "../pages/login.ts";
import { EVENT_TYPES, LIST, Webhooks } from "../pages/webhooks.ts";
import { expectAccessible } from "../support/axe.ts";
import { SCRIPTLESS, expect, needsScript, signIn, test } from "../support/test.ts";

// axe checks each state three times, which is slow on a busy machine.
test.describe.configure({ timeout: 120_000 });

test("sign-in page, also after an error", async ({ page }) => {
  const login = new Login(page);
  await login.open();
  await expectAccessible(page);
  await login.signIn({ email: "unknown@caleida.test", password: "some long password" });
  await expect(login.error).toBeVisible();
  await expectAccessible(page);
});

test("empty list", async ({ webhooks }) => {
  await expectAccessible(webhooks.page);
});

test("list in all states", async ({ webhooks, api, receivers }) => {
  const [well, slow, broken, gone] = [await receivers(), await receivers(), await receivers(), await receivers()];
  slow.response = { status: 503, headers: { "retry-after": "3600" } };
  broken.response = { status: 500 };
  gone.response = { status: 410 };
  await api.add({ name: "Well", url: well.url(), events: EVENT_TYPES });
  await api.add({ name: "Slow", url: slow.url() });
  await api.add({ name: "Broken", url: broken.url() });
  await api.add({ name: "Gone", url: gone.url() });
  await api.pause((await api.add({ name: "Paused", url: LONG_URL })).id);
  await api.publish("chat");
  await expect.poll(async () => (await api.webhooks()).map((webhook) => webhook.status).sort()).toEqual([
    "active",
    "degraded",
    "disabled",
    "failing",
    "paused",
  ]);
  await webhooks.open();
  await expectAccessible(webhooks.page);
  await webhooks.open("?q=nothing-like-it");
  await expectAccessible(webhooks.page);
});

const LONG_URL = `https://${"long-label.".repeat(8)}example.com/${"path-without-a-space".repeat(8)}`;
const LONG_NAME = "N".repeat(100);

test("texts of maximum length", async ({ webhooks, api }) => {
  const { id } = await api.add({ name: LONG_NAME, url: LONG_URL, events: EVENT_TYPES });
  await webhooks.open();
  await expectAccessible(webhooks.page);
  for (const path of ["", "/delete", "/deliveries"]) {
    await webhooks.page.goto(`${LIST}/${id}${path}`);
    await expectAccessible(webhooks.page);
  }
});

test("dialog “Add Webhook”, also with errors", async ({ webhooks }) => {
  const dialog = await webhooks.openAddDialog();
  await expectAccessible(webhooks.page);
  await dialog.fill({ url: "https://", name: "", secret: "short", events: [] });
  await dialog.button("Add").click();
  await expect(dialog.url).toHaveAttribute("aria-invalid", "true");
  await expectAccessible(webhooks.page);
});

test("dialog “Edit Webhook”, also with the secret revealed and rotated", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/", secret: "correct horse battery staple" });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await expectAccessible(webhooks.page);
  await dialog.button("Reveal").click();
  await expect(dialog.root.getByText("correct horse battery staple")).toBeVisible();
  await expectAccessible(webhooks.page);
  await dialog.button("Rotate").click();
  await expect(dialog.root.getByText("The secret was rotated.")).toBeVisible();
  await expectAccessible(webhooks.page);
});

test("dialog “Edit Webhook” with a conflict", async ({ webhooks, api, signedInPage }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  const otherAdmin = new Webhooks(await signedInPage("admin"));
  await otherAdmin.open();
  const dialog = await webhooks.openEditDialog("Orders");
  const first = await otherAdmin.openEditDialog("Orders");
  await first.fill({ url: LONG_URL });
  await first.button("Save").click();
  await otherAdmin.expectList();
  await dialog.fill({ name: "Mine" });
  await dialog.button("Save").click();
  await expect(dialog.root.getByRole("alert")).toBeVisible();
  await expectAccessible(webhooks.page);
});

test("dialog “Edit Webhook” for a viewer", async ({ api, signedInPage }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  const webhooks = new Webhooks(await signedInPage("viewer"));
  await webhooks.open();
  await webhooks.openEditDialog("Orders");
  await expectAccessible(webhooks.page);
});

test("confirmation of a deletion, and the message after it", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  const dialog = await webhooks.openDeleteDialog("Orders");
  await expectAccessible(webhooks.page);
  await dialog.getByRole("button", { name: "Delete webhook" }).click();
  await webhooks.expectMessage("Webhook “Orders” deleted.");
  await expectAccessible(webhooks.page);
});

test("delivery log, and successful and failed deliveries", async ({ webhooks: { page }, api, receivers }) => {
  await page.goto(`${LIST}/deliveries`);
  await expectAccessible(page);

  const [well, broken] = [await receivers(), await receivers()];
  broken.response = { status: 500, body: "no-space-in-it".repeat(40) };
  const webhooks = [await api.add({ name: "Well", url: well.url() }), await api.add({ name: LONG_NAME, url: broken.url() })];
  await api.publish("chat", { text: "without-a-space".repeat(40) });
  for (const [index, status] of ["delivered", "failed"].entries()) {
    const id = webhooks[index]!.id;
    await expect.poll(async () => (await api.deliveries(id))[0]?.status, { timeout: 15_000 }).toBe(status);
    await page.goto(`${LIST}/deliveries/${(await api.deliveries(id))[0]!.id}`);
    await expectAccessible(page);
  }
  for (const query of ["", "?status=failed", "?status=held"]) {
    await page.goto(`${LIST}/deliveries${query}`);
    await expectAccessible(page);
  }
  await page.goto(`${LIST}/${webhooks[1]!.id}/deliveries`);
  await expectAccessible(page);
});

test("dialog “Send test event”, also with a result", async ({ webhooks: { page }, api, receiver }) => {
  const { id } = await api.add({ name: LONG_NAME, url: receiver.url() });
  await page.goto(`${LIST}/${id}/test`);
  await expectAccessible(page);
  receiver.response = { status: 500, body: "no-space-in-it".repeat(40) };
  await page.getByRole("button", { name: "Send test event" }).click();
  await expect(page.getByText("did not accept the event")).toBeVisible();
  await expectAccessible(page);
});

test("recovery of a webhook, before, during and after", async ({ webhooks: { page }, api, receiver }) => {
  await api.publish("chat", {}, "missed");
  const { id } = await api.add({ name: LONG_NAME, url: receiver.url() });
  for (const query of ["", "?scope=failed", "?scope=missed"]) {
    await page.goto(`${LIST}/${id}/recover${query}`);
    await expectAccessible(page);
  }
  await page.getByRole("button", { name: "Recover" }).click();
  await expect(page.getByRole("heading", { name: "Recoveries" })).toBeVisible();
  await expectAccessible(page);
  await api.pause(id);
  await page.goto(`${LIST}/${id}/recover`);
  await expectAccessible(page);
});

test("catalog of event types", SCRIPTLESS, async ({ page, account, api }) => {
  await signIn(page, await account.createUser("admin"));
  await api.add({ name: LONG_NAME, url: "https://example.com/" });
  await page.goto(`${LIST}/event-types`);
  await page.getByText("JSON Schema", { exact: true }).first().click();
  await expectAccessible(page);
});

test("event list, an event that was sent and one that was not", async ({ webhooks: { page }, api, receiver }) => {
  await page.goto(`${LIST}/events`);
  await expectAccessible(page);
  await api.add({ name: LONG_NAME, url: receiver.url() });
  await api.publish("chat", {}, "sent");
  await api.publish("message", {}, "unsent");
  for (const path of ["", "?sent=no", "?until=2026-01-01T00:00", "/sent", "/unsent"]) {
    await page.goto(`${LIST}/events${path}`);
    await expectAccessible(page);
  }
});

test("error pages", async ({ webhooks, signedInPage }) => {
  await webhooks.page.goto(`${LIST}/wh_nothing`);
  await expectAccessible(webhooks.page);
  const viewer = await signedInPage("viewer");
  await viewer.goto(`${LIST}/new`);
  await expectAccessible(viewer);
});

test("first Tab reaches the link to skip to the content", async ({ webhooks }) => {
  await webhooks.page.keyboard.press("Tab");
  const skip = webhooks.page.getByRole("link", { name: "Skip to content" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await webhooks.page.keyboard.press("Enter");
  await expect(webhooks.page.getByRole("main")).toBeFocused();
});

test("Tab reaches every control in the list", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  const reached = await tabThrough(webhooks.page);
  for (const name of ["Webhook", "Deliveries", "+ Add Webhook", "Search", "Event type", "Status", "Apply", "Orders"]) {
    expect(reached).toContain(name);
  }
});

test("Tab stays in the dialog and reaches every control", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  await webhooks.openEditDialog("Orders");
  const reached = await tabThrough(webhooks.page, 60);
  const fields = ["URL", "Webhook name", "Secret", ...EVENT_TYPES, "Select all insights"];
  const buttons = ["View deliveries", "Reveal", "Rotate", "Delete", "Pause", "Cancel", "Save"];
  for (const name of [...fields, ...buttons]) expect(reached).toContain(name);
  for (const covered of ["Orders", "+ Add Webhook", "Skip to content", "Apply"]) expect(reached).not.toContain(covered);
});

/** Presses Tab repeatedly and returns the names of the focused elements. */
async function tabThrough(page: Page, presses = 40): Promise<string[]> {
  const reached = [];
  for (let press = 0; press < presses; press++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(nameOfFocus));
  }
  return reached;
}

function nameOfFocus(): string {
  const focused = document.activeElement;
  const label = focused instanceof HTMLInputElement || focused instanceof HTMLSelectElement ? focused.labels?.[0] : null;
  return (label ?? focused)?.textContent?.trim() ?? "";
}

test("focus is always visible", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  for (const locator of [webhooks.addLink, webhooks.search, webhooks.link("Orders"), webhooks.eventType]) {
    await locator.focus();
    await webhooks.page.keyboard.press("Shift+Tab");
    await webhooks.page.keyboard.press("Tab");
    await expect(locator).toBeFocused();
    const visible = await locator.evaluate((element) => {
      const row = element.closest("tr") ?? element;
      const around = [element, row].flatMap((at) => [getComputedStyle(at), getComputedStyle(at, "::after")]);
      return around.some((style) => style.outlineStyle !== "none" || style.boxShadow !== "none");
    });
    expect(visible, `the focus of ${locator}`).toBe(true);
  }
});

test("closing a dialog returns the focus to the element that opened it", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  await webhooks.link("Orders").focus();
  await webhooks.page.keyboard.press("Enter");
  await webhooks.editDialog.button("Cancel").click();
  await webhooks.expectList();
  await expect(webhooks.link("Orders")).toBeFocused();

  await webhooks.addLink.focus();
  await webhooks.page.keyboard.press("Enter");
  await webhooks.addDialog.button("Cancel").click();
  await webhooks.expectList();
  await expect(webhooks.addLink).toBeFocused();
});

test("theme is stored", async ({ webhooks: { page } }) => {
  await page.emulateMedia({ colorScheme: "light" });
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.getByText(/^admin-.*@caleida\.test$/).click();
  await page.getByRole("button", { name: "Dark", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Webhook", level: 1 })).toBeVisible();
  await expect.poll(background).not.toBe(light);
  await expectAccessible(page);
  await page.goto(`${LIST}/deliveries`);
  expect(await background()).not.toBe(light);
});

test.describe("with JavaScript", () => {
  needsScript();

  test("dialog becomes modal and keeps the focus", async ({ webhooks }) => {
    const dialog = await webhooks.openAddDialog();
    await webhooks.expectModal(dialog.root);
    await expect(dialog.url).toBeFocused();
    await expectAccessible(webhooks.page);
  });
});
