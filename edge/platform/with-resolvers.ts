/** `Promise.withResolvers` of ES2024 for Node 20, which libp2p calls. To be dropped with Node 20. */
if (!('withResolvers' in Promise)) {
  Object.defineProperty(Promise, 'withResolvers', {
    configurable: true,
    writable: true,
    value: function withResolvers<T>(this: PromiseConstructor) {
      let resolve!: (value: T | PromiseLike<T>) => void;
      let reject!: (reason?: unknown) => void;
      const promise = new this<T>((take, refuse) => {
        resolve = take;
        reject = refuse;
      });
      return { promise, resolve, reject };
    },
  });
}
