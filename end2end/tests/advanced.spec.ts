import { Advanced } from "../pages/advanced.ts";
import { LIST } from "../pages/webhooks.ts";
import { expectAccessible } from "../support/axe.ts";
import { expect, needsScript, test } from "../support/test.ts";

const URL = "https://example.com/orders";

test("a new webhook sends headers, and only events that match its filter", async ({ webhooks, api, receiver }) => {
  await webhooks.open();
  const dialog = await webhooks.openAddDialog();
  await dialog.fill({ url: receiver.url(), name: "Negative", events: ["insight.sentiment"] });
  receiver.secret = await dialog.secret.inputValue();
  const advanced = new Advanced(dialog.root);
  await advanced.open();
  await advanced.description.fill("Owner: Zoë");
  await advanced.addHeader("Add bearer token", 1, { Token: "abc.def-123" });
  await advanced.addHeader("Add header", 2, { Name: "X-Tenant", Value: "7" });
  await advanced.button("Add condition").click();
  await advanced.fillCondition(1, "score", "is less than", "-0.5");
  await advanced.button("Add group").click();
  await advanced.fillCondition(2, "tags", "contains", "vip");
  await advanced.button("Add condition to group 1").click();
  await advanced.fillCondition(3, "label", "is one of", 'bad, "very, very bad"');
  await advanced.rateLimit.fill("100");
  await advanced.timeout.fill("5");
  await advanced.retries.selectOption("none");
  await dialog.button("Add").click();
  await webhooks.expectMessage("Webhook “Negative” added.");

  // The row is marked.
  await expect(webhooks.row("Negative").getByText("Filtered")).toBeVisible();
  await expect(webhooks.row("Negative").getByText("100/s")).toBeVisible();

  await api.publish("insight.sentiment", { score: -0.9, label: "good" }, "other");
  await api.publish("insight.sentiment", { score: -0.9, label: "very, very bad" }, "match");
  await expect.poll(() => receiver.calls.map((call) => call.headers["webhook-id"])).toEqual(["match"]);
  const [call] = receiver.calls;
  expect(call?.verification).toBe("verified");
  expect(call?.headers["authorization"]).toBe("Bearer abc.def-123");
  expect(call?.headers["x-tenant"]).toBe("7");

  // The event page names the condition.
  await webhooks.page.goto(`${LIST}/events/other`);
  await expect(webhooks.page.getByText("tags contains “vip” or label is one of “bad”, “very, very bad”")).toBeVisible();

  // The dialog shows everything but the values of headers.
  await webhooks.open();
  await webhooks.openEditDialog("Negative");
  const saved = new Advanced(webhooks.editDialog.root);
  await expect(saved.description).toHaveValue("Owner: Zoë");
  await expect(saved.header(1).getByLabel("Name", { exact: true })).toHaveValue("authorization");
  await expect(saved.header(1).getByLabel("Value", { exact: true })).toHaveValue("");
  await expect(saved.condition(3).getByLabel("Value", { exact: true })).toHaveValue('bad, "very, very bad"');
  await expect(saved.rateLimit).toHaveValue("100");
  await expect(saved.timeout).toHaveValue("5");
  await expect(saved.retries).toHaveValue("none");
  expect(await webhooks.page.content()).not.toContain("abc.def-123");
  await expectAccessible(webhooks.page);
});

test("headers are kept, replaced and removed", async ({ webhooks, api, receiver }) => {
  const headers = { authorization: "Bearer first", "x-a": "1", "x-b": "2" };
  const { id } = await api.add({ name: "Orders", url: receiver.url(), headers });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  const advanced = new Advanced(dialog.root);
  await advanced.header(1).getByLabel("Value", { exact: true }).fill("Bearer second");
  await advanced.button("Remove header 2").click();
  await expect(advanced.header(3)).toHaveCount(0);
  await expect(advanced.header(1).getByLabel("Value", { exact: true })).toHaveValue("Bearer second");
  await dialog.button("Save").click();
  await webhooks.expectMessage("Webhook “Orders” saved.");

  await api.publish("chat");
  await expect.poll(() => receiver.calls.length).toBe(1);
  const sent = receiver.calls[0]?.headers;
  expect([sent?.["authorization"], sent?.["x-a"], sent?.["x-b"]]).toEqual(["Bearer second", undefined, "2"]);

  // The log shows that there was a header, but not its value.
  await expect.poll(() => api.delivered()).toBe(1);
  await webhooks.page.goto(`${LIST}/deliveries/${(await api.deliveries(id))[0]!.id}`);
  await expect(webhooks.page.getByText("authorization: [redacted]").first()).toBeAttached();
  expect(await webhooks.page.content()).not.toContain("Bearer second");
});

