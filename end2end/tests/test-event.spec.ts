import { expect, test } from "../support/test.ts";

test("test event is sent at once, with all details shown", async ({ webhooks, api, receiver }) => {
  const added = await api.add({ name: "Orders", url: receiver.url("/hook"), events: ["message"] });
  receiver.secret = added.secret;
  receiver.response = { status: 201, headers: { "x-receiver": "mine" }, body: "<b>thank you</b>" };
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  await dialog.root.getByRole("link", { name: "Send test event" }).click();

  const { page } = webhooks;
  const test = page.getByRole("dialog", { name: "Send test event" });
  await expect(test.getByRole("combobox", { name: "Event type" })).toHaveValue("message");
  await test.getByRole("combobox", { name: "Event type" }).selectOption("insight.key");
  await test.getByRole("button", { name: "Send test event" }).click();
  await expect(test.getByRole("status").filter({ hasText: "The receiver accepted the event." })).toBeVisible();
  expect(receiver.calls.map((call) => call.verification)).toEqual(["verified"]);
  await expect(test.getByRole("region", { name: "Body of the test event" })).toHaveText(receiver.calls[0]!.body);
  await expect(test.getByRole("region", { name: "Response to the test event" })).toHaveText("<b>thank you</b>");
  for (const step of ["Connect", "First byte", "Total"]) {
    await expect(test.getByText(step, { exact: true })).toBeVisible();
  }
  await expect(test.getByText("mine", { exact: true })).toBeVisible();
  await expect(test.getByRole("combobox", { name: "Event type" })).toHaveValue("insight.key");
  // The webhook is not subscribed to this type.
  expect(await api.deliveries(added.id)).toEqual([]);
  await test.getByRole("button", { name: "Close" }).click();
  await expect(page).toHaveURL("/integrations/webhook");
});

test("failed test shows a remedy, and tests are rate limited", async ({ webhooks: { page }, api, receiver }) => {
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  receiver.response = { status: 405 };
  await page.goto(`/integrations/webhook/${id}/test`);
  const send = page.getByRole("button", { name: "Send test event" });
  await send.click();
  await expect(page.getByText("What to do: The path exists but does not accept POST.")).toBeVisible();
  for (let sent = 1; sent < 6; sent++) {
    await send.click();
    await expect.poll(() => receiver.calls.length).toBe(sent + 1);
  }
  await send.click();
  await expect(page.getByRole("alert")).toHaveText("You can send 6 tests per minute. Try again in a moment.");
  expect(receiver.calls).toHaveLength(6);
});

test("viewer cannot send tests", async ({ api, receiver, signedInPage }) => {
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  const page = await signedInPage("viewer");
  await page.goto(`/integrations/webhook/${id}`);
  await expect(page.getByRole("link", { name: "View deliveries" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Send test event" })).toHaveCount(0);
  await page.goto(`/integrations/webhook/${id}/test`);
  await expect(page.getByRole("heading", { name: "Not allowed" })).toBeVisible();
});

test("event type can be tested from the catalog", async ({ webhooks: { page }, api, receiver }) => {
  await api.add({ name: "Orders", url: receiver.url(), events: ["chat"] });
  await page.goto("/integrations/webhook");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Event types" }).click();
  await page.getByRole("navigation", { name: "Event types" }).getByRole("link", { name: "insight.key" }).click();
  const entry = page.getByRole("region", { name: "insight.key", exact: true });
  await expect(entry.getByRole("region", { name: "Example of insight.key" })).toContainText('"type":"insight.key"');
  await entry.getByText("JSON Schema", { exact: true }).click();
  await expect(entry.getByRole("region", { name: "JSON Schema of insight.key" })).toContainText("2020-12");
  await entry.getByRole("combobox", { name: "Send a test event to" }).selectOption("Orders");
  await entry.getByRole("button", { name: "Test…" }).click();
  const test = page.getByRole("dialog", { name: "Send test event" });
  await expect(test.getByRole("combobox", { name: "Event type" })).toHaveValue("insight.key");
  await test.getByRole("button", { name: "Send test event" }).click();
  await expect(test.getByText("The receiver accepted the event.")).toBeVisible();
  expect(receiver.calls[0]!.body).toContain('"type":"insight.key"');
});
