export * from '../http/hono.ts';
