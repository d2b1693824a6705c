import {
  Activity,
  CircleQuestionMark,
  Gauge,
  HeartPulse,
  KeyRound,
  type LucideIcon,
  ScrollText,
  Server,
  Settings,
  Tag,
  TextAlignJustify,
  Users,
  Wallet,
} from "lucide-react";

/** The places of the console, in the order of the navigation. */
export const places = [
  { to: "/overview", name: "overview", icon: Gauge, admin: false },
  { to: "/logs", name: "logs", icon: TextAlignJustify, admin: false },
  { to: "/sessions", name: "sessions", icon: Activity, admin: false },
  { to: "/providers", name: "providers", icon: Server, admin: true },
  { to: "/keys", name: "keys", icon: KeyRound, admin: false },
  { to: "/users", name: "users", icon: Users, admin: true },
  { to: "/credits", name: "credits", icon: Wallet, admin: false },
  { to: "/prices", name: "prices", icon: Tag, admin: true },
  { to: "/settings", name: "settings", icon: Settings, admin: true },
  { to: "/audit", name: "audit", icon: ScrollText, admin: true },
  { to: "/system", name: "system", icon: HeartPulse, admin: true },
  { to: "/errors", name: "errors", icon: CircleQuestionMark, admin: false },
] as const satisfies readonly { to: string; name: string; icon: LucideIcon; admin: boolean }[];

/** What a role sees. */
export function placesOf(role: "admin" | "user") {
  return places.filter(({ admin }) => !admin || role === "admin");
}
