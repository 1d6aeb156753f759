export * from '../http/undici.ts';
