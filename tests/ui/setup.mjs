/* setup.mjs: integrations, delegates, secrets and connectors, made in the
 * browser by those who may and approved by somebody else. */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { api, axe, expect, goto, journey, login, run, settled, ui, until }
	from "./kit.mjs";

const P = `/p/${ui.project}`, V = `/v1/projects/${ui.project}`;

/* ---- an integration ---- */

const firing = name => ({ version: "4", groupKey: `{}:{alertname="${name}"}`,
	status: "firing", receiver: "redoubt", groupLabels: {}, commonLabels: {},
	commonAnnotations: {}, externalURL: "http://am.example",
	alerts: [{ status: "firing", labels: { alertname: name,
		severity: "critical", service: "shop" },
		annotations: { summary: "The shop is closed" },
		startsAt: new Date().toISOString(),
		endsAt: "0001-01-01T00:00:00Z", generatorURL: "",
		fingerprint: name }] });
const deliver = (url, token, body) => api("POST", new URL(url).pathname,
    body, { token });

journey("an_integration_is_made_tried_and_rotated", async t => {
	const p = await login("integration_admin", `${P}/integrations`);
	await p.getByRole("button", { name: "Add an integration" }).click();
	const d = p.getByRole("dialog", { name: "Add an integration" });
	await d.getByLabel("Name").fill("shop");
	t.eq(await axe(p), [], "axe, the form");
	await d.getByRole("button", { name: "Create" }).click();
	await d.getByText("shown now and never again").waitFor();
	const [url, secret] = await d.locator("p > code").allInnerTexts();
	t.check(url.startsWith(ui.url), url);
	t.check(secret.startsWith("rdw_"), "what is told");
	t.eq(await axe(p), [], "axe, the secret");
	await d.getByRole("button", { name: "I have kept it" }).click();
	await d.waitFor({ state: "detached" });
	t.check(!(await p.content()).includes(secret), "the secret stays");

	await p.getByRole("link", { name: "shop" }).click();
	await p.getByRole("heading", { name: "shop", level: 1 }).waitFor();
	await settled(p);
	t.check(!(await p.content()).includes(secret), "the secret is back");
	await p.getByText("Nothing was sent yet.").waitFor();

	/* what is no JSON is said; what is, is mapped and not kept */
	const payload = p.getByLabel("Payload");
	await payload.fill("{ not json");
	await p.getByRole("button", { name: "Map it" }).click();
	await p.getByRole("alert").getByText("This is not JSON:").waitFor();
	t.eq(await axe(p), [], "axe, bad JSON");
	await payload.fill(JSON.stringify(firing("Tried")));
	await p.getByRole("button", { name: "Map it" }).click();
	await p.getByText("The shop is closed").first().waitFor();
	t.eq(await p.getByText("This is not JSON:").count(), 0, "still bad");
	t.eq(await axe(p), [], "axe, mapped");
	await p.getByText("Nothing was sent yet.").waitFor();

	/* a real one arrives while one looks */
	const a = await deliver(url, secret, firing("ShopClosed"));
	t.check(a.status < 300, `${a.status} ${a.text}`);
	const rows = p.getByRole("table").getByRole("row");
	await until(async () => await rows.count() === 2, "a delivery");
	t.check(!(await rows.nth(1).innerText()).includes("undefined"),
	    await rows.nth(1).innerText());
	t.eq(await axe(p), [], "axe, deliveries");

	/* both are good for a while */
	await p.getByRole("button", { name: "New secret" }).click();
	const r = p.getByRole("dialog", { name: "New secret" });
	await r.getByRole("button", { name: "New secret" }).click();
	await r.getByText("shown now and never again").waitFor();
	const fresh = (await r.locator("p > code").allInnerTexts())[1];
	t.check(fresh.startsWith("rdw_") && fresh !== secret, "another one");
	await r.getByRole("button", { name: "I have kept it" }).click();
	for (const s of [secret, fresh])
		t.check((await deliver(url, s, firing("Again"))).status < 300,
		    "both are good");
	t.eq((await deliver(url, "rdw_" + "A".repeat(43), firing("No"))).status,
	    401, "and no other");
	await until(async () => await rows.count() === 4, "they are there");
});

