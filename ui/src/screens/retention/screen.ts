import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "retention",
	routes: { "/retention": () => import("./retention.tsx"),
		"/holds": () => import("./holds.tsx") },
	nav: [
		{ section: "evidence", order: 30, path: "/retention",
			label: T.retention.title, icon: "hourglass",
			perm: "retention.view" },
		{ section: "evidence", order: 40, path: "/holds",
			label: T.retention.holds, icon: "lock",
			perm: "hold.view" },
	],
});
