import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "freeze",
	routes: { "/admin/freeze": () => import("./freeze.tsx") },
	nav: [{ section: "automation", order: 90, path: "/admin/freeze",
		label: T.freeze.title, icon: "freeze",
		perm: ["automation.freeze"] }],
});
