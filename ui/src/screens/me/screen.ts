import { screen } from "../../app/screen.ts";
import { T } from "../../text/index.ts";

export default screen({
	id: "me",
	routes: { "/me": () => import("./me.tsx") },
	commands: [{ id: "me", label: T.me.title, path: "/me" }],
});
