export interface Mail {
  /** Names the mail: sent twice under one id, it is one mail. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly body: string;
}

/** Sends mails. A token: who wants to send for real provides another class. */
export abstract class Outbox {
  abstract send(mail: Mail): Promise<void>;
  /** How many were sent. */
  abstract count(): Promise<number>;
}
