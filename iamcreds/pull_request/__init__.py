"""The changes of a preview as a pull request comment, a removal limit and an approved plan."""
