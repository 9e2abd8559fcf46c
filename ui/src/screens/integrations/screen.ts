import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "integrations",
	routes: {
		"/p/:project/integrations": () => import("./list.tsx"),
		"/p/:project/integrations/:id": () => import("./one.tsx"),
	},
	nav: [{ section: "setup", order: 10, path: "/p/:project/integrations",
		label: T.integrations.title, icon: "webhook",
		perm: "integration.view", key: "g w" }],
});