/* ---- a delegate ---- */

const raw = pair => Buffer.from(pair.publicKey.export({ format: "jwk" }).x,
    "base64url");
const sha256 = b => createHash("sha256").update(b).digest("hex");

/* doc/PROTOCOL.delegate: what `redoubt delegate enroll` does */
async function join(token) {
	const id = generateKeyPairSync("ed25519");
	const e = raw(id), x = raw(generateKeyPairSync("x25519"));
	const text = `redoubt-join/1\n${sha256(token)}\n` +
	    `${e.toString("hex")}\n${x.toString("hex")}\n`;
	const a = await api("POST", "/v1/delegate/join", {
		ed25519: e.toString("base64"), x25519: x.toString("base64"),
		version: "0.3.0", host: "ber1.example", doctor: { userns: true },
		proof: sign(null, Buffer.from(text), id.privateKey)
		    .toString("base64") }, { token });
	return { a, fingerprint: sha256(Buffer.concat([e, x])) };
}

journey("a_delegate_joins_and_somebody_else_approves", async t => {
	expect("409");
	const p = await login("project_admin", `${P}/delegates`);
	await p.getByRole("button", { name: "Add a delegate" }).click();
	const d = p.getByRole("dialog", { name: "Add a delegate" });
	await d.getByLabel("Name").fill("berlin");
	await d.getByLabel("Labels").fill("site=ber");
	await d.getByRole("button", { name: "Create" }).click();
	await d.getByText("On the host of berlin").waitFor();
	const token = await d.locator("p > code").innerText();
	t.eq(await axe(p), [], "axe, the token");
	await d.getByRole("button", { name: "I have kept it" }).click();
	const row = p.getByRole("row", { name: /berlin/ });
	await row.getByText("not joined").waitFor();
	t.check(!(await p.content()).includes(token), "the token stays");

	const { a, fingerprint } = await join(token);
	t.eq(a.status, 201, a.text);
	await row.getByText("to be approved").waitFor();

	/* whoever made it may not */
	const own = row.getByRole("button", { name: "Approve" });
	t.eq(await own.getAttribute("aria-disabled"), "true", "the maker's");
	await own.focus();
	await p.keyboard.press("Enter");
	await p.getByText("Somebody else has to approve what you made.")
	    .first().waitFor();
	t.eq(await axe(p), [], "axe, the maker");

	const q = await login("approver", `${P}/delegates`);
	const theirs = q.getByRole("row", { name: /berlin/ });
	await theirs.getByRole("button", { name: "Approve" }).click();
	const dd = q.getByRole("dialog", { name: "Approve berlin?" });
	const field = dd.getByLabel("Fingerprint from the host");
	const refused = async what => {
		await until(async () => await field.getAttribute(
		    "aria-invalid") === "true", what);
		const hint = await field.getAttribute("aria-describedby");
		t.check((await q.locator(`[id="${hint}"]`).innerText()).length > 3,
		    what);
		t.eq((await api("GET", `${V}/delegates`)).json.items.find(x =>
		    x.name === "berlin").state, "pending", what);
	};
	await dd.getByRole("button", { name: "Approve" }).click();
	await refused("without a fingerprint");
	await field.fill("ab".repeat(32));
	await dd.getByRole("button", { name: "Approve" }).click();
	await refused("with a wrong one");
	t.eq(await axe(q), [], "axe, refused");
	/* as a person would type it */
	await field.fill(fingerprint.toUpperCase().match(/.{4}/g).join(" "));
	await dd.getByRole("button", { name: "Approve" }).click();
	await dd.waitFor({ state: "detached" });
	await theirs.getByText("approved", { exact: true }).waitFor();
	await row.getByText("approved", { exact: true }).waitFor();
});

