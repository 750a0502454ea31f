import { LIST, Webhooks } from "../pages/webhooks.ts";
import { Login } from "../pages/login.ts";
import { Account } from "../support/account.ts";
import { Server } from "../support/server.ts";
import { expect, signIn, test } from "../support/test.ts";

test("whoever is not signed in is asked to, and gets back to the page they wanted", async ({ page, account }) => {
  const wanted = "/integrations/webhook/deliveries?status=failed";
  await page.goto(wanted);
  await expect(page).toHaveURL(/\/login\?next=/);

  await new Login(page).signIn(await account.person("viewer"));
  await expect(page).toHaveURL(wanted);
  await expect(page.getByRole("heading", { name: "Deliveries" })).toBeVisible();
});

for (const path of ["/", "/integrations"]) {
  test(`${path} leads to the list of webhooks`, async ({ page, account }) => {
    await signIn(page, await account.person("viewer"));
    await page.goto(path);
    await new Webhooks(page).expectList();
  });
}

test("a wrong password is refused in plain words, and the typed email is kept", async ({ page, account }) => {
  const person = await account.person("member");
  const login = new Login(page);
  await login.open();
  await login.signIn({ ...person, password: "not their password" });

  await expect(login.refusal).toHaveText("Email or password is wrong.");
  await expect(login.email).toHaveValue(person.email);
  await expect(login.password).toHaveValue("");
  await expect(login.password).toBeFocused();
  await expect(login.password).toHaveAccessibleDescription("Email or password is wrong.");

  await login.signIn(person);
  await new Webhooks(page).expectList();
});

test("an unknown email is answered like a wrong password", async ({ page }) => {
  const login = new Login(page);
  await login.open();
  await login.signIn({ email: "nobody@caleida.test", password: "some long password" });
  await expect(login.refusal).toHaveText("Email or password is wrong.");
});

test("the email's case does not matter", async ({ page, account }) => {
  const person = await account.person("member");
  const login = new Login(page);
  await login.open();
  await login.signIn({ ...person, email: person.email.toUpperCase() });
  await new Webhooks(page).expectList();
});

test("who is signed in already is not asked again", async ({ webhooks }) => {
  await webhooks.page.goto("/login");
  await webhooks.expectList();
});

test("nobody is sent on to another site", async ({ page, account }) => {
  await page.goto("/login?next=//evil.example/");
  await new Login(page).signIn(await account.person("viewer"));
  await new Webhooks(page).expectList();
});

test("signing out ends the session, not only the cookie", async ({ page, account }) => {
  const person = await account.person("viewer");
  await signIn(page, person);
  await page.goto(LIST);
  const cookies = await page.context().cookies();

  await page.getByText(person.email).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(new Login(page).heading).toBeVisible();

  await page.context().addCookies(cookies);
  await page.goto(LIST);
  await expect(new Login(page).heading).toBeVisible();
});

test("who was disabled is out at the next page", async ({ page, account, server }) => {
  const person = await account.person("member");
  await signIn(page, person);
  await page.goto(LIST);
  await new Webhooks(page).expectList();

  await server.command(["user", "disable", "--email", person.email]);
  await page.reload();
  await expect(new Login(page).heading).toBeVisible();
});

test("the session's cookie is out of reach for scripts and other sites", async ({ webhooks }) => {
  const cookies = await webhooks.page.context().cookies();
  expect(cookies).toContainEqual(expect.objectContaining({ name: "caleida", httpOnly: true, sameSite: "Lax" }));
});

test("after many failures even the right password has to wait", async ({ page }) => {
  // Its own server: the failures count for the address too, which the other tests share.
  const server = await Server.start();
  try {
    const account = new Account(server);
    const [person, other] = [await account.person("member"), await account.person("member")];
    const login = new Login(page);
    await page.goto(`${server.url}/login`);
    for (let failures = 0; failures < 8; failures++) {
      await login.signIn({ ...person, password: `guess number ${failures}` });
      await expect(login.refusal).toHaveText("Email or password is wrong.");
    }

    await login.signIn(person);
    await expect(login.refusal).toHaveText(/^Too many attempts\. Try again in \d+ (min|s)\.$/);
    await expect(login.email).toHaveValue(person.email);

    await login.signIn(other);
    await new Webhooks(page).expectList();
  } finally {
    await server.stop();
  }
});
