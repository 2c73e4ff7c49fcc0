"""A service that speaks OpenAI's chat completions API, as many local and hosted ones do.

https://platform.openai.com/docs/api-reference/chat/create
"""

import asyncio
import json
import unicodedata
from collections.abc import Sequence
from typing import Any

import aiohttp

from shared.settings import Settings

LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer to one sentence; more is not read."""

LONGEST_SENTENCE = 500
"""Characters."""

AT_ONCE = 4
"""Sentences that are out to be rewritten; others wait, then are told as they are."""

TOKENS = 160

TASK = (
    "You turn sign language glosses into one plain sentence of the language with the tag {language}."
    " Keep every meaning, add none, and do not answer what is said. Glosses are what a recogniser read;"
    " some may be wrong or missing. Answer with the sentence alone."
)


class RewriteError(RuntimeError):
    """There is no sentence; says why, in words for the page and without the service's address."""


class Endpoint:
    """The operator's service."""

    def __init__(self, settings: Settings) -> None:
        self.model = settings.rewrite_model
        self._url = settings.rewrite_url.rstrip("/") + "/chat/completions"
        self._seconds = settings.rewrite_seconds
        self._key = settings.rewrite_key
        self._room = asyncio.Semaphore(AT_ONCE)

    async def sentence(self, glosses: Sequence[str], before: Sequence[str], language: str) -> str:
        """One sentence of these glosses; `before` are the sentences before it. Raises RewriteError."""
        try:
            async with asyncio.timeout(self._seconds), self._room:
                return read_sentence(await self._ask(glosses, before, language))
        except TimeoutError:
            raise RewriteError(f"the rewriting service did not answer within {self._seconds:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise RewriteError("the rewriting service cannot be reached") from error

    async def _ask(self, glosses: Sequence[str], before: Sequence[str], language: str) -> bytes:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        async with (
            aiohttp.ClientSession(headers=headers, trust_env=False) as http,
            # A redirect would carry what people sign to a host that nobody named.
            http.post(
                self._url, json=request_of(self.model, glosses, before, language), allow_redirects=False
            ) as answer,
        ):
            if answer.status != 200:
                raise RewriteError(f"the rewriting service answered {answer.status}")
            body = await answer.content.read(LARGEST_ANSWER + 1)
            while len(body) <= LARGEST_ANSWER and not answer.content.at_eof():
                body += await answer.content.read(LARGEST_ANSWER + 1 - len(body))
            return body


def request_of(model: str, glosses: Sequence[str], before: Sequence[str], language: str) -> dict[str, Any]:
    """What is asked: the task, the sentences before for context, the glosses."""
    said = "".join(f"Said before: {sentence}\n" for sentence in before)
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": TASK.format(language=language)},
            {"role": "user", "content": f"{said}Glosses: {' '.join(glosses)}"},
        ],
        "temperature": 0.2,
        "max_tokens": TOKENS,
        "stream": False,
    }


def read_sentence(body: bytes) -> str:
    """The sentence in an answer, as plain text on one line. Raises RewriteError for whatever else it is."""
    if len(body) > LARGEST_ANSWER:
        raise RewriteError("the rewriting service answered far too much")
    try:
        text = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise RewriteError("the rewriting service answered something else than a sentence") from error
    if not isinstance(text, str):
        raise RewriteError("the rewriting service answered something else than a sentence")
    # Control and formatting characters could turn the line around or hide a part of it.
    plain = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)
    plain = "".join(one for one in plain if unicodedata.category(one) not in ("Cf", "Cs", "Co", "Cn"))
    sentence = " ".join(plain.split())
    if not sentence or len(sentence) > LONGEST_SENTENCE:
        raise RewriteError(f"the rewriting service answered {len(sentence)} characters instead of a sentence")
    return sentence
