import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "projects",
	routes: { "/admin/projects": () => import("./projects.tsx") },
	nav: [{ section: "admin", order: 5, path: "/admin/projects",
		label: T.projects.title, icon: "boxes",
		perm: ["project.edit", "project.create"] }],
});
