/* What the build gives. */
declare const LIVE_WORKER: string;
declare const PROOF_WORKER: string;
declare module "all-screens" {
	const screens: import("./app/screen.ts").Screen[];
	export default screens;
}
interface TrustedTypePolicyFactory {
	createPolicy(name: string, rules: {
		createScriptURL(s: string): string }): {
		createScriptURL(s: string): string };
}
interface Window { trustedTypes?: TrustedTypePolicyFactory }
