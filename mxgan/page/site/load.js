// Files by the network, with progress. They are packed by gzip, as not every host packs what it sends.

/**
 * The contents of files, ArrayBuffers in their order. `files`: {address, bytes (as sent)}. `progress(loaded, total)` is
 * told the bytes of all that have arrived.
 */
export async function load(files, progress) {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  let loaded = 0;
  return Promise.all(
    files.map(({ address }) =>
      unpacked(address, (bytes) => {
        loaded = Math.min(total, loaded + bytes); // a host that unpacks on the way sends more
        progress(loaded, total);
      }),
    ),
  );
}

async function unpacked(address, arrived) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} can't be loaded: ${answer.status} ${answer.statusText}`);
  const reader = answer.body.getReader();
  const first = await reader.read();
  const packed = first.value?.[0] === 0x1f && first.value[1] === 0x8b; // else the host said so: it is unpacked already
  let part = first;
  const parts = new ReadableStream({
    async pull(to) {
      if (part.done) return to.close();
      arrived(part.value.length);
      to.enqueue(part.value);
      part = await reader.read();
    },
  });
  return new Response(packed ? parts.pipeThrough(new DecompressionStream("gzip")) : parts).arrayBuffer();
}
