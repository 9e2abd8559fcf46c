/* What a page costs once its files are there: bar B15. */
import { journey, login, run, settled, ui } from "./kit.mjs";

/* Bytes from the network of what is not data, by request. */
async function counted(p, f) {
	const cdp = await p.context().newCDPSession(p);
	const at = new Map(), seen = [];
	await cdp.send("Network.enable");
	cdp.on("Network.requestWillBeSent",
	    e => at.set(e.requestId, new URL(e.request.url).pathname));
	cdp.on("Network.loadingFinished", e => {
		const path = at.get(e.requestId) ?? "?";
		if (!/^\/(v1|auth)\//.test(path))
			seen.push([path, e.encodedDataLength]);
	});
	await f();
	await settled(p);
	await p.waitForTimeout(500);
	await cdp.detach();
	return seen;
}
const sum = seen => seen.reduce((n, [, b]) => n + b, 0);

journey("a_warm_reload", async t => {
	const p = await login("viewer", "/p/default/incidents");
	const cold = await counted(p, async () => {
		const cdp = await p.context().newCDPSession(p);
		await cdp.send("Network.clearBrowserCache");
		await p.goto(`${ui.url}/p/default/incidents`);
	});
	/* twice: what a page loads when idle is there, too */
	await counted(p, () => p.reload());
	const warm = await counted(p, () => p.reload());
	t.note(`files: cold ${sum(cold)} bytes in ${cold.length} answers, ` +
	    `warm ${sum(warm)} in ${warm.filter(([, b]) => b > 0).length}`);
	t.check(sum(cold) > 30000, `cold: ${JSON.stringify(cold)}`);
	t.check(sum(warm) <= 5120, `warm: ${JSON.stringify(warm)}`);
	t.eq(warm.filter(([f, b]) => b > 0 && /-[0-9A-Za-z]{8}\.\w+$/.test(f)),
	    [], "asked again for a file that never changes");
});

journey("a_page_is_asked_for_by_its_tag", async t => {
	const p = await login("viewer", "/p/default/incidents");
	const a = await p.evaluate(async () => {
		const first = await fetch("/login", { cache: "reload" });
		const tag = first.headers.get("etag");
		const again = await fetch("/me", { cache: "no-store",
			headers: { "if-none-match": tag } });
		return [first.status, again.status, (await again.text()).length,
			again.headers.get("etag") === tag];
	});
	t.eq(a, [200, 304, 0, true], "the page is one, whatever its address");
});
await run();
