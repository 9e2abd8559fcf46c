import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "users",
	routes: {
		"/admin/users": () => import("./users.tsx"),
		"/admin/users/:id": () => import("./user.tsx"),
		"/admin/groups": () => import("./groups.tsx"),
		"/admin/service-accounts": () => import("./accounts.tsx"),
	},
	nav: [
		{ section: "admin", order: 10, path: "/admin/users",
			label: T.users.title, icon: "user", perm: "user.view" },
		{ section: "admin", order: 20, path: "/admin/groups",
			label: T.users.groups, icon: "users", perm: "user.view" },
		{ section: "admin", order: 30, path: "/admin/service-accounts",
			label: T.users.accounts, icon: "cpu", perm: "user.view" },
	],
});
