import { Command } from "ioredis";

/** Undeclared members of a command in ioredis 6.0.0. */
interface CommandParts {
  name: string;
  args: unknown[];
  transformed: boolean;
  isResolved: boolean;
  isSettled: boolean;
  callback?: unknown;
  errorStack?: unknown;
  promise: Promise<unknown>;
  resolve: (answer: unknown) => unknown;
  reject: (error: Error) => void;
  stringifyArguments(): void;
  _convertValue(resolve: (answer: unknown) => void): (answer: unknown) => unknown;
  _clearTimers(): void;
}

type Transformers = { argument: Record<string, ((args: unknown[]) => unknown[]) | undefined> };

/**
 * Lets young-generation collections free commands. V8 allocates a function literal that is assigned to a property in the old generation
 * (Parser::CheckAssigningFunctionLiteralToProperty), because most of these are methods. ioredis executes `this.reject = (err) => ...` for
 * each command: the function dies with its command, but until a full collection it keeps what its scope references, the command with
 * its promise and its answer. A function that is named first and assigned later is allocated in the young generation.
 */
export function letCommandsGo(): void {
  const prototype = Command.prototype as unknown as { initPromise: (this: CommandParts) => void };
  const { argument } = (Command as unknown as { _transformer: Transformers })._transformer;
  const { initPromise } = prototype;

  function initYoungPromise(this: CommandParts): void {
    if (this.callback || this.errorStack) {
      initPromise.call(this);
      return;
    }
    this.isResolved = false;
    this.isSettled = false;
    this.promise = new Promise((resolve, reject) => {
      if (!this.transformed) {
        this.transformed = true;
        const transform = argument[this.name];
        if (transform) this.args = transform(this.args);
        this.stringifyArguments();
      }
      this.resolve = this._convertValue(resolve);
      const refuse = (error: Error): void => {
        this._clearTimers();
        this.isSettled = true;
        reject(error);
      };
      this.reject = refuse;
    });
  }

  prototype.initPromise = initYoungPromise;
}
