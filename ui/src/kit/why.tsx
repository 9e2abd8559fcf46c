/*
 * why.tsx: a control one may not use stays where it is, and says why:
 * what the server's own decision says (POST /v1/access/explain).
 */
import { signal } from "@preact/signals";
import { lazy } from "./lazy.tsx";

export interface Question { perm: string; project?: string | null | undefined;
	resource?: { type: string; id: string } | undefined }
export const asking = signal<Question | null>(null);
export const askWhy = (q: Question): void => { asking.value = q; };

const Why = lazy(() => import("./why-dialog.tsx"));
export function WhyHost() {
	return asking.value ? <Why q={asking.value}
	    onClose={() => { asking.value = null; }} /> : null;
}
