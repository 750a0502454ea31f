import type { Locator } from "@playwright/test";

import { EVENT_TYPES, Webhooks } from "../pages/webhooks.ts";
import { Account } from "../support/account.ts";
import { expect, test } from "../support/test.ts";

test("empty list explains webhooks and how to add one", async ({ webhooks }) => {
  await expect(webhooks.page.getByText("No webhooks yet")).toBeVisible();
  await expect(webhooks.page.getByRole("table")).toHaveCount(0);
  await webhooks.openAddDialog();
});

test("viewer sees whom to ask instead of the add link", async ({ signedInPage }) => {
  const webhooks = new Webhooks(await signedInPage("viewer"));
  await webhooks.open();
  await expect(webhooks.page.getByText("Ask a member or an admin to add the first one.")).toBeVisible();
  await expect(webhooks.addLink).toHaveCount(0);
});

test("row shows name, URL, events and status", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/orders", events: ["chat", "message"] });
  await webhooks.open();
  const row = webhooks.row("Orders");
  for (const text of ["https://example.com/orders", "chat", "message", "Active", "None yet"]) {
    await expect(row.getByText(text, { exact: true })).toBeVisible();
  }
  await expect(row.getByRole("img", { name: "Nothing sent in the last 24 hours" })).toBeVisible();
});

test("row shows three events and the number of others with a tooltip", async ({ webhooks, api }) => {
  await api.add({ name: "All", url: "https://example.com/", events: EVENT_TYPES });
  await api.add({ name: "Three", url: "https://example.com/", events: EVENT_TYPES.slice(0, 3) });
  await webhooks.open();

  const more = webhooks.row("All").getByText("+4", { exact: true });
  await expect(more).toBeVisible();
  await expect(more).toHaveAttribute("title", EVENT_TYPES.join(", "));
  await expect(webhooks.row("Three").getByText(/^\+\d/)).toHaveCount(0);

  await more.click();
  await expect(webhooks.editDialog.name).toHaveValue("All");
});

test("search matches names and URLs, and is in the URL", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://shop.example/hook" });
  await api.add({ name: "Chats", url: "https://crm.example/100%25_done" });
  await webhooks.open();

  await webhooks.search.fill("order");
  await webhooks.search.press("Enter");
  await expect(webhooks.page).toHaveURL(/[?&]q=order(&|$)/);
  await webhooks.expectNames("Orders");
  await expect(webhooks.search).toHaveValue("order");

  await webhooks.search.fill("CRM.example");
  await webhooks.apply();
  await expect(webhooks.page).toHaveURL(/[?&]q=CRM\.example(&|$)/);
  await webhooks.expectNames("Chats");

  await webhooks.search.fill("%25_");
  await webhooks.apply();
  await expect(webhooks.page).toHaveURL(/[?&]q=%2525_(&|$)/);
  await webhooks.expectNames("Chats");

  await webhooks.page.goBack();
  await webhooks.page.goBack();
  await webhooks.expectNames("Orders");
});

test("list is filtered by event and status", async ({ webhooks, api }) => {
  await api.add({ name: "Chats", url: "https://example.com/", events: ["chat"] });
  const topics = await api.add({ name: "Topics", url: "https://example.com/", events: ["insight.topic"] });
  await api.pause(topics.id);
  await webhooks.open();

  await webhooks.eventType.selectOption("insight.topic");
  await webhooks.apply();
  await webhooks.expectNames("Topics");
  await expect(webhooks.eventType).toHaveValue("insight.topic");

  await webhooks.page.getByRole("link", { name: "Clear filters" }).click();
  await webhooks.status.selectOption({ label: "Active" });
  await webhooks.apply();
  await webhooks.expectNames("Chats");

  await webhooks.status.selectOption({ label: "Paused" });
  await webhooks.apply();
  await webhooks.expectNames("Topics");
});

test("no match offers to clear the filters", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open("?q=nothing-like-it");
  await expect(webhooks.page.getByText("No matches")).toBeVisible();
  await expect(webhooks.page.getByText("No webhooks yet")).toHaveCount(0);

  await webhooks.page.getByRole("main").getByRole("link", { name: "Clear filters" }).last().click();
  await webhooks.expectNames("Orders");
});

test("click anywhere on a row opens the edit dialog", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/orders" });
  const cells = (row: Locator) => [
    row.getByText("https://example.com/orders"),
    row.getByText("chat", { exact: true }),
    row.getByText("Active", { exact: true }),
    row.getByText("None yet"),
    row.getByRole("img"),
  ];
  for (const index of cells(webhooks.row("Orders")).keys()) {
    await webhooks.open();
    await clickAt(cells(webhooks.row("Orders"))[index]!);
    await expect(webhooks.editDialog.name).toHaveValue("Orders");
  }
});

