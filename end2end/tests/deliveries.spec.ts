import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { Page } from "@playwright/test";

import type { Api } from "../support/api.ts";
import { expect, needsScript, test } from "../support/test.ts";

const LOG = "/integrations/webhook/deliveries";

/** Adds a webhook, publishes an event, waits for the status of its delivery and returns the delivery's ID. */
async function deliver(api: Api, url: string, ends: string, id?: string): Promise<string> {
  const webhook = await api.add({ name: `Webhook of ${id ?? "one event"}`, url });
  await api.publish("chat", { text: "hello" }, id);
  const statuses = async () => (await api.deliveries(webhook.id)).map((delivery) => delivery.status);
  await expect.poll(statuses, { timeout: 15_000 }).toEqual([ends]);
  return (await api.deliveries(webhook.id))[0]!.id;
}

async function expectEvents(page: Page, ...ids: string[]): Promise<void> {
  await expect(page.getByRole("rowheader").getByRole("link")).toHaveText(ids);
}

test("empty log explains what it will show", async ({ webhooks: { page } }) => {
  await page.goto(LOG);
  await expect(page.getByText("No deliveries yet")).toBeVisible();
});

test("log shows the newest delivery first, grouped by day", async ({ webhooks: { page }, api, receiver }) => {
  await api.add({ name: "Orders", url: receiver.url(), events: ["chat", "message"] });
  await api.publish("chat", {}, "first");
  await api.publish("message", {}, "second");
  await expect.poll(() => api.delivered()).toBe(2);

  await page.goto(LOG);
  await expect(page.getByRole("heading", { level: 2, name: /^(Today|Yesterday)$/ }).first()).toBeVisible();
  await expectEvents(page, "second", "first");
  const row = page.getByRole("row").filter({ hasText: "first" });
  for (const text of ["chat", "Orders", "Delivered"]) {
    await expect(row.getByText(text, { exact: true })).toBeVisible();
  }
  await expect(row.getByText("1 · 200")).toBeVisible();
});

test("webhook has its own log", async ({ webhooks: { page }, api, receivers }) => {
  const [one, two] = [await receivers(), await receivers()];
  const orders = await api.add({ name: "Orders", url: one.url(), events: ["chat"] });
  await api.add({ name: "Others", url: two.url(), events: ["chat", "message"] });
  await api.publish("chat", {}, "for-both");
  await api.publish("message", {}, "for-others");
  await expect.poll(() => api.delivered()).toBe(3);

  await page.goto(LOG);
  await expect(page.getByRole("rowheader").getByRole("link")).toHaveCount(3);
  await page.goto(`/integrations/webhook/${orders.id}/deliveries`);
  await expectEvents(page, "for-both");
  await page.getByRole("main").getByRole("link", { name: "Orders", exact: true }).click();
  await expect(page.getByRole("dialog", { name: "Edit Webhook" })).toBeVisible();
});

test("log of a webhook shows its health and the next retry", async ({ webhooks: { page }, api, receiver }) => {
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  await page.goto(`/integrations/webhook/${id}/deliveries`);
  await expect(page.getByRole("heading", { name: "Health" })).toHaveCount(0);
  await api.publish("chat");
  await expect.poll(() => api.delivered()).toBe(1);
  receiver.response = { status: 500 };
  await api.publish("chat");
  await expect.poll(async () => (await api.deliveries(id)).map(({ status }) => status)).toEqual(["failed", "delivered"]);

  await page.goto(`/integrations/webhook/${id}/deliveries`);
  await expect(page.getByText(/^No call has succeeded since .* It will be disabled in [45] d/)).toBeVisible();
  const day = page.getByRole("img", { name: "Last 24 hours, by hour: 1 of 4 attempts succeeded" });
  await expect(day).toBeVisible();
  await expect(page.getByText("25.0 %").first()).toBeVisible();
  await page.getByText("Show as table").last().click();
  await expect(page.getByRole("row", { name: "Today 1 3" })).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "Orders", exact: true }).click();
  await expect(page.getByRole("dialog").getByText(/^No call has succeeded since/)).toBeVisible();
});

