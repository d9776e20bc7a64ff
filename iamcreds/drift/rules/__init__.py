"""The rules of drift: the data, the words, the next step and the seriousness of each rule in one place."""
