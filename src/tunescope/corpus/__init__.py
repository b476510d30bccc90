"""Sentences, words and label columns, read from the formats the field uses."""
