/** Every statement, by what it is for. Values are always bound; no text is ever put together. */

const BARE = 'position, sequence, type, version, data, types';
const EVENT = `${BARE}, timestamp, event_id, correlation_id, causation_id, headers`;
const OF_STREAM = 'stream = (SELECT stream FROM streams WHERE tenant = ? AND type = ? AND id = ?)';

const LETTER = `id, processor, partition, sequence_key, position, cursor, source, event_id, type, tenant, stream_type,
  stream_id, sequence, correlation_id, behind, attempts, due_at, error_name, cause, first_at, last_at`;

const IN_ORDER = 'position, length(cursor), cursor, id';

const MATCHES = `(@processor IS NULL OR processor = @processor) AND (@tenant IS NULL OR tenant = @tenant)
  AND (@aggregateType IS NULL OR stream_type = @aggregateType) AND (@aggregateId IS NULL OR stream_id = @aggregateId)
  AND (@sequenceKey IS NULL OR sequence_key = @sequenceKey)`;

/** The first letter of every sequence of a partition. */
const FIRSTS = `FROM dead_letters AS first WHERE first.processor = @processor AND first.partition = @partition AND NOT EXISTS (
    SELECT 1 FROM dead_letters AS earlier WHERE earlier.processor = first.processor AND earlier.sequence_key = first.sequence_key
    AND (earlier.position, length(earlier.cursor), earlier.cursor, earlier.id) <
      (first.position, length(first.cursor), first.cursor, first.id))`;

