/** Sentences of the Upload page. */

export default {
  en: {
    "page.title": "Upload",
    title: "Read a video",
    lead: "Drop a video here. Its signs appear on a timeline below it; press one to see it again.",
    "state.idle": "Ready.",
  },
  ru: {
    "page.title": "Файл",
    title: "Прочитать видео",
    lead: "Перетащите видео сюда. Жесты появятся на шкале под ним; нажмите на жест, чтобы увидеть его снова.",
    "state.idle": "Готово к работе.",
  },
};
