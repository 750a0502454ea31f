import type { Page } from "@playwright/test";

import { expect, test } from "../support/test.ts";

const EVENTS = "/integrations/webhook/events";

async function expectEvents(page: Page, ...ids: string[]): Promise<void> {
  await expect(page.getByRole("rowheader").getByRole("link")).toHaveText(ids);
}

test("everything that was received is there, wanted or not", async ({ webhooks: { page }, api, receiver }) => {
  await page.goto(EVENTS);
  await expect(page.getByText("No events yet")).toBeVisible();

  await api.publish("chat", {}, "before-any-webhook");
  await api.add({ name: "Orders", url: receiver.url(), events: ["chat"] });
  await api.publish("chat", {}, "wanted");
  await api.publish("insight.key", {}, "not-wanted");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Events" }).click();
  await expectEvents(page, "not-wanted", "wanted", "before-any-webhook");
  await expect(page.getByRole("row").filter({ hasText: /\bwanted$|chatwanted/ }).getByText("1 webhook")).toBeVisible();

  await page.getByRole("combobox", { name: "Sent" }).selectOption("To no webhook");
  await page.getByRole("button", { name: "Apply" }).click();
  await expectEvents(page, "not-wanted", "before-any-webhook");
  await page.getByRole("combobox", { name: "Event type" }).selectOption("insight.key");
  await page.getByRole("button", { name: "Apply" }).click();
  await expectEvents(page, "not-wanted");
  await page.getByRole("link", { name: "Clear filters" }).click();
  await page.getByLabel("Until").fill("2026-01-01T00:00");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("Nothing matches")).toBeVisible();
});

test("an event says what became of it, and why nothing was sent", async ({ webhooks: { page }, api, receiver }) => {
  await api.publish("chat", {}, "too-early");
  await api.add({ name: "Orders", url: receiver.url(), events: ["chat"] });
  await api.add({ name: "Insights", url: receiver.url(), events: ["insight.key"] });
  await api.publish("chat", { text: "<b>hello</b>" }, "order-7");
  await api.publish("message", {}, "unwanted");
  await expect.poll(() => api.delivered()).toBe(1);

  await page.goto(`${EVENTS}/too-early`);
  await expect(page.getByText("Nothing was sent: there was no webhook when it was received.")).toBeVisible();
  const row = (name: string) => page.getByRole("row").filter({ hasText: name });
  await expect(row("Orders")).toContainText("It was added later");

  await page.goto(`${EVENTS}/order-7`);
  await expect(page.getByText("Delivered to 1 webhook.")).toBeVisible();
  await expect(row("Orders")).toContainText("Delivered");
  await expect(row("Insights")).toContainText("Not subscribed to chat at that time.");
  await expect(page.getByRole("region", { name: "Body of the event" })).toHaveText(receiver.calls[0]!.body);
  await row("Orders").getByRole("link", { name: "Delivery" }).click();
  await expect(page.getByRole("heading", { name: "Timeline" })).toBeVisible();
  await page.getByRole("link", { name: "order-7" }).click();
  await expect(page).toHaveURL(`${EVENTS}/order-7`);

  await page.goto(`${EVENTS}/unwanted`);
  await expect(page.getByText("no webhook that was enabled wanted message")).toBeVisible();
  await page.goto(`${EVENTS}/nothing-of-that-name`);
  await expect(page.getByRole("heading", { name: "Not found" })).toBeVisible();
});