test("user and password become an Authorization header", async ({ webhooks, api, receiver }) => {
  await api.add({ name: "Orders", url: receiver.url() });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  const advanced = new Advanced(dialog.root);
  await advanced.open();
  await advanced.addHeader("Add user and password", 1, { User: "Aladdin", Password: "open sesame" });
  await dialog.button("Save").click();
  await webhooks.expectMessage("Webhook “Orders” saved.");
  await api.publish("chat");
  await expect.poll(() => receiver.calls[0]?.headers["authorization"]).toBe("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
});

test("errors open the disclosure, and the input is kept", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  const advanced = new Advanced(dialog.root);
  await advanced.open();
  await advanced.addHeader("Add header", 1, { Name: "Content-Type", Value: "text/plain" });
  await advanced.button("Add condition").click();
  await advanced.fillCondition(1, "score", "is greater than", "many");
  await advanced.rateLimit.fill("5000");
  await advanced.disclosure.click();
  await expect(advanced.rateLimit).toBeHidden();
  await dialog.button("Save").click();

  await expect(dialog.root.getByText("Remove the header content-type: Caleida or the connection sets it.")).toBeVisible();
  await expect(dialog.root.locator("#filter-error")).toHaveText("Condition 1: Use a number as value of gt and lt.");
  await dialog.expectFieldError(advanced.rateLimit, "Use a rate limit from 1 to 1,000 calls per second.");
  await expect(advanced.header(1).getByLabel("Name", { exact: true })).toBeFocused();
  await expect(advanced.header(1).getByLabel("Value", { exact: true })).toHaveValue("text/plain");
  await expectAccessible(webhooks.page);

  await advanced.button("Remove header 1").click();
  await expect(advanced.header(1)).toHaveCount(0);
  await advanced.button("Remove condition 1").click();
  await expect(advanced.condition(1)).toHaveCount(0);
  await advanced.rateLimit.fill("");
  await dialog.button("Save").click();
  await webhooks.expectMessage("Webhook “Orders” saved.");
});

test("the preview shows which recent events match", async ({ webhooks, api, javaScriptEnabled }) => {
  await api.publish("chat", { channel: "email" }, "by-email");
  await api.publish("chat", { channel: "phone" }, "by-phone");
  await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  const advanced = new Advanced(dialog.root);
  await advanced.open();
  await advanced.button("Add condition").click();
  await advanced.fillCondition(1, "channel", "is", "email");
  if (javaScriptEnabled === false) await advanced.button("Preview").click();
  await expect(advanced.preview.getByText("1 of the last 2 events would be sent.")).toBeVisible();
  await advanced.preview.getByText("1 event would not be sent").click();
  await expect(advanced.preview.getByRole("link", { name: "by-phone" })).toBeVisible();
  await expect(advanced.preview.getByText("channel is “email”")).toBeVisible();
  await expectAccessible(webhooks.page);

  await advanced.condition(1).getByLabel("Value", { exact: true }).fill("fax");
  if (javaScriptEnabled === false) await advanced.button("Preview").click();
  await expect(advanced.preview.getByText("0 of the last 2 events would be sent.")).toBeVisible();
  await advanced.condition(1).getByLabel("Field", { exact: true }).fill("chanel");
  if (javaScriptEnabled === false) await advanced.button("Preview").click();
  await expect(advanced.preview.getByText("The chosen events have no field chanel.")).toBeVisible();
  await advanced.condition(1).getByLabel("Field", { exact: true }).fill("");
  if (javaScriptEnabled === false) await advanced.button("Preview").click();
  await expect(advanced.preview.getByText("Condition 1: Enter a field, such as sentiment.score.")).toBeVisible();
  // Nothing was saved.
  await dialog.button("Cancel").click();
  await webhooks.expectList();
  await expect(webhooks.row("Orders").getByText("Filtered")).toHaveCount(0);
});

test("a filter that cannot match has a warning, and a resend says that it ignores the filter", async ({ webhooks, api, receiver }) => {
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  await api.publish("chat", { channel: "phone" });
  await expect.poll(() => api.delivered()).toBe(1);
  const is = (value: string) => ({ field: "channel", op: "eq", value });
  await api.change(id, { filter: { all: [is("email"), is("fax")] } });
  await webhooks.open();
  await webhooks.openEditDialog("Orders");
  const { preview } = new Advanced(webhooks.editDialog.root);
  await expect(preview).toHaveText("No event can match this filter: its conditions contradict each other.");

  await webhooks.page.goto(`${LIST}/deliveries/${(await api.deliveries(id))[0]!.id}`);
  await expect(webhooks.page.getByText("“Resend” sends it nevertheless.")).toContainText("Not met: channel is “email”.");
  await webhooks.page.getByRole("button", { name: "Resend" }).click();
  await expect.poll(() => receiver.calls.length).toBe(2);
});

