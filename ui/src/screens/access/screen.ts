import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "access",
	routes: {
		"/admin/roles": () => import("./roles.tsx"),
		"/admin/bindings": () => import("./bindings.tsx"),
		"/admin/resource-groups": () => import("./rgroups.tsx"),
		"/admin/access": () => import("./access.tsx"),
		"/admin/glass": () => import("./glass.tsx"),
	},
	nav: [
		{ section: "admin", order: 40, path: "/admin/roles",
			label: T.access.roles, icon: "shield", perm: "role.view" },
		{ section: "admin", order: 50, path: "/admin/bindings",
			label: T.access.bindings, icon: "link",
			perm: ["role.view", "binding.edit"] },
		{ section: "admin", order: 60, path: "/admin/resource-groups",
			label: T.access.rgroups, icon: "boxes", perm: "role.view" },
		{ section: "admin", order: 70, path: "/admin/access",
			label: T.access.title, icon: "eye",
			perm: "access.explain" },
		{ section: "evidence", order: 60, path: "/admin/glass",
			label: T.access.glass, icon: "alert",
			perm: ["breakglass.use", "breakglass.review"] },
	],
});
