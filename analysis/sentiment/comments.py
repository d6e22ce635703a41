"""The scorer of comments as an analyzer for TextBlob: `TextBlob(text, analyzer=CommentAnalyzer()).sentiment`."""

from __future__ import annotations

from textblob.base import CONTINUOUS, BaseSentimentAnalyzer

from analysis.sentiment.scoring import Sentiment, score_comments


class CommentAnalyzer(BaseSentimentAnalyzer):
    """Analyzer of comments in Russian, Belarusian and English, mixed and in Latin letters too."""

    kind = CONTINUOUS

    def __init__(self, hint: str | None = None) -> None:
        """Make an analyzer; `hint`, the language of the screen, decides where a text itself does not."""
        super().__init__()
        self._hint = hint

    def analyze(self, text: str, keep_assessments: bool = False) -> Sentiment:
        """Return the sentiment of a text; `keep_assessments` is TextBlob's, the terms always come along."""
        return score_comments([text], [self._hint])[0]