export const SQL = {
  // the transaction
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: 'SAVEPOINT unit',
  release: 'RELEASE unit',
  rollbackTo: 'ROLLBACK TO unit',

  // the log
  insertStream: 'INSERT INTO streams (tenant, type, id) VALUES (?, ?, ?)',
  streamState: `SELECT stream, (SELECT coalesce(max(sequence), 0) FROM events WHERE events.stream = streams.stream)
    FROM streams WHERE tenant = ? AND type = ? AND id = ?`,
  streamEvents: `SELECT ${EVENT} FROM events WHERE ${OF_STREAM} AND sequence > ? ORDER BY sequence LIMIT ?`,
  bareEvents: `SELECT ${BARE} FROM events WHERE ${OF_STREAM} AND sequence > ? ORDER BY sequence LIMIT ?`,
  versionOf: `SELECT coalesce(max(sequence), 0) FROM events WHERE ${OF_STREAM}`,
  head: 'SELECT coalesce(max(position), 0) FROM events',
  page: `SELECT ${EVENT}, tenant, stream_type, stream_id FROM events WHERE position > ? AND position <= ? ORDER BY position`,
  pageOfNames: `SELECT ${EVENT}, tenant, stream_type, stream_id FROM events WHERE position > ? AND position <= ?
    AND type IN (SELECT value FROM json_each(?)) ORDER BY position`,
  insertEvent: `INSERT INTO events (event_id, stream, tenant, stream_type, stream_id, sequence, type, version, data, types,
    timestamp, correlation_id, causation_id, headers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  positionBefore: `SELECT coalesce((SELECT position - 1 FROM events WHERE timestamp >= ? ORDER BY position LIMIT 1),
    (SELECT max(position) FROM events), 0)`,
  names: 'SELECT kind, name FROM stored_names ORDER BY kind, name',
  insertName: 'INSERT OR IGNORE INTO stored_names (kind, name) VALUES (?, ?)',

  // command keys
  findKey: 'SELECT request, result, types FROM command_keys WHERE tenant = ? AND command = ? AND key = ?',
  insertKey: `INSERT INTO command_keys (tenant, command, key, request, result, types, stored_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,

  // snapshots
  findSnapshot: 'SELECT sequence, version, state, types FROM snapshots WHERE tenant = ? AND type = ? AND id = ?',
  saveSnapshot: `INSERT INTO snapshots (tenant, type, id, sequence, version, state, types) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET sequence = excluded.sequence, version = excluded.version, state = excluded.state,
      types = excluded.types
    WHERE excluded.version <> version OR excluded.sequence >= sequence`,

  // processors
  findProcessor: 'SELECT processor, delivery, partitions, paused, source FROM processors WHERE processor = ?',
  listProcessors: 'SELECT processor, delivery, partitions, paused, source FROM processors ORDER BY processor',
  saveProcessor: `INSERT INTO processors (processor, delivery, partitions, paused, source) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET delivery = excluded.delivery, partitions = excluded.partitions, paused = excluded.paused,
      source = excluded.source`,
  setPaused: 'UPDATE processors SET paused = ? WHERE processor = ?',
  insertPartition:
    'INSERT OR IGNORE INTO processor_partitions (processor, partition, source, epoch) VALUES (?, ?, ?, 0)',
  partitions: `SELECT processor, partition, source, cursor, replay_until, owner, epoch, expires_at, halted_by
    FROM processor_partitions WHERE processor = ? ORDER BY partition`,
  holder: 'SELECT owner, epoch, expires_at FROM processor_partitions WHERE processor = ? AND partition = ?',
  claim: 'UPDATE processor_partitions SET owner = ?, epoch = ?, expires_at = ? WHERE processor = ? AND partition = ?',
  renew: `UPDATE processor_partitions SET expires_at = ? WHERE processor = ? AND partition = ? AND owner = ? AND epoch = ?`,
  giveBack: `UPDATE processor_partitions SET owner = NULL, expires_at = NULL
    WHERE processor = ? AND partition = ? AND owner = ? AND epoch = ?`,
  clearHalt: 'UPDATE processor_partitions SET halted_by = NULL WHERE processor = ?',
  rewind: `UPDATE processor_partitions SET cursor = ?, replay_until = ?
    WHERE processor = ? AND partition = ? AND owner = ? AND epoch = ?`,
  moveCheckpoint: `UPDATE processor_partitions SET cursor = coalesce(?, cursor),
      replay_until = CASE WHEN ? THEN ? ELSE replay_until END, halted_by = coalesce(?, halted_by),
      expires_at = coalesce(?, expires_at)
    WHERE processor = ? AND partition = ? AND owner = ? AND epoch = ?`,
  attempts: 'SELECT attempts FROM attempts WHERE processor = ? AND partition = ? AND cursor = ?',
  saveAttempts: `INSERT INTO attempts (processor, partition, cursor, attempts) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET attempts = excluded.attempts`,
  forgetAttempts: `DELETE FROM attempts WHERE processor = ? AND partition = ?
    AND (length(cursor), cursor) <= (length(?), ?)`,
  dropAttempts: 'DELETE FROM attempts WHERE processor = ? AND partition = ?',

  // letters
  letterPage: `SELECT ${LETTER} FROM dead_letters WHERE ${MATCHES} AND (processor, ${IN_ORDER}) >
      (@afterProcessor, @afterPosition, length(@afterCursor), @afterCursor, @afterId)
    ORDER BY processor, ${IN_ORDER} LIMIT @limit`,
  countLetters: `SELECT count(*) FROM dead_letters WHERE ${MATCHES}`,
  findLetter: `SELECT ${LETTER} FROM dead_letters WHERE id = ?`,
  firstLetter: `SELECT ${LETTER} FROM dead_letters WHERE processor = ? AND sequence_key = ? ORDER BY ${IN_ORDER} LIMIT 1`,
  sequences: 'SELECT DISTINCT sequence_key FROM dead_letters WHERE processor = ? AND partition = ?',
  hasLetters: 'SELECT 1 FROM dead_letters WHERE processor = ? AND sequence_key = ? LIMIT 1',
  due: `SELECT first.sequence_key, (SELECT token FROM letter_claims AS claim WHERE claim.processor = first.processor
      AND claim.sequence_key = first.sequence_key AND claim.expires_at > @now) ${FIRSTS} AND first.due_at <= @now
    ORDER BY first.last_at, first.position`,
  nextDue: `SELECT min(first.due_at) ${FIRSTS}`,
  park: `INSERT INTO dead_letters (${LETTER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET behind = excluded.behind, attempts = excluded.attempts, due_at = excluded.due_at,
      error_name = excluded.error_name, cause = excluded.cause, last_at = excluded.last_at`,
  follow: `INSERT OR IGNORE INTO dead_letters (${LETTER})
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  replaceLetter: `UPDATE dead_letters SET behind = ?, attempts = ?, due_at = ?, error_name = ?, cause = ?, first_at = ?,
    last_at = ? WHERE id = ?`,
  removeLetter: 'DELETE FROM dead_letters WHERE id = ?',
  makeFollowerDue: `UPDATE dead_letters SET due_at = ? WHERE behind AND due_at IS NULL AND id = (
    SELECT id FROM dead_letters WHERE processor = ? AND sequence_key = ? ORDER BY ${IN_ORDER} LIMIT 1)`,
  dropLetters: 'DELETE FROM dead_letters WHERE processor = ? AND partition = ?',
  keepDiscarded: `INSERT INTO discarded_letters (id, processor, position, event_id, type, tenant, stream_type, stream_id,
      sequence, attempts, error_name, cause, reason, discarded_at)
    SELECT id, processor, position, event_id, type, tenant, stream_type, stream_id, sequence, attempts, error_name, cause,
      ?, ? FROM dead_letters WHERE id = ?`,
  findClaim: 'SELECT token, expires_at FROM letter_claims WHERE processor = ? AND sequence_key = ?',
  saveClaim: `INSERT INTO letter_claims (processor, sequence_key, token, expires_at) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at`,
  prolongClaim: 'UPDATE letter_claims SET expires_at = ? WHERE processor = ? AND sequence_key = ? AND token = ?',
  releaseClaim: 'DELETE FROM letter_claims WHERE processor = ? AND sequence_key = ? AND token = ?',

  // effects
  findMark: 'SELECT state, result, types FROM effect_marks WHERE key = ?',
  startMark: `INSERT OR IGNORE INTO effect_marks (key, state, marked_at) VALUES (?, 'started', ?)`,
  finishMark: `INSERT INTO effect_marks (key, state, result, types, marked_at) VALUES (?, 'done', ?, ?, ?)
    ON CONFLICT DO UPDATE SET state = 'done', result = excluded.result, types = excluded.types,
      marked_at = excluded.marked_at`,
  abandonMark: `DELETE FROM effect_marks WHERE key = ? AND state = 'started'`,

  // retention: a letter's retry may still ask for the key or the mark, so they outlive the oldest letter
  sweepKeys: `DELETE FROM command_keys WHERE rowid IN (SELECT rowid FROM command_keys
    WHERE stored_at < min(?, (SELECT coalesce(min(first_at), 9e15) FROM dead_letters)) LIMIT ?)`,
  sweepMarks: `DELETE FROM effect_marks WHERE rowid IN (SELECT rowid FROM effect_marks
    WHERE marked_at < min(?, (SELECT coalesce(min(first_at), 9e15) FROM dead_letters)) LIMIT ?)`,
} as const;
