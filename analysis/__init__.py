"""Analysis of feedback: sentiment, aspects and stages, measures, charts."""
