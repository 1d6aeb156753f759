export * from '../metrics/prometheus.ts';
