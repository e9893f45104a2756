import { createServer, type AddressInfo, type Socket } from 'node:net';

const END = Buffer.from('\r\n.\r\n');

/** A next hop that takes mails of any size and keeps none of them. */
export async function startDrain(): Promise<{ url: string; taken: () => number; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  let taken = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.write('220 drain.test\r\n');
    let inData = false;
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      if (inData) {
        const tail = Buffer.concat([rest, chunk.subarray(-END.length)]).subarray(-END.length);
        rest = tail;
        if (!tail.equals(END)) return;
        inData = false;
        rest = Buffer.alloc(0);
        taken += 1;
        socket.write('250 2.0.0 taken\r\n');
        return;
      }
      for (const line of chunk.toString('latin1').split('\r\n').slice(0, -1)) {
        inData ||= line === 'DATA';
        socket.write(line === 'DATA' ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}?tls=off`,
    taken: () => taken,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
