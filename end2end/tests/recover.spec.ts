import { expect, test } from "../support/test.ts";

test("failed deliveries are previewed and resent", async ({ webhooks: { page }, api, receiver }) => {
  receiver.response = { status: 500 };
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  for (const event of ["one", "two"]) await api.publish("chat", {}, event);
  const statuses = async () => (await api.deliveries(id)).map((delivery) => delivery.status);
  await expect.poll(statuses, { timeout: 15_000 }).toEqual(["failed", "failed"]);
  receiver.response = { status: 200 };

  await page.goto(`/integrations/webhook/${id}/deliveries`);
  await page.getByRole("link", { name: "Recover…" }).click();
  await expect(page.getByRole("radio", { name: "Failed deliveries" })).toBeChecked();
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("2 events will be sent.")).toBeVisible();
  await expect(page.getByRole("link", { name: "one" })).toBeVisible();
  expect(await statuses()).toEqual(["failed", "failed"]);

  await page.getByRole("button", { name: "Recover" }).click();
  await expect(page.getByRole("status").filter({ hasText: "The recovery has started." })).toBeVisible();
  await expect.poll(statuses).toEqual(["delivered", "delivered"]);
  // With JavaScript, the progress is live.
  if (test.info().project.use.javaScriptEnabled === false) await page.reload();
  await expect(page.getByText("Done: 2 deliveries")).toBeVisible();
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("Nothing to recover since then.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Recover" })).toHaveCount(0);
});

test("new webhook receives earlier events", async ({ webhooks: { page }, api, receiver }) => {
  await api.publish("chat", { text: "early" }, "early");
  const added = await api.add({ name: "Orders", url: receiver.url() });
  receiver.secret = added.secret;
  await page.goto(`/integrations/webhook/${added.id}/recover`);
  await page.getByRole("radio", { name: "Everything missed" }).check();
  await page.getByLabel("Since").fill("2020-01-01T00:00");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("1 event will be sent.")).toBeVisible();
  await page.getByRole("button", { name: "Recover" }).click();
  await expect.poll(() => receiver.calls.map((call) => call.headers["webhook-id"])).toEqual(["early"]);
  expect(receiver.calls[0]!.verification).toBe("verified");
  await page.goto("/integrations/webhook/events/early");
  await expect(page.getByText("Delivered to 1 webhook.")).toBeVisible();
});

test("running recovery can be cancelled, and a paused webhook starts none", async ({
  webhooks: { page },
  api,
  receiver,
}) => {
  // More deliveries than are released at once, for a receiver that rejects all.
  receiver.response = { status: 503, headers: { "retry-after": "3600" } };
  for (let batch = 0; batch < 2; batch++) await api.publishMany("chat", 600);
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  await page.goto(`/integrations/webhook/${id}/recover?scope=missed&since=2020-01-01T00:00`);
  await expect(page.getByText("1,200 events will be sent.")).toBeVisible();
  await page.getByRole("button", { name: "Recover" }).click();
  await expect(page.getByRole("progressbar")).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("status").filter({ hasText: "The recovery was cancelled." })).toBeVisible();
  await expect(page.getByText(/Cancelled after (500|0) deliveries/)).toBeVisible();

  await api.pause(id);
  await page.goto(`/integrations/webhook/${id}/recover?scope=missed`);
  await expect(page.getByText("Recovery is not possible while the webhook is paused or disabled")).toBeVisible();
  await expect(page.getByRole("button", { name: "Recover" })).toHaveCount(0);
});
