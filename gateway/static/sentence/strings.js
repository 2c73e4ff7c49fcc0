/** Sentences of the sentence card. */

export default {
  en: {
    "sentence.title": "Sentences",
    "sentence.empty": "Glosses stand here as lines; a pause begins a new one.",
    "sentence.rewrite": "Rewrite as a sentence, by {model}",
    "sentence.sends": "The glosses are then sent to the service that this server's operator has chosen.",
    "sentence.by": "Rewritten by {model}; it may be wrong.",
    "sentence.failed": "Not rewritten: {reason}.",
    "sentence.away": "the server did not answer",
  },
  ru: {
    "sentence.title": "Предложения",
    "sentence.empty": "Здесь глоссы стоят строками; пауза начинает новую.",
    "sentence.rewrite": "Переписать предложением, модель {model}",
    "sentence.sends": "Тогда глоссы отправляются службе, которую выбрал владелец этого сервера.",
    "sentence.by": "Переписала модель {model}; возможны ошибки.",
    "sentence.failed": "Не переписано: {reason}.",
    "sentence.away": "сервер не ответил",
  },
};
