/* passkey.mjs: a security key, set up in one's account and logged in with:
 * Chromium's own authenticator, at a name (an address has no keys). */
import { generateKeyPairSync } from "node:crypto";
import { axe, context, expect, journey, login, page, run, settled, ui }
	from "./kit.mjs";

async function authenticator(p) {
	const cdp = await p.context().newCDPSession(p);
	await cdp.send("WebAuthn.enable");
	const { authenticatorId } = await cdp.send(
	    "WebAuthn.addVirtualAuthenticator", { options: {
		protocol: "ctap2", transport: "internal", hasResidentKey: true,
		hasUserVerification: true, isUserVerified: true,
		automaticPresenceSimulation: true } });
	return { keys: async () => (await cdp.send("WebAuthn.getCredentials",
	    { authenticatorId })).credentials,
	give: async k => cdp.send("WebAuthn.addCredential",
	    { authenticatorId, credential: k }) };
}

const KEY = "Log in with a security key";
async function form(who, key) {
	const p = await page(await context());
	const a = await authenticator(p);
	if (key)
		await a.give(key);
	await p.goto(ui.url + "/login?next=/me");
	await p.getByLabel("E-mail address").fill(who.email);
	await p.getByLabel("Password").fill(who.password);
	return p;
}

journey("a_key_is_set_up_and_logs_in", async t => {
	expect("401");
	const who = ui.people.responder;
	const p = await login("responder", "/me");
	await p.getByRole("button", { name: "Add a security key" }).click();
	const d = p.getByRole("dialog");
	await d.getByLabel("Name of the key").fill("blue key");
	t.eq(await axe(p), [], "axe, the form");
	const a = await authenticator(p);
	await d.getByRole("button", { name: "Add a security key" }).click();
	await d.waitFor({ state: "detached" });
	const row = p.getByRole("row", { name: /blue key/ });
	await row.getByText("Security key or passkey").waitFor();
	const keys = await a.keys();
	t.eq(keys.length, 1, "keys");
	t.eq(keys[0].rpId, "localhost", "for whom");

	/* the password alone lets nobody in any more */
	const q = await form(who);
	await q.keyboard.press("Enter");
	await q.getByRole("alert").getByText("a security key").waitFor();
	t.check(new URL(q.url()).pathname === "/login", q.url());

	/* nor does a key that only says it is that one */
	const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const n = await form(who, { ...keys[0], privateKey: privateKey.export({
		type: "pkcs8", format: "der" }).toString("base64") });
	await n.getByRole("button", { name: KEY }).click();
	await n.getByRole("status").getByText("That is not right").waitFor();
	t.check(new URL(n.url()).pathname === "/login", n.url());

	const r = await form(who, keys[0]);
	await r.getByRole("button", { name: KEY }).focus();
	await r.keyboard.press("Enter");
	await r.waitForURL(ui.url + "/me");
	await settled(r);
	const mine = r.getByRole("row", { name: /this one/ });
	t.eq(await mine.getByRole("cell").nth(1).innerText(),
	    "password+webauthn", "method");

	/* taken away again, and the password is enough */
	await r.getByRole("row", { name: /blue key/ }).getByRole("button",
	    { name: "Remove blue key" }).click();
	await r.getByRole("dialog").getByRole("button", { name: "Remove" })
	    .click();
	await r.getByRole("row", { name: /blue key/ })
	    .waitFor({ state: "detached" });
	const s = await form(who);
	await s.keyboard.press("Enter");
	await s.waitForURL(ui.url + "/me");
});

journey("a_key_needs_address_and_password_first", async t => {
	const p = await page(await context());
	await p.goto(ui.url + "/login");
	const b = p.getByRole("button", { name: KEY });
	t.eq(await b.getAttribute("aria-disabled"), "true", "off");
	await b.focus();
	await p.keyboard.press("Enter");
	await p.getByRole("status").getByText(
	    "Type your e-mail address and password first.").waitFor();
	t.eq(await axe(p), [], "axe");
});

await run();
