import { startPython } from './python.ts';

/** A running moto; every service of AWS that it imitates is at `url`. */
export type Moto = { url: string; stop: () => Promise<void> };

export async function startMoto(): Promise<Moto> {
  const process = startPython('moto_server.py');
  const port = await process.line();
  return { url: `http://127.0.0.1:${port}`, stop: () => process.stop() };
}
