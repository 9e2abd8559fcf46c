import { screen } from "../../app/screen.ts";

export default screen({
	id: "room",
	routes: { "/p/:project/i/:num/:pane?": () => import("./room.tsx") },
});
