import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "incidents",
	routes: { "/p/:project/incidents": () => import("./list.tsx") },
	nav: [{ section: "work", order: 30, path: "/p/:project/incidents",
		also: ["/p/:project/i/:num/:pane?", "/p/:project/declare"],
		label: T.incidents.title, icon: "flame", perm: "incident.view",
		key: "g i" }],
});
