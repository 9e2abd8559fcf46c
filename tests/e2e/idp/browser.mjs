/*
 * browser.mjs EXECUTABLE: a headless Chromium on a leash.  One JSON command a
 * line on standard input, one JSON answer a line on standard output:
 *
 *	{do: "open", context}		a browser of its own, no cookies
 *	{do: "close", context}
 *	{do: "go", context, url}	go there, follow what follows
 *	{do: "fill", context, fields: {selector: text}, submit: selector}
 *	{do: "fetch", context, url, method, headers, body}
 *					beside the page, with its cookies: what
 *					our pages may fetch, CSP forbids to JSON
 *	{do: "cookies", context}
 *
 * The answer to go and fill: {url, status, text} of where it ended; or {error}.
 */
import { launch } from "../../ui/chromium.mjs";
import { createInterface } from "node:readline";

const browser = await launch({ exe: process.argv[2] });
const contexts = new Map();

/* Wait until a navigation has come to rest: forms submit themselves. */
async function rest(page) {
	let seen;

	do {
		seen = page.url();
		await page.waitForLoadState("load");
		await page.waitForTimeout(150);
	} while (page.url() !== seen);
	try {
		return { url: page.url(), status: page.lastStatus ?? 0,
			text: (await page.content()).slice(0, 20000) };
	} catch { /* it has gone on after all */
		await page.waitForTimeout(150);
		return rest(page);
	}
}

async function open(name) {
	const context = await browser.newContext({ ignoreHTTPSErrors: true });
	const page = await context.newPage();

	page.setDefaultTimeout(10000);

	/* these tests need no network, so nothing may ask for one */
	await context.route((u) => !["localhost", "127.0.0.1"].includes(
	    u.hostname), (r) => r.abort());

	page.on("response", (r) => {
		if (r.request().isNavigationRequest())
			page.lastStatus = r.status();
	});
	contexts.set(name, { context, page });
	return {};
}

async function obey(c) {
	if (c.do === "open")
		return open(c.context);
	const { context, page } = contexts.get(c.context);

	switch (c.do) {
	case "close":
		contexts.delete(c.context);
		await context.close();
		return {};
	case "go":
		await page.goto(c.url);
		return rest(page);
	case "fill":
		for (const [selector, text] of Object.entries(c.fields))
			await page.fill(selector, text);
		await page.click(c.submit);
		return rest(page);
	case "fetch": {
		const r = await context.request.fetch(c.url, {
			method: c.method ?? "GET", headers: c.headers,
			data: c.body, maxRedirects: 0 });

		return { status: r.status(), text: await r.text() };
	}
	case "cookies":
		return { cookies: await context.cookies() };
	default:
		throw new Error("what is " + c.do + "?");
	}
}

console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
	let answer;

	try {
		answer = await obey(JSON.parse(line));
	} catch (e) {
		answer = { error: String(e) };
	}
	console.log(JSON.stringify(answer));
}
await browser.close();
