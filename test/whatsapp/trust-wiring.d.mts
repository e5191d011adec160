export function wireTrust(emulator: { url: string; trust: { ca: string; mediaHost: string } }): void;
