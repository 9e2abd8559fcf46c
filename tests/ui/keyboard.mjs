/*
 * keyboard.mjs: every page without a pointer (B7): Tab gets to all that can be
 * used, out of it again, and one sees where one is; what opens over a page
 * takes the focus, and gives it back.
 */
import { axe, COLOURS, context, focused, journey, keys, login, run, settled,
	ui, until } from "./kit.mjs";
import { all, both } from "./pages.mjs";

/* Each element that gets the focus. */
const watch = p => p.evaluate(() => {
	const order = globalThis.__order = [];
	document.activeElement?.blur();
	addEventListener("focusin", e => order.push(e.composedPath()[0]), true);
});
/* Remembers what hears a pointer. */
const spy = () => {
	const heard = globalThis.__pointer = new Set();
	const add = EventTarget.prototype.addEventListener;
	EventTarget.prototype.addEventListener = function (type, ...more) {
		if (/^(click|dblclick|mousedown|pointerdown)$/.test(type) &&
		    this instanceof Element)
			heard.add(this);
		return add.call(this, type, ...more);
	};
};
/* What hears a pointer and can have no focus.  But a row or cell of a grid and
 * an option of a list are chosen by the keys of what they are in, a click
 * beside a dialog is its Escape, and the menu hears its links. */
const mute = p => p.evaluate(() => [...globalThis.__pointer].filter(e =>
    e.isConnected && e.checkVisibility() && !e.matches("a[href], button, " +
    "input, select, textarea, summary, label, dialog, nav, [tabindex], " +
    "[contenteditable], [role=row], [role=gridcell], " +
    "[role=option]")).map(e => e.outerHTML.slice(0, 120)));
/* What Tab should get to: all that is shown and not within what has keys of
 * its own (a grid, a list of options, tabs), which is one stop. */
const result = p => p.evaluate(() => {
	const order = globalThis.__order;
	const say = e => `<${e.localName} class="${e.className}"> ` +
	    (e.getAttribute("aria-label") ?? e.textContent ?? "").trim()
		.slice(0, 40);
	const missed = [...document.querySelectorAll("a[href], button, input, " +
	    "select, textarea, summary, [tabindex='0']")].filter(e =>
	    e.tabIndex >= 0 && !e.disabled && e.checkVisibility({
		visibilityProperty: true }) && e.type !== "radio" &&
	    !order.includes(e));
	return { all: order.length, again: order.indexOf(order.at(-1)) <
	    order.length - 1,
	missed: missed.slice(0, 3).map(say) };
});
/* Those of them that do not show it, of their own, of the form (a filter), of
 * what is round an editor; at once, or soon. */
const dull = p => p.evaluate(async () => {
	const ring = e => {
		const s = getComputedStyle(e), r = e.getBoundingClientRect();
		return (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 ||
		    s.boxShadow !== "none") && r.width > 0 && r.height > 0 &&
		    r.right > 0 && r.bottom > 0 && r.left < innerWidth &&
		    r.top < innerHeight;
	};
	const look = x => [x, x.form, x.closest(".cm-editor"),
		x.getRootNode().host].some(y => y && ring(y));
	const out = [];
	for (const x of new Set(globalThis.__order)) {
		x.focus();
		if (!x.isConnected || look(x))
			continue;
		await new Promise(r => setTimeout(r, 300));
		if (x.isConnected && x.matches(":focus") && !look(x))
			out.push(`<${x.localName} class="${x.className}"> ` +
			    x.textContent.trim().slice(0, 40));
	}
	return out;
});

async function tabThrough(t, p, path) {
	await p.goto(ui.url + path);
	await settled(p);
	await watch(p);
	let r = null;
	/* once round, again for what came meanwhile, or 600 stops */
	for (let n = 0; n < 30 && !(r?.again && r.missed.length === 0); n++) {
		for (let k = 0; k < 20; k++)
			await p.keyboard.press("Tab");
		r = await result(p);
	}
	t.check(r.again, `${path}: Tab does not come round`);
	for (const e of r.missed)
		t.check(false, `${path}: Tab does not get to ${e}`);
	for (const e of (await dull(p)).slice(0, 3))
		t.check(false, `${path}: one does not see the focus at ${e}`);
	for (const e of await mute(p))
		t.check(false, `${path}: only a pointer can use ${e}`);
	return r.all;
}

journey("tab_gets_everywhere_and_out", async t => {
	const c = await context();
	await c.addInitScript(spy);
	await login("org_admin", "/me", { context: c });
	let stops = 0;
	await both(c, all, async (p, path) => {
		const n = await tabThrough(t, p, path);
		stops += n;
	});
	t.note(`${all.length} pages, ${stops} stops`);
});

/* The palette and the sheet of keys, over a page, in both themes. */
journey("what_opens_takes_the_focus_and_gives_it_back", async t => {
	for (const width of [1440, 390]) {
		const p = await login("org_admin", "/p/default/incidents",
		    { viewport: { width, height: 900 } });
		const link = p.locator("main a[href], main button").first();
		await link.focus();
		const before = await focused(p);
		for (const k of ["Control+k", "?"]) {
			await keys(p, k);
			const d = p.locator("dialog[open]");
			await d.waitFor();
			t.check(await d.evaluate(e => e.contains(
			    document.activeElement)), `${k}: the focus is outside`);
			for (const theme of ["dark", "light"]) {
				await p.emulateMedia({ colorScheme: theme });
				for (const f of await axe(p, theme === "dark" ?
				    undefined : COLOURS))
					t.check(false, `${width} ${theme} ${k}: ${f}`);
			}
			for (let n = 0; n < 40; n++)
				await keys(p, "Tab");
			t.check(await p.evaluate(() => document.activeElement ===
			    document.body || document.activeElement.closest(
				"dialog[open]") !== null),
			`${k}: Tab gets behind it`);
			await keys(p, "Escape");
			await d.waitFor({ state: "detached" });
			await until(async () => await focused(p) === before,
			    `${width} ${k} gives the focus back`, 3000);
		}
		await p.context().close();
	}
});

/* Colours of the reader's, and nothing that moves. */
journey("forced_colours_and_no_motion", async t => {
	const p = await login("org_admin", "/", { forcedColors: "active",
		reducedMotion: "reduce" });
	for (const path of ["/", "/p/default/alerts", "/p/default/incidents",
		...ui.fill["/p/*/i/"].map(n => `/p/default/i/${n}`)]) {
		await p.goto(ui.url + path);
		await settled(p);
		const moving = await p.evaluate(() => document.getAnimations()
		    .filter(a => a.playState === "running").length);
		t.eq(moving, 0, `${path}: moves`);
		/* what only a background says is gone: a border has to say it */
		const lost = await p.evaluate(() => [...document.querySelectorAll(
		    "button, .button, .pill, input, select")].filter(e =>
		    e.checkVisibility() && e.textContent.trim() === "" &&
		    e.localName === "button" && e.querySelector("svg") === null &&
		    e.getAttribute("aria-label") === null).length);
		t.eq(lost, 0, `${path}: buttons of nothing`);
	}
});
await run();
