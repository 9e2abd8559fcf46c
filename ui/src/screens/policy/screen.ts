import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "policy",
	routes: { "/admin/policy": () => import("./policy.tsx") },
	nav: [{ section: "admin", order: 100, path: "/admin/policy",
		label: T.policy.title, icon: "settings", perm: "policy.view" }],
});
