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
  const parts = [];
  const reader = answer.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    arrived(part.value.length);
  }
  const blob = new Blob(parts);
  const start = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  const packed = start[0] === 0x1f && start[1] === 0x8b; // unless the host said so, and the browser unpacked it
  return new Response(packed ? blob.stream().pipeThrough(new DecompressionStream("gzip")) : blob).arrayBuffer();
}
