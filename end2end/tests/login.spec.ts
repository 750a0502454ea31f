import { LIST, Webhooks } from "../pages/webhooks.ts";
import { Login } from "../pages/login.ts";
import { Account } from "../support/account.ts";
import { Server } from "../support/server.ts";
import { expect, signIn, test } from "../support/test.ts";

test("sign-in page returns to the requested page", async ({ page, account }) => {
  const requested = "/integrations/webhook/deliveries?status=failed";
  await page.goto(requested);
  await expect(page).toHaveURL(/\/login\?next=/);

  await new Login(page).signIn(await account.createUser("viewer"));
  await expect(page).toHaveURL(requested);
  await expect(page.getByRole("heading", { name: "Deliveries" })).toBeVisible();
});

for (const path of ["/", "/integrations"]) {
  test(`${path} redirects to the list of webhooks`, async ({ page, account }) => {
    await signIn(page, await account.createUser("viewer"));
    await page.goto(path);
    await new Webhooks(page).expectList();
  });
}

test("wrong password shows an error and keeps the email", async ({ page, account }) => {
  const user = await account.createUser("member");
  const login = new Login(page);
  await login.open();
  await login.signIn({ ...user, password: "not their password" });

  await expect(login.error).toHaveText("Email or password is wrong.");
  await expect(login.email).toHaveValue(user.email);
  await expect(login.password).toHaveValue("");
  await expect(login.password).toBeFocused();
  await expect(login.password).toHaveAccessibleDescription("Email or password is wrong.");

  await login.signIn(user);
  await new Webhooks(page).expectList();
});

test("unknown email gives the same error as a wrong password", async ({ page }) => {
  const login = new Login(page);
  await login.open();
  await login.signIn({ email: "unknown@caleida.test", password: "some long password" });
  await expect(login.error).toHaveText("Email or password is wrong.");
});

test("email is case-insensitive", async ({ page, account }) => {
  const user = await account.createUser("member");
  const login = new Login(page);
  await login.open();
  await login.signIn({ ...user, email: user.email.toUpperCase() });
  await new Webhooks(page).expectList();
});

test("signed-in user is redirected to the list", async ({ webhooks }) => {
  await webhooks.page.goto("/login");
  await webhooks.expectList();
});

test("redirect after signing in never leaves the site", async ({ page, account }) => {
  await page.goto("/login?next=//evil.example/");
  await new Login(page).signIn(await account.createUser("viewer"));
  await new Webhooks(page).expectList();
});

test("signing out ends the session, not only the cookie", async ({ page, account }) => {
  const user = await account.createUser("viewer");
  await signIn(page, user);
  await page.goto(LIST);
  const cookies = await page.context().cookies();

  await page.getByText(user.email).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(new Login(page).heading).toBeVisible();

  await page.context().addCookies(cookies);
  await page.goto(LIST);
  await expect(new Login(page).heading).toBeVisible();
});

test("disabled user is signed out at the next page", async ({ page, account, server }) => {
  const user = await account.createUser("member");
  await signIn(page, user);
  await page.goto(LIST);
  await new Webhooks(page).expectList();

  await server.command(["user", "disable", "--email", user.email]);
  await page.reload();
  await expect(new Login(page).heading).toBeVisible();
});

test("session cookie is HttpOnly and SameSite", async ({ webhooks }) => {
  const cookies = await webhooks.page.context().cookies();
  expect(cookies).toContainEqual(expect.objectContaining({ name: "caleida", httpOnly: true, sameSite: "Lax" }));
});

test("sign-in is rate limited after many failures", async ({ page }) => {
  // Uses its own server, because failures also count for the client address, which other tests share.
  const server = await Server.start();
  try {
    const account = new Account(server);
    const [user, other] = [await account.createUser("member"), await account.createUser("member")];
    const login = new Login(page);
    await page.goto(`${server.url}/login`);
    for (let failures = 0; failures < 8; failures++) {
      await login.signIn({ ...user, password: `guess number ${failures}` });
      await expect(login.error).toHaveText("Email or password is wrong.");
    }

    await login.signIn(user);
    await expect(login.error).toHaveText(/^Too many attempts\. Try again in \d+ (min|s)\.$/);
    await expect(login.email).toHaveValue(user.email);

    await login.signIn(other);
    await new Webhooks(page).expectList();
  } finally {
    await server.stop();
  }
});
