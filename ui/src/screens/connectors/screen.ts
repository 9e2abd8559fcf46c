import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "connectors",
	routes: {
		"/p/:project/connectors": () => import("./list.tsx"),
		"/p/:project/connectors/:slug": () => import("./one.tsx"),
	},
	nav: [{ section: "setup", order: 30, path: "/p/:project/connectors",
		label: T.connectors.title, icon: "plug",
		perm: "connector.view" }],
});
