/* workers.ts: our two workers.  Trusted Types want a policy for a worker's
 * address; this one knows no other. */
const OURS = [LIVE_WORKER, PROOF_WORKER];
const policy = window.trustedTypes?.createPolicy("redoubt-worker", {
	createScriptURL: s => {
		if (!OURS.includes(s))
			throw new TypeError("not our worker");
		return s;
	} });

export const workerUrl = (s: string): string =>
	policy?.createScriptURL(s) ?? s;
