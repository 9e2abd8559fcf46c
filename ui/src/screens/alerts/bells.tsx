/* bells.tsx: does this browser make itself heard?  Asked for by a click. */
import { prefs, setPref } from "../../core/prefs.ts";
import { Button } from "../../kit/button.tsx";
import { toast } from "../../kit/toast.tsx";
import { beep } from "../../core/alarm.ts";
import { T } from "../../text/index.ts";

async function notify(): Promise<void> {
	if (prefs.peek().notify) {
		setPref("notify", false);
		return;
	}
	if (await Notification.requestPermission() !== "granted") {
		toast(T.alerts.bells.refused, undefined, true);
		return;
	}
	setPref("notify", true);
	toast(T.alerts.bells.notifyOn);
}

export function Bells() {
	const p = prefs.value;
	return <>
		{"Notification" in window && <Button icon="bell" kind="plain"
		    pressed={p.notify} onClick={notify}>
			{T.alerts.bells.notify}</Button>}
		<Button icon="activity" pressed={p.sound} onClick={() => {
			setPref("sound", !p.sound);
			if (prefs.peek().sound)
				beep();
		}}>{T.alerts.bells.sound}</Button>
	</>;
}
