import { LIST, Webhooks } from "../pages/webhooks.ts";
import { expect, needsScript, test } from "../support/test.ts";

const GOOD = { url: "https://example.com/hook", name: "Orders", events: ["chat", "insight.key"] };

test("adding puts the webhook into the list, and says so", async ({ webhooks }) => {
  const dialog = await webhooks.openAdding();
  await dialog.fill(GOOD);
  await dialog.button("Add").click();

  await webhooks.expectList();
  await webhooks.expectMessage("Webhook “Orders” added.");
  const row = webhooks.row("Orders");
  for (const text of ["https://example.com/hook", "chat", "insight.key", "Active"]) {
    await expect(row.getByText(text, { exact: true })).toBeVisible();
  }

  await webhooks.page.reload();
  await webhooks.expectNames("Orders");
  await expect(webhooks.page.getByText("Webhook “Orders” added.")).toHaveCount(0);
});

test("the Enter key adds as well", async ({ webhooks }) => {
  const dialog = await webhooks.openAdding();
  await dialog.fill(GOOD);
  await dialog.name.press("Enter");
  await webhooks.expectMessage("Webhook “Orders” added.");
});

test("the fields stand in their order, each with its label, and the first one has the focus", async ({ webhooks }) => {
  const dialog = await webhooks.openAdding();
  await expect(dialog.url).toBeFocused();
  await expect(dialog.url).toHaveAttribute("type", "url");
  const names = dialog.root.getByRole("textbox").or(dialog.root.getByRole("checkbox"));
  await expect(names.first()).toHaveAccessibleName("URL");
  await expect(names.nth(1)).toHaveAccessibleName("Webhook name");
  await expect(dialog.secret).toBeVisible();
  await expect(dialog.events.getByRole("group", { name: "Insights" }).getByRole("checkbox")).toHaveCount(6);
  await expect(dialog.events.getByRole("checkbox")).toHaveCount(8);
});

test("a secret of 32 random bytes is there already, each time another", async ({ webhooks }) => {
  const dialog = await webhooks.openAdding();
  const first = await dialog.secret.inputValue();
  expect(first).toMatch(/^whsec_[A-Za-z0-9+/]+=*$/);
  expect(Buffer.from(first.slice("whsec_".length), "base64")).toHaveLength(32);

  await webhooks.page.reload();
  await expect(dialog.secret).not.toHaveValue(first);
});

test("a secret of one's own signs the calls, as it was typed", async ({ webhooks, receiver, api }) => {
  receiver.secret = "correct horse battery staple";
  const dialog = await webhooks.openAdding();
  await dialog.fill({ ...GOOD, url: receiver.url(), secret: receiver.secret });
  await dialog.button("Add").click();
  await webhooks.expectMessage("Webhook “Orders” added.");

  await api.publish("chat");
  await expect.poll(() => receiver.calls.map((call) => call.verdict)).toEqual(["verified"]);
});

const REFUSED = [
  { what: "a URL that is none", field: "url", typed: { url: "example.com/hook" } },
  { what: "a URL that is not https", field: "url", typed: { url: "ftp://example.com/hook" } },
  { what: "no URL", field: "url", typed: { url: "" } },
  { what: "a short secret", field: "secret", typed: { secret: "hunter2" } },
  { what: "no name", field: "name", typed: { name: "" } },
] as const;
const MESSAGES = {
  url: "Enter a URL that starts with https://.",
  secret: "Use at least 24 characters for the secret.",
  name: "Enter a name for the webhook.",
};

for (const { what, field, typed } of REFUSED) {
  test(`${what} is refused at its field, and nothing typed is lost`, async ({ webhooks }) => {
    const all = { ...GOOD, secret: "correct horse battery staple", ...typed };
    const dialog = await webhooks.openAdding();
    await dialog.fill(all);
    await dialog.button("Add").click();

    await dialog.expectRefused(dialog[field], MESSAGES[field]);
    await expect(dialog[field]).toBeFocused();
    await dialog.expectFields(all);
    for (const other of ["url", "secret", "name"] as const) {
      if (other !== field) await expect(dialog[other]).not.toHaveAttribute("aria-invalid", "true");
    }

    await dialog.fill({ ...GOOD, secret: "correct horse battery staple" });
    await dialog.button("Add").click();
    await webhooks.expectMessage("Webhook “Orders” added.");
  });
}

