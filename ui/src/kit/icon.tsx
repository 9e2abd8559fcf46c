/* icon.tsx: lucide's shapes, as vnodes; they say nothing to a reader. */
import { h } from "preact";
import { Activity, AlertTriangle, Bell, BookOpen, Boxes, Calendar, Check,
	ChevronDown, ChevronRight, ChevronUp, CircleHelp, Clock, Cpu, FileCheck2, Flame,
	Gauge, Hourglass, KeyRound, LayoutDashboard, Link2, List, LogOut, Lock,
	Network, Play, Plug, Plus, Search, Settings, Shield, ShieldCheck,
	Snowflake, Star, Trash2, User, Users, Webhook, X, Zap, Eye, Copy,
	Download, RefreshCw, Pencil, Filter } from "lucide";

type Node = [string, Record<string, string | number | undefined>][];
export const ICONS = {
	activity: Activity, alert: AlertTriangle, bell: Bell, book: BookOpen,
	boxes: Boxes, calendar: Calendar, check: Check, down: ChevronDown,
	right: ChevronRight, up: ChevronUp, help: CircleHelp, clock: Clock, cpu: Cpu,
	audit: FileCheck2, flame: Flame, gauge: Gauge, hourglass: Hourglass,
	key: KeyRound, board: LayoutDashboard, link: Link2, list: List,
	logout: LogOut, lock: Lock, network: Network, play: Play, plug: Plug,
	plus: Plus, search: Search, settings: Settings, shield: Shield,
	posture: ShieldCheck, freeze: Snowflake, star: Star, trash: Trash2,
	user: User, users: Users, webhook: Webhook, x: X, zap: Zap, eye: Eye,
	copy: Copy, download: Download, refresh: RefreshCw, edit: Pencil,
	filter: Filter,
} as const;
export type IconName = keyof typeof ICONS;

export function Icon({ name, size = 16 }: { name: string; size?: number }) {
	const node = ICONS[name as IconName] as unknown as Node | undefined;
	return <svg class="icon" width={size} height={size} viewBox="0 0 24 24"
	    fill="none" stroke="currentColor" stroke-width="2"
	    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"
	    focusable="false">
		{(node ?? []).map(([tag, attrs]) => h(tag, attrs))}
	</svg>;
}
