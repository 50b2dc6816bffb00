"""Prompts are few and never change their meaning: each is encoded once in the life of a process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.segment.sam3.backend import TextFeatures

__all__ = ["TextCache"]


class TextCache:
    """Keeps every encoded text for good: about 16 KB each in bfloat16. Not thread-safe."""

    def __init__(self, encode: Callable[[Sequence[str]], TextFeatures]) -> None:
        self._encode = encode
        self._known: dict[str, TextFeatures] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, texts: Sequence[str]) -> list[TextFeatures]:
        """One entry (K = 1) a text, in order; all new ones are encoded in one pass."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            features = self._encode(new)
            for row, text in enumerate(new):
                # Cloned: a view would keep the whole pass alive.
                self._known[text] = TextFeatures(
                    features.tokens[row : row + 1].clone(), features.valid[row : row + 1].clone()
                )
        return [self._known[text] for text in texts]
