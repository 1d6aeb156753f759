/** What `/cache-warm` says while a run is under way and when it has ended. */
import { shownError } from '../../logger/secrets.ts';
import type { WarmReport, WarmTaskReport } from '../../warmers/types.ts';
import { bar, type Format, instant, plural } from './format.ts';
import { keyText } from './key-text.ts';
import type { Block, Button, ControlId, Mention, View } from './view.ts';

export interface WarmModel {
  readonly report: WarmReport;
  /** `reference`, `all`, or a mention of a person. */
  readonly scopeText: string;
  readonly joined: boolean;
}

/** Tasks shown one by one; more are counted. */
const TASKS_SHOWN = 12;
const FAILURES_SHOWN = 5;

const TRIGGERS: Readonly<Record<WarmReport['trigger'], string>> = {
  startup: 'the startup run',
  periodic: 'the periodic run',
  user: 'a first interaction',
  command: 'another /cache-warm',
};

export function warmingView(model: WarmModel, format: Format, id: ControlId): View {
  const { report } = model;
  return {
    tone: 'normal',
    title: `🔥 Warming: ${model.scopeText}`,
    subtitle: `${overall(report, format)} · started ${instant(report.startedAt)}`,
    blocks: [...joinedBlock(model), ...taskBlocks(report, format), { lines: [sums(report, format)] }],
    rows: [[{ id: id('stop'), label: 'Stop', style: 'secondary' }]],
  };
}

/** The run goes on after Discord stops taking edits. @param auditChannelId where its end will be told, too */
export function continuesView(model: WarmModel, auditChannelId: string | null, format: Format): View {
  const { report } = model;
  return {
    tone: 'normal',
    title: `🔥 Warming: ${model.scopeText}`,
    subtitle: overall(report, format),
    blocks: [...taskBlocks(report, format), { lines: [sums(report, format)] }],
    notes: [
      `Continues in the background; the result goes to ${auditChannelId === null ? 'the audit log' : `<#${auditChannelId}>`}.`,
    ],
  };
}

function overall(report: WarmReport, format: Format): string {
  const done = report.warmed + report.skipped + report.failed;
  if (report.total === 0) return 'Counting what is to be warmed';
  return `${format.count(done)} of ${plural(format, report.total, 'key')}`;
}

function joinedBlock(model: WarmModel): Block[] {
  if (!model.joined) return [];
  const { startedAt, trigger } = model.report;
  return [
    {
      lines: [
        `This is being warmed since ${instant(startedAt)} by ${TRIGGERS[trigger]}: you have joined that run.`,
      ],
    },
  ];
}

function sums(report: WarmReport, format: Format): string {
  return `Loaded ${format.count(report.warmed)} · already fresh ${format.count(report.skipped)} · failed ${format.count(report.failed)}`;
}

function taskBlocks(report: WarmReport, format: Format): Block[] {
  if (report.tasks.length === 0) return [];
  return [
    {
      lines: report.tasks.slice(0, TASKS_SHOWN).map((task) => taskLine(task, format)),
      more: Math.max(0, report.tasks.length - TASKS_SHOWN),
    },
  ];
}

function taskLine(task: WarmTaskReport, format: Format): string {
  const done = task.warmed + task.skipped + task.failures.length;
  const name = `**${keyText(task.task, 32)}**`;
  const count = `${format.count(done)} / ${format.count(task.total)}`;
  const failed = task.failures.length === 0 ? '' : ` · ${format.count(task.failures.length)} failed`;
  switch (task.state) {
    case 'waiting':
      return `${name} — waiting`;
    case 'running':
      return `${name} ${bar(task.total > 0 ? done / task.total : 0)} ${count} · ${format.duration(task.ms)}${failed}`;
    case 'done':
      return `${name} — done · ${count} · ${format.duration(task.ms)}${failed}`;
    case 'failed':
      // Of a single key that failed, "1 / 1 · 1 failed" would say it three times, and once as if it were done.
      if (task.total === 1 && task.failures.length === 1)
        return `${name} — failed · ${format.duration(task.ms)}`;
      return `${name} — failed · ${count} · ${format.duration(task.ms)}${failed}`;
    case 'stopped':
      return `${name} — stopped · ${count} · ${format.duration(task.ms)}${failed}`;
  }
}

/** The result. @param id makes the `custom_id` of [Try again] where something failed */
export function warmedView(
  model: WarmModel & { readonly reference: string },
  format: Format,
  mention: Mention,
  id: ControlId,
): View {
  const { report } = model;
  const isNothing = report.state === 'done' && report.total === 0 && report.failed === 0;
  if (isNothing && report.tasks.every((task) => task.state === 'done')) {
    return nothingToWarm(model.scopeText);
  }
  const failures = report.tasks.flatMap((task) => task.failures);
  const isStopped = report.state === 'stopped';
  const fresh =
    report.skipped > 0
      ? `; ${format.count(report.skipped)} ${report.skipped === 1 ? 'was' : 'were'} fresh and left alone`
      : '';
  const headline = isStopped
    ? `Stopped after ${format.count(report.warmed + report.skipped + report.failed)} of ${format.count(report.total)}. What was loaded stays.`
    : `**Warmed ${format.count(report.warmed)} of ${plural(format, report.total, 'key')}** in ${format.duration(report.ms)}${fresh}.`;
  const rows: Button[] = [];
  if (report.failed > 0 || isStopped) {
    rows.push({ id: id('again'), label: isStopped ? 'Go on' : 'Try again', style: 'primary' });
  }
  return {
    tone: report.failed > 0 || isStopped ? 'degraded' : 'good',
    title: isStopped
      ? `🔥 Stopped: ${model.scopeText}`
      : report.failed > 0
        ? `🔥 Warmed with failures: ${model.scopeText}`
        : `🔥 Warmed: ${model.scopeText}`,
    blocks: [
      { lines: [headline] },
      ...taskBlocks(report, format),
      ...(failures.length === 0
        ? []
        : [
            {
              heading: plural(format, failures.length, 'failure'),
              lines: failures
                .slice(0, FAILURES_SHOWN)
                .map(
                  (failure) => `${keyText(failure.key, 48)} — ${keyText(shownError(failure.message), 96)}`,
                ),
              more: Math.max(0, failures.length - FAILURES_SHOWN),
            },
          ]),
    ],
    notes: [`${sums(report, format)} · see ${mention('cache-stats')} · reference ${model.reference}`],
    ...(rows.length === 0 ? {} : { rows: [rows] }),
  };
}

function nothingToWarm(scopeText: string): View {
  return {
    tone: 'normal',
    title: `🔥 Nothing to warm: ${scopeText}`,
    blocks: [{ lines: ['Its warmers list no keys at the moment. Nothing was changed.'] }],
  };
}

/** The bot has no warmer for it. */
export function noSuchScopeView(scope: string, scopes: readonly string[]): View {
  const lines = [`This bot has no warmer for ${keyText(scope, 48)}.`];
  lines.push(
    scopes.length === 0
      ? 'It has none at all: entries fill as the bot is used.'
      : `It has: ${scopes.map((one) => keyText(one, 32)).join(' ')}`,
  );
  return { tone: 'degraded', title: '🔥 Nothing to warm', blocks: [{ lines }] };
}

/** Scope `user` was asked for without a person. */
export function chooseUserView(id: ControlId): View {
  return {
    tone: 'normal',
    title: '👤 Whose entries?',
    blocks: [{ lines: ['Choose a person, and their entries are loaded at once.'] }],
    rows: [{ id: id('user'), placeholder: 'Choose a person', of: 'users' }],
  };
}
