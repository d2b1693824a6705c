/** The mark: three gates over running water. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0b6a8f" />
      <path d="M9 7v9M16 7v13M23 7v9" stroke="#fff" strokeWidth="3" strokeLinecap="round" />
      <path
        d="M6 24.5c2.5 0 2.5-1.5 5-1.5s2.5 1.5 5 1.5 2.5-1.5 5-1.5 2.5 1.5 5 1.5"
        fill="none"
        stroke="#8fe0ff"
        strokeWidth="2.4"
        strokeLinecap="round"
      />
    </svg>
  );
}
