/* agent.tsx: a browser and its system, of what a browser calls itself; all of
 * that on looking closer. */
import { plain } from "../text/index.ts";
import { Plain } from "./plain.tsx";

/* each names those it is like, too: the first that is there is the one */
const BROWSERS = ["Edg", "OPR", "Firefox", "Chrome", "Safari"];
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac", "CrOS",
    "Linux"];

export function Agent({ text }: { text: string }) {
	const b = BROWSERS.find(x => text.includes(x + "/"));
	const s = SYSTEMS.find(x => text.includes(x));
	return <span class="dim small" title={plain(text)}>
		<Plain text={b && s ? `${b}, ${s}` : text} /></span>;
}
