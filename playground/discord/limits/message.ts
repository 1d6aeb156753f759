/** Discord's limits on a message, whatever way it is sent: content, embeds, files, and what Components V2 forbids. */
import { MessageFlags } from 'discord-api-types/v10';
import { isRecord, type JsonRecord, numberOf, recordsOf, stringOf } from '../json.ts';
import type { BodyProblem } from '../types.ts';
import { checkComponents, everyComponent } from './components.ts';
import { lengthOf, Report } from './report.ts';

const MOST_EMBED_TEXT = 6000;
const ATTACHMENT = 'attachment://';

export interface MessageContext {
  /** Names of the files sent along with the body. */
  readonly fileNames: readonly string[];
  /** Names of the files that the message already has. */
  readonly existingFileNames: readonly string[];
  /** Whether the message already has the Components V2 flag, which cannot be taken off. */
  readonly isV2: boolean;
  /** What the message will hold if the body leaves it out. */
  readonly existing?: { readonly content: boolean; readonly embeds: boolean };
}

export const NEW_MESSAGE: MessageContext = { fileNames: [], existingFileNames: [], isV2: false };

export function messageProblems(body: JsonRecord, context: MessageContext): BodyProblem[] {
  const report = new Report();
  const isV2 = context.isV2 || (numberOf(body.flags) & MessageFlags.IsComponentsV2) !== 0;
  report.text('content', body.content, 0, 2000);
  checkEmbeds(report, body.embeds);
  checkComponents(report, body.components, isV2);
  if (isV2) checkV2(report, body, context);
  checkFiles(report, body, context, isV2);
  return report.problems;
}

/** With the flag only components may speak; what an earlier answer said must be taken back. */
function checkV2(report: Report, body: JsonRecord, context: MessageContext): void {
  const refuse = (field: string) =>
    report.add(
      field,
      'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2',
      `The '${field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2`,
    );
  const keeps = (field: 'content' | 'embeds') =>
    body[field] === undefined && context.existing?.[field] === true;
  if (stringOf(body.content) !== '' || keeps('content')) refuse('content');
  if (recordsOf(body.embeds).length > 0 || keeps('embeds')) refuse('embeds');
  for (const field of ['poll', 'sticker_ids', 'stickers']) {
    if (body[field] !== undefined && body[field] !== null) refuse(field);
  }
}

function checkEmbeds(report: Report, embeds: unknown): void {
  if (embeds === undefined || embeds === null) return;
  report.list('embeds', embeds, 0, 10);
  let total = 0;
  const text = (path: string, value: unknown, least: number, most: number) => {
    report.text(path, value, least, most);
    total += lengthOf(stringOf(value));
  };
  recordsOf(embeds).forEach((embed, index) => {
    const path = `embeds.${index}`;
    text(`${path}.title`, embed.title, 0, 256);
    text(`${path}.description`, embed.description, 0, 4096);
    if (isRecord(embed.footer)) text(`${path}.footer.text`, embed.footer.text, 1, 2048);
    if (isRecord(embed.author)) text(`${path}.author.name`, embed.author.name, 1, 256);
    report.range(`${path}.color`, embed.color, 0, 0xffffff);
    if (embed.fields !== undefined && embed.fields !== null)
      report.list(`${path}.fields`, embed.fields, 0, 25);
    recordsOf(embed.fields).forEach((field, nth) => {
      text(`${path}.fields.${nth}.name`, field.name, 1, 256);
      text(`${path}.fields.${nth}.value`, field.value, 1, 1024);
    });
  });
  if (total > MOST_EMBED_TEXT) {
    report.add('embeds', 'MAX_EMBED_SIZE_EXCEEDED', `Embed size exceeds maximum size of ${MOST_EMBED_TEXT}`);
  }
}

/** References to files must lead somewhere, and under Components V2 a new file must be referred to, or nobody sees it. */
function checkFiles(report: Report, body: JsonRecord, context: MessageContext, isV2: boolean): void {
  report.list('attachments', body.attachments ?? [], 0, 10);
  for (const [index, attachment] of recordsOf(body.attachments).entries()) {
    report.text(`attachments.${index}.description`, attachment.description, 0, 1024);
    report.text(`attachments.${index}.filename`, attachment.filename, 0, 1024);
  }
  const known = new Set([...context.fileNames, ...context.existingFileNames]);
  const referred = new Set(referredFiles(body.components));
  for (const name of referred) {
    if (known.has(name)) continue;
    report.add(
      'components',
      'UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND',
      `The referenced attachment "${ATTACHMENT}${name}" was not found in the request`,
    );
  }
  if (!isV2) return;
  for (const name of context.fileNames) {
    if (referred.has(name)) continue;
    report.add('attachments', 'ATTACHMENT_NOT_REFERENCED', `No component refers to "${ATTACHMENT}${name}"`);
  }
}

/** Names that components refer to as `attachment://name`. */
function* referredFiles(components: unknown): Generator<string> {
  for (const component of everyComponent(components)) {
    const media = [component.media, component.file, ...recordsOf(component.items).map((item) => item.media)];
    for (const one of media) {
      const url = isRecord(one) ? stringOf(one.url) : '';
      if (url.startsWith(ATTACHMENT)) yield url.slice(ATTACHMENT.length);
    }
  }
}
