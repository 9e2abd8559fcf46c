/*
 * chromium.mjs: Debian's Chromium, as every test of the repository has it.
 *
 * A certificate is trusted by its key (spki), not by looking away: so what
 * the page is told is a secure context is one, for its workers, too.  Nothing
 * but this machine has an address, whatever a page, a worker or Chromium
 * itself asks for.
 */
import { chromium } from "playwright-core";

const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

/* via: {from, to} ports of this machine: what is meant for one goes to the
 * other. */
export function launch({ exe = "/usr/bin/chromium", spki, via, args = [] } =
    {}) {
	const rules = [...(via ? [`MAP 127.0.0.1:${via.from} ` +
	    `127.0.0.1:${via.to}`] : []),
	"MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1", "EXCLUDE localhost"];
	return chromium.launch({ executablePath: exe, args: [...ARGS,
		`--host-resolver-rules=${rules.join(",")}`,
		...(spki ? [`--ignore-certificate-errors-spki-list=${spki}`] :
		    []), ...args] });
}