/* ---- a secret ---- */

/* Whatever of a request could carry the value, as plain, hex or base64. */
function carries(text, value) {
	const b = Buffer.from(value), forms = [value, b.toString("hex"),
		encodeURIComponent(value)];
	for (const skip of [0, 1, 2]) {
		const x = b.subarray(skip);
		const whole = x.subarray(0, x.length - x.length % 3);
		forms.push(whole.toString("base64"), whole.toString("base64url"));
	}
	return forms.some(f => text.toLowerCase().includes(f.toLowerCase()));
}

async function setSecret(p, d, value) {
	await d.getByLabel("Value", { exact: false }).fill(value);
	await d.getByRole("button", { name: "Encrypt and set" }).click();
}

journey("a_secret_is_encrypted_in_the_browser", async t => {
	const [first, second] = ui.values;
	const p = await login("project_admin", `${P}/secrets`);
	const asked = [];
	p.on("request", r => asked.push([r.method(), r.url(), JSON.stringify(
	    r.headers()), r.postData() ?? ""].join("\n")));
	t.check(carries(`x${Buffer.from("ab" + first).toString("base64")}`,
	    first), "the test can see a value");

	await p.getByRole("button", { name: "Add a secret" }).click();
	const d = p.getByRole("dialog", { name: "Add a secret" });
	await d.getByLabel("Name").fill("db-password");
	await d.getByLabel("For delegates with labels").fill("site=fra");
	await d.getByText("new to this browser").waitFor();
	await d.getByText(ui.fingerprint).waitFor();
	t.eq(await axe(p), [], "axe, the form");
	await setSecret(p, d, first);
	await d.getByText("Compare the fingerprints first").first().waitFor();
	t.eq((await api("GET", `${V}/secrets/db-password`)).status, 404,
	    "set without comparing");
	await d.getByLabel("I have compared these").check();
	await d.getByRole("button", { name: "Encrypt and set" }).click();
	await d.waitFor({ state: "detached" });
	const row = p.getByRole("row", { name: /db-password/ });
	await row.waitFor();
	const posts = asked.filter(x => x.startsWith("POST") &&
	    x.includes("/secrets"));
	t.eq(posts.length, 1, "requests that set");
	t.check(posts[0].includes('"boxes"'), "boxes");

	/* the delegate is known now; a new value takes no box */
	await row.getByRole("button", { name: "New value" }).click();
	const n = p.getByRole("dialog", { name: "New value of db-password" });
	await n.getByText("known", { exact: true }).waitFor();
	t.eq(await n.getByLabel("I have compared these").count(), 0, "a box");
	await setSecret(p, n, second);
	await n.waitFor({ state: "detached" });
	await until(async () => (await api("GET", `${V}/secrets/db-password`))
	    .json.version === 2, "the second version");
	for (const x of asked)
		for (const v of ui.values)
			t.check(!carries(x, v), "a value left: " +
			    x.slice(0, 120));
	const html = await p.content();
	t.check(!html.includes(first) && !html.includes(second),
	    "a value stays in the page");
	t.check(!(await p.evaluate(() => JSON.stringify(localStorage) +
	    JSON.stringify(sessionStorage))).includes(first), "in storage");
});

