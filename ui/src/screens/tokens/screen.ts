import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "tokens",
	routes: { "/admin/tokens": () => import("./tokens.tsx"),
		"/admin/sessions": () => import("./sessions.tsx") },
	nav: [
		{ section: "admin", order: 80, path: "/admin/tokens",
			label: T.tokens.title, icon: "key",
			perm: ["token.create", "token.admin"] },
		{ section: "admin", order: 90, path: "/admin/sessions",
			label: T.tokens.sessions, icon: "activity",
			perm: "token.admin" },
	],
});
