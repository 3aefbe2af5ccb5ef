// A process of its own: decodes what it is sent and encodes what came of it again.
import { decode, encode } from '../../../src/message/codec.ts';
import type { Encoded } from '../../../src/message/codec.ts';

process.on('message', ({ data, types }: Encoded) => {
  process.send!(encode(decode(data, types)));
});
