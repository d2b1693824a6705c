import { cn } from "./class-names.ts";

interface SparklineProps {
  /** A description in words, for assistive technology. */
  label: string;
  /** null = nothing was measured. */
  values: readonly (number | null)[];
  kind: "line" | "bars";
  className?: string;
}

const WIDTH = 144;
const HEIGHT = 28;

/** A few values over time as a small drawing: without axes, since the numbers are beside it. */
export function Sparkline({ label, values, kind, className }: SparklineProps) {
  const max = Math.max(0, ...values.map((value) => value ?? 0));
  const step = WIDTH / Math.max(1, values.length);
  const y = (value: number): number => HEIGHT - 1 - (max === 0 ? 0 : (value / max) * (HEIGHT - 3));
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className={cn("block h-7 w-full overflow-visible", className)}
    >
      <line x1={0} x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} stroke="var(--line-strong)" vectorEffect="non-scaling-stroke" />
      {kind === "bars"
        ? values.map((value, index) =>
            value ? (
              <rect
                // biome-ignore lint/suspicious/noArrayIndexKey: a bucket is identified by its place
                key={index}
                x={index * step + step * 0.15}
                width={step * 0.7}
                y={y(value)}
                height={HEIGHT - y(value)}
                fill="currentColor"
              />
            ) : null,
          )
        : runs(values).map((run) => (
            <path
              key={run[0]?.index}
              d={pathOf(run, (index) => (index + 0.5) * step, y)}
              fill="none"
              stroke="currentColor"
              strokeWidth={1.5}
              strokeLinecap="round"
              strokeLinejoin="round"
              vectorEffect="non-scaling-stroke"
            />
          ))}
    </svg>
  );
}

interface Point {
  index: number;
  value: number;
}

/** Runs without a gap. */
function runs(values: readonly (number | null)[]): Point[][] {
  const found: Point[][] = [];
  let open: Point[] | null = null;
  for (const [index, value] of values.entries()) {
    if (value === null) open = null;
    else if (open) open.push({ index, value });
    else {
      open = [{ index, value }];
      found.push(open);
    }
  }
  return found;
}

/** A single point is drawn as a short dash, so that it is visible. */
function pathOf(run: readonly Point[], x: (index: number) => number, y: (value: number) => number): string {
  const [first] = run;
  if (first && run.length === 1) return `M${x(first.index) - 1} ${y(first.value)}h2`;
  return run.map(({ index, value }, at) => `${at === 0 ? "M" : "L"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}
