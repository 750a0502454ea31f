import { expectAccessible } from "../support/axe.ts";
import { expect, needsScript, test } from "../support/test.ts";

// axe checks a long page three times, which is slow on a busy machine.
test.describe.configure({ timeout: 120_000 });

const GUIDE = "/integrations/webhook/guide";

test("guide explains calls, verification and retries", async ({ webhooks: { page } }) => {
  await page.getByRole("link", { name: "Guide", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Guide", level: 1 })).toBeVisible();
  await expect(page.getByRole("term").filter({ hasText: "webhook-signature" })).toBeVisible();
  // The test server retries after 1 s, twice.
  const retries = page.getByRole("region", { name: "Retries" });
  await expect(retries.getByRole("row")).toHaveText([
    /Attempt/,
    /^1\s*immediately\s*–$/,
    /^2\s*1 s\s*1 s$/,
    /^3\s*1 s\s*2 s$/,
  ]);
  await expect(page.getByText("up to 3 attempts in total")).toBeVisible();
  const settings = page.getByRole("region", { name: "Advanced settings" });
  await expect(settings.getByRole("row", { name: "missing does not exist" })).toBeVisible();
  await expectAccessible(page);
});

test("each language has a receiver with its own URL", async ({ webhooks: { page } }) => {
  await page.goto(GUIDE);
  const languages = page.getByRole("navigation", { name: "Languages" });
  const names = ["Python", "JavaScript", "Go", "Ruby", "PHP", "Java", "C#", "Rust", "Shell"];
  await expect(languages.getByRole("link")).toHaveText(names);
  await expect(page.getByRole("region", { name: "python/plain.py" })).toContainText("hmac.compare_digest");
  await languages.getByRole("link", { name: "Ruby" }).click();
  await expect(page).toHaveURL(/language=ruby#verify$/);
  await expect(page.getByRole("region", { name: "ruby/library.rb" })).toContainText("StandardWebhooks");
  await expect(languages.getByRole("link", { name: "Ruby" })).toHaveAttribute("aria-current", "true");
  await page.goto(`${GUIDE}?language=shell`);
  await expect(page.getByRole("heading", { name: "With the Standard Webhooks library" })).toHaveCount(0);
  await page.goto(`${GUIDE}?language=klingon`);
  await expect(page.getByRole("region", { name: "python/library.py" })).toBeVisible();
});

test("signature check is hidden without JavaScript", async ({ webhooks: { page } }) => {
  test.skip(test.info().project.use.javaScriptEnabled !== false, "with JavaScript, the check is visible");
  await page.goto(GUIDE);
  await expect(page.locator("noscript p")).toBeVisible();
  await expect(page.locator("noscript p")).toContainText("This check requires JavaScript");
  await expect(page.getByLabel("Secret", { exact: true })).toBeHidden();
});

test.describe("signature check", () => {
  needsScript();

  test("accepts a real call and explains why a changed one fails", async ({ webhooks: { page }, api, receiver }) => {
    const { secret } = await api.add({ name: "Orders", url: receiver.url() });
    await api.publish("chat", { text: "hello" });
    await expect.poll(() => receiver.calls.length).toBe(1);
    const { headers, body } = receiver.calls[0]!;
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(GUIDE);
    await expect(page.getByRole("button", { name: "Fill in an example" })).toBeVisible();
    const loaded = requests.length;

    const names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    await page.getByLabel("Headers").fill(names.map((name) => `${name}: ${headers[name]}`).join("\n"));
    await page.getByLabel("Body", { exact: true }).fill(body);
    await page.getByLabel("Secret", { exact: true }).fill("short");
    await expect(page.getByText("Use at least 24 characters for the secret.")).toBeVisible();
    await page.getByLabel("Secret", { exact: true }).fill(secret);
    const verdict = page.getByRole("status").filter({ hasText: "receiver" });
    await expect(verdict).toHaveText("A receiver accepts this call.");
    await expect(page.getByText("Signature 1 matches")).toBeVisible();
    const signed = page.getByRole("region", { name: "Signed bytes" });
    await expect(signed).toHaveText(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
    await expectAccessible(page);

    await page.getByLabel("Body", { exact: true }).fill(JSON.stringify(JSON.parse(body), null, 2));
    await expect(verdict).toHaveText("A receiver rejects this call.");
    await expect(page.getByText("the body was parsed and serialized again")).toBeVisible();
    await page.getByLabel("Body", { exact: true }).fill(body.replace("hello", "hullo"));
    await expect(page.getByText("Signature 1 does not match")).toBeVisible();
    await expect(page.getByText("What to do:")).toHaveCount(0);
    await expectAccessible(page);
    expect(requests.slice(loaded), "requests since the page was loaded").toEqual([]);
  });

  test("fills in an example and shows the secret on request", async ({ webhooks: { page } }) => {
    await page.goto(GUIDE);
    await page.getByRole("button", { name: "Fill in an example" }).click();
    await expect(page.getByText("A receiver accepts this call.")).toBeVisible();
    const secret = page.getByLabel("Secret", { exact: true });
    await expect(secret).toHaveAttribute("type", "password");
    await page.getByRole("button", { name: "Show" }).click();
    await expect(secret).toHaveAttribute("type", "text");
    await expect(secret).toHaveValue(/^whsec_/);
  });
});
