// build.mjs: ui/src -> build/ui/dist, by esbuild.  A screen is a folder:
// screens/*/screen.ts and *.css are found here, nothing else names them.
import { createHash } from "node:crypto";
import { build } from "esbuild";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync,
	writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const top = dirname(fileURLToPath(import.meta.url));
const src = join(top, "src");
const out = join(top, "..", "build", "ui");
const dist = join(out, "dist");
const files = "node_modules/@fontsource-variable";

function screens(ext) {
	const dir = join(src, "screens");
	return readdirSync(dir, { withFileTypes: true })
	    .filter(d => d.isDirectory()).map(d => d.name).sort()
	    .flatMap(d => readdirSync(join(dir, d)).sort()
	        .filter(f => ext(f)).map(f => join(dir, d, f)));
}

// "all-screens" is what is in the folders.
const plugin = {
	name: "screens",
	setup(b) {
		b.onResolve({ filter: /^all-screens$/ },
		    () => ({ path: "all", namespace: "screens" }));
		b.onLoad({ filter: /.*/, namespace: "screens" }, () => {
			const found = screens(f => f === "screen.ts");
			return {
				contents: found.map((f, i) =>
				    `import s${i} from ${JSON.stringify(f)};`)
				    .join("\n") + "\nexport default [" +
				    found.map((_, i) => `s${i}`).join(",") + "];",
				resolveDir: src, loader: "ts",
			};
		});
		b.onResolve({ filter: /^all-styles$/ },
		    () => ({ path: "styles", namespace: "styles" }));
		b.onLoad({ filter: /.*/, namespace: "styles" }, () => ({
			contents: [
			    join(src, "app", "tokens.css"), join(src, "app", "base.css"),
			    ...readdirSync(join(src, "kit")).sort()
			        .filter(f => f.endsWith(".css"))
			        .map(f => join(src, "kit", f)),
			    join(src, "app", "shell.css"),
			    ...screens(f => f.endsWith(".css"))]
			    .map(f => `@import ${JSON.stringify(f)};`).join("\n"),
			resolveDir: src, loader: "css",
		}));
	},
};

const common = {
	bundle: true, format: "esm", target: "es2022", charset: "utf8",
	minify: true, legalComments: "none", logLevel: "warning",
	jsx: "automatic", jsxImportSource: "preact", metafile: true,
	absWorkingDir: top, plugins: [plugin],
};

rmSync(out, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

// the fonts first: their names are in the styles
function hashed(name, bytes) {
	const h = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
	const dot = name.lastIndexOf(".");
	const to = `${name.slice(0, dot)}-${h}${name.slice(dot)}`;
	writeFileSync(join(dist, to), bytes);
	return to;
}
const fonts = {
	"inter": "inter/files/inter-latin-wght-normal.woff2",
	"mono": "jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
};
const fontNames = Object.fromEntries(Object.entries(fonts).map(([k, f]) =>
    [k, hashed(`${k}.woff2`, readFileSync(join(top, files, f)))]));

// what has a name that the app must know: workers
const workers = await build({
	...common, outdir: dist, entryNames: "[name]-[hash]",
	entryPoints: { live: join(src, "core", "live-worker.ts"),
		proof: join(src, "proof", "worker.ts") },
});
const named = {};
for (const [file, o] of Object.entries(workers.metafile.outputs)) {
	if (o.entryPoint)
		named[basename(file).replace(/-[^-]*$/, "")] = "/" + basename(file);
}

// What the frame has is there before any page: each file says it needs main,
// so that it is one file and not one for each set of pages that shares it.
const app = await build({
	...common, splitting: true, outdir: dist,
	inject: [join(src, "main.tsx")],
	entryNames: "[name]-[hash]", chunkNames: "c-[hash]",
	define: { LIVE_WORKER: JSON.stringify(named.live),
		PROOF_WORKER: JSON.stringify(named.proof) },
	entryPoints: { main: join(src, "main.tsx") },
});
const css = await build({
	...common, outdir: dist, entryNames: "[name]-[hash]",
	stdin: { contents: '@import "all-styles";', loader: "css",
		resolveDir: src, sourcefile: "style.css" },
	external: ["*.woff2"], write: false,
});
let style = Buffer.from(css.outputFiles[0].contents).toString();
for (const [k, n] of Object.entries(fontNames))
	style = style.replaceAll(`font:${k}.woff2`, `/${n}`);
const styleName = hashed("style.css", Buffer.from(style));

const outputs = Object.entries(app.metafile.outputs);
const [mainFile, main] = outputs.find(([, o]) => o.entryPoint === "src/main.tsx");
const first = main.imports.filter(i => i.kind === "import-statement")
    .map(i => basename(i.path));
let html = readFileSync(join(top, "index.html"), "utf8")
    .replace("<!--style-->",
        `<link rel="stylesheet" href="/${styleName}">`)
    .replace("<!--script-->", [basename(mainFile), ...first].map((f, i) =>
        i === 0 ? `<script type="module" src="/${f}"></script>`
                : `<link rel="modulepreload" href="/${f}">`).join("\n"))
    .replace("<!--font-->", `<link rel="preload" href="/${fontNames.inter}" ` +
        'as="font" type="font/woff2" crossorigin>');
writeFileSync(join(dist, "index.html"), html);
for (const f of readdirSync(join(top, "static")))
	cpSync(join(top, "static", f), join(dist, f));

// the pages: what the screens say their paths are
const meta = await build({
	...common, write: false, minify: false, platform: "node",
	stdin: { contents: 'export { default } from "all-screens";',
		resolveDir: src, loader: "ts" },
	plugins: [{ name: "views", setup(b) {
		b.onResolve({ filter: /^\./ }, a => a.kind === "dynamic-import"
		    ? { path: a.path, external: true } : undefined);
	} }, plugin],
	define: { LIVE_WORKER: '""', PROOF_WORKER: '""' },
});
const text = Buffer.from(meta.outputFiles[0].contents).toString("base64");
const all = (await import("data:text/javascript;base64," + text)).default;
const pages = new Set(all.flatMap(s => Object.keys(s.routes))
    .flatMap(p => p.endsWith("?") ?
        [p.replace(/\/[^/]*$/, ""), p.slice(0, -1)] : [p])
    .map(p => p.replace(/:[a-z_]+/g, "*")));
writeFileSync(join(dist, "pages.txt"), [...pages].sort().join("\n") + "\n");

// what the app must hold before it can show anything, for the budget
writeFileSync(join(out, "initial.json"), JSON.stringify({
	js: [basename(mainFile), ...first], css: [styleName],
	routes: Object.fromEntries(outputs.filter(([, o]) => o.entryPoint)
	    .map(([f, o]) => [o.entryPoint, basename(f)])) }, null, 1) + "\n");

// the verifier alone, for Node and for auditors
await build({ ...common, minify: false, outdir: out,
	entryPoints: [join(src, "proof", "index.ts"),
		join(src, "proof", "worker.ts")] });
