import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "audit",
	routes: {
		"/audit": () => import("./list.tsx"),
		"/audit/verify": () => import("./verify.tsx"),
		"/audit/reviews": () => import("./reviews.tsx"),
		"/audit/witnesses": () => import("./witnesses.tsx"),
		"/audit/:seq": () => import("./entry.tsx"),
	},
	nav: [{ section: "evidence", order: 10, path: "/audit",
		label: T.audit.title, icon: "audit", perm: "audit.view",
		key: "g l" }],
	commands: [
		{ id: "audit-verify", label: T.audit.verify,
			path: "/audit/verify" },
		{ id: "audit-reviews", label: T.audit.reviews,
			path: "/audit/reviews", perm: "audit.view" },
	],
});