test("each setting has its own choice in a conflict", async ({ webhooks, api }) => {
  const added = await api.add({ name: "Orders", url: URL });
  await webhooks.open();
  const dialog = await webhooks.openEditDialog("Orders");
  const advanced = new Advanced(dialog.root);
  await advanced.open();
  await advanced.rateLimit.fill("7");
  await advanced.retries.selectOption("short");
  await api.change(added.id, { rate_limit: 9, filter: { all: [{ field: "a", op: "exists" }] } });
  await dialog.button("Save").click();
  await expect(dialog.root.getByText("Choose a version for each field, then save again.")).toBeVisible();
  await dialog.root.getByLabel("Keep the saved filter").check();
  await dialog.button("Save").click();
  await webhooks.expectMessage("Webhook “Orders” saved.");
  const [saved] = await api.webhooks();
  expect(saved).toMatchObject({ rate_limit: 7, retries: "short", filter: { all: [{ field: "a", op: "exists" }] } });
});

test("viewers see the settings but cannot change them", async ({ api, signedInPage }) => {
  await api.add({ name: "Orders", url: URL, headers: { "x-a": "hunter2hunter2" }, rate_limit: 5 });
  const page = await signedInPage("viewer");
  await page.goto(LIST);
  await page.getByRole("link", { name: "Orders", exact: true }).click();
  const advanced = new Advanced(page.getByRole("dialog", { name: "Edit Webhook" }));
  await expect(advanced.rateLimit).toHaveValue("5");
  await expect(advanced.rateLimit).toHaveAttribute("readonly");
  await expect(advanced.header(1).getByText("Set", { exact: true })).toBeVisible();
  await expect(advanced.button("Add header")).toHaveCount(0);
  expect(await page.content()).not.toContain("hunter2hunter2");
  await expectAccessible(page);
});

test("the audit log names each changed setting", async ({ webhooks, api }) => {
  const added = await api.add({ name: "Orders", url: URL });
  await api.change(added.id, { filter: { all: [{ field: "a", op: "exists" }] }, headers: { "x-a": "1" }, timeout_seconds: 9 });
  await webhooks.page.goto("/settings/audit-log");
  await webhooks.page.getByText("Details").first().click();
  const details = webhooks.page.locator(".changes").first();
  for (const text of ["Filter", "a exists", "New values of headers", "x-a", "Timeout (seconds)", "9"]) {
    await expect(details.getByText(text, { exact: true }).first()).toBeVisible();
  }
});

test.describe(() => {
  needsScript();

  test("buttons that are pressed one after the other all apply", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL, headers: { "x-a": "1" }, filter: { all: [{ field: "a", op: "exists" }] } });
    await webhooks.open();
    const dialog = await webhooks.openEditDialog("Orders");
    const advanced = new Advanced(dialog.root);
    await webhooks.page.route("**/actions/arrange", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await route.continue();
    });
    await advanced.button("Remove header 1").click();
    await advanced.button("Remove condition 1").click();
    await expect(advanced.header(1)).toHaveCount(0);
    await dialog.button("Save").click();
    await webhooks.expectMessage("Webhook “Orders” saved.");
    const [saved] = await api.webhooks();
    expect(saved).not.toHaveProperty("headers");
    expect(saved).not.toHaveProperty("filter");
  });

  test("added rows count as unsaved changes", async ({ webhooks, api }) => {
    await api.add({ name: "Orders", url: URL });
    await webhooks.open();
    const dialog = await webhooks.openEditDialog("Orders");
    const advanced = new Advanced(dialog.root);
    await advanced.open();
    await advanced.button("Add condition").click();
    await expect(advanced.condition(1).getByLabel("Field", { exact: true })).toBeFocused();
    const questions: string[] = [];
    webhooks.page.on("dialog", (question) => {
      questions.push(question.message());
      void question.dismiss();
    });
    await webhooks.page.keyboard.press("Escape");
    await expect.poll(() => questions).toEqual(["Discard unsaved changes?"]);
    await expect(advanced.condition(1)).toBeVisible();
    await advanced.button("Remove condition 1").click();
    await expect(advanced.button("Add condition")).toBeFocused();
  });
});
