/**
 * The descriptions of the commands in the languages we keep: en-US first, which Discord also shows where a language is
 * missing. Names of commands and options stay English everywhere, so that one manual serves all.
 */
import type {
  APIApplicationCommandOption,
  RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord.js';

type Language = 'de' | 'fr' | 'es-ES' | 'pt-BR';

/** By the English text; at most 100 characters each. */
const TRANSLATIONS: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  "See how well the bot's cache works and what it holds": {
    de: 'Zeigt, wie gut der Cache des Bots arbeitet und was er enthält',
    fr: "Voir l'efficacité du cache du bot et ce qu'il contient",
    'es-ES': 'Muestra lo bien que funciona la caché del bot y qué contiene',
    'pt-BR': 'Mostra como o cache do bot está funcionando e o que ele guarda',
  },
  'Which page to begin with': {
    de: 'Mit welcher Seite es beginnt',
    fr: 'La page à afficher en premier',
    'es-ES': 'Con qué página empezar',
    'pt-BR': 'Com qual página começar',
  },
  'Show one class of data only': {
    de: 'Nur eine Art von Daten zeigen',
    fr: "N'afficher qu'une catégorie de données",
    'es-ES': 'Mostrar solo una clase de datos',
    'pt-BR': 'Mostrar apenas uma classe de dados',
  },
  'Look at one cached key': {
    de: 'Einen Schlüssel im Cache ansehen',
    fr: 'Examiner une clé du cache',
    'es-ES': 'Examinar una clave de la caché',
    'pt-BR': 'Examinar uma chave do cache',
  },
  'Remove entries from the cache; the database is not changed': {
    de: 'Entfernt Einträge aus dem Cache; die Datenbank bleibt unverändert',
    fr: "Retirer des entrées du cache ; la base de données n'est pas modifiée",
    'es-ES': 'Quita entradas de la caché; la base de datos no cambia',
    'pt-BR': 'Remove entradas do cache; o banco de dados não muda',
  },
  'all, a key, or a pattern such as products:* or user::123456::*': {
    de: 'all, ein Schlüssel oder ein Muster wie products:* oder user::123456::*',
    fr: 'all, une clé ou un motif comme products:* ou user::123456::*',
    'es-ES': 'all, una clave o un patrón como products:* o user::123456::*',
    'pt-BR': 'all, uma chave ou um padrão como products:* ou user::123456::*',
  },
  'Only tell what would be removed': {
    de: 'Nur sagen, was entfernt würde',
    fr: 'Dire seulement ce qui serait retiré',
    'es-ES': 'Decir solo lo que se quitaría',
    'pt-BR': 'Dizer apenas o que seria removido',
  },
  'Fill the cache before anyone asks': {
    de: 'Füllt den Cache, bevor jemand fragt',
    fr: 'Remplir le cache avant toute demande',
    'es-ES': 'Llena la caché antes de que alguien pregunte',
    'pt-BR': 'Preenche o cache antes que alguém pergunte',
  },
  'What to warm (everything but users when left out)': {
    de: 'Was geladen wird (ohne Angabe alles außer Personen)',
    fr: 'Ce qu’il faut remplir (par défaut tout sauf les personnes)',
    'es-ES': 'Qué llenar (si se omite, todo menos los usuarios)',
    'pt-BR': 'O que preencher (se omitido, tudo menos usuários)',
  },
  'Whose entries to warm': {
    de: 'Wessen Einträge geladen werden',
    fr: 'La personne dont les entrées sont remplies',
    'es-ES': 'De quién son las entradas que se llenan',
    'pt-BR': 'De quem são as entradas a preencher',
  },
  'Load what is fresh again, too': {
    de: 'Auch das neu laden, was noch frisch ist',
    fr: 'Recharger aussi ce qui est encore frais',
    'es-ES': 'Cargar de nuevo también lo que aún es reciente',
    'pt-BR': 'Carregar de novo também o que ainda é recente',
  },
  'See how the cache is configured, what it holds and how it is doing': {
    de: 'Zeigt, wie der Cache eingestellt ist, was er enthält und wie es ihm geht',
    fr: 'Voir la configuration du cache, son contenu et son état',
    'es-ES': 'Muestra cómo está configurada la caché, qué contiene y cómo está',
    'pt-BR': 'Mostra como o cache está configurado, o que ele guarda e como ele está',
  },
  'Show one class of data in full': {
    de: 'Eine Art von Daten ausführlich zeigen',
    fr: 'Afficher une catégorie de données en détail',
    'es-ES': 'Mostrar una clase de datos en detalle',
    'pt-BR': 'Mostrar uma classe de dados em detalhe',
  },
  'Explain how long one key lives, and why': {
    de: 'Erklären, wie lange ein Schlüssel lebt und warum',
    fr: 'Expliquer combien de temps une clé est gardée, et pourquoi',
    'es-ES': 'Explicar cuánto dura una clave y por qué',
    'pt-BR': 'Explicar quanto tempo uma chave dura e por quê',
  },
  'See what waits to be saved, and retry or drop what could not be': {
    de: 'Zeigt, was noch zu speichern ist; wiederholt oder verwirft, was gescheitert ist',
    fr: 'Voir ce qui attend d’être enregistré, relancer ou abandonner ce qui a échoué',
    'es-ES': 'Muestra lo que espera guardarse; reintenta o descarta lo que falló',
    'pt-BR': 'Mostra o que aguarda ser salvo; repete ou descarta o que falhou',
  },
  'See what waits to be saved, and what could not be': {
    de: 'Zeigt, was noch zu speichern ist und was nicht gespeichert werden konnte',
    fr: 'Voir ce qui attend d’être enregistré et ce qui a échoué',
    'es-ES': 'Muestra lo que espera guardarse y lo que no se pudo guardar',
    'pt-BR': 'Mostra o que aguarda ser salvo e o que não pôde ser salvo',
  },
  'Try again to save what could not be saved': {
    de: 'Noch einmal versuchen zu speichern, was nicht gespeichert werden konnte',
    fr: 'Essayer à nouveau d’enregistrer ce qui a échoué',
    'es-ES': 'Intentar guardar de nuevo lo que no se pudo guardar',
    'pt-BR': 'Tentar salvar de novo o que não pôde ser salvo',
  },
  'Give up what could not be saved; it is lost': {
    de: 'Aufgeben, was nicht gespeichert werden konnte; es geht verloren',
    fr: 'Abandonner ce qui n’a pas pu être enregistré ; c’est perdu',
    'es-ES': 'Descartar lo que no se pudo guardar; se pierde',
    'pt-BR': 'Desistir do que não pôde ser salvo; fica perdido',
  },
  'all, the name of a writer, or the number of a write': {
    de: 'all, der Name eines Schreibers oder die Nummer eines Eintrags',
    fr: 'all, le nom d’un enregistreur ou le numéro d’une écriture',
    'es-ES': 'all, el nombre de un escritor o el número de una escritura',
    'pt-BR': 'all, o nome de um gravador ou o número de uma gravação',
  },
};

/** The same definition with its descriptions in every language. What has no translation stays English. */
export function inEveryLanguage(
  data: RESTPostAPIChatInputApplicationCommandsJSONBody,
): RESTPostAPIChatInputApplicationCommandsJSONBody {
  return {
    ...translated(data),
    ...(data.options === undefined ? {} : { options: data.options.map(translatedOption) }),
  };
}

function translatedOption(option: APIApplicationCommandOption): APIApplicationCommandOption {
  if (!('options' in option) || option.options === undefined) return translated(option);
  // A subcommand with its own options; the shape stays what it was.
  return {
    ...translated(option),
    options: option.options.map(translatedOption),
  } as APIApplicationCommandOption;
}

function translated<T extends { readonly description: string }>(part: T): T {
  const found = TRANSLATIONS[part.description];
  // The default is listed under its own locale, too, or readers of en-US get another language where theirs is missing.
  return found === undefined
    ? part
    : { ...part, description_localizations: { 'en-US': part.description, ...found } };
}
