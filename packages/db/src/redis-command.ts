import { Command } from "ioredis";

/** What a command has besides its declared types; of ioredis 6.0.0. */
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
 * Lets commands be freed by the collections of young objects. V8 puts a function literal that is assigned to a property among the old objects
 * at once (Parser::CheckAssigningFunctionLiteralToProperty), for most such are methods. ioredis writes `this.reject = (err) => ...` for each
 * command: that function is garbage with its command, but until a collection of everything it keeps what its scope names, the command with
 * its promise and its answer. Named first and then assigned, a function begins as young as everything else.
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
