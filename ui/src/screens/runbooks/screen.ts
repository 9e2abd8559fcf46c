import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "runbooks",
	routes: { "/p/:project/runbooks": () => import("./list.tsx"),
		"/p/:project/new-runbook": () => import("./edit.tsx"),
		"/p/:project/runbooks/:slug": () => import("./book.tsx"),
		"/p/:project/runbooks/:slug/edit": () => import("./edit.tsx") },
	nav: [{ section: "automation", order: 10, path: "/p/:project/runbooks",
		also: ["/p/:project/new-runbook"],
		label: T.runbooks.title, icon: "book", perm: "runbook.view",
		key: "g r" }],
	commands: [{ id: "runbook-new", label: T.runbooks.create,
		perm: "runbook.edit", path: "/p/:project/new-runbook" }],
});
