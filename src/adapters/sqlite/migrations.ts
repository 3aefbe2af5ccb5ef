/** `PRAGMA application_id` of our files: "ILCK". */
export const APPLICATION_ID = 0x49_4c_43_4b;

/**
 * The tables, one step a version. A step that was released is never changed again. `events` and `dead_letters` may be read by
 * anybody; the names in them are a promise.
 *
 * Times are milliseconds since 1970. `types` says what the stand-ins in the JSON text beside it stand for.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE streams (
    stream INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    UNIQUE (tenant, type, id)
  );

  -- What every load reads comes first: SQLite walks a row from its start.
  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    version INTEGER NOT NULL,
    data TEXT NOT NULL,
    types TEXT,
    timestamp INTEGER NOT NULL,
    event_id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    stream_type TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    causation_id TEXT,
    headers TEXT,
    UNIQUE (stream, sequence)
  );

  -- A position is the highest one plus one, so the last event must stay. This costs an append nothing, unlike AUTOINCREMENT.
  CREATE TRIGGER positions_are_not_used_again BEFORE DELETE ON events
  WHEN OLD.position = (SELECT max(position) FROM events)
  BEGIN
    SELECT RAISE(ABORT, 'the last event of the log must stay: its position would be given to another one');
  END;

  -- Every name that was ever stored: found without reading the log.
  CREATE TABLE stored_names (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (kind, name)
  ) WITHOUT ROWID;

  CREATE TABLE command_keys (
    tenant TEXT NOT NULL,
    command TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    result TEXT NOT NULL,
    types TEXT,
    stored_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, command, key)
  );

  CREATE TABLE snapshots (
    tenant TEXT NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    version INTEGER NOT NULL,
    types TEXT,
    state TEXT NOT NULL,
    PRIMARY KEY (tenant, type, id)
  );

  CREATE TABLE processors (
    processor TEXT PRIMARY KEY,
    delivery TEXT NOT NULL,
    partitions INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    source TEXT NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE processor_partitions (
    processor TEXT NOT NULL,
    partition INTEGER NOT NULL,
    source TEXT NOT NULL,
    cursor TEXT,
    replay_until TEXT,
    owner TEXT,
    epoch INTEGER NOT NULL,
    expires_at INTEGER,
    halted_by TEXT,
    PRIMARY KEY (processor, partition)
  ) WITHOUT ROWID;

  CREATE TABLE attempts (
    processor TEXT NOT NULL,
    partition INTEGER NOT NULL,
    cursor TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (processor, partition, cursor)
  ) WITHOUT ROWID;

  CREATE TABLE dead_letters (
    id TEXT NOT NULL UNIQUE,
    processor TEXT NOT NULL,
    partition INTEGER NOT NULL,
    sequence_key TEXT NOT NULL,
    position INTEGER NOT NULL,
    cursor TEXT NOT NULL,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    tenant TEXT NOT NULL,
    stream_type TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    correlation_id TEXT NOT NULL,
    behind INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER,
    error_name TEXT NOT NULL,
    cause TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL
  );
  CREATE INDEX dead_letters_in_order ON dead_letters (processor, position, length(cursor), cursor, id);
  CREATE INDEX dead_letters_by_sequence ON dead_letters (processor, sequence_key, position, length(cursor), cursor, id);

  CREATE TABLE letter_claims (
    processor TEXT NOT NULL,
    sequence_key TEXT NOT NULL,
    token TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (processor, sequence_key)
  ) WITHOUT ROWID;

  CREATE TABLE discarded_letters (
    id TEXT NOT NULL,
    processor TEXT NOT NULL,
    position INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    tenant TEXT NOT NULL,
    stream_type TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    error_name TEXT NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    discarded_at INTEGER NOT NULL
  );

  CREATE TABLE effect_marks (
    key TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    result TEXT,
    types TEXT,
    marked_at INTEGER NOT NULL
  );
  `,
];