/** Clicks at the position of the element, even if another element covers it. */
async function clickAt(element: Locator): Promise<void> {
  const box = await element.boundingBox();
  expect(box).not.toBeNull();
  await element.page().mouse.click(box!.x + box!.width / 2, box!.y + box!.height / 2);
}

test("keyboard opens the edit dialog by the name", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  await webhooks.link("Orders").focus();
  await webhooks.page.keyboard.press("Enter");
  await expect(webhooks.editDialog.name).toHaveValue("Orders");
});

test("link “Deliveries” opens the log, not the edit dialog", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await webhooks.open();
  await webhooks.row("Orders").getByRole("link", { name: "Deliveries" }).click();
  await expect(webhooks.page).toHaveURL(/\/integrations\/webhook\/wh_[^/]+\/deliveries$/);
});

test("closing a dialog keeps the filters", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  await api.add({ name: "Chats", url: "https://example.com/" });
  await webhooks.open("?q=Orders");
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.button("Cancel").click();
  await webhooks.expectList();
  await webhooks.expectNames("Orders");
  await expect(webhooks.search).toHaveValue("Orders");
});

test("status reflects the recent attempts", async ({ webhooks, api, receivers }) => {
  const [well, broken, gone] = [await receivers(), await receivers(), await receivers()];
  broken.response = { status: 500, headers: { "retry-after": "3600" } };
  gone.response = { status: 410 };
  await api.add({ name: "Well", url: well.url() });
  await api.add({ name: "Broken", url: broken.url() });
  await api.add({ name: "Gone", url: gone.url() });
  await api.publish("chat");

  await expect(async () => {
    await webhooks.open();
    await expect(webhooks.row("Well").getByText(/^200 · /)).toBeVisible({ timeout: 500 });
    await expect(webhooks.row("Broken").getByText("Degraded", { exact: true })).toBeVisible({ timeout: 500 });
    await expect(webhooks.row("Gone").getByText("Disabled", { exact: true })).toBeVisible({ timeout: 500 });
  }).toPass();
  await expect(webhooks.row("Well").getByText("Active", { exact: true })).toBeVisible();
  await expect(webhooks.row("Well").getByRole("img", { name: "1 delivered, none failed" })).toBeVisible();
  await expect(webhooks.row("Broken").getByText(/^500 · /)).toBeVisible();
  await expect(webhooks.row("Broken").getByText("the only attempt failed")).toBeVisible();
  await expect(webhooks.row("Gone").getByText("because the receiver responded with 410 Gone")).toBeVisible();
});

test("list has pages of fifty", async ({ webhooks, api }) => {
  for (let number = 1; number <= 51; number++) {
    await api.add({ name: `Webhook ${number}`, url: "https://example.com/" });
  }
  await webhooks.open();
  const pages = webhooks.page.getByRole("navigation", { name: "Pages" });
  const names = webhooks.page.getByRole("rowheader");
  await expect(names).toHaveCount(50);
  await expect(pages.getByText("1–50 of 51")).toBeVisible();

  await pages.getByRole("link", { name: "Next" }).click();
  await expect(names).toHaveCount(1);
  await expect(pages.getByText("51–51 of 51")).toBeVisible();

  await pages.getByRole("link", { name: "Previous" }).click();
  await expect(names).toHaveCount(50);
});

test("webhooks of other accounts are not visible", async ({ webhooks, server }) => {
  const theirs = await (await new Account(server).api()).add({ name: "Theirs", url: "https://example.com/" });
  await webhooks.open();
  await expect(webhooks.page.getByText("No webhooks yet")).toBeVisible();

  for (const path of ["", "/delete", "/deliveries"]) {
    const response = await webhooks.page.goto(`/integrations/webhook/${theirs.id}${path}`);
    expect(response?.status(), path).toBe(404);
    await expect(webhooks.page.getByRole("heading", { name: "Not found" })).toBeVisible();
    await expect(webhooks.page.getByText("Theirs")).toHaveCount(0);
  }
});

test("paused webhook shows the number of held deliveries", async ({ webhooks, api }) => {
  const { id } = await api.add({ name: "Orders", url: "https://example.com/" });
  await api.pause(id);
  await webhooks.open();
  await expect(webhooks.row("Orders")).not.toContainText("held");
  await api.publishMany("chat", 2);
  await webhooks.open();
  await expect(webhooks.row("Orders")).toContainText("2 deliveries held");
});
