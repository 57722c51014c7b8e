import { StreamStateError, type StreamMuxer, type StreamMuxerFactory } from '@libp2p/interface';
import { yamux, type YamuxMuxerInit } from '@libp2p/yamux';

type Connection = Parameters<StreamMuxerFactory['createStreamMuxer']>[0];

/**
 * yamux, which opens a stream out of a microtask: on a connection that begins to close at that moment, what it throws ends
 * the process. What is written to such a connection is dropped instead, as it would be a moment later.
 */
export function muxer(init: YamuxMuxerInit): () => StreamMuxerFactory {
  return () => {
    const factory = yamux(init)();
    return {
      protocol: factory.protocol,
      createStreamMuxer: (connection: Connection): StreamMuxer => factory.createStreamMuxer(dropping(connection)),
    };
  };
}

function dropping(connection: Connection): Connection {
  const send = connection.send.bind(connection);
  connection.send = (data) => {
    try {
      return send(data);
    } catch (error) {
      if (error instanceof StreamStateError) return false;
      throw error;
    }
  };
  return connection;
}
