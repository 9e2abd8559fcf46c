import { screen } from "../../app/screen.ts";

export default screen({
	id: "login",
	routes: { "/login": () => import("./login.tsx"),
		"/enrol": () => import("./enrol.tsx") },
});
