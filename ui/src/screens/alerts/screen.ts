import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "alerts",
	routes: { "/p/:project/alerts": () => import("./inbox.tsx"),
		"/p/:project/alerts/:id": () => import("./detail.tsx") },
	nav: [{ section: "work", order: 20, path: "/p/:project/alerts",
		label: T.alerts.title, icon: "bell", perm: "alert.view",
		key: "g a" }],
});
