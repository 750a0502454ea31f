import { expect, test } from "../support/test.ts";

test("what failed is looked at first, and then sent again", async ({ webhooks: { page }, api, receiver }) => {
  receiver.answer = { status: 500 };
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  for (const event of ["one", "two"]) await api.publish("chat", {}, event);
  const statuses = async () => (await api.deliveries(id)).map((delivery) => delivery.status);
  await expect.poll(statuses, { timeout: 15_000 }).toEqual(["failed", "failed"]);
  receiver.answer = { status: 200 };

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
  // With a script, its progress shows by itself.
  if (test.info().project.use.javaScriptEnabled === false) await page.reload();
  await expect(page.getByText("Done: 2 deliveries")).toBeVisible();
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("Nothing was missed since then.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Recover" })).toHaveCount(0);
});

test("a new webhook gets what happened before it existed", async ({ webhooks: { page }, api, receiver }) => {
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
  expect(receiver.calls[0]!.verdict).toBe("verified");
  await page.goto("/integrations/webhook/events/early");
  await expect(page.getByText("Delivered to 1 webhook.")).toBeVisible();
});

test("a recovery that runs can be cancelled, and none starts while the webhook is paused", async ({
  webhooks: { page },
  api,
  receiver,
}) => {
  // More than is made due at once, for a receiver that takes none of it.
  receiver.answer = { status: 503, headers: { "retry-after": "3600" } };
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
  await expect(page.getByText("Nothing can be recovered while the webhook is paused or disabled")).toBeVisible();
  await expect(page.getByRole("button", { name: "Recover" })).toHaveCount(0);
});
