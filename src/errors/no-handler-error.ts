import { InterlockError } from './interlock-error.ts';

/** A command or query was sent that no registered aggregate or projection handles. */
export class NoHandlerError extends InterlockError {
  readonly code = 'NO_HANDLER';
  readonly messageName: string;

  constructor(kind: 'command' | 'query', messageName: string) {
    super(
      kind === 'command'
        ? `Nobody handles the command ${messageName}: register the aggregate whose method has @handlesCommand for it.`
        : `Nobody answers the query ${messageName}: register the projection whose method has @handlesQuery for it.`,
    );
    this.messageName = messageName;
  }
}