test("without any event it is refused at the events", async ({ webhooks }) => {
  const dialog = await webhooks.openAdding();
  await dialog.fill({ ...GOOD, events: [] });
  const secret = await dialog.secret.inputValue();
  await dialog.button("Add").click();

  await dialog.expectRefused(dialog.event("chat"), "Choose at least one event.");
  await expect(dialog.event("chat")).toBeFocused();
  await dialog.expectFields({ ...GOOD, secret, events: [] });
});

test("a name that is taken is refused at the name", async ({ webhooks, api }) => {
  await api.add({ name: "Orders", url: "https://example.com/" });
  const dialog = await webhooks.openAdding();
  await dialog.fill(GOOD);
  const secret = await dialog.secret.inputValue();
  await dialog.button("Add").click();

  await dialog.expectRefused(dialog.name, "A webhook named “Orders” already exists.");
  await expect(dialog.name).toBeFocused();
  await dialog.expectFields({ ...GOOD, secret });
});

test("everything that is wrong is said at once, and the first of it gets the focus", async ({ webhooks }) => {
  const dialog = await webhooks.openAdding();
  const typed = { url: "https://", name: " ", secret: "short", events: [] };
  await dialog.fill(typed);
  await dialog.button("Add").click();

  await dialog.expectRefused(dialog.url, MESSAGES.url);
  await dialog.expectRefused(dialog.name, MESSAGES.name);
  await dialog.expectRefused(dialog.secret, MESSAGES.secret);
  await dialog.expectRefused(dialog.event("chat"), "Choose at least one event.");
  await expect(dialog.url).toBeFocused();
  await dialog.expectFields(typed);
});

test("what is typed is never taken for markup", async ({ webhooks }) => {
  const name = `<img src=x onerror="document.title='owned'"> & “Ö”`;
  const dialog = await webhooks.openAdding();
  await dialog.fill({ ...GOOD, name, url: "https://" });
  await dialog.button("Add").click();
  await dialog.expectFields({ name });

  await dialog.fill({ url: GOOD.url });
  await dialog.button("Add").click();
  await webhooks.expectMessage(`Webhook “${name}” added.`);
  await expect(webhooks.link(name)).toBeVisible();
  await expect(webhooks.page).toHaveTitle("Webhook · Caleida");
});

test("“Select all insights” stands for its five", async ({ webhooks, javaScriptEnabled }) => {
  const dialog = await webhooks.openAdding();
  await dialog.fill({ ...GOOD, events: [] });
  await dialog.events.getByRole("checkbox", { name: "Select all insights" }).check();
  if (javaScriptEnabled !== false) {
    await expect(dialog.event("insight.topic")).toBeChecked();
    await expect(dialog.event("chat")).not.toBeChecked();
  }
  await dialog.button("Add").click();
  await webhooks.expectMessage("Webhook “Orders” added.");

  const editing = await webhooks.openEditing("Orders");
  const insights = ["summary", "topic", "key", "conversation", "sentiment"].map((kind) => `insight.${kind}`);
  await editing.expectFields({ events: insights });
});

test("Cancel returns to the list, and nothing is added", async ({ webhooks }) => {
  const dialog = await webhooks.openAdding();
  await dialog.fill(GOOD);
  await dialog.button("Cancel").click();
  await webhooks.expectList();
  await expect(webhooks.page.getByText("No webhooks yet")).toBeVisible();
});