test("log is filtered by status, event type and event ID", async ({ webhooks: { page }, api, receivers }) => {
  const [well, held] = [await receivers(), await receivers()];
  await api.add({ name: "Well", url: well.url(), events: ["chat"] });
  await api.pause((await api.add({ name: "Held", url: held.url(), events: ["message"] })).id);
  await api.publish("chat", {}, "chat-1");
  await api.publish("chat", {}, "chat-2");
  await api.publish("message", {}, "message-1");
  await expect.poll(() => api.delivered()).toBe(2);

  await page.goto(LOG);
  const apply = page.getByRole("button", { name: "Apply" });
  await page.getByRole("combobox", { name: "Status" }).selectOption({ label: "Held" });
  await apply.click();
  await expectEvents(page, "message-1");
  await expect(page).toHaveURL(/[?&]status=held/);

  await page.getByRole("link", { name: "Clear filters" }).click();
  await page.getByRole("combobox", { name: "Event type" }).selectOption("chat");
  await apply.click();
  await expectEvents(page, "chat-2", "chat-1");

  await page.getByRole("textbox", { name: "Event ID" }).fill("chat-1");
  await apply.click();
  await expectEvents(page, "chat-1");

  await page.getByRole("combobox", { name: "Status" }).selectOption({ label: "Failed" });
  await apply.click();
  await expect(page.getByText("No matches")).toBeVisible();
  await page.getByRole("link", { name: "Clear filters" }).last().click();
  await expectEvents(page, "message-1", "chat-2", "chat-1");
});

test("log of all webhooks is filtered by webhook and time", async ({ webhooks: { page }, api, receivers }) => {
  const [one, two] = [await receivers(), await receivers()];
  await api.add({ name: "Orders", url: one.url() });
  await api.add({ name: "Others", url: two.url() });
  await api.publish("chat", {}, "for-both");
  await expect.poll(() => api.delivered()).toBe(2);

  await page.goto(LOG);
  await expectEvents(page, "for-both", "for-both");
  const apply = page.getByRole("button", { name: "Apply" });
  await page.getByRole("combobox", { name: "Webhook" }).selectOption("Others");
  await apply.click();
  await expectEvents(page, "for-both");
  await expect(page.getByRole("combobox", { name: "Webhook" })).toHaveValue(/^wh_/);

  await page.getByLabel("Until").fill("2026-01-01T00:00");
  await apply.click();
  await expect(page.getByText("No matches")).toBeVisible();
  await expect(page.getByLabel("Until")).toHaveValue("2026-01-01T00:00");
  await page.getByLabel("Until").fill("");
  await page.getByLabel("From").fill("2026-01-01T00:00");
  await apply.click();
  await expectEvents(page, "for-both");
});

