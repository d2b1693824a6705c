import {
  Activity,
  BellRing,
  Braces,
  ChartColumn,
  CircleQuestionMark,
  Gauge,
  HeartPulse,
  KeyRound,
  type LucideIcon,
  Scale,
  ScrollText,
  Server,
  Settings,
  ShieldCheck,
  Tag,
  TextAlignJustify,
  Trophy,
  Users,
  Wallet,
} from "lucide-react";
import type { SignedIn } from "../api/current-login.ts";

export type Role = SignedIn["user"]["role"];

/** The places of the console in the order of the navigation, each with the least role it requires. */
export const places = [
  { to: "/overview", name: "overview", icon: Gauge, for: "user" },
  { to: "/logs", name: "logs", icon: TextAlignJustify, for: "key" },
  { to: "/sessions", name: "sessions", icon: Activity, for: "key" },
  { to: "/providers", name: "providers", icon: Server, for: "admin" },
  { to: "/keys", name: "keys", icon: KeyRound, for: "key" },
  { to: "/users", name: "users", icon: Users, for: "admin" },
  { to: "/statistics", name: "statistics", icon: ChartColumn, for: "key" },
  { to: "/leaderboard", name: "leaderboard", icon: Trophy, for: "key" },
  { to: "/compare", name: "compare", icon: Scale, for: "key" },
  { to: "/availability", name: "availability", icon: ShieldCheck, for: "admin" },
  { to: "/credits", name: "credits", icon: Wallet, for: "user" },
  { to: "/prices", name: "prices", icon: Tag, for: "admin" },
  { to: "/alerts", name: "alerts", icon: BellRing, for: "admin" },
  { to: "/settings", name: "settings", icon: Settings, for: "admin" },
  { to: "/audit", name: "audit", icon: ScrollText, for: "admin" },
  { to: "/system", name: "system", icon: HeartPulse, for: "admin" },
  { to: "/api", name: "api", icon: Braces, for: "key" },
  { to: "/errors", name: "errors", icon: CircleQuestionMark, for: "key" },
] as const satisfies readonly { to: string; name: string; icon: LucideIcon; for: Role }[];

/** Each role sees what the ones before it see. */
const roles: readonly Role[] = ["key", "user", "admin"];

/** The places that a role sees. */
export function placesOf(role: Role) {
  return places.filter((place) => roles.indexOf(place.for) <= roles.indexOf(role));
}
