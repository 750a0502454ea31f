import type { Page } from "@playwright/test";

import { LIST } from "../pages/webhooks.ts";
import type { Api } from "../support/api.ts";
import { expect, signIn, test } from "../support/test.ts";

/** The pages that show this webhook. */
async function addresses(api: Api, id: string): Promise<string[]> {
  const [delivery] = await api.deliveries(id);
  return [
    LIST,
    `${LIST}/new`,
    `${LIST}/${id}`,
    `${LIST}/${id}/delete`,
    `${LIST}/${id}/deliveries`,
    `${LIST}/deliveries`,
    `${LIST}/deliveries/${delivery!.id}`,
    `${LIST}/wh_nothing`,
  ];
}

test("pages forbid foreign scripts and frames, and secrets are not cached", async ({ webhooks: { page }, api, receiver }) => {
  const { id } = await api.add({ name: "Orders", url: receiver.url() });
  await api.publish("chat");
  await expect.poll(() => receiver.calls.length).toBe(1);
  const dialogs = [`${LIST}/new`, `${LIST}/${id}`, `${LIST}/${id}/delete`];
  for (const address of await addresses(api, id)) {
    const headers = (await page.goto(address))!.headers();
    const policy = headers["content-security-policy"];
    expect(policy, address).toMatch(/script-src 'self' 'nonce-[\w+/=-]{16,}' 'wasm-unsafe-eval'/);
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]) {
      expect(policy, address).toContain(part);
    }
    expect(policy, address).not.toContain("unsafe-inline");
    expect(headers, address).toMatchObject({
      // A list may be cached for Back. A dialog may contain a secret.
      "cache-control": dialogs.includes(address) ? "no-store" : "private, no-cache",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
    });
  }
});

test("Back after signing out asks to sign in", async ({ webhooks, api }) => {
  const { page } = webhooks;
  await api.add({ name: "Orders", url: "https://example.com/" });
  for (const address of [LIST, `${LIST}/deliveries`]) {
    await page.goto(address);
    await page.goto(`${LIST}/guide`);
    const cookies = await page.context().cookies();
    await page.context().clearCookies();
    await page.goBack();
    await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
    await page.context().addCookies(cookies);
  }
});

test("nonce is used once", async ({ page }) => {
  const nonce = async () => (await page.goto("/login"))!.headers()["content-security-policy"]?.match(/nonce-([^']+)/)?.[1];
  expect(await nonce()).not.toBe(await nonce());
});

test("files of the site are immutable and compressed", async ({ webhooks: { page } }) => {
  await page.goto(`${LIST}/new`);
  const html = await (await page.request.get(`${LIST}/new`)).text();
  const files = new Set(html.match(/\/pkg\/[\w.-]+\.(css|js|wasm)/g));
  expect([...files].map((file) => file.replace(/.*\./, "")).sort()).toEqual(["css", "js", "wasm"]);
  for (const file of files) {
    const response = await page.request.get(file, { headers: { "accept-encoding": "br" } });
    expect(response.status(), file).toBe(200);
    expect(response.headers(), file).toMatchObject({
      "cache-control": "public, max-age=31536000, immutable",
      "content-encoding": "br",
      "x-content-type-options": "nosniff",
    });
  }
  const missing = await page.request.get("/pkg/missing.js");
  expect(missing.status()).toBe(404);
  expect(missing.headers()["cache-control"] ?? "").not.toContain("immutable");
});

test("pages contain no secret until an admin reveals it", async ({ webhooks: { page }, api, receiver }) => {
  const { id, secret } = await api.add({ name: "Orders", url: receiver.url() });
  await api.publish("chat");
  await expect.poll(() => receiver.calls.length).toBe(1);
  const key = secret.replace("whsec_", "").replace(/=+$/, "");
  for (const address of await addresses(api, id)) {
    await page.goto(address);
    expect(await page.content(), address).not.toContain(key);
  }
  await page.goto(`${LIST}/${id}`);
  await page.getByRole("button", { name: "Reveal" }).click();
  await expect(page.getByText(secret)).toBeVisible();
  await page.goto(`${LIST}/${id}`);
  expect(await page.content()).not.toContain(key);
});

test("form of another site is rejected with an error page", async ({ webhooks: { page }, api, receiver, server }) => {
  const { id } = await api.add({ name: "Orders", url: "https://example.com/" });
  const action = `${server.url}${LIST}/${id}/delete`;
  const body = `<!doctype html><form method="post" action="${action}"><button>Win a prize</button></form>`;
  receiver.response = { status: 200, headers: { "content-type": "text/html" }, body };
  // The same server under another host name is another site.
  await page.goto(receiver.url().replace("127.0.0.1", "localhost"));
  const [response] = await Promise.all([
    page.waitForResponse((response) => response.url() === action),
    page.getByRole("button", { name: "Win a prize" }).click(),
  ]);
  expect(response.status()).toBe(403);
  await expect(page.getByText("Another site made your browser send this")).toBeVisible();
  expect(await api.webhooks()).toHaveLength(1);
});

for (const [description, headers] of [
  ["a cross-site request", { "sec-fetch-site": "cross-site" }],
  ["a request of a neighbouring site", { "sec-fetch-site": "same-site" }],
  ["a foreign origin", { origin: "https://evil.example" }],
] as const) {
  test(`${description} with the session cookie changes nothing`, async ({ webhooks: { page }, api }) => {
    const { id } = await api.add({ name: "Orders", url: "https://example.com/" });
    for (const action of [`${LIST}/new`, `${LIST}/${id}`, `${LIST}/${id}/delete`, `${LIST}/${id}/rotate`, "/logout"]) {
      const form = { url: "https://evil.example/", name: "Owned", events: "chat" };
      const response = await page.request.post(action, { headers, form, maxRedirects: 0 });
      expect(response.status(), action).toBe(403);
    }
    await expectUntouched(page, api);
  });
}

test("requests without a session change nothing", async ({ page, api, account }) => {
  const { id } = await api.add({ name: "Orders", url: "https://example.com/" });
  const form = { url: "https://evil.example/", name: "Owned", events: "chat" };
  for (const path of ["new", id, `${id}/delete`, `${id}/test`, `${id}/recover`]) {
    const response = await page.request.post(`${LIST}/${path}`, { form, maxRedirects: 0 });
    expect(response.status(), path).toBe(303);
    expect(response.headers()["location"], path).toMatch(/^\/login\?next=/);
  }
  for (const action of ["add", "edit", "delete", "pause", "resume", "reveal-secret", "rotate-secret", "test", "resend"]) {
    const response = await page.request.post(`${LIST}/actions/${action}`, { form: { ...form, id }, maxRedirects: 0 });
    expect(response.status(), action).toBe(401);
    expect(await response.json(), action).toMatchObject({ error: "signed_out" });
  }
  await signIn(page, await account.createUser("admin"));
  await expectUntouched(page, api);
});

async function expectUntouched(page: Page, api: Api): Promise<void> {
  const webhook = { name: "Orders", url: "https://example.com/", status: "active", version: 1 };
  expect(await api.webhooks()).toEqual([expect.objectContaining(webhook)]);
  await page.goto(LIST);
  await expect(page.getByRole("heading", { name: "Webhook", level: 1 })).toBeVisible();
}

test("API does not accept the session cookie", async ({ webhooks: { page } }) => {
  const response = await page.request.get("/api/v1/webhooks");
  expect(response.status()).toBe(401);
  expect(response.headers()["content-type"]).toContain("application/problem+json");
});