test("failed delivery shows its cause and remedy, and can be resent", async ({ webhooks: { page }, api, receiver }) => {
  receiver.response = { status: 413, body: "too big" };
  const id = await deliver(api, receiver.url(), "failed", "order-7");
  await page.goto(`${LOG}?status=failed`);
  await page.getByRole("link", { name: "order-7" }).click();
  await expect(page.getByText("Allow at least 256 KiB").last()).toBeVisible();
  await expect(page.getByText("Signed with the webhook's secret.").last()).toBeVisible();

  receiver.response = { status: 200 };
  await page.getByRole("button", { name: "Resend" }).click();
  await expect(page.getByRole("status").filter({ hasText: "It is being sent again." })).toBeVisible();
  await expect.poll(() => api.delivered()).toBe(1);
  expect(receiver.calls).toHaveLength(4);
  expect(receiver.calls[3]!.headers["webhook-id"]).toBe("order-7");
  expect(receiver.calls[3]!.body).toBe(receiver.calls[0]!.body);
  await page.goto(`${LOG}/${id}`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Delivered");
  await expect(page.getByRole("heading", { name: "Attempt 4" })).toBeVisible();
});

test("viewer sees a delivery but cannot resend it", async ({ api, receiver, signedInPage }) => {
  const id = await deliver(api, receiver.url(), "delivered");
  const page = await signedInPage("viewer");
  await page.goto(`${LOG}/${id}`);
  await expect(page.getByRole("heading", { name: "Timeline" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Resend" })).toHaveCount(0);
  const response = await page.request.post(`${LOG}/${id}`, { headers: { "sec-fetch-site": "same-origin" } });
  expect(response.status()).toBe(403);
  expect(receiver.calls).toHaveLength(1);
});

test("long body and response are cut, with links to the whole", async ({ webhooks: { page }, api, receiver }) => {
  receiver.response = { status: 201, headers: {}, body: "thank you ".repeat(1_000) };
  const webhook = await api.add({ name: "Orders", url: receiver.url() });
  await api.publish("chat", { text: "hello ".repeat(10_000) });
  await expect.poll(() => api.delivered()).toBe(1);
  const delivery = `${LOG}/${(await api.deliveries(webhook.id))[0]!.id}`;
  await page.goto(delivery);
  await expect(page.getByText("The first 8 KiB of 59 KiB.")).toBeVisible();
  await page.getByRole("link", { name: "Show the whole body" }).click();
  await expect(page.locator("body")).toHaveText(receiver.calls[0]!.body);
  await page.goto(delivery);
  await page.getByRole("link", { name: "Show the whole response" }).click();
  await expect(page.locator("body")).toContainText("thank you ".repeat(1_000).trim());
});

test("curl command of an attempt makes the same call", async ({ webhooks: { page }, api, receiver }) => {
  const webhook = await api.add({ name: "Orders", url: receiver.url("/hook?a=1&b=2") });
  await api.publish("chat", { text: "it's `quoted` $HOME \"twice\"" });
  await expect.poll(() => api.delivered()).toBe(1);
  await page.goto(`${LOG}/${(await api.deliveries(webhook.id))[0]!.id}`);
  await page.getByText("Copy as curl").click();
  const command = await page.getByRole("region", { name: "Attempt 1 as curl" }).innerText();
  await promisify(execFile)("bash", ["-c", command]);
  const [first, again] = receiver.calls;
  expect(again!.body).toBe(first!.body);
  for (const name of ["content-type", "webhook-id", "webhook-timestamp", "webhook-signature"]) {
    expect(again!.headers[name]).toBe(first!.headers[name]);
  }
});

test.describe("with JavaScript", () => {
  needsScript();

  test("live log can be paused and resumed", async ({ webhooks: { page }, api, receiver }) => {
    await page.goto(LOG);
    await expect(page.getByText("No deliveries yet")).toBeVisible();
    await expect(page.getByRole("status").filter({ hasText: "Live" })).toBeVisible();
    await api.add({ name: "Orders", url: receiver.url() });
    await api.publish("chat", {}, "first");
    await expectEvents(page, "first");
    await expect(page.getByRole("row").filter({ hasText: "first" })).toContainText("Delivered");

    await page.getByRole("button", { name: "Pause" }).click();
    await expect(page.getByRole("status").filter({ hasText: "Paused" })).toBeVisible();
    await api.publish("chat", {}, "second");
    await expect.poll(() => api.delivered()).toBe(2);
    await expectEvents(page, "first");
    // Updates keep the keyboard focus.
    const first = page.getByRole("link", { name: "first" });
    await first.focus();
    await page.getByRole("button", { name: "Go live" }).press("Enter");
    await expectEvents(page, "second", "first");
    await first.focus();
    await api.publish("chat", {}, "third");
    await expectEvents(page, "third", "second", "first");
    await expect(first).toBeFocused();
  });

  test("ten open tabs stay live and do not block the eleventh", async ({ webhooks: { page }, api, receiver }) => {
    const tabs = [];
    for (let number = 1; number <= 11; number++) {
      const tab = await page.context().newPage();
      await tab.goto(LOG);
      await expect(tab.getByRole("status").filter({ hasText: "Live" })).toBeVisible();
      tabs.push(tab);
    }
    await api.add({ name: "Orders", url: receiver.url() });
    await api.publish("chat", {}, "order");
    for (const tab of tabs) await expectEvents(tab, "order");
  });

  test("live log reconnects after an error response", async ({ webhooks: { page }, api, receiver, consoleErrors }) => {
    consoleErrors.allow(/status of 503 .*\/live\)/);
    await page.route("**/live", (route) => route.fulfill({ status: 503 }));
    await page.goto(LOG);
    await expect(page.getByRole("status").filter({ hasText: "Reconnecting" })).toBeVisible();
    await api.add({ name: "Orders", url: receiver.url() });
    await api.publish("chat", {}, "order");
    await expect.poll(() => api.delivered()).toBe(1);
    await page.unroute("**/live");
    await expectEvents(page, "order");
    await expect(page.getByRole("status").filter({ hasText: "Live" })).toBeVisible();
  });

  test("log that was left in place asks for no updates", async ({ webhooks: { page } }) => {
    await page.goto(LOG);
    await expect(page.getByRole("status").filter({ hasText: "Live" })).toBeVisible();
    await page.getByRole("link", { name: "Webhook", exact: true }).click();
    await expect(page.getByRole("link", { name: "+ Add Webhook" })).toBeVisible();
    let requests = 0;
    page.on("request", (request) => (requests += Number(request.url().includes("/live"))));
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await page.waitForTimeout(1_500);
    expect(requests).toBe(0);
  });

  test("hidden page asks for no updates until it is shown", async ({ webhooks: { page }, api, receiver }) => {
    await page.goto(LOG);
    await expect(page.getByRole("status").filter({ hasText: "Live" })).toBeVisible();
    const setHidden = (hidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await setHidden(true);
    let requests = 0;
    page.on("request", (request) => (requests += Number(request.url().includes("/live"))));
    await api.add({ name: "Orders", url: receiver.url() });
    await api.publish("chat", {}, "order");
    await expect.poll(() => api.delivered()).toBe(1);
    // Longer than the delay between two requests.
    await page.waitForTimeout(1_500);
    expect(requests).toBe(0);
    await setHidden(false);
    await expectEvents(page, "order");
  });
});

test("page of older deliveries is not live", async ({ webhooks: { page } }) => {
  await page.goto(`${LOG}?until=2026-01-01T00:00`);
  await expect(page.getByText("No matches")).toBeVisible();
  await expect(page.getByRole("button", { name: "Pause" })).toHaveCount(0);
});

test("log is paged to the end", async ({ webhooks: { page }, api, receiver }) => {
  await api.pause((await api.add({ name: "Orders", url: receiver.url() })).id);
  for (let number = 1; number <= 52; number++) await api.publish("chat", {}, `event-${number}`);
  await page.goto(LOG);
  const rows = page.getByRole("rowheader").getByRole("link");
  await expect(rows).toHaveCount(50);
  await page.getByRole("link", { name: "Older" }).click();
  await expectEvents(page, "event-2", "event-1");
  await page.getByRole("link", { name: "Newest" }).click();
  await expect(rows).toHaveCount(50);
});

test("delivery shows the request and the response", async ({ webhooks: { page }, api, receiver }) => {
  receiver.response = { status: 201, headers: { "x-receiver": "mine", "set-cookie": "session=hidden" }, body: "thank you" };
  await deliver(api, receiver.url("/hook"), "delivered", "order-7");
  await page.goto(LOG);
  await page.getByRole("link", { name: "order-7" }).click();

  const call = receiver.calls[0]!;
  await expect(page.getByRole("heading", { level: 1 })).toContainText("chat");
  await expect(page.getByRole("region", { name: "Request body" })).toHaveText(call.body);
  const main = page.getByRole("main");
  await expect(main.getByText(receiver.url("/hook"), { exact: true })).toBeVisible();
  for (const name of ["content-type", "webhook-id", "webhook-timestamp", "user-agent"]) {
    await expect(main.getByText(name, { exact: true }).first()).toBeVisible();
    await expect(main.getByText(String(call.headers[name]), { exact: true }).first()).toBeVisible();
  }
  await expect(main.getByText("201", { exact: true })).toBeVisible();
  await expect(main.getByText("mine", { exact: true })).toBeVisible();
  await expect(page.getByRole("region", { name: "Response to attempt 1" })).toHaveText("thank you");
  await expect(main.getByText("session=hidden")).toHaveCount(0);
});

test("failed delivery shows every attempt", async ({ webhooks: { page }, api, receiver }) => {
  receiver.response = { status: 500, body: "out of order" };
  const id = await deliver(api, receiver.url(), "failed");
  expect(receiver.calls).toHaveLength(3);
  await page.goto(`${LOG}/${id}`);

  for (const number of [1, 2, 3]) {
    await expect(page.getByRole("heading", { name: `Attempt ${number}` })).toBeVisible();
  }
  await expect(page.getByRole("main").getByText("500", { exact: true })).toHaveCount(3);
  await expect(page.getByText("no attempts left")).toBeVisible();
  await expect(page.getByRole("region", { name: "Response to attempt 3" })).toHaveText("out of order");
  await page.getByRole("heading", { name: "Attempt 1" }).click();
  await expect(page.getByRole("region", { name: "Response to attempt 1" })).toBeVisible();
});

test("unreachable receiver is explained", async ({ webhooks: { page }, api, receivers }) => {
  const receiver = await receivers();
  const url = receiver.url();
  await receiver.stop();
  await page.goto(`${LOG}/${await deliver(api, url, "failed")}`);
  await expect(page.getByText(/^Connection refused by 127\.0\.0\.1:\d+/).last()).toBeVisible();
});

test("hostile response is shown as inert text", async ({ webhooks: { page }, api, receiver }) => {
  const body = `<script>document.title = "owned"</script><img src=x onerror="document.title='owned'"></pre><h1>hi</h1>`;
  receiver.response = { status: 200, headers: { "content-type": "text/html", "x-note": "<b>bold</b>" }, body };
  await page.goto(`${LOG}/${await deliver(api, receiver.url(), "delivered")}`);
  await expect(page.getByRole("region", { name: "Response to attempt 1" })).toHaveText(body);
  await expect(page.getByText("<b>bold</b>")).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
  await expect(page).toHaveTitle("Delivery · Caleida");
});

test("NUL, right-to-left marks and very long lines do not break the layout", async ({
  webhooks: { page },
  api,
  receiver,
}) => {
  const line = "x".repeat(16 * 1024 - 100);
  const body = `before\u0000after \u202Ereversed\u202C \u2066isolated\n${line}`;
  receiver.response = { status: 500, headers: { "x-long": "y".repeat(900) }, body };
  const webhook = await api.add({ name: "Orders", url: receiver.url(`/${"z".repeat(500)}`) });
  await api.publish("chat", { text: `\u202E${"w".repeat(5_000)}` });
  await expect
    .poll(async () => (await api.deliveries(webhook.id))[0]?.status, { timeout: 15_000 })
    .toBe("failed");
  const delivery = (await api.deliveries(webhook.id))[0]!;
  await page.setViewportSize({ width: 360, height: 780 });
  for (const path of [
    `${LOG}/${delivery.id}`,
    `/integrations/webhook/events/${delivery.event_id}`,
    `/integrations/webhook/${webhook.id}/deliveries`,
    `/integrations/webhook/${webhook.id}/recover?scope=failed`,
  ]) {
    await page.goto(path);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, path).toBe(0);
  }
  await page.goto(`${LOG}/${delivery.id}`);
  const response = page.getByRole("region", { name: "Response to attempt 3" });
  await expect(response).toContainText("reversed");
  await expect(response).toContainText(line.slice(0, 1_000));
});

test("pending delivery shows the next attempt", async ({ webhooks: { page }, api, receiver }) => {
  receiver.response = { status: 503, headers: { "retry-after": "3600" } };
  const webhook = await api.add({ name: "Orders", url: receiver.url() });
  await api.publish("chat");
  await expect.poll(async () => (await api.deliveries(webhook.id))[0]?.attempts).toBe(1);
  await page.goto(`/integrations/webhook/${webhook.id}/deliveries`);
  await expect(page.getByText("Pending", { exact: true }).last()).toBeVisible();
  await page.getByRole("rowheader").getByRole("link").click();
  await expect(page.getByText(/Next attempt/)).toBeVisible();
  await expect(page.getByText(/in (59 min|1 h)/)).toBeVisible();
});

test("deliveries of a deleted webhook stay in the log", async ({ webhooks, api, receiver }) => {
  await api.add({ name: "Orders", url: receiver.url() });
  await api.publish("chat", {}, "order-7");
  await expect.poll(() => receiver.calls.length).toBe(1);
  await webhooks.open();
  const dialog = await webhooks.openDeleteDialog("Orders");
  await dialog.getByRole("button", { name: "Delete webhook" }).click();
  await webhooks.expectMessage("Webhook “Orders” deleted.");

  await webhooks.page.goto(LOG);
  await expect(webhooks.page.getByRole("row").filter({ hasText: "order-7" })).toContainText("Orders (deleted)");
});