/* a server (or whoever sits on it) that gives its own key for a delegate's */
journey("another_key_for_the_same_delegate_is_refused", async t => {
	const p = await login("project_admin", `${P}/secrets`);
	const posts = [];
	p.on("request", r => r.method() === "POST" &&
	    r.url().includes("/secrets") && posts.push(r.url()));
	await p.evaluate(([id, fp]) => localStorage.setItem(
	    "redoubt-delegates", JSON.stringify({ [id]: fp })),
	    [ui.delegate, ui.fingerprint]);
	let lie = {};
	await p.route("**/secret-recipients*", async r => {
		const a = await api("GET", new URL(r.request().url()).pathname +
		    new URL(r.request().url()).search);
		a.json.items = a.json.items.map(x => ({ ...x, ...lie }));
		await r.fulfill({ status: 200, json: a.json });
	});
	const evil = raw(generateKeyPairSync("x25519"));
	const there = (await api("GET",
	    `${V}/secret-recipients?labels=site%3Dfra`)).json.items[0];
	const key = evil.toString("base64");
	const fingerprint = sha256(Buffer.concat([
	    Buffer.from(there.identity, "base64"), evil]));
	for (const [said, tick, l] of [
	    ["ANOTHER KEY than before", false, { key, fingerprint }],
	    ["FALSE", true, { key }]]) {
		lie = l;
		await goto(p, `${P}/secrets`);
		await p.getByRole("button", { name: "Add a secret" }).click();
		const d = p.getByRole("dialog", { name: "Add a secret" });
		await d.getByLabel("Name").fill("stolen");
		await d.getByLabel("For delegates with labels").fill("site=fra");
		await d.getByText(said).waitFor();
		t.eq(await axe(p), [], `axe, ${said}`);
		if (tick)
			await d.getByLabel("I have compared these").check();
		await setSecret(p, d, "nobody may have this");
		await d.getByText(tick ? "Do not set a secret" :
		    "Compare the fingerprints first").first().waitFor();
	}
	t.eq(posts, [], "something was sent");
});

/* ---- a connector ---- */

journey("a_connector_is_made_approved_and_suspended", async t => {
	const p = await login("integration_admin", `${P}/connectors`);
	await p.getByRole("button", { name: "Add a connector" }).click();
	const d = p.getByRole("dialog", { name: "Add a connector" });
	await d.getByLabel("Slug").fill("tickets");
	await d.getByLabel("Kind").selectOption("jira");
	await d.getByLabel("Address").fill("https://jira.example.net");
	await d.getByLabel("Actions").fill("[not json");
	await d.getByLabel("Credential").fill(JSON.stringify({ kind: "bearer",
		secret: "jira", scopes: ["write:jira-work"] }));
	await d.getByLabel("By delegates").fill("site=fra");
	t.eq(await axe(p), [], "axe, the form");
	await d.getByRole("button", { name: "Create" }).click();
	const actions = d.getByLabel("Actions");
	await until(async () => await actions.getAttribute("aria-invalid") ===
	    "true", "bad JSON at its field");
	await actions.fill('["add_comment"]');
	await d.getByRole("button", { name: "Create" }).click();
	await p.waitForURL(/connectors\/tickets$/);
	await settled(p);
	await p.getByText("draft", { exact: true }).waitFor();
	await p.getByRole("button", { name: "Submit for approval" }).click();
	const mine = p.getByRole("button", { name: "Approve" });
	await mine.waitFor();
	t.eq(await mine.getAttribute("aria-disabled"), "true", "may not");

	const q = await login("approver", `${P}/connectors/tickets`);
	await q.getByRole("button", { name: "Approve" }).click();
	const c = q.getByRole("dialog", { name: "Approve tickets?" });
	await c.getByText("jira.example.net").waitFor();
	t.eq(await axe(q), [], "axe, approving");
	await c.getByRole("button", { name: "Approve" }).click();
	await q.getByText("approved", { exact: true }).waitFor();
	t.eq(await axe(q), [], "axe, approved");

	/* the maker sees that without asking, and takes it back */
	await p.getByText("approved", { exact: true }).waitFor();
	await p.getByRole("button", { name: "Suspend" }).click();
	const s = p.getByRole("dialog", { name: "Suspend" });
	await s.getByLabel("Reason").fill("it writes too much");
	await s.getByRole("button", { name: "Suspend" }).click();
	await p.getByText("suspended", { exact: true }).waitFor();
	t.eq((await api("GET", `${V}/connectors/tickets`)).json.state,
	    "suspended");
});

await run();
