/** Sentences of the Record page. */

export default {
  en: {
    "page.title": "Record",
    title: "Record one sign",
    lead: "Three seconds to get ready, three seconds to sign; then you see what was recognised.",
    "state.idle": "Ready.",
  },
  ru: {
    "page.title": "Запись",
    title: "Запишите один жест",
    lead: "Три секунды на подготовку, три секунды на жест; потом вы увидите, что распознано.",
    "state.idle": "Готово к работе.",
  },
};
