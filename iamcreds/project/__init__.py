"""A project of a team's own: the files that it begins with, and how they are written."""
