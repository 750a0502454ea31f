import type { Page } from "@playwright/test";

import { expect, test } from "../support/test.ts";

const EVENTS = "/integrations/webhook/events";

async function expectEvents(page: Page, ...ids: string[]): Promise<void> {
  await expect(page.getByRole("rowheader").getByRole("link")).toHaveText(ids);
}

test("list shows all received events", async ({ webhooks: { page }, api, receiver }) => {
  await page.goto(EVENTS);
  await expect(page.getByText("No events yet")).toBeVisible();

  await api.publish("chat", {}, "before-any-webhook");
  await api.add({ name: "Orders", url: receiver.url(), events: ["chat"] });
  await api.publish("chat", {}, "wanted");
  await api.publish("insight.key", {}, "not-wanted");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Events" }).click();
  await expectEvents(page, "not-wanted", "wanted", "before-any-webhook");
  await expect(page.getByRole("row").filter({ hasText: /\bwanted$|chatwanted/ }).getByText("1 webhook")).toBeVisible();

  await page.getByRole("combobox", { name: "Sent to" }).selectOption("No webhooks");
  await page.getByRole("button", { name: "Apply" }).click();
  await expectEvents(page, "not-wanted", "before-any-webhook");
  await page.getByRole("combobox", { name: "Event type" }).selectOption("insight.key");
  await page.getByRole("button", { name: "Apply" }).click();
  await expectEvents(page, "not-wanted");
  await page.getByRole("link", { name: "Clear filters" }).click();
  await page.getByLabel("Until").fill("2026-01-01T00:00");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("No matches")).toBeVisible();
});

test("event shows its outcome for each webhook", async ({ webhooks: { page }, api, receiver }) => {
  await api.publish("chat", {}, "too-early");
  await api.add({ name: "Orders", url: receiver.url(), events: ["chat"] });
  await api.add({ name: "Insights", url: receiver.url(), events: ["insight.key"] });
  await api.publish("chat", { text: "<b>hello</b>" }, "order-7");
  await api.publish("message", {}, "unwanted");
  await expect.poll(() => api.delivered()).toBe(1);

  await page.goto(`${EVENTS}/too-early`);
  await expect(page.getByText("Not sent: there was no webhook when the event was received.")).toBeVisible();
  const row = (name: string) => page.getByRole("row").filter({ hasText: name });
  await expect(row("Orders")).toContainText("Added later");

  await page.goto(`${EVENTS}/order-7`);
  await expect(page.getByText("Delivered to 1 webhook.")).toBeVisible();
  await expect(row("Orders")).toContainText("Delivered");
  await expect(row("Insights")).toContainText("Not subscribed to chat at that time.");
  await expect(page.getByRole("region", { name: "Event body" })).toHaveText(receiver.calls[0]!.body);
  await row("Orders").getByRole("link", { name: "Delivery" }).click();
  await expect(page.getByRole("heading", { name: "Timeline" })).toBeVisible();
  await page.getByRole("link", { name: "order-7" }).click();
  await expect(page).toHaveURL(`${EVENTS}/order-7`);

  await page.goto(`${EVENTS}/unwanted`);
  await expect(page.getByText("no enabled webhook was subscribed to message")).toBeVisible();
  await page.goto(`${EVENTS}/nothing-of-that-name`);
  await expect(page.getByRole("heading", { name: "Not found" })).toBeVisible();
});
