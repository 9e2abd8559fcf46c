// pack.mjs: build/ui/dist -> build/ui/assets.S and assets.def, each file as
// it is, by brotli and by gzip.  The same bytes for the same files, wherever
// and whenever: sorted, no times, no names of the machine.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync }
	from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const out = join(dirname(fileURLToPath(import.meta.url)), "..", "build", "ui");
const dist = join(out, "dist"), pack = join(out, "pack");
const TYPES = {
	html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8",
	css: "text/css; charset=utf-8", svg: "image/svg+xml",
	woff2: "font/woff2", webmanifest: "application/manifest+json",
};

function brotli(bytes) {
	return brotliCompressSync(bytes, { params: {
		[constants.BROTLI_PARAM_QUALITY]: 11,
		[constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
}

function gzip(bytes) {
	const z = gzipSync(bytes, { level: 9 });
	z.fill(0, 4, 8);	/* no time */
	z[9] = 255;		/* no system */
	return z;
}

rmSync(pack, { recursive: true, force: true });
mkdirSync(pack, { recursive: true });
const files = readdirSync(dist).filter(f => f !== "pages.txt").sort();
const asm = [".section .rodata"], def = ["/* made by ui/pack.mjs */"];

function put(symbol, name, bytes) {
	writeFileSync(join(pack, name), bytes);
	asm.push(".balign 16", `.globl ${symbol}`, `${symbol}:`,
	    `.incbin "pack/${name}"`, `.globl ${symbol}_end`,
	    `${symbol}_end:`, ".byte 0");
}

for (const [i, f] of files.entries()) {
	const bytes = readFileSync(join(dist, f));
	const type = TYPES[f.slice(f.lastIndexOf(".") + 1)];
	if (!type)
		throw new Error(`no type for ${f}`);
	const tag = createHash("sha256").update(bytes).digest("base64url")
	    .slice(0, 22);
	const fixed = /-[0-9A-Za-z]{8}\.\w+$/.test(f);
	/* a coding that is not smaller is left out: it is empty */
	const smaller = z => f.endsWith(".woff2") || z.length >= bytes.length ?
	    Buffer.alloc(0) : z;
	put(`ui_${i}_id`, `${i}.id`, bytes);
	put(`ui_${i}_br`, `${i}.br`, smaller(brotli(bytes)));
	put(`ui_${i}_gz`, `${i}.gz`, smaller(gzip(bytes)));
	def.push(`ASSET(${i}, "/${f}", "${type}", "${tag}", ${fixed})`);
}
for (const p of readFileSync(join(dist, "pages.txt"), "utf8").split("\n")) {
	if (p !== "")
		def.push(`PAGE("${p}")`);
}
asm.push('.section .note.GNU-stack,"",%progbits');
writeFileSync(join(out, "assets.S"), asm.join("\n") + "\n");
writeFileSync(join(out, "assets.def"), def.join("\n") + "\n");