test("the dialog has an address: it can be linked, reloaded, and left with Back", async ({ webhooks }) => {
  const { page, adding } = webhooks;
  await webhooks.openAdding();
  await expect(page).toHaveURL(`${LIST}/new`);
  await page.reload();
  await expect(adding.url).toBeVisible();
  await page.goBack();
  await webhooks.expectList();
  await page.goForward();
  await expect(adding.url).toBeVisible();
  await page.goto(`${LIST}/new`);
  await expect(adding.url).toBeVisible();
});

test("a member adds too, a viewer may not", async ({ browserOf }) => {
  const member = new Webhooks(await browserOf("member"));
  await member.open();
  const dialog = await member.openAdding();
  await dialog.fill(GOOD);
  await dialog.button("Add").click();
  await member.expectMessage("Webhook “Orders” added.");

  const viewer = await browserOf("viewer");
  const answer = await viewer.goto(`${LIST}/new`);
  expect(answer?.status()).toBe(403);
  await expect(viewer.getByText("Viewers may not add webhooks.")).toBeVisible();
});

test.describe("with JavaScript", () => {
  needsScript();

  test("Escape returns to the list", async ({ webhooks }) => {
    const dialog = await webhooks.openAdding();
    await webhooks.expectModal(dialog.root);
    await webhooks.page.keyboard.press("Escape");
    await webhooks.expectList();
  });

  test("a click beside the dialog closes it, but not once something was typed", async ({ webhooks }) => {
    const dialog = await webhooks.openAdding();
    await webhooks.expectModal(dialog.root);
    await webhooks.page.mouse.click(5, 5);
    await webhooks.expectList();

    await webhooks.openAdding();
    await webhooks.expectModal(dialog.root);
    await dialog.name.fill("Orders");
    await webhooks.page.mouse.click(5, 5);
    await expect(dialog.name).toHaveValue("Orders");
  });

  test("the secret is hidden until it is shown, can be copied and made anew", async ({ webhooks, context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const dialog = await webhooks.openAdding();
    await expect(dialog.secret).toHaveAttribute("type", "password");
    await dialog.button("Show").click();
    await expect(dialog.secret).toHaveAttribute("type", "text");
    const first = await dialog.secret.inputValue();

    await dialog.button("Generate new").click();
    await expect(dialog.secret).not.toHaveValue(first);
    const second = await dialog.secret.inputValue();
    expect(Buffer.from(second.replace(/^whsec_/, ""), "base64")).toHaveLength(32);

    await dialog.button("Copy").click();
    await expect(dialog.root.getByRole("status").filter({ hasText: "Copied" })).toBeVisible();
    expect(await webhooks.page.evaluate(() => navigator.clipboard.readText())).toBe(second);

    await dialog.button("Hide").click();
    await expect(dialog.secret).toHaveAttribute("type", "password");
  });

  test("while one types, the form says what is unwise", async ({ webhooks, complaints }) => {
    // Chromium logs the answer “422” to the question about the URL.
    complaints.allow(/status of 422 .*\/integrations\/webhook\/advice/);
    const dialog = await webhooks.openAdding();
    await expect(dialog.button("Show")).toBeVisible();

    await dialog.url.fill("ftp://example.com");
    await dialog.expectRefused(dialog.url, MESSAGES.url);
    await dialog.url.fill("https://me:pw@example.com/");
    await expect(dialog.root.getByText(/^Remove the user name and password from the URL/)).toBeVisible();
    await dialog.url.fill("https://10.0.0.1/hook");
    await expect(dialog.root.getByText(/10\.0\.0\.1, which is not a public address/)).toBeVisible();
    await expect(dialog.url).not.toHaveAttribute("aria-invalid", "true");

    await dialog.secret.fill("aaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    await expect(dialog.root.getByText(/^It repeats a few characters/)).toBeVisible();
    await dialog.secret.fill("correct horse battery staple");
    const whsec = `whsec_${Buffer.from("correct horse battery staple").toString("base64")}`;
    await expect(dialog.root.getByText(whsec)).toBeVisible();
  });
});
